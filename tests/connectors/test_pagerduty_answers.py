"""PagerDuty's real answers: who acknowledged first, what was merged, urgencies, priorities, duties without an end."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from opsmetrics.sources import pagerduty
from tests.connectors.answers import Answers, ask, request_of
from tests.connectors.told import fetched, telling

TOKEN = {"token_env": "PAGERDUTY_TOKEN"}
MAIL = {"id": "PIJ90N7", "type": "service_reference", "summary": "My Mail Service", "html_url": None}
PERSON = {"id": "PQYACO3", "type": "user_reference", "summary": "Abbot Apisen"}


def incident(**more: Any) -> dict[str, Any]:
    """As recorded, without ``resolved_at``, which newer answers have."""
    return {
        "incident_number": 6,
        "title": "Spamming logs 17",
        "created_at": "2026-11-10T06:45:36.000000Z",
        "status": "resolved",
        "incident_key": "9f5acd07975e4c57bc717d8d9e066785",
        "service": MAIL,
        "assignments": [],
        "last_status_change_at": "2026-11-10T06:51:44.000000Z",
        "teams": [],
        "acknowledgements": [],
        "urgency": "high",
        "id": "Q1OHFWFP3GPXOG",
        "type": "incident",
        "summary": "[#6] Spamming logs 17",
    } | more


def entry(kind: str, at: str, agent: dict[str, Any] | None = None) -> dict[str, Any]:
    agents = {"agent": agent} if agent else {}
    return {"id": f"R{at}", "type": f"{kind}_log_entry", "created_at": f"2026-11-10T{at}Z", "teams": [], **agents}


def page(name: str, rows: list[dict], *, more: bool = False) -> dict[str, Any]:
    return {name: rows, "limit": 100, "offset": 0, "more": more, "total": None}


def pages(monkeypatch, found: list[dict], entries: list[dict] | None = None, **settings: Any) -> list[dict[str, Any]]:
    request = request_of("pagerduty", "alerts", **TOKEN, **settings)
    table: dict[str, Any] = {"incidents": page("incidents", found)}
    table |= {f"incidents/{item['id']}/log_entries": page("log_entries", entries or []) for item in found}
    rows, _ = ask(monkeypatch, pagerduty, request, table)
    return rows


def test_a_resolved_page_with_its_acknowledgement(monkeypatch):
    entries = [
        entry("resolve", "06:51:44", PERSON),
        entry("acknowledge", "06:45:46", PERSON),
        entry("notify", "06:45:37"),
        entry("trigger", "06:45:36", MAIL),
    ]
    (row,) = pages(monkeypatch, [incident()], entries, services={"My Mail Service": "havneavgift-api"})
    assert (row["service_id"], row["severity"]) == ("havneavgift-api", 1)
    assert row["acknowledged_at"] == datetime(2026, 11, 10, 6, 45, 46, tzinfo=UTC)
    assert row["acknowledged_by_kind"] == "human", "a name that holds api and bot is a person's"
    assert row["closed_at"] == "2026-11-10T06:51:44.000000Z"
    assert row["incident_id"] is None
    assert "Spamming" not in str(row)


@pytest.mark.parametrize(
    ("entries", "kind", "at"),
    [
        ([("acknowledge", "06:45:36", MAIL), ("acknowledge", "06:50:00", PERSON)], "human", 50),
        ([("acknowledgement", "06:46:00", PERSON), ("acknowledge", "06:49:00", PERSON)], "human", 46),
        ([("acknowledge", "06:46:00", {"id": "PI", "type": "integration_reference"})], "bot", 46),
        ([("acknowledge", "06:46:00", {"id": "PU", "type": "user_reference", "summary": "Runner"})], "bot", 46),
        ([("acknowledge", "06:46:00", None)], None, 46),
        ([("acknowledge", "06:46:00", MAIL), ("acknowledge", "06:50:00", None)], None, 50),
        ([("trigger", "06:45:36", MAIL)], None, None),
        # Who resolves what nobody had acknowledged has answered it; a check that is well again has not.
        ([("trigger", "06:45:36", MAIL), ("resolve", "06:51:44", PERSON)], "human", 51),
        ([("acknowledge", "06:46:00", MAIL), ("resolve", "06:51:44", PERSON)], "human", 51),
        ([("acknowledge", "06:46:00", PERSON), ("resolve", "06:51:44", PERSON)], "human", 46),
        ([("trigger", "06:45:36", MAIL), ("resolve", "06:51:44", MAIL)], None, None),
        ([("resolve", "06:51:44", {"id": "PU", "type": "user_reference", "summary": "Runner"})], None, None),
    ],
    ids=[
        *("person after machine", "first person", "integration", "configured user", "nobody", "nobody or not", "none"),
        *(
            "resolved by hand",
            "resolved after a machine",
            "resolved after",
            "resolved by itself",
            "by a machine's user",
        ),
    ],
)
def test_the_first_person_counts_before_any_machine(monkeypatch, entries, kind, at):
    (row,) = pages(monkeypatch, [incident()], [entry(*item) for item in entries], bots=["Runner"])
    assert row["acknowledged_by_kind"] == kind
    assert (row["acknowledged_at"] and row["acknowledged_at"].minute) == at


def test_urgency_and_priority_say_how_severe_it_is(monkeypatch):
    priority = {"id": "P53ZZH5", "type": "priority_reference", "summary": "P2"}
    found = [
        incident(id="A", priority=priority, resolved_at="2026-11-10T06:51:00Z"),
        incident(id="B", urgency="low"),
        incident(id="C", status="triggered"),
    ]
    rows = {row["alert_id"]: row for row in pages(monkeypatch, found)}
    assert {name: row["severity"] for name, row in rows.items()} == {"A": 2, "C": 1}, "what is not urgent wakes nobody"
    assert (rows["A"]["incident_id"], rows["A"]["closed_at"]) == ("A", "2026-11-10T06:51:00Z")
    assert rows["C"]["closed_at"] is None
    both = pages(monkeypatch, found, paging_urgencies=["high", "low"])
    assert {row["alert_id"]: row["severity"] for row in both} == {"A": 2, "B": 3, "C": 1}


@pytest.mark.parametrize(
    ("urgency", "changes", "fired", "severity"),
    [
        ("high", [], "06:45:36", 1),
        ("low", [], None, None),
        # Somebody was called, and lowered it.
        ("low", ["06:50:00"], "06:45:36", 1),
        # The hours of support began, or somebody found that it was urgent.
        ("high", ["08:00:00"], "08:00:00", 1),
        ("high", ["06:50:00", "08:00:00"], "06:45:36", 1),
        ("low", ["08:00:00", "09:00:00"], "08:00:00", 1),
    ],
    ids=["high", "low", "lowered", "raised", "lowered and raised", "raised and lowered"],
)
def test_a_page_was_sent_when_it_was_first_urgent_whatever_it_is_now(monkeypatch, urgency, changes, fired, severity):
    entries = [entry("urgency_change", at, PERSON) for at in changes] + [entry("acknowledge", "06:46:00", PERSON)]
    rows = pages(monkeypatch, [incident(urgency=urgency)], entries)
    assert [(f"{row['fired_at']:%H:%M:%S}", row["severity"]) for row in rows] == ([(fired, severity)] if fired else [])
    assert all(row["acknowledged_at"] >= row["fired_at"] for row in rows)


def test_a_page_that_became_urgent_on_a_later_day_is_of_that_day(monkeypatch):
    """It came on Sunday evening, and the hours of support began on Monday, the first of the asked days."""
    raised = incident(created_at="2026-11-08T20:00:00Z")
    change = entry("urgency_change", "07:00:00") | {"created_at": "2026-11-09T07:00:00Z"}
    (row,) = pages(monkeypatch, [raised], [change])
    assert row["fired_at"] == datetime(2026, 11, 9, 7, tzinfo=UTC)


def test_what_was_never_urgent_may_have_no_history_any_more(small, monkeypatch):
    monkeypatch.setenv("PAGERDUTY_TOKEN", "loopback-only")
    with telling(
        {"/incidents": page("incidents", [incident(urgency="low", created_at="2026-08-03T10:00:00Z")])}
    ) as server:
        answer = fetched(small, "pagerduty", "alerts", url=server.url, **TOKEN)
    assert list(answer.rows) == []
    assert server.paths()[-1].endswith("/log_entries")


def test_a_merged_page_belongs_to_the_one_it_was_merged_into(monkeypatch):
    target = {"id": "Q2", "type": "incident_reference"}
    merged = incident(resolve_reason={"type": "merge_resolve_reason", "incident": target})
    (row,) = pages(monkeypatch, [merged])
    assert (row["incident_id"], row["closed_at"]) == ("Q2", "2026-11-10T06:51:44.000000Z")


def test_only_a_merge_takes_an_incident_away(monkeypatch):
    """Another reason for an end than the one that the description names is an end."""
    priority = {"id": "P53ZZH5", "type": "priority_reference", "summary": "P2"}
    merged = {"type": "merge_resolve_reason", "incident": {"id": "Q2"}}
    found = [
        incident(id="A", priority=priority, resolve_reason={"type": "another_resolve_reason"}),
        incident(id="B", priority=priority, resolve_reason=merged),
        incident(id="C", priority=priority, resolve_reason=None),
    ]
    request = request_of("pagerduty", "incidents", **TOKEN)
    rows, _ = ask(monkeypatch, pagerduty, request, {"incidents": page("incidents", found)})
    assert [row["incident_id"] for row in rows] == ["A", "C"]


def test_a_page_that_does_not_say_whether_there_are_more_is_the_last_one_where_it_is_not_full(monkeypatch):
    """The description's own example of log entries has neither a limit nor a word of what follows."""
    full = [entry("notify", "06:45:37")] * pagerduty.PAGE
    last = [entry("acknowledge", "06:46:00", PERSON)]
    request = request_of("pagerduty", "alerts", **TOKEN)
    table: dict[str, Any] = {
        "incidents": {"incidents": [incident()]},
        "incidents/Q1OHFWFP3GPXOG/log_entries": lambda query: {"log_entries": last if query["offset"] else full},
    }
    (row,), _ = ask(monkeypatch, pagerduty, request, table)
    assert row["acknowledged_by_kind"] == "human"


@pytest.mark.parametrize("more", [True, None])
def test_a_page_that_holds_less_than_was_asked_for_skips_nothing(monkeypatch, more):
    monkeypatch.setattr(pagerduty, "PAGE", 3)
    held = 2 if more else 3
    found = [incident(id=str(number)) for number in range(5)]

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        part = found[query["offset"] : query["offset"] + held]
        return page("incidents", part) | {"limit": held, "more": more and query["offset"] + held < len(found)}

    request = request_of("pagerduty", "incidents", **TOKEN)
    assert len(pagerduty._incidents(request, Answers({"incidents": answer}))[0]) == len(found)


def test_one_rule_has_one_code_whatever_numbers_its_titles_hold(monkeypatch):
    found = [incident(id=str(n), title=f"Disk {n} % full on db-{n}") for n in (90, 95)]
    found.append(incident(id="x", title="Another"))
    codes = [row["rule_id"] for row in pages(monkeypatch, found)]
    assert codes[0] == codes[1] != codes[2]


def test_which_pages_are_tests_is_told_by_their_service(monkeypatch):
    assert "is_test" not in pages(monkeypatch, [incident()])[0]
    assert pages(monkeypatch, [incident()], test_services=[])[0]["is_test"] is False
    assert pages(monkeypatch, [incident()], test_services=["My Mail Service"])[0]["is_test"] is True


def test_incidents_are_those_with_a_priority(monkeypatch):
    def prioritised(name: str) -> dict[str, Any]:
        return {"id": "P5", "type": "priority_reference", "summary": name}

    target = {"type": "merge_resolve_reason", "incident": {"id": "A", "type": "incident_reference"}}
    found = [
        incident(id="A", priority=prioritised("p1"), urgency="low"),
        incident(id="B", priority=None),
        incident(id="C", priority=prioritised("P2"), resolve_reason=target),
        incident(id="D", priority=prioritised("Hot")),
    ]
    request = request_of("pagerduty", "incidents", **TOKEN, services={"PIJ90N7": "havneavgift-api"})
    rows, answers = ask(monkeypatch, pagerduty, request, {"incidents": page("incidents", found)})
    assert [(row["incident_id"], row["service_id"], row["severity"]) for row in rows] == [
        ("A", "havneavgift-api", 1),
        # Set aside, and said so, until the settings know it.
        ("D", "havneavgift-api", None),
    ]
    (_, query) = answers.asked[0]
    assert query["since"] < query["until"] == "2026-11-16T23:00:00Z"


def test_more_than_is_shown_is_asked_in_halves(monkeypatch):
    monkeypatch.setattr(pagerduty, "PAGE", 2)
    monkeypatch.setattr(pagerduty, "DEEPEST", 4)
    found = [incident(id=str(day), created_at=f"2026-11-{day:02}T12:00:00Z") for day in range(9, 16)]

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        assert query["offset"] + query["limit"] <= 4
        rows = [item for item in found if query["since"] <= item["created_at"] < query["until"]]
        part = rows[query["offset"] : query["offset"] + query["limit"]]
        return page("incidents", part, more=query["offset"] + query["limit"] < len(rows))

    request = request_of("pagerduty", "incidents", **TOKEN)
    rows, is_whole = pagerduty._incidents(request, Answers({"incidents": answer}))
    assert sorted(item["id"] for item in rows) == sorted(item["id"] for item in found)
    assert is_whole
    # A day of more than can be shown is no whole day.
    found += [incident(id=f"late{hour}", created_at=f"2026-11-14T{hour}:00:00Z") for hour in (13, 14, 15, 16)]
    found.sort(key=lambda item: item["created_at"])
    assert not pagerduty._incidents(request, Answers({"incidents": answer}))[1]


def duty(start: str | None, end: str | None, level: int = 1, user: str = "U1") -> dict[str, Any]:
    return {
        "escalation_policy": {"id": "PE", "type": "escalation_policy_reference"},
        "user": {"id": user, "type": "user_reference", "summary": "somebody"},
        "schedule": {"id": "PS", "type": "schedule_reference"},
        "escalation_level": level,
        "start": start,
        "end": end,
    }


def test_duties_of_the_first_level_in_any_zone(monkeypatch):
    found = [
        duty("2026-11-10T15:00:00-05:00", "2026-11-11T08:00:00-05:00"),
        # The same duty through another escalation policy, and the second level.
        duty("2026-11-10T20:00:00Z", "2026-11-11T13:00:00Z"),
        duty("2026-11-10T20:00:00Z", "2026-11-11T13:00:00Z", user="U2"),
        duty("2026-11-10T20:00:00Z", "2026-11-11T13:00:00Z", level=2, user="U3"),
    ]
    request = request_of("pagerduty", "oncall_shifts", **TOKEN, schedules={"PS": "havneavgift"})
    rows, _ = ask(monkeypatch, pagerduty, request, {"oncalls": page("oncalls", found)})
    assert [(row["starts_at"].astimezone(UTC).hour, row["responder_count"]) for row in rows] == [(20, 2)]


def test_a_schedule_that_is_asked_second_only_gives_no_shift_and_is_named(monkeypatch):
    found = [duty("2026-11-10T20:00:00Z", "2026-11-11T13:00:00Z", level=level) for level in (2, 3)]
    request = request_of("pagerduty", "oncall_shifts", **TOKEN, schedules={"PS": "havneavgift"})
    monkeypatch.setattr(pagerduty, "_client", lambda _: nullcontext(Answers({"oncalls": page("oncalls", found)})))
    answer = pagerduty.oncall_shifts(request)
    assert not answer.rows
    (note,) = answer.notes
    assert "PS" in note
    assert "level 2" in note


@pytest.mark.parametrize(
    ("schedule", "is_complete", "said"),
    [
        (None, False, "schedule PS is not there"),
        ({"id": "PS", "escalation_policies": []}, True, "schedule PS is in no escalation policy"),
        ({"id": "PS", "escalation_policies": [{"id": "PE", "type": "escalation_policy_reference"}]}, True, None),
    ],
    ids=["deleted", "called by nobody", "a gap"],
)
def test_a_schedule_without_any_duty_is_looked_up(small, monkeypatch, schedule, is_complete, said):
    """Of a schedule that was deleted the list of duties is as empty as of one with a gap."""
    monkeypatch.setenv("PAGERDUTY_TOKEN", "loopback-only")
    routes: dict[str, Any] = {"/oncalls": page("oncalls", [])}
    if schedule:
        routes["/schedules/PS"] = {"schedule": schedule}
    with telling(routes) as server:
        answer = fetched(small, "pagerduty", "oncall_shifts", url=server.url, **TOKEN, schedules={"PS": "drift"})
    assert (list(answer.rows), answer.is_complete) == ([], is_complete)
    assert [note.split(":", 1)[0].split(",", 1)[0] for note in answer.notes] == ([said] if said else [])


def test_a_duty_without_begin_and_end_is_there_in_every_window(monkeypatch):
    seen: set[tuple] = set()
    for first in (2, 9):
        days = (date(2026, 11, first), date(2026, 11, first + 7))
        request = request_of("pagerduty", "oncall_shifts", days=days, **TOKEN, schedules={"PS": "havneavgift"})
        rows, _ = ask(monkeypatch, pagerduty, request, {"oncalls": page("oncalls", [duty(None, None)])})
        mine = [row for row in rows if request.covers(row["starts_at"])]
        assert [(row["starts_at"], row["ends_at"]) for row in mine] == [(request.starts_at, request.ends_at)]
        seen |= {(row["shift_id"], row["starts_at"]) for row in mine}
    assert len(seen) == 2


def test_europe_has_a_host_of_its_own_and_a_refusal_says_how_long():
    assert request_of("pagerduty", "alerts", **TOKEN).connector.address == "https://api.pagerduty.com"
    assert request_of("pagerduty", "alerts", region="eu", **TOKEN).connector.address == "https://api.eu.pagerduty.com"
    assert pagerduty._waits(httpx.Response(429, headers={"ratelimit-reset": "17"})) == 17.0
    assert pagerduty._waits(httpx.Response(200, headers={"ratelimit-reset": "17"})) is None
