"""Changes of state of Grafana's alerts, as its annotations and its state history tell them (contracts, C2).

An annotation of an alert has the number of its rule, never the uid, and no labels of its own: they stand in braces in
its text, after the rule's title and before values that change. Where Loki keeps the history, an annotation has no id
either, and the history's own answer has everything by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Row = dict[str, Any]
State = Literal["firing", "over", "unknown"]
# Names of before Grafana 9 among them. What waits, or ends only for a while, neither begins nor ends anything.
_STATES: dict[str, State] = {"alerting": "firing", "normal": "over", "ok": "over", "paused": "over"}
# State -> setting of the rule that says what it stands for, and what that says. By default a query without data, and
# one that fails, tell somebody too, by an alert of their own name.
_SETTINGS = {"nodata": "noDataState", "no_data": "noDataState", "error": "execErrState"}
_CONFIGURED: dict[str, State] = {"Alerting": "firing", "NoData": "firing", "Error": "firing", "OK": "over"}
_OWN_NAMES = {"nodata": "DatasourceNoData", "no_data": "DatasourceNoData", "error": "DatasourceError"}


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state of one alert.

    Attributes:
        rule_uid: Uid of its rule, where it is told.
        rule_number: Number of its rule, where it is told.
        title: Title of its rule at that time.
        instance: What tells alerts of one rule apart: their labels as text. Only hashed, never landed.
        state: New state, without its reason.
        previous: State before.
        at: When.
        number: Number of the annotation, for the order of two at the same instant; 0 where there is none.
    """

    rule_uid: str | None
    rule_number: int | None
    title: str
    instance: str
    state: str
    previous: str
    at: datetime
    number: int

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the alert; one whose value holds a comma is cut there."""
        pairs = (part.partition("=") for part in self.instance.split(", "))
        return {name.strip(): value for name, sign, value in pairs if sign}

    @property
    def fingerprint(self) -> str:
        """Short hash of the labels."""
        return hashlib.sha256(self.instance.encode()).hexdigest()[:12]


def state_of(state: str, rule: Mapping[str, Any]) -> State:
    """Say what a state means: *no data* and *error* are what their rule says, else not known."""
    setting = _SETTINGS.get(state)
    return _CONFIGURED.get(str(rule.get(setting)), "unknown") if setting else _STATES.get(state, "unknown")


def was_firing(previous: str, rule: Mapping[str, Any]) -> bool:
    """Whether an alert fired already: only the reason has changed, or it was about to recover."""
    return previous == "recovering" or state_of(previous, rule) == "firing"


def sent_labels(change: Transition) -> dict[str, str]:
    """Return the labels with which an alert was sent that began so: without data, or failing, it has another name."""
    own = _OWN_NAMES.get(change.state)
    if own is None or not change.labels:
        return change.labels
    return {**change.labels, "alertname": own, "rulename": change.labels.get("alertname") or change.title}


def from_annotations(notes: Iterable[Row]) -> list[Transition]:
    """Return what annotations of alerts tell."""
    found: list[Transition] = []
    for note in notes:
        at = instant(note["time"])
        if not note.get("newState"):
            # Somebody wrote a remark on an alert: nothing has changed.
            continue
        title, instance = _parts(note.get("text") or "")
        found.append(
            Transition(
                None,
                note.get("alertId"),
                note.get("alertName") or title,
                instance,
                _plain(note["newState"]),
                _plain(note.get("prevState") or ""),
                at,
                note.get("id") or 0,
            )
        )
    return found


def from_frame(frame: Row) -> list[Transition]:
    """Return what the state history tells: a data frame with a line for each change."""
    names = [field["name"] for field in frame["schema"]["fields"]]
    columns = dict(zip(names, frame["data"]["values"], strict=True))
    return [
        Transition(
            line["ruleUID"],
            line.get("ruleID"),
            line.get("ruleTitle") or "",
            ", ".join(f"{name}={value}" for name, value in sorted((line.get("labels") or {}).items())),
            _plain(line["current"]),
            _plain(line["previous"]),
            instant(at),
            0,
        )
        for at, line in zip(columns["time"], columns["line"], strict=True)
    ]


def _parts(text: str) -> tuple[str, str]:
    """Split ``title {labels} - values`` into title and labels; the values never hold a brace."""
    head = text.rpartition("} - ")[0]
    # Labels are sorted and separated by ", ": the title is among them, so that braces in either do no harm.
    title, _, labels = head.partition(" {")
    for part in labels.split(", "):
        if part.startswith("alertname="):
            title = part.removeprefix("alertname=")
    return title, labels


def _plain(state: str) -> str:
    """Return a state without the reason in brackets behind it."""
    return state.split(" ", 1)[0].lower()


def instant(milliseconds: int) -> datetime:
    """Read a time; older versions mixed seconds and milliseconds."""
    seconds = milliseconds / 1000 if milliseconds > 100_000_000_000 else float(milliseconds)
    return datetime.fromtimestamp(seconds, tz=UTC)
