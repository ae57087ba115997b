"""ServiceNow: what the tables say is what the simulated organisation did, whatever its instance calls things."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation.connectors.desks import ServiceNow
from opsmetrics.sources import servicenow
from simulator.world import local
from tests.connectors.landed import landed_from, request_of, table
from tests.connectors.sections import SERVICENOW, SERVICENOW_OAUTH
from tests.connectors.told import Reply, fetched, telling


def pulled(connected, stream, sources=SERVICENOW):
    return landed_from(connected, sources, stream)


def test_incidents(connected, records, monkeypatch):
    monkeypatch.setattr(servicenow, "PAGE", 7)
    found = pulled(connected, "incidents")
    rows = [row for row in records.rows["incidents"] if row["declared_at"] >= local(date(2024, 11, 1), 0)]
    columns = (
        *("incident_id", "service_id", "severity", "declared_at", "first_alert_at", "first_report_at", "resolved_at"),
        *("manager_assigned_at", "is_escalated", "is_exercise", "is_data_loss", "postmortem_published_at"),
        *("is_postmortem_reviewed", "signature", "is_reportable", "notified_at", "caused_by_deployment_id"),
    )
    assert table(found, *columns) == table(rows, *columns), "without those that were cancelled"


@pytest.mark.parametrize("sources", [SERVICENOW, SERVICENOW_OAUTH], ids=["user", "token"])
def test_changes_are_planned_tasks(connected, records, sources):
    found = pulled(connected, "maintenance_tasks", sources)
    columns = ["task_id", "team_id", "first_due_at", "completed_at"]
    columns += ["is_cancelled_with_approval"] if sources == SERVICENOW else []
    assert table(found, *columns) == table(records.rows["maintenance_tasks"], *columns)


def request(connected, sources=SERVICENOW, stream="incidents"):
    return request_of(connected, sources, stream)


def test_the_probe_counts(connected):
    assert re.fullmatch(r"readable, \d+ records for incidents, \d+ records for maintenance_tasks", said(connected))


def said(connected):
    return servicenow.probe(request(connected))


def test_a_field_that_no_record_has_is_told(connected):
    odd = SERVICENOW.replace('"u_fault"', '"u_signature"')
    with pytest.raises(SourceError, match="no record has the field 'u_signature'"):
        servicenow.probe(request(connected, odd))


def test_without_a_secret_the_variable_is_named(connected, monkeypatch):
    asked = request(connected)
    monkeypatch.delenv("SIMULATOR_TOKEN")
    with pytest.raises(SourceError, match="SIMULATOR_TOKEN is not set"):
        servicenow.incidents(asked)


BARE = """
[[connector]]
name = "servicenow"
kind = "servicenow"
streams = ["incidents", "maintenance_tasks"]
url = "$SIMULATOR/servicenow"
user_env = "SIMULATOR_TOKEN"
password_env = "SIMULATOR_TOKEN"
queries = { maintenance_tasks = "category=Maintenance" }
states = { incidents = { "9" = "ended" } }
"""
OPENED = "2026-11-03 08:00:00"


def incident(state, **more):
    plain = {"sys_id": "1", "number": "INC1", "state": state, "priority": "3", "opened_at": OPENED}
    return {**plain, "resolved_at": "", "closed_at": "", "business_service": "web", "cmdb_ci": "", **more}


def answered(connected, monkeypatch, *records, stream="incidents"):
    monkeypatch.setattr(servicenow, "_records", lambda *_: (list(records), 0))
    return getattr(servicenow, stream)(request(connected, BARE, stream))


@pytest.mark.parametrize(
    ("state", "resolved"),
    [
        ("1", None),
        ("3", None),
        ("6", "2026-11-04 09:00:00"),
        ("7", "2026-11-04 09:00:00"),
        ("9", "2026-11-04 09:00:00"),
    ],
)
def test_a_state_says_whether_an_incident_is_over(connected, monkeypatch, state, resolved):
    """An incident that was opened again keeps the time at which it was resolved before."""
    (row,) = answered(connected, monkeypatch, incident(state, resolved_at="2026-11-04 09:00:00")).rows
    expected = datetime.fromisoformat(resolved).replace(tzinfo=UTC) if resolved else None
    assert row["resolved_at"] == expected


def test_a_field_of_a_day_lasts_until_its_end_and_one_of_another_form_sets_its_row_aside(connected, monkeypatch):
    (row,) = answered(connected, monkeypatch, incident("6", resolved_at="2026-11-04")).rows
    assert row["resolved_at"] == local(date(2026, 11, 5), 0) - timedelta(seconds=1)
    (row,) = answered(connected, monkeypatch, incident("6", resolved_at="04.11.2026")).rows
    assert row["resolved_at"] == "04.11.2026", "for the contract, which says why"


def test_an_answer_that_was_broken_off_is_not_the_whole(small, monkeypatch):
    """Status 200, the records that were ready, and an error beside them."""
    monkeypatch.setenv("SIMULATOR_TOKEN", "loopback-only")
    error = {"message": "zxq: maximum execution time exceeded", "detail": "zxq"}
    body = {"result": [incident("2")], "error": error, "status": "failure"}
    names = {"user_env": "SIMULATOR_TOKEN", "password_env": "SIMULATOR_TOKEN"}
    with telling({"/api/now/table/incident": body}) as server, pytest.raises(SourceError) as refused:
        fetched(small, "servicenow", "incidents", url=server.url, **names)
    assert "broke its answer off" in str(refused.value)
    assert "zxq" not in str(refused.value)


def test_records_that_the_account_may_not_see_make_the_answer_a_part(small, monkeypatch):
    """Access rules take rows out of a page after the query ran; only the header still counts them (KB3047115)."""
    monkeypatch.setenv("SIMULATOR_TOKEN", "loopback-only")
    names = {"user_env": "SIMULATOR_TOKEN", "password_env": "SIMULATOR_TOKEN"}

    def page(query, _body):
        following = f'<{server.url}/api/now/table/incident?sysparm_offset=2>; rel="next"'
        # The first page is empty, and there is another one.
        first = "sysparm_offset" not in query
        shown = [] if first else [incident("2", sys_id="a", number="INC1")]
        return Reply({"result": shown}, headers={"x-total-count": total, **({"link": following} if first else {})})

    with telling({"/api/now/table/incident": page}) as server:
        total = "3"
        found = fetched(small, "servicenow", "incidents", url=server.url, **names)
        assert ([row["incident_id"] for row in found.rows], found.is_complete) == (["INC1"], False)
        assert found.notes == ("2 records: kept back from this account by the table's access rules",)
        total = "1"
        assert fetched(small, "servicenow", "incidents", url=server.url, **names).is_complete


def test_a_state_that_nobody_configured_is_neither_open_nor_over(connected, monkeypatch):
    found = answered(connected, monkeypatch, incident("42"), incident("42"), incident("2"))
    assert [row["resolved_at"] for row in found.rows] == [None]
    assert not found.is_complete
    assert found.notes == ("2 records: state 42 is not configured",)


def test_an_end_without_a_time_is_not_open(connected, monkeypatch):
    found = answered(connected, monkeypatch, incident("7"))
    assert (list(found.rows), found.is_complete) == ([], False)
    assert found.notes == ("1 records: ended without a time",)


def test_a_reference_may_come_with_a_link_or_a_name(connected, monkeypatch):
    link = {"link": "https://x.invalid/api/now/table/cmdb_ci/abc", "value": "abc"}
    (row,) = answered(connected, monkeypatch, incident("2", business_service=link)).rows
    assert row["service_id"] == "abc"
    named = {"value": "abc", "display_value": "Web"}
    (row,) = answered(connected, monkeypatch, incident("2", business_service="", cmdb_ci=named)).rows
    assert row["service_id"] == "Web"


def test_a_priority_of_ones_own_says_nothing(connected, monkeypatch):
    (row,) = answered(connected, monkeypatch, incident("2", priority="9")).rows
    assert row["severity"] is None


def test_a_change_that_failed_was_not_done(connected, monkeypatch):
    done = {"sys_id": "1", "number": "CHG1", "state": "3", "close_code": "successful", "end_date": OPENED}
    done |= {"work_end": "", "closed_at": OPENED, "assignment_group": "team"}
    failed = done | {"close_code": "unsuccessful"}
    cancelled = done | {"state": "4"}
    rows = answered(connected, monkeypatch, done, failed, cancelled, stream="maintenance_tasks").rows
    assert [row["completed_at"] is not None for row in rows] == [True, False, False]


def settings_of(**more):
    plain = {"name": "x", "kind": "servicenow", "url": "https://x.invalid", "streams": ["incidents"]}
    return ServiceNow.model_validate({**plain, "user_env": "U", "password_env": "P", **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"password_env": None}, "user_env and password_env"),
        ({"client_id_env": "C", "client_secret_env": "S"}, "user_env and password_env"),
        ({"queries": {"incidents": "active=true^NQpriority=1"}}, "leave \\^NQ"),
        ({"queries": {"incidents": "active=true^ORDERBYnumber"}}, "leave \\^NQ"),
        ({"streams": ["maintenance_tasks"]}, "needs a query"),
        ({"fields": {"incidents": {"signature": "short_description"}}}, "text or people"),
        ({"fields": {"incidents": {"signature": "problem_id.opened_by"}}}, "text or people"),
        ({"fields": {"incidents": {"title": "number"}}}, "not a column of the stream"),
    ],
)
def test_settings_that_mean_nothing_are_refused(more, said):
    with pytest.raises(ValueError, match=said):
        settings_of(**more)


def test_incidents_declared_by_a_field_of_ones_own_are_found_by_their_last_change(connected, monkeypatch):
    asked = []
    monkeypatch.setattr(servicenow, "_records", lambda _, *conditions: asked.extend(conditions) or ([], 0))
    mine = BARE + '[connector.fields.incidents]\ndeclared_at = ["u_began", "opened_at"]\n'
    servicenow.incidents(request(connected, mine))
    assert asked == ["sys_updated_on>=2026-10-30 23:00:00"]
