"""Opsgenie's and Jira Service Management's real answers: no tags, times in two forms, weeks that begin on Mondays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from opsmetrics.core.errors import SourceError
from opsmetrics.sources import oncall
from opsmetrics.sources.duty import GONE
from opsmetrics.sources.fetching import FetchResult, batch_of
from opsmetrics.streams import STREAMS
from simulator.world import local
from tests.connectors.answers import NOW, ask, request_of
from tests.connectors.told import Reply, fetched, telling

TOKEN = {"token_env": "ONCALL_TOKEN", "user_env": "ONCALL_USER"}
JSM = {"dialect": "jsm", "cloud_id": "c1", **TOKEN}
OPSGENIE = {"dialect": "opsgenie", **TOKEN}
JSM_ALERTS = "jsm/ops/api/c1/v1/alerts"
TEAM, OTHER = "c0259fb8-2068-48c5-ae09-1b116e3579b1", "695bce3d-4621-4630-8ae1-24eb89c22d6e"


def jsm_alert(**more: Any) -> dict[str, Any]:
    """An alert as JSM's list shows it: no report, times as instants."""
    return {
        "id": "70413a06-38d6-4c85-92b8-5ebc900d42e2-1700000000000",
        "tinyId": "1791",
        "createdAt": "2026-11-10T08:00:00.123Z",
        "updatedAt": "2026-11-10T09:00:00Z",
        "message": "text",
        "entity": "",
        "source": "somebody@example.invalid",
        "status": "closed",
        "alias": "a1b2",
        "tags": [],
        "acknowledged": True,
        "ackTime": "2026-11-10T08:04:00.123Z",
        "closeTime": "2026-11-10T09:00:00.5Z",
        "count": 1,
        "owner": "5b2b0e011b3a756623f4e25e",
        "snoozed": False,
        "lastOccuredAt": "2026-11-10T08:00:00.123Z",
        "integrationType": "Grafana",
        "integrationName": "Grafana prod",
        "priority": "P1",
        "responders": [{"id": TEAM, "type": "team"}, {"id": "u1", "type": "user"}],
        "actions": [],
        "seen": True,
    } | more


def pages(monkeypatch, alerts: list[dict], services: dict[str, str] | None = None, **settings: Any) -> list[dict]:
    request = request_of("oncall", "alerts", services=services or {}, **{**JSM, **settings})
    rows, _ = ask(monkeypatch, oncall, request, {JSM_ALERTS: {"values": alerts, "count": 1, "links": {}}})
    return rows


def test_jsm_tells_when_a_page_was_acknowledged_and_closed(monkeypatch):
    (row,) = pages(monkeypatch, [jsm_alert()])
    assert row["fired_at"] == datetime(2026, 11, 10, 8, 0, 0, 123_000, tzinfo=UTC)
    assert (row["acknowledged_at"], row["closed_at"]) == ("2026-11-10T08:04:00.123Z", "2026-11-10T09:00:00.5Z")
    assert "acknowledged_by_kind" not in row, "nobody says who it was"
    assert "acknowledged_by_kind" in request_of("oncall", "alerts", **JSM).connector.untold("alerts")
    assert "acknowledged_by_kind" not in request_of("oncall", "alerts", **OPSGENIE).connector.untold("alerts")


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ({"closeTime": None}, "2026-11-10T09:00:00Z"),
        ({"closeTime": None, "status": "open"}, None),
        ({"closeTime": "2026-11-10T08:30:00Z"}, "2026-11-10T08:30:00Z"),
    ],
)
def test_a_closed_alert_is_not_open_where_nobody_says_when_it_ended(monkeypatch, more, closed):
    (row,) = pages(monkeypatch, [jsm_alert(**more)])
    assert row["closed_at"] == closed


def test_a_closed_alert_of_opsgenie_without_a_report_is_not_open(monkeypatch):
    alert = {
        "id": "a",
        "tags": ["service:web"],
        "createdAt": "2026-11-10T08:00:00Z",
        "updatedAt": "2026-11-10T09:30:00Z",
        "priority": "P3",
        "status": "closed",
    }
    request = request_of("oncall", "alerts", **OPSGENIE)
    (row,), _ = ask(monkeypatch, oncall, request, {"v2/alerts": {"data": [alert]}})
    assert (row["acknowledged_at"], row["closed_at"]) == (None, "2026-11-10T09:30:00Z")
    batch = batch_of(request, STREAMS["alerts"], FetchResult([row]), accumulates=False)
    assert batch.frame["_reason"].to_list() == [None]
    del alert["updatedAt"]
    (row,), _ = ask(monkeypatch, oncall, request, {"v2/alerts": {"data": [alert]}})
    batch = batch_of(request, STREAMS["alerts"], FetchResult([row]), accumulates=False)
    assert "it has happened, and nothing says when" in batch.frame["_reason"][0]


@pytest.mark.parametrize(
    ("headers", "status", "seconds"),
    [
        ({"x-ratelimit-period-in-sec": "60", "x-ratelimit-state": "THROTTLED"}, 429, 60.0),
        ({"x-ratelimit-period-in-sec": "60", "retry-after": "7"}, 429, 7.0),
        ({"x-ratelimit-period-in-sec": "60", "x-ratelimit-state": "OK"}, 200, None),
        ({}, 429, None),
    ],
)
def test_a_limit_that_is_used_up_says_of_which_period_it_is(headers, status, seconds):
    """As Opsgenie's own clients and their tests have it (opsgenie-go-sdk-v2, docs.opsgenie.com/docs/api-rate-limiting)."""
    assert oncall._waits(httpx.Response(status, headers=headers)) == seconds


@pytest.mark.parametrize(
    "told",
    [
        # A page may hold less than was asked for: its neighbour's address says where that begins.
        lambda end: {"links": {"next": f"/v1/alerts?offset={end}&size=2"} if end < 5 else {}, "count": 5},
        # Without an address the count of all says that there are more.
        lambda _: {"links": {}, "count": 5},
        lambda _: {"count": 5},
    ],
)
def test_no_page_is_left_out_however_it_says_that_there_are_more(monkeypatch, told):
    def answer(query: dict[str, Any]) -> dict[str, Any]:
        end = min(query["offset"] + 2, 5)
        return {"values": [jsm_alert(id=str(n)) for n in range(query["offset"], end)], **told(end)}

    rows, _ = ask(monkeypatch, oncall, request_of("oncall", "alerts", **JSM), {JSM_ALERTS: answer})
    assert [row["alert_id"] for row in rows] == ["0", "1", "2", "3", "4"]


def test_jsm_is_asked_at_atlassians_own_host():
    assert request_of("oncall", "alerts", **JSM).connector.address == "https://api.atlassian.com"
    assert request_of("oncall", "alerts", **OPSGENIE).connector.address == "https://api.eu.opsgenie.com"
    with pytest.raises(ValidationError, match="not for Opsgenie's host"):
        request_of("oncall", "alerts", url="https://api.opsgenie.com", **JSM)


@pytest.mark.parametrize(
    ("alert", "services", "service"),
    [
        ({"tags": ["service:havneavgift-api"]}, {}, "havneavgift-api"),
        ({}, {TEAM: "havneavgift-api"}, "havneavgift-api"),
        ({"entity": "HAVNEAVGIFT-API"}, {}, "havneavgift-api"),
        ({}, {"Grafana prod": "havneavgift-api"}, "havneavgift-api"),
        # What nobody mapped is the id of the team that was to answer, never a field that people fill in.
        ({"entity": "kari@example.invalid"}, {}, TEAM),
        ({"responders": [], "integrationName": "kari@example.invalid"}, {}, "oncall"),
    ],
)
def test_an_alert_without_tags_has_other_names(monkeypatch, alert, services, service):
    (row,) = pages(monkeypatch, [jsm_alert(**alert)], services)
    assert row["service_id"] == service


@pytest.mark.parametrize(
    ("name", "bots", "kind"),
    [
        ("kapila.rapinder@example.invalid", [], "human"),
        ("Abbot Integrationsen", [], "human"),
        ("System", [], "bot"),
        ("API", [], "bot"),
        ("Autoresponder", ["autoresponder"], "bot"),
        (None, [], None),
    ],
)
def test_who_acknowledged_in_opsgenie_is_told_by_whole_names(monkeypatch, name, bots, kind):
    report = {"ackTime": 240_000, "closeTime": 3_600_000} | ({"acknowledgedBy": name} if name else {})
    alert = {
        "id": "a",
        "tags": ["service:web"],
        "createdAt": "2026-11-10T08:00:00Z",
        "priority": "P3",
        "report": report,
        "integration": {"id": "i", "name": "Default API", "type": "API"},
    }
    request = request_of("oncall", "alerts", bots=bots, **OPSGENIE)
    rows, answers = ask(monkeypatch, oncall, request, {"v2/alerts": {"data": [alert], "paging": {}}})
    assert [(row["acknowledged_by_kind"], row["severity"]) for row in rows] == [(kind, 3)]
    assert rows[0]["acknowledged_at"] == datetime(2026, 11, 10, 8, 4, tzinfo=UTC)
    (_, query) = answers.asked[0]
    assert query["query"].startswith("createdAt>=")


@pytest.mark.parametrize(
    ("report", "acknowledged", "told"),
    [
        # Closed by what had opened it: ackTime is the time of closing, as recorded answers have it.
        ({"ackTime": 240_000, "closeTime": 240_000, "closedBy": "Alert API"}, False, (None, None)),
        ({"ackTime": 240_000, "closeTime": 240_000, "closedBy": "System"}, False, (None, None)),
        ({"ackTime": 240_000, "closeTime": 240_000}, False, (None, None)),
        # A person who closes it has answered.
        ({"ackTime": 240_000, "closeTime": 240_000, "closedBy": "ola@example.invalid"}, False, (4, "human")),
        ({"ackTime": 240_000, "closeTime": 900_000, "acknowledgedBy": "Alert API", "closedBy": "API"}, True, (4, "bot")),
        # What opens a case is faster than anybody; the first person counts.
        (
            {"ackTime": 5_000, "closeTime": 900_000, "acknowledgedBy": "System", "closedBy": "ola@example.invalid"},
            True,
            (15, "human"),
        ),
        ({"ackTime": 240_000, "closeTime": 240_000, "closedBy": "Grafana prod"}, False, (None, None)),
        ({"ackTime": 240_000, "closeTime": 240_000, "closedBy": "vm-17"}, False, (None, None)),
        # Taken back later: it was acknowledged all the same, as the vendor's own example has it.
        ({"ackTime": 240_000, "closeTime": 900_000, "acknowledgedBy": "ola@example.invalid"}, False, (4, "human")),
        ({"ackTime": 240_000, "closeTime": 240_000, "acknowledgedBy": "ola@example.invalid"}, True, (4, "human")),
    ],
)  # fmt: skip
def test_what_was_closed_without_an_answer_was_not_acknowledged(monkeypatch, report, acknowledged, told):
    alert = {"id": "a", "createdAt": "2026-11-10T08:00:00Z", "status": "closed", "acknowledged": acknowledged}
    alert |= {"integration": {"id": "i", "name": "Grafana prod", "type": "Grafana"}, "source": "vm-17"}
    request = request_of("oncall", "alerts", **OPSGENIE)
    (row,), _ = ask(monkeypatch, oncall, request, {"v2/alerts": {"data": [alert | {"report": report}], "paging": {}}})
    minutes, kind = told
    at = None if minutes is None else datetime(2026, 11, 10, 8, minutes, tzinfo=UTC)
    assert (row["acknowledged_at"], row["acknowledged_by_kind"]) == (at, kind)
    assert row["closed_at"] is not None or "closeTime" not in report


@pytest.mark.parametrize(("acknowledged", "told"), [(True, "2026-11-10T09:00:00Z"), (False, None)])
def test_jsm_too_writes_the_time_of_closing_where_nobody_acknowledged(monkeypatch, acknowledged, told):
    closed = {"ackTime": "2026-11-10T09:00:00Z", "closeTime": "2026-11-10T09:00:00Z", "acknowledged": acknowledged}
    (row,) = pages(monkeypatch, [jsm_alert(**closed)])
    assert (row["acknowledged_at"], row["closed_at"]) == (told, "2026-11-10T09:00:00Z")


RECORDED = [
    {
        "id": "3f84e009-7548-4e7d-832a-fa82c1ceb6b1",
        "description": "x",
        "impactedServices": [OTHER],
        "tinyId": "1",
        "message": "x",
        "status": "resolved",
        "tags": [],
        "createdAt": "2026-11-10T18:20:28.003Z",
        "updatedAt": "2026-11-10T18:21:21.49Z",
        "priority": "P5",
        "ownerTeam": "",
        "responders": [{"type": "team", "id": TEAM}, {"type": "user", "id": "u1"}],
        "extraProperties": {},
        "impactStartDate": "2026-11-10T18:20:28.003Z",
        "impactEndDate": "2026-11-10T18:21:21.49Z",
        "actions": [],
    },
    {
        "id": "3a74524a-f492-4172-b3f5-6041c7cb404a",
        "impactedServices": [],
        "tinyId": "3",
        "message": "x",
        "status": "open",
        "tags": [],
        "createdAt": "2026-11-11T14:30:56.346Z",
        "updatedAt": "2026-11-11T14:30:57.035Z",
        "priority": "P3",
        "ownerTeam": "",
        "responders": [{"type": "team", "id": TEAM}],
        "extraProperties": {},
        "impactStartDate": "2026-11-11T14:30:56.346Z",
        "actions": [],
    },
]


def test_an_incident_that_is_open_has_not_ended_whatever_it_says_of_its_impact(monkeypatch):
    said = RECORDED[0] | {"status": "open"}
    request = request_of("oncall", "incidents", **OPSGENIE)
    (row,), _ = ask(monkeypatch, oncall, request, {"v1/incidents": {"data": [said]}})
    assert row["resolved_at"] is None


def test_incidents_are_asked_for_with_a_query_and_named_by_what_they_hit(monkeypatch):
    request = request_of("oncall", "incidents", services={OTHER: "havneavgift-api"}, **OPSGENIE)
    rows, answers = ask(monkeypatch, oncall, request, {"v1/incidents": {"data": RECORDED, "paging": {}}})
    assert [(row["service_id"], row["severity"], row["resolved_at"]) for row in rows] == [
        ("havneavgift-api", 4, "2026-11-10T18:21:21.49Z"),
        (TEAM, 3, None),
    ]
    assert all(query["query"] for _, query in answers.asked)
    told = {name for row in rows for name in row}
    assert told.isdisjoint(request.connector.untold("incidents"))


def timeline(*periods: dict[str, Any], extra: list[dict] | None = None) -> Any:
    """Answer as JSM does: from the Monday, in UTC, of the week that holds the date; periods cut at the edges."""

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        assert query["intervalUnit"] == "weeks"
        day = datetime.fromisoformat(query["date"])
        start = day.replace(hour=0, minute=0, second=0) - timedelta(days=day.weekday())
        end = start + timedelta(weeks=query["interval"])

        def cut(period: dict[str, Any]) -> dict[str, Any]:
            first = max(datetime.fromisoformat(period["startDate"]), start)
            last = min(datetime.fromisoformat(period["endDate"]), end)
            return period | {"startDate": first.isoformat(), "endDate": last.isoformat()}

        shown = [
            cut(period)
            for period in periods
            if datetime.fromisoformat(period["startDate"]) < end and datetime.fromisoformat(period["endDate"]) > start
        ]
        rotations = [{"id": "r1", "name": "x", "order": 1, "deleted": False, "periods": shown}, *(extra or [])]
        return {"startDate": start.isoformat(), "endDate": end.isoformat(), "finalTimeline": {"rotations": rotations}}

    return answer


def period(start: str, end: str, kind: str = "historical", **responder: Any) -> dict[str, Any]:
    who = responder or {"type": "user", "id": "u1"}
    return {"startDate": start, "endDate": end, "type": kind, "responder": who}


def duty(monkeypatch, days: tuple[date, date], answer: Any) -> list[dict[str, Any]]:
    request = request_of("oncall", "oncall_shifts", days=days, schedules={"s1": "havneavgift"}, **JSM)
    rows, _ = ask(monkeypatch, oncall, request, {"jsm/ops/api/c1/v1/schedules/s1/timeline": answer})
    return [row for row in rows if request.covers(row["starts_at"])]


@pytest.mark.parametrize("first", range(4, 11))
def test_every_night_of_any_window_is_there(monkeypatch, first):
    """Windows that begin on each day of a week: no night is lost, none is cut."""
    nights = [date(2026, 10, 5) + timedelta(days=number) for number in range(70)]
    periods = [period(f"{night}T15:00:00Z", f"{night + timedelta(days=1)}T07:00:00Z") for night in nights]
    days = (date(2026, 11, first), date(2026, 11, first + 14))
    rows = duty(monkeypatch, days, timeline(*periods))
    assert len(rows) == 14
    assert {row["ends_at"] - row["starts_at"] for row in rows} == {timedelta(hours=16)}
    assert {row["responder_count"] for row in rows} == {1}


def test_a_duty_without_end_is_the_same_pieces_in_every_window(monkeypatch):
    """One person on duty for years: the source shows a piece as long as what was asked for."""
    answer = timeline(period("2025-01-01T08:00:00Z", "2028-01-01T08:00:00Z"))
    whole = duty(monkeypatch, (date(2026, 11, 2), date(2026, 11, 16)), answer)
    daily = [
        row
        for number in range(14)
        for row in duty(
            monkeypatch, (date(2026, 11, 2 + number), date(2026, 11, 3 + number)), answer
        )
    ]  # fmt: skip
    assert whole == daily
    assert [(row["starts_at"], row["ends_at"]) for row in whole] == [
        (local(date(2026, 11, 2), 0), local(date(2026, 11, 9), 0)),
        (local(date(2026, 11, 9), 0), local(date(2026, 11, 16), 0)),
    ]


def test_heads_are_counted_once_and_nobody_is_nobody(monkeypatch):
    at = ("2026-11-10T08:00:00Z", "2026-11-10T16:00:00Z")
    second = [
        period(*at),
        period(*at, "override", type="user", id="u2"),
        period("2026-11-11T08:00:00Z", "2026-11-11T16:00:00Z", type="noone"),
        period("2026-11-12T08:00:00Z", "2026-11-12T16:00:00Z", type="escalation", id="e1"),
        period("2026-11-13T08:00:00Z", "2026-11-13T16:00:00Z", type="escalation", id="e1")
        | {"flattenedResponders": [{"type": "user", "id": "u1"}, {"type": "user", "id": "u3"}]},
    ]
    rotation = {"id": "r2", "name": "x", "order": None, "deleted": True, "periods": second}
    rows = duty(monkeypatch, (date(2026, 11, 9), date(2026, 11, 16)), timeline(period(*at), extra=[rotation]))
    counts = {row["starts_at"].day: row["responder_count"] for row in rows}
    assert counts == {10: 2, 11: 0, 12: None, 13: 2}


def test_no_timeline_of_more_than_a_year_ago_is_asked_for(monkeypatch):
    first = (NOW - timedelta(days=365)).date()
    asked: list[datetime] = []

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        asked.append(datetime.fromisoformat(query["date"]))
        return timeline()(query)

    duty(monkeypatch, (first, first + timedelta(days=7)), answer)
    assert [NOW - at < timedelta(days=365) for at in asked] == [True]


@pytest.mark.parametrize(
    ("dialect", "path"), [(OPSGENIE, "/v2/schedules"), (JSM, "/jsm/ops/api/c1/v1/schedules")], ids=["opsgenie", "jsm"]
)
@pytest.mark.parametrize("status", [403, 404])
def test_a_schedule_that_was_deleted_does_not_hide_the_others(monkeypatch, small, dialect, path, status):
    for name in TOKEN.values():
        monkeypatch.setenv(name, "loopback-only")
    entry = period("2026-08-10T06:00:00Z", "2026-08-10T14:00:00Z")
    timeline = {"finalTimeline": {"rotations": [{"id": "r", "periods": [entry | {"recipient": entry["responder"]}]}]}}
    body = {"data": timeline} if dialect is OPSGENIE else timeline
    gone = Reply({"message": "No schedule exists with id"}, status)
    schedules = {"s1": "drift", "s2": "drift"}
    for first, second in (("s1", "s2"), ("s2", "s1")):
        with telling({f"{path}/{first}/timeline": body, f"{path}/{second}/timeline": gone}) as server:
            answer = fetched(small, "oncall", "oncall_shifts", url=server.url, **dialect, schedules=schedules)
        assert (len(answer.rows), answer.is_complete) == (1, False)
        assert answer.notes == (GONE.format(schedule=second),)
    with telling({f"{path}/{name}/timeline": gone for name in schedules}) as server, pytest.raises(SourceError) as told:
        fetched(small, "oncall", "oncall_shifts", url=server.url, **dialect, schedules=schedules)
    assert str(status) in str(told.value)
