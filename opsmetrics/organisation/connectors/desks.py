"""Settings of service desks: Jira, ServiceNow.

Belongs here: how an organisation says which of its issues are meant, and which of its own fields says what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from opsmetrics.core.model import Model
from opsmetrics.organisation.connectors.base import Connector, Feed, Url, Variable

# A priority that Jira brings along -> severity or priority of the contract; another one is named in `values`.
_JIRA_PRIORITIES: dict[str, int | str] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 4}


class IssueField(Model):
    """Where Jira keeps what a column says: exactly one of the first five, fields by id (``customfield_10010``) or name.

    Attributes:
        field: Its value as it stands.
        first: The first value that it ever had; later ones change nothing.
        filled: When it was filled for the first time; the only thing that is told of a field that holds people.
        status: When the issue came into one of these: a category (``new``, ``indeterminate``, ``done``), the id of a
            status or its name. The first time, for ends the last time, and none where it has left them again.
        link: Number of the issue that links of these types (id or name) lead to.
        prefix: Of several values the one that begins so; the rest of it is the value.
        values: Value, or id of the value -> what the column says; others say nothing.
        whether: For a yes or no: the values, or ids of values, that are a yes.
    """

    field: str = ""
    first: str = ""
    filled: str = ""
    status: list[str] = []
    link: list[str] = []
    prefix: str = ""
    values: dict[str, int | str] = {}
    whether: list[str] = []

    @model_validator(mode="after")
    def _one(self) -> IssueField:
        if sum(map(bool, (self.field, self.first, self.filled, self.status, self.link))) != 1:
            raise ValueError("name exactly one of field, first, filled, status, link")
        return self


def _field(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


def in_lists(value: Any) -> Any:
    """Return the places of columns as lists: one may stand without brackets."""
    if not isinstance(value, dict):
        return value
    return {
        stream: {name: item if isinstance(item, list) else [item] for name, item in columns.items()}
        if isinstance(columns, dict)
        else columns
        for stream, columns in value.items()
    }


def check_columns(
    fields: Mapping[str, Mapping[str, Any]], feeds: Mapping[str, Feed], defaults: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse a place for a column that nothing can tell.

    Raises:
        ValueError: The stream or column is none of those that have a default place or may have one.
    """
    for stream, columns in fields.items():
        known = {*defaults.get(stream, ()), *(feeds[stream].untold if stream in feeds else ())}
        for column in columns.keys() - known:
            raise ValueError(f"fields.{stream}.{column} is not a column of the stream: {sorted(known)}")


AnyIssueField = Annotated[IssueField, BeforeValidator(_field)]


class Jira(Connector):
    """Issues of Jira Cloud, Jira Service Management included (source contracts, J).

    Attributes:
        url: The site.
        user_env: Variable with the account's address.
        token_env: Variable with its API token.
        queries: Stream -> JQL without ``order by``, which says which issues are meant.
        fields: Stream -> column -> where Jira keeps it, the first that says anything; beside the defaults of
            ``JIRA_FIELDS``.
        postmortems: JQL of the issues that are post mortems: published when they are done, of what they link to.
        not_done: Resolutions (name or id) with which actions and tasks are over, and not done.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "incidents": Feed(
            chunk_days=190,
            untold=(
                *("first_alert_at", "first_report_at", "manager_assigned_at", "is_escalated", "is_exercise"),
                *("is_data_loss", "postmortem_published_at", "is_postmortem_reviewed", "caused_by_deployment_id"),
                *("signature", "is_reportable", "notified_at"),
            ),
        ),
        "action_items": Feed(untold=("incident_id", "is_dropped_with_approval")),
        "maintenance_tasks": Feed(untold=("is_cancelled_with_approval",)),
    }
    kind: Literal["jira"]
    url: Url
    user_env: Variable
    token_env: Variable
    queries: dict[str, str]
    fields: dict[str, dict[str, list[AnyIssueField]]] = {}
    postmortems: str | None = None
    not_done: list[str] = ["10001", "Won't Do", "Won't Fix", "Duplicate", "Cannot Reproduce", "Declined", "Canceled"]

    _lists = field_validator("fields", mode="before")(in_lists)

    @field_validator("queries", "postmortems")
    @classmethod
    def _unordered(cls, value: dict[str, str] | str | None) -> dict[str, str] | str | None:
        for query in value.values() if isinstance(value, dict) else [value]:
            # What stands in quotes is no word of the query.
            if re.search(r"\border\s+by\b", re.sub(r"'[^']*'|\"[^\"]*\"", "", query or ""), re.IGNORECASE):
                raise ValueError(f"leave 'order by' out of {query!r}: the connector orders")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Jira:
        for stream in self.streams:
            if stream in self.feeds and not self.queries.get(stream):
                raise ValueError(f"{stream} needs a query: queries = {{ {stream} = '<JQL>' }}")
        if "maintenance_tasks" in self.streams and not self.fields.get("maintenance_tasks", {}).get("team_id"):
            raise ValueError("maintenance_tasks needs fields.maintenance_tasks.team_id")
        check_columns(self.fields, self.feeds, JIRA_FIELDS)
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """What no field is named for is not told."""
        told = set(self.fields.get(stream, ()))
        if self.postmortems and stream == "incidents":
            told.add("postmortem_published_at")
        return tuple(name for name in super().untold(stream) if name not in told)

    def places(self, stream: str) -> dict[str, list[IssueField]]:
        """Return where each column of a stream is kept; an end without a place is that of the issue itself."""
        return {**JIRA_FIELDS[stream], **self.fields.get(stream, {})}


# Where Jira keeps what it tells without being told; an empty list is the end of the issue itself, or nothing.
JIRA_FIELDS: dict[str, dict[str, list[IssueField]]] = {
    "incidents": {
        "service_id": [IssueField(field="components")],
        "severity": [IssueField(field="priority", values=_JIRA_PRIORITIES)],
        "declared_at": [IssueField(field="created")],
        "resolved_at": [],
    },
    "action_items": {
        "service_id": [IssueField(field="components")],
        "priority": [IssueField(field="priority", values=_JIRA_PRIORITIES)],
        "created_at": [IssueField(field="created")],
        "first_due_at": [IssueField(first="duedate")],
        "done_at": [],
    },
    "maintenance_tasks": {
        "team_id": [],
        "first_due_at": [IssueField(first="duedate")],
        "completed_at": [],
    },
}


class RecordField(Model):
    """Which field of a record of ServiceNow says what a column says; ``reference.field`` reaches the related record.

    Attributes:
        field: Name of the field.
        prefix: The value begins so, and the rest of it counts.
        values: Value -> what the column says; others say nothing. Names are those of the account's language.
        whether: For a yes or no: the values that are a yes; default ``true``.
    """

    field: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")
    prefix: str = ""
    values: dict[str, int | str] = {}
    whether: list[str] = ["true"]

    @field_validator("field")
    @classmethod
    def _impersonal(cls, value: str) -> str:
        private = _PRIVATE & set(value.split("."))
        if private:
            raise ValueError(f"{value!r} holds text or people: {sorted(private)} is never read")
        return value


_PRIVATE = {
    *("short_description", "description", "comments", "work_notes", "comments_and_work_notes", "close_notes"),
    *("caller_id", "assigned_to", "opened_by", "resolved_by", "closed_by", "requested_by", "sys_created_by"),
    *("sys_updated_by", "watch_list", "work_notes_list", "additional_assignee_list", "user_input"),
}
AnyRecordField = Annotated[RecordField, BeforeValidator(_field)]
State = Literal["open", "ended", "withdrawn"]
_SERVICENOW_PRIORITIES: dict[str, int | str] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 4}
# Where ServiceNow keeps what it tells without being told.
SERVICENOW_FIELDS: dict[str, dict[str, list[RecordField]]] = {
    "incidents": {
        "service_id": [RecordField(field="business_service"), RecordField(field="cmdb_ci")],
        "severity": [RecordField(field="priority", values=_SERVICENOW_PRIORITIES)],
        "declared_at": [RecordField(field="opened_at")],
        "resolved_at": [RecordField(field="resolved_at"), RecordField(field="closed_at")],
    },
    "maintenance_tasks": {
        "team_id": [RecordField(field="assignment_group")],
        "first_due_at": [RecordField(field="end_date")],
        "completed_at": [RecordField(field="work_end"), RecordField(field="closed_at")],
    },
}
# What the states of a new instance mean; organisations have others too.
SERVICENOW_STATES: dict[str, dict[str, State]] = {
    "incidents": {"1": "open", "2": "open", "3": "open", "6": "ended", "7": "ended", "8": "withdrawn"},
    "maintenance_tasks": {
        **dict.fromkeys(("-5", "-4", "-3", "-2", "-1", "0"), "open"),
        "3": "ended",
        "4": "withdrawn",
    },
}


class ServiceNow(Connector):
    """Incidents and changes of ServiceNow, by its Table API (source contracts, L).

    Attributes:
        url: The instance.
        user_env: Variable with the user's name, beside ``password_env``; or ``client_id_env`` with
            ``client_secret_env`` for OAuth's client credentials.
        queries: Stream -> encoded query without ``^NQ`` and ``ORDERBY``, which says which records are meant.
        fields: Stream -> column -> the field that says it, the first that says anything; beside the defaults of
            ``SERVICENOW_FIELDS``.
        states: Stream -> value of ``state`` -> ``open``, ``ended`` or ``withdrawn``, beside ``SERVICENOW_STATES``.
        not_done: Close codes with which a change is over, and not done.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "incidents": Feed(chunk_days=190, untold=Jira.feeds["incidents"].untold),
        "maintenance_tasks": Feed(untold=("is_cancelled_with_approval",)),
    }
    kind: Literal["servicenow"]
    url: Url
    user_env: Variable | None = None
    password_env: Variable | None = None
    client_id_env: Variable | None = None
    client_secret_env: Variable | None = None
    queries: dict[str, str] = {}
    fields: dict[str, dict[str, list[AnyRecordField]]] = {}
    states: dict[str, dict[str, State]] = {}
    not_done: list[str] = ["unsuccessful"]

    _lists = field_validator("fields", mode="before")(in_lists)

    @model_validator(mode="after")
    def _whole(self) -> ServiceNow:
        basic, oauth = (self.user_env, self.password_env), (self.client_id_env, self.client_secret_env)
        if not (all(basic) and not any(oauth)) and not (all(oauth) and not any(basic)):
            raise ValueError("name user_env and password_env, or client_id_env and client_secret_env")
        for query in self.queries.values():
            if "^NQ" in query or "ORDERBY" in query:
                raise ValueError(
                    f"leave ^NQ and ORDERBY out of {query!r}: what the connector adds would not hold for all"
                )
        if "maintenance_tasks" in self.streams and not self.queries.get("maintenance_tasks"):
            raise ValueError("not every change is maintenance: maintenance_tasks needs a query")
        check_columns(self.fields, self.feeds, SERVICENOW_FIELDS)
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """What no field is named for is not told."""
        told = self.fields.get(stream, {})
        return tuple(name for name in super().untold(stream) if name not in told)

    def places(self, stream: str) -> dict[str, list[RecordField]]:
        """Return the fields of each column of a stream."""
        return {**SERVICENOW_FIELDS[stream], **self.fields.get(stream, {})}
