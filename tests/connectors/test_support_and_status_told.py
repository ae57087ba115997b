"""What endoflife.date and status pages really say: ends without a day, both API versions, maintenance among incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import statuspage
from opsmetrics.sources.pull import pull_stream
from opsmetrics.sources.registry import probe_function
from opsmetrics.sources.statuspage import PLANNED, UNKNOWN_STATUS, WRITTEN_LATER
from tests.conftest import settings_in
from tests.connectors.told import NOW, asking, fetched, landed, telling, told_and_landed


def release(**more: Any) -> dict[str, Any]:
    return {
        "name": "1.0",
        "codename": None,
        "label": "1.0",
        "releaseDate": "2020-01-01",
        "isLts": False,
        "ltsFrom": None,
        "isEol": False,
        "eolFrom": None,
        "isMaintained": True,
        "latest": None,
        **more,
    }


def product(*releases: dict[str, Any]) -> dict[str, Any]:
    return {"schema_version": "1.2.1", "result": {"name": "x", "label": "X", "releases": list(releases)}}


@pytest.mark.parametrize(
    ("more", "eol_on", "has_ended"),
    [
        ({"eolFrom": "2027-01-01"}, date(2027, 1, 1), False),
        ({"isEol": True, "eolFrom": "2022-01-01"}, date(2022, 1, 1), True),
        ({}, None, False),
        # Support is over, and nobody says since when (41 products): that is no "supported".
        ({"isEol": True}, None, True),
    ],
)
def test_an_end_without_a_day(small, more, eol_on, has_ended):
    with telling({"/api/v1/products/x": product(release(**more))}) as server:
        url = f"{server.url}/api/v1"
        (row,) = landed(small, "support_ends", "eol_dates", url=url, products=["x"]).to_dicts()
    assert (row["_reason"], row["eol_on"], row["has_ended"]) == (None, eol_on, has_ended)


@pytest.mark.parametrize(
    ("eol", "eol_on", "has_ended"),
    [("2027-01-01", date(2027, 1, 1), None), (True, None, True), (False, None, False), (None, None, None)],
)
def test_the_older_api_says_a_day_a_yes_or_a_no(small, eol, eol_on, has_ended):
    cycle = {"cycle": "3.10", "releaseDate": "2021-10-04", "eol": eol, "latest": "3.10.1"}
    with telling({"/api/x.json": [cycle]}) as server:
        url = f"{server.url}/api"
        (row,) = landed(small, "support_ends", "eol_dates", url=url, products=["x"]).to_dicts()
    assert (row["_reason"], row["cycle"], row["eol_on"], row["has_ended"]) == (None, "3.10", eol_on, has_ended)


def test_a_cycle_as_a_number_is_set_aside(small):
    cycle = {"cycle": 3.1, "releaseDate": "2021-10-04", "eol": False}
    with telling({"/api/x.json": [cycle]}) as server:
        (row,) = landed(small, "support_ends", "eol_dates", url=f"{server.url}/api", products=["x"]).to_dicts()
    assert row["_reason"].startswith("cycle: a number with a fraction")


def test_a_product_that_is_not_there_is_told_and_the_others_are_read(small):
    with telling({"/api/v1/products/x": product(release())}) as server:
        url = f"{server.url}/api/v1"
        found = fetched(small, "support_ends", "eol_dates", url=url, products=["x", "postgres"])
        assert [row["product"] for row in found.rows] == ["x"]
        assert found.notes == ("there is no product 'postgres': check products in sources.toml",)
        request = asking(small, "support_ends", "eol_dates", url=url, products=["x", "postgres"])
        with pytest.raises(SourceError, match="404"):
            probe_function("support_ends")(request)
        with pytest.raises(SourceError, match="404"):
            fetched(small, "support_ends", "eol_dates", url=url, products=["postgres"])


AT = datetime(2026, 8, 3, 8, tzinfo=UTC)


def text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def report(**more: Any) -> dict[str, Any]:
    """A report in the form that was recorded."""
    return {
        "id": "6ptd5skgmy3v",
        "name": "Elevated errors",
        "status": "resolved",
        "impact": "minor",
        "created_at": text(AT),
        "started_at": text(AT - timedelta(minutes=1)),
        "monitoring_at": None,
        "resolved_at": text(AT + timedelta(hours=1)),
        "updated_at": text(AT + timedelta(hours=1)),
        "shortlink": "https://stspg.io/x",
        "incident_updates": [{"status": "resolved", "body": "", "display_at": text(AT + timedelta(minutes=50))}],
        "components": [{"name": "web", "status": "operational"}],
        **more,
    }


def page(small, *incidents: dict[str, Any], maintenances: tuple[dict[str, Any], ...] = ()):
    head = {"id": "p", "name": "P"}
    routes = {
        "/api/v2/incidents.json": {"page": head, "incidents": list(incidents)},
        "/api/v2/scheduled-maintenances.json": {"page": head, "scheduled_maintenances": list(maintenances)},
    }
    with telling(routes) as server:
        answer, rows = told_and_landed(small, "statuspage", "incident_reports", url=server.url)
        return answer, rows.to_dicts()


@pytest.mark.parametrize(
    ("more", "kind", "started", "resolved"),
    [
        ({}, "incident", AT - timedelta(minutes=1), AT + timedelta(hours=1)),
        ({"status": "postmortem"}, "incident", AT - timedelta(minutes=1), AT + timedelta(hours=1)),
        ({"impact": "none"}, "incident", AT - timedelta(minutes=1), AT + timedelta(hours=1)),
        ({"started_at": None}, "incident", AT, AT + timedelta(hours=1)),
        # Written down afterwards: over, and without an end of its own.
        ({"resolved_at": None}, "incident", AT - timedelta(minutes=1), AT + timedelta(minutes=50)),
        ({"resolved_at": None, "incident_updates": []}, "incident", AT - timedelta(minutes=1), None),
        ({"status": "monitoring", "resolved_at": None}, "incident", AT - timedelta(minutes=1), None),
        # Opened again: the time of the first end still stands there.
        ({"status": "investigating"}, "incident", AT - timedelta(minutes=1), None),
        # Recorded in the list of incidents: planned work.
        (
            {"status": "in_progress", "impact": "maintenance", "resolved_at": None},
            "maintenance",
            AT - timedelta(minutes=1),
            None,
        ),
        (
            {"scheduled_for": text(AT + timedelta(minutes=9))},
            "maintenance",
            AT + timedelta(minutes=9),
            AT + timedelta(hours=1),
        ),
    ],
)
def test_what_a_report_says(small, more, kind, started, resolved):
    _, (row,) = page(small, report(**more))
    assert (row["_reason"], row["kind"], row["started_at"], row["resolved_at"]) == (None, kind, started, resolved)


@pytest.mark.parametrize("mark", [{}, {"backfilled": True}])
def test_a_report_that_was_written_down_afterwards_was_announced_then(small, mark):
    """As recorded: created, resolved and shown at noon of the day, its one update made on the next."""
    noon, made = datetime(2026, 8, 3, 12, tzinfo=UTC), datetime(2026, 8, 4, 15, 53, 1, tzinfo=UTC)
    update = {"status": "investigating", "body": "", "display_at": text(noon), "created_at": text(made)}
    times = dict.fromkeys(("created_at", "started_at", "resolved_at", "updated_at"), text(noon))
    found, (row,) = page(small, report(**times, incident_updates=[update], **mark))
    assert (row["started_at"], row["resolved_at"], row["announced_at"]) == (noon, None, made)
    assert found.counted == {WRITTEN_LATER: 1}


def test_an_update_that_was_corrected_or_taken_away_moves_no_announcement(small):
    late = {"status": "resolved", "body": "", "display_at": text(AT + timedelta(hours=1))}
    typed = {
        "status": "investigating",
        "body": "",
        "display_at": text(AT),
        "created_at": text(AT + timedelta(minutes=9)),
    }
    found, (row,) = page(small, report(incident_updates=[late | {"created_at": text(AT + timedelta(hours=9))}]))
    assert (row["announced_at"], row["resolved_at"]) == (AT, AT + timedelta(hours=1))
    _, (row,) = page(small, report(incident_updates=[late, typed]))
    assert row["announced_at"] == AT
    assert not found.counted


@pytest.mark.parametrize(
    ("number", "days", "is_told"), [(50, 1, True), (49, 1, False), (50, 3, False), (50, None, False)]
)
def test_more_reports_than_a_page_shows_since_the_last_look_are_told(small, number, days, is_told):
    """The page shows fifty: what lay between them and the last look is gone."""
    made = [report(id=str(each), created_at=text(AT + timedelta(hours=each))) for each in range(number)]
    before = None if days is None else AT - timedelta(days=1) + timedelta(days=days - 1)
    routes = {
        "/api/v2/incidents.json": {"incidents": made},
        "/api/v2/scheduled-maintenances.json": {"scheduled_maintenances": []},
    }
    with telling(routes) as server:
        request = asking(small, "statuspage", "incident_reports", url=server.url)
        found = statuspage.incident_reports(replace(request, asked_before=before))
    assert found.notes == ((statuspage.CUT.format(kind="incident"),) if is_told else ())
    assert len(found.rows) == number


def test_planned_work_is_a_report_once_it_has_begun(small):
    soon = NOW + timedelta(days=9)
    planned = report(id="m1", status="scheduled", impact="maintenance", resolved_at=None, scheduled_for=text(soon))
    begun = report(id="m2", status="completed", impact="maintenance", scheduled_for=text(AT))
    found, (row,) = page(small, maintenances=(planned, begun))
    assert (row["report_id"], row["kind"], row["_reason"]) == ("m2", "maintenance", None)
    assert found.counted == {PLANNED: 1}


def test_the_same_report_in_both_lists_is_one_and_of_two_that_differ_none_is_believed(small):
    work = report(id="m1", impact="maintenance", scheduled_for=text(AT))
    _, rows = page(small, report(id="1"), report(id="1", impact="major"), work, maintenances=(work,))
    assert sorted((row["report_id"], row["_reason"] is None) for row in rows) == [
        ("1", False),
        ("1", False),
        ("m1", True),
    ]
    assert {row["_reason"].split(":")[0] for row in rows if row["_reason"]} == {"conflict"}


def test_a_state_that_is_not_known_is_counted_and_only_an_end_that_stands_there_ends_it(small):
    found, rows = page(
        small, report(id="1", status="paused"), report(id="2", status="paused", resolved_at=None), report(id="3")
    )
    ends = {row["report_id"]: row["resolved_at"] for row in rows}
    assert ends == {"1": AT + timedelta(hours=1), "2": None, "3": AT + timedelta(hours=1)}
    assert found.counted == {UNKNOWN_STATUS: 2}


def test_a_time_that_cannot_be_read_sets_its_report_aside_and_no_other(small):
    _, rows = page(small, report(started_at="yesterday"), report(id="2"))
    assert sorted((row["report_id"], row["_reason"] is None) for row in rows) == [("2", True), ("6ptd5skgmy3v", False)]


def test_a_pull_knows_when_the_page_was_looked_at_before(small, tmp_path):
    shown = [report(id="first", created_at=text(AT), incident_updates=[])]
    routes = {
        "/api/v2/incidents.json": lambda *_: {"incidents": shown},
        "/api/v2/scheduled-maintenances.json": {"scheduled_maintenances": []},
    }
    with telling(routes) as server:
        connector = 'name = "page"\nkind = "statuspage"\nstreams = ["incident_reports"]'
        (small / "sources.toml").write_text(f'[[connector]]\n{connector}\nurl = "{server.url}"\n', encoding="utf-8")

        def told(now: datetime) -> tuple[str, ...]:
            settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=now)
            (result,) = pull_stream(settings, load_organisation(small), "incident_reports")
            assert result.error is None
            return result.told

        assert told(AT + timedelta(days=1)) == ()
        later = AT + timedelta(days=2)
        shown = [report(id=f"n{n}", created_at=text(later + timedelta(minutes=n))) for n in range(statuspage.SHOWN)]
        assert told(AT + timedelta(days=4)) == (f"page: {statuspage.CUT.format(kind='incident')}",)
