"""Zabbix: what counts as an acknowledgement and as an end, and how it refuses."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.pull import pull_stream
from opsmetrics.sources.zabbix import PAGE
from simulator.world import END_DAY, local
from tests.connectors.test_faults import ZABBIX

FIRST = date(2026, 11, 2)
TOML = """
[[connector]]
name = "zabbix"
kind = "zabbix"
streams = ["alerts"]
from = 2026-07-01
url = "{url}"
token_env = "ZABBIX_TOKEN"
min_severity = 0
bots = ["Auto Ack"]
services = {{ vm-db = "db" }}
"""
AUGUST = (date(2026, 8, 3), date(2026, 8, 6))
CLOCK = int(datetime(2026, 8, 4, 8, tzinfo=UTC).timestamp())


def test_alerts_are_those_of_the_records(connected, records):
    settings, organisation = connected(ZABBIX)
    (result,) = pull_stream(settings, organisation, "alerts", (FIRST, END_DAY), origins=("zabbix",))
    assert (result.error, result.quarantined) == (None, 0)
    found = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "alerts")]).to_dicts()
    rows = [row for row in records.rows["alerts"] if row["fired_at"] >= local(FIRST, 0)]

    def told(row):
        instants = [row[name] and row[name].timestamp() // 1 for name in ("fired_at", "acknowledged_at", "closed_at")]
        return (row["service_id"], row["severity"], *instants)

    assert sorted(map(told, found), key=str) == sorted(map(told, rows), key=str)
    assert {row["acknowledged_by_kind"] for row in found if row["acknowledged_at"]} == {"human"}
    rules = {(mine["rule_id"], row["rule_id"]) for mine in found for row in rows if told(mine) == told(row)}
    assert len(rules) >= len({row["rule_id"] for row in rows})


def event(key: int = 1, *, updates: tuple = (), **more) -> dict:
    acknowledges = [{"clock": str(CLOCK + at), "action": str(action), "username": who} for at, action, who in updates]
    return {
        "eventid": str(key), "objectid": "7", "clock": str(CLOCK), "ns": "500000000", "severity": "4", "r_eventid": "0",
        "suppressed": "0", "acknowledges": acknowledges, "hosts": [{"hostid": "1", "host": "vm-db"}], "tags": [], **more,
    }  # fmt: skip


@pytest.fixture
def pulled(answering, pull_small, monkeypatch):
    """Pull from a Zabbix of a version with these events; what was asked stands in ``asked``."""
    monkeypatch.setenv("ZABBIX_TOKEN", "loopback-only")
    asked: list[dict] = []

    def pull(events: list[dict], version: str = "7.0.5", error: dict | None = None):
        def answer(_path, _query, body):
            question = json.loads(body)
            asked.append(question)
            if question["method"] == "apiinfo.version":
                return 200, {"jsonrpc": "2.0", "result": version, "id": 1}
            if error:
                return 200, {"jsonrpc": "2.0", "error": error, "id": 1}
            params = question["params"]
            first, ids = int(params.get("eventid_from", 0)), params.get("eventids")
            found = [item for item in events if int(item["eventid"]) >= first]
            found = [item for item in found if (item["eventid"] in ids if ids else item.get("value") != "0")]
            return 200, {"jsonrpc": "2.0", "result": found[: params.get("limit")], "id": 1}

        result, rows = pull_small(TOML.format(url=answering(answer)), "alerts", *AUGUST)
        return result, rows

    pull.asked = asked
    return pull


def test_only_an_acknowledgement_acknowledges(pulled):
    """4 is a message, 8 a severity, 16 takes one back, 2 acknowledges; 6 is 2 and 4."""
    _, (row,) = pulled([event(updates=((10, 4, "x"), (20, 8, "x"), (40, 2, "later"), (30, 6, "first")))])
    assert row["acknowledged_at"] == datetime(2026, 8, 4, 8, 0, 30, tzinfo=UTC)
    assert row["acknowledged_by_kind"] == "human"
    assert (row["service_id"], row["severity"]) == ("db", 2)
    assert row["fired_at"].microsecond == 500_000


def test_a_configured_account_is_a_machine(pulled):
    _, (row,) = pulled([event(updates=((10, 2, "auto ack"),))])
    assert row["acknowledged_by_kind"] == "bot"


def test_who_acknowledged_is_unknown_where_the_token_may_not_see_the_account(pulled):
    nameless = event()
    nameless["acknowledges"] = [{"clock": str(CLOCK + 10), "action": "2"}]
    result, (row,) = pulled([nameless])
    assert (result.error, row["acknowledged_by_kind"]) == (None, None)
    assert row["acknowledged_at"] == datetime(2026, 8, 4, 8, 0, 10, tzinfo=UTC)


def test_the_end_is_that_of_the_recovery_whenever_it_was(pulled):
    end = {"eventid": "9", "value": "0", "clock": str(CLOCK + 30 * 86_400), "ns": "0"}
    _, rows = pulled([event(1, r_eventid="9"), event(2), end])
    assert [row["closed_at"] for row in rows] == [datetime(2026, 9, 3, 8, tzinfo=UTC), None]


def test_a_suppressed_problem_pages_nobody_and_an_unclassified_one_has_no_severity(pulled):
    _, rows = pulled([event(1, suppressed="1"), event(2, severity="0", tags=[{"tag": "service", "value": "web"}])])
    assert [(row["alert_id"], row["severity"], row["service_id"]) for row in rows] == [("zabbix-2", None, "web")]


def test_a_problem_that_somebody_put_off_was_a_page(pulled):
    """Since 6.2 people suppress a problem by hand (action 32), for an hour or until it ends; maintenance does not."""
    put_off = event(1, suppressed="1", updates=((60, 2, "first"), (90, 32 + 4, "first")))
    in_maintenance = event(2, suppressed="1", updates=((60, 2, "first"),))
    _, rows = pulled([put_off, in_maintenance])
    assert [row["alert_id"] for row in rows] == ["zabbix-1"]
    assert rows[0]["acknowledged_at"] == datetime(2026, 8, 4, 8, 1, tzinfo=UTC)


def test_pages_go_on_by_id(pulled):
    _, rows = pulled([event(number) for number in range(1, PAGE + 3)])
    assert len({row["alert_id"] for row in rows}) == PAGE + 2
    pages = [item["params"]["eventid_from"] for item in pulled.asked if "eventid_from" in item["params"]]
    assert pages == ["1", str(PAGE + 1)]


@pytest.mark.parametrize(
    ("version", "in_request", "updates"),
    [
        ("6.0.14", True, "select_acknowledges"),
        ("6.4.0", False, "select_acknowledges"),
        ("7.0.0", False, "selectAcknowledges"),
        ("7.2.1", False, "selectAcknowledges"),
    ],
)
def test_older_versions_want_the_token_in_the_request_and_know_updates_by_another_name(
    pulled, version, in_request, updates
):
    pulled([event()], version)
    assert ["auth" in item for item in pulled.asked] == [False, in_request]
    asked = pulled.asked[1]["params"]
    assert [name for name in asked if "cknowledges" in name] == [updates]


def test_a_refusal_comes_with_status_200(pulled):
    result, _ = pulled([], error={"code": -32602, "message": "Invalid params.", "data": "zxq Not authorized."})
    assert "event.get is refused (-32602)" in result.error
    assert "ZABBIX_TOKEN" in result.error
    assert "zxq" not in result.error
