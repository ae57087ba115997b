"""Jira Cloud: what the issues say is what the simulated organisation did, whatever language its statuses are in."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation.connectors.desks import IssueField, Jira
from opsmetrics.sources.jira import issues
from opsmetrics.sources.jira.client import Client
from opsmetrics.sources.jira.places import ended_at, entered_at, filled_at, first_value, is_one_of, names_of
from simulator.world import local
from tests.connectors.landed import landed_from, request_of, table
from tests.connectors.sections import JIRA
from tests.connectors.told import Reply, fetched, telling


def pulled(connected, stream, sources=JIRA):
    return landed_from(connected, sources, stream)


def test_incidents(connected, records):
    found = pulled(connected, "incidents")
    rows = [row for row in records.rows["incidents"] if row["declared_at"] >= local(date(2024, 11, 1), 0)]
    columns = (
        *("incident_id", "service_id", "severity", "declared_at", "first_alert_at", "first_report_at", "resolved_at"),
        *("manager_assigned_at", "is_escalated", "is_exercise", "is_data_loss", "postmortem_published_at"),
        *("is_postmortem_reviewed", "signature", "is_reportable", "notified_at", "caused_by_deployment_id"),
    )
    assert table(found, *columns) == table(rows, *columns)


def test_actions_keep_their_first_due_time_and_tasks_their_team(connected, records):
    columns = (
        *("action_id", "service_id", "incident_id", "priority", "created_at", "first_due_at", "done_at"),
        "is_dropped_with_approval",
    )
    # What was dropped was not done, whenever it was dropped.
    rows = [
        row | ({"done_at": None} if row["is_dropped_with_approval"] else {}) for row in records.rows["action_items"]
    ]
    assert table(pulled(connected, "action_items"), *columns) == table(rows, *columns)
    asked = ("task_id", "team_id", "first_due_at", "completed_at", "is_cancelled_with_approval")
    assert table(pulled(connected, "maintenance_tasks"), *asked) == table(records.rows["maintenance_tasks"], *asked)


DECLARED_BY_A_FIELD = JIRA.replace(
    'first_alert_at = "Første varsel"', 'first_alert_at = "Første varsel"\ndeclared_at = ["Første varsel", "created"]'
)


def test_incidents_declared_by_a_field_are_found_whenever_they_were_registered(connected, records):
    found = pulled(connected, "incidents", DECLARED_BY_A_FIELD)
    rows = [{"declared_at": row["first_alert_at"] or row["declared_at"]} for row in records.rows["incidents"]]
    expected = [row for row in rows if row["declared_at"] >= local(date(2024, 11, 1), 0)]
    assert table(found, "declared_at") == table(expected, "declared_at")


def request(connected, sources, stream="incidents"):
    return request_of(connected, sources, stream)


def test_the_probe_resolves_the_names(connected):
    assert issues.probe(request(connected, JIRA)).startswith("readable, the fields of ")
    odd = JIRA.replace('team_id = "Team"', 'team_id = "Gruppe"')
    with pytest.raises(SourceError, match="no field is called 'Gruppe'"):
        issues.probe(request(connected, odd))


def test_a_time_of_an_unknown_form_names_its_column(connected):
    with Client(request(connected, JIRA)) as client:
        reader = issues.Reader(client, request(connected, JIRA))
        with pytest.raises(SourceError, match="notified_at: the time has a form"):
            reader.row(issue(customfield_10046="10/Nov/26 8:15 AM", components=[], labels=[]))


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        ('"Signatur"', '"Signature"', "fields.incidents.signature: no field is called 'Signature'"),
        ('"Signatur"', '"Hendelsesansvarlig"', "holds people"),
        ('"Signatur"', '"Beskrivelse av feilen"', "holds text"),
        ('"Signatur"', '"summary"', "holds text"),
        ('"Første varsel"', '"Signatur"', "holds no time"),
        ('"Første varsel"', '{ status = ["Løst", "Lukket"] }', "no status is called 'Lukket'"),
    ],
)
def test_a_name_that_matches_nothing_or_must_not_be_read_is_told(connected, was, is_now, said):
    with pytest.raises(SourceError, match=said):
        issues.incidents(request(connected, JIRA.replace(was, is_now, 1)))


def test_without_the_account_the_variable_is_named(connected, monkeypatch):
    monkeypatch.delenv("SIMULATOR_TOKEN")
    with pytest.raises(SourceError, match="SIMULATOR_TOKEN is not set"):
        issues.incidents(request(connected, JIRA))


def test_a_token_that_has_expired_is_not_a_quiet_time(small, monkeypatch):
    """Jira answers it with status 200, as it would anybody: recorded at MrRefactoring/jira.js#418."""
    monkeypatch.setenv("JIRA_USER", "desk")
    monkeypatch.setenv("JIRA_TOKEN", "loopback-only")
    fields = [
        {"id": name, "name": name, "schema": {"type": kind}}
        for name, kind in (("components", "array"), ("priority", "priority"), ("created", "datetime"))
    ]
    headers = {"x-seraph-loginreason": "OK"}
    pages = {"/rest/api/3/field": fields, "/rest/api/3/search/jql": {"issues": [], "isLast": True}}
    with telling(
        {path: lambda *_, said=said: Reply(said, headers=dict(headers)) for path, said in pages.items()}
    ) as server:
        own = {
            "url": server.url,
            "user_env": "JIRA_USER",
            "token_env": "JIRA_TOKEN",
            "queries": {"incidents": "project = OPS"},
        }
        assert fetched(small, "jira", "incidents", **own).rows == []
        headers["x-seraph-loginreason"] = "AUTHENTICATED_FAILED"
        with pytest.raises(SourceError, match="JIRA_TOKEN"):
            fetched(small, "jira", "incidents", **own)


def settings_of(**more):
    plain = {"name": "jira", "kind": "jira", "url": "https://jira.invalid", "user_env": "U", "token_env": "T"}
    return Jira.model_validate({**plain, "streams": ["incidents"], "queries": {"incidents": "project = OPS"}, **more})


def test_what_no_field_is_named_for_is_not_told():
    bare = settings_of()
    assert "signature" in bare.untold("incidents")
    assert "postmortem_published_at" in bare.untold("incidents")
    assert "resolved_at" not in bare.untold("incidents")
    more = settings_of(fields={"incidents": {"signature": "Code"}}, postmortems="issuetype = PIR")
    assert {"signature", "postmortem_published_at"} & set(more.untold("incidents")) == set()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"queries": {}}, "incidents needs a query"),
        ({"queries": {"incidents": "project = OPS Order  BY created"}}, "leave 'order by' out"),
        ({"fields": {"incidents": {"title": "summary"}}}, "not a column of the stream"),
        ({"fields": {"incidents": {"signature": {"field": "a", "status": ["done"]}}}}, "exactly one of"),
        ({"streams": ["maintenance_tasks"], "queries": {"maintenance_tasks": "x"}}, "team_id"),
    ],
)
def test_settings_that_mean_nothing_are_refused(more, said):
    with pytest.raises(ValueError, match=said):
        settings_of(**more)


def test_order_by_in_quotes_is_no_order():
    assert settings_of(queries={"incidents": 'labels = "order by"'}).queries


def issue(category="done", history=(), **fields):
    status = {"id": "3", "name": "x", "statusCategory": {"key": category}}
    told = {"created": "2026-11-01T08:00:00.000+0100", "status": status, **fields}
    histories = [
        {"created": f"2026-11-0{day}T08:00:00.000+0100", "items": [{"fieldId": field, "from": before, "to": after}]}
        for day, field, before, after in history
    ]
    return {"fields": told, "changelog": {"histories": histories}}


def at(day):
    return datetime.fromisoformat(f"2026-11-0{day}T08:00:00+01:00")


def test_an_end_needs_the_category_and_no_resolution():
    told = {
        "resolutiondate": "2026-11-03T08:00:00.000+0100",
        "statuscategorychangedate": "2026-11-04T08:00:00.000+0100",
    }
    assert ended_at(issue(**told)) == at(3)
    assert ended_at(issue(**{**told, "resolutiondate": None})) == at(4)
    assert ended_at(issue("indeterminate", **told)) is None, "opened again, and the resolution was left there"


def test_a_status_is_entered_the_first_time_and_ends_the_last_time():
    back = [(2, "status", "1", "3"), (4, "status", "3", "1"), (6, "status", "1", "3")]
    assert entered_at(issue(history=back), frozenset("3"), is_end=False) == at(2)
    assert entered_at(issue(history=back), frozenset("3"), is_end=True) == at(6)
    assert entered_at(issue(history=back), frozenset("1"), is_end=False) == at(1), "it was made so"
    assert entered_at(issue(history=back), frozenset("1"), is_end=True) is None, "it has left it"
    assert entered_at(issue(), frozenset("3"), is_end=True) == at(1), "nothing ever changed"


def test_first_values_and_when_a_field_was_filled():
    moved = [(2, "duedate", "2026-11-10", "2026-12-10"), (3, "duedate", "2026-12-10", None)]
    assert first_value(issue(history=moved, duedate=None), "duedate") == "2026-11-10"
    assert first_value(issue(duedate="2026-11-09"), "duedate") == "2026-11-09"
    assert filled_at(issue(history=[(2, "x", "", "a")], x={"accountId": "a"}), "x") == at(2)
    assert filled_at(issue(history=[(2, "x", "a", "b")], x={"accountId": "b"}), "x") == at(1)
    assert filled_at(issue(x={"accountId": "b"}), "x") == at(1)
    assert filled_at(issue(x=None), "x") is None


def test_values_have_names_and_a_missing_choice_is_no_answer():
    option = {"id": "7", "value": "Ja"}
    assert is_one_of(option, ["ja"]) is True
    assert is_one_of(option, ["7"]) is True
    assert is_one_of(option, ["nei"]) is False
    assert is_one_of(None, ["ja"]) is None
    assert is_one_of([], ["ja"]) is False
    assert list(names_of([{"id": "w:1", "workspaceId": "w", "objectId": "12"}])) == ["12"], "an object of Assets"
    assert list(names_of(["service:web", None])) == ["service:web"]


def test_a_due_day_lasts_until_its_end(connected, monkeypatch):
    asked = request(connected, JIRA.replace('first_due_at = { first = "Frist" }', ""), "action_items")
    made = issue("new", duedate="2026-11-10", components=[], priority=None, labels=[], resolution=None)
    monkeypatch.setattr(
        "opsmetrics.sources.jira.client.Client.search", lambda *_, **__: iter([{"key": "OPS-1", **made}])
    )
    (row,) = issues.action_items(asked).rows
    assert row["first_due_at"] == local(date(2026, 11, 11), 0) - timedelta(seconds=1)
    assert row["priority"] is None, "no priority is not the lowest"


def test_of_several_components_the_known_one_is_the_service(connected):
    asked = request(connected, JIRA)
    known = asked.organisation.services[0].id
    with Client(asked) as client:
        reader = issues.Reader(client, asked)
    told = IssueField(field="components")
    assert reader._plain("service_id", told, [{"id": "1", "name": "Felles"}, {"id": "2", "name": known}]) == known
    assert reader._plain("service_id", told, [{"id": "1", "name": "Felles"}]) == "Felles"
    prefixed = IssueField(field="labels", prefix="service:")
    assert reader._plain("service_id", prefixed, ["urgent", "service:web"]) == "web"
