"""Zabbix: what counts as an acknowledgement and as an end, and how it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.organisation import load_organisation
from opsmetrics.sources.pull import pull_stream
from opsmetrics.sources.zabbix import PAGE, UNWATCHED
from opsmetrics.sources.zabbix_maintenance import spans
from simulator.world import END_DAY, local
from tests.conftest import settings_in
from tests.connectors.sections import ZABBIX

FIRST = date(2026, 11, 2)
TOML = """
[[connector]]
name = "zabbix"
kind = "zabbix"
streams = ["alerts"]
from = 2026-07-01
url = "{url}"
token_env = "ZABBIX_TOKEN"
bots = ["Auto Ack"]
services = {{ vm-db = "db" }}
{more}
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
    """Pull from a Zabbix of a version with these events; what was asked stands in ``asked``.

    ``maintenance`` is what it tells of maintenance; None refuses to tell.
    """
    monkeypatch.setenv("ZABBIX_TOKEN", "loopback-only")
    asked: list[dict] = []

    def pull(
        events: list[dict],
        version: str = "7.0.5",
        error: dict | None = None,
        maintenance: list[dict] | None = (),
        hosts: tuple[dict, ...] | None = ({"hostid": "1"},),
        days: tuple[date, date] = AUGUST,
        more: str = "min_severity = 0",
    ):
        def answer(_path, _query, body):
            question = json.loads(body)
            asked.append(question)
            if question["method"] == "apiinfo.version":
                return 200, {"jsonrpc": "2.0", "result": version, "id": 1}
            if error:
                return 200, {"jsonrpc": "2.0", "error": error, "id": 1}
            params = question["params"]
            if question["method"] == "maintenance.get":
                refused = {"error": {"code": -32602, "message": "x", "data": "x"}}
                return 200, {"jsonrpc": "2.0", "id": 1, **(refused if maintenance is None else {"result": maintenance})}
            if question["method"] == "host.get":
                named = "hostgroups" if "selectHostGroups" in params else "groups"
                told = [host | {named: [{"name": "Drift/db"}]} for host in hosts]
                return 200, {"jsonrpc": "2.0", "id": 1, "result": told}
            first, ids = int(params.get("eventid_from", 0)), params.get("eventids")
            found = [item for item in events if int(item["eventid"]) >= first]
            found = [item for item in found if int(item["clock"]) >= params.get("time_from", 0)]
            found = [item for item in found if (item["eventid"] in ids if ids else item.get("value") != "0")]
            return 200, {"jsonrpc": "2.0", "result": found[: params.get("limit")], "id": 1}

        result, rows = pull_small(TOML.format(url=answering(answer), more=more), "alerts", *days)
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


@pytest.mark.parametrize(
    ("updates", "second", "kind"),
    [
        # Closing (1) is another box than acknowledging: who closes what nobody had acknowledged has answered it.
        (((20, 5, "x"),), 20, "human"),
        (((10, 2, "x"), (20, 1, "x")), 10, "human"),
        (((20, 1, "auto ack"),), None, None),
        # A machine that opens a case is faster than anybody.
        (((10, 6, "auto ack"), (40, 2, "x")), 40, "human"),
        (((10, 6, "auto ack"), (40, 1, "x")), 40, "human"),
        (((10, 6, "auto ack"), (40, 4, "x")), 10, "bot"),
    ],
)
def test_the_first_person_who_acknowledged_or_closed_counts_before_any_machine(pulled, updates, second, kind):
    _, (row,) = pulled([event(updates=updates)])
    at = second and datetime(2026, 8, 4, 8, 0, second, tzinfo=UTC)
    assert (row["acknowledged_at"], row["acknowledged_by_kind"]) == (at, kind)


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


def test_a_user_who_may_read_no_host_is_not_a_quiet_time(pulled):
    """Zabbix leaves out the events of hosts that the token's user may not read."""
    result, rows = pulled([], hosts=())
    assert (rows, "none that the token's user may read" in result.error) == ([], True)
    result, rows = pulled([])
    assert (rows, result.error) == ([], None)


@pytest.mark.parametrize(
    ("now", "changes", "severity"),
    [("4", [], 2), ("2", [(60, "4")], 2), ("5", [(60, "2")], None), ("1", [(90, "2"), (60, "5")], 1), ("2", [], None)],
    ids=["as it was", "lowered", "raised", "lowered twice", "never severe"],
)
def test_the_severity_is_that_of_the_call_whatever_it_is_now(pulled, now, changes, severity):
    """People change the severity of a problem (action 8): nobody is called by that, and no call is taken back."""
    problem = event(severity=now)
    problem["acknowledges"] = [
        {"clock": str(CLOCK + at), "action": "8", "username": "x", "old_severity": before} for at, before in changes
    ]
    _, rows = pulled([problem], more="min_severity = 4")
    assert [row["severity"] for row in rows] == ([severity] if severity else [])


def upkeep(begins: int = -600, lasts: int = 3600, **more) -> dict:
    """A maintenance once, so many seconds after the events of :func:`event`."""
    once = {
        "timeperiod_type": "0", "start_date": str(CLOCK + begins), "start_time": "0", "period": str(lasts),
        "every": "1", "month": "0", "day": "0", "dayofweek": "0",
    }  # fmt: skip
    return {
        "maintenanceid": "1", "active_since": str(CLOCK - 86_400), "active_till": str(CLOCK + 9 * 86_400),
        "tags_evaltype": "0", "hosts": [{"hostid": "1"}], "hostgroups": [], "tags": [], "timeperiods": [once], **more,
    }  # fmt: skip


def over(key: int, after: int) -> tuple[dict, dict]:
    end = {"eventid": str(key + 1000), "value": "0", "clock": str(CLOCK + after), "ns": "0"}
    return event(key, r_eventid=end["eventid"]), end


@pytest.mark.parametrize(
    ("maintenance", "ends", "fired"),
    [
        (upkeep(), 1800, None),
        # It lasts longer than the maintenance: somebody is told when that ends.
        (upkeep(), 7200, 3000),
        (upkeep(begins=60), 1800, 0),
        (upkeep(lasts=300), 1800, 0),
        (upkeep(hosts=[{"hostid": "2"}]), 1800, 0),
        (upkeep(hosts=[], hostgroups=[{"groupid": "4", "name": "Drift"}]), 1800, None),
        (upkeep(hosts=[], hostgroups=[{"groupid": "4", "name": "Dri"}]), 1800, 0),
        (upkeep(active_till=str(CLOCK - 60)), 1800, 0),
        (upkeep(tags=[{"tag": "service", "operator": "0", "value": "web"}]), 1800, None),
        (upkeep(tags=[{"tag": "service", "operator": "2", "value": "we"}]), 1800, None),
        (upkeep(tags=[{"tag": "service", "operator": "0", "value": "we"}]), 1800, 0),
        (upkeep(tags=[{"tag": name, "operator": "2", "value": ""} for name in ("service", "scope")]), 1800, 0),
    ],
    ids=["in it", "outlives it", "before it", "after it", "other host", "group above", "other group", "not active",
         "tag", "part of a tag", "other tag", "not all tags"],
)  # fmt: skip
def test_what_began_and_ended_in_maintenance_told_nobody_also_when_it_is_over(pulled, maintenance, ends, fired):
    """``suppressed`` is what is so now: of a maintenance that is over it says nothing."""
    problem, end = over(1, ends)
    problem["tags"] = [{"tag": "service", "value": "web"}]
    _, rows = pulled([problem, end], maintenance=[maintenance])
    at = datetime(2026, 8, 4, 8, tzinfo=UTC)
    seconds = [int((row["fired_at"] - at).total_seconds()) for row in rows]
    assert seconds == ([] if fired is None else [fired])


def test_a_problem_that_outlives_its_maintenance_is_of_the_day_that_it_tells_of(pulled):
    """It began on the day before the asked ones."""
    problem, end = over(1, 40 * 3600)
    days = (date(2026, 8, 5), date(2026, 8, 6))
    _, (row,) = pulled([problem, end], maintenance=[upkeep(lasts=24 * 3600)], days=days)
    assert row["fired_at"] == datetime(2026, 8, 5, 7, 50, tzinfo=UTC)
    _, rows = pulled([problem, end], maintenance=[upkeep(lasts=24 * 3600)], days=(date(2026, 8, 4), date(2026, 8, 5)))
    assert rows == []


def test_a_problem_of_two_hosts_is_suppressed_only_while_both_are_in_maintenance(pulled):
    problem, end = over(1, 1800)
    problem["hosts"] = [{"hostid": "1", "host": "vm-db"}, {"hostid": "2", "host": "vm-web"}]
    _, rows = pulled([problem, end], maintenance=[upkeep()])
    assert len(rows) == 1
    _, rows = pulled([problem, end], maintenance=[upkeep(), upkeep(hosts=[{"hostid": "2"}])])
    assert rows == []


def test_a_problem_from_before_a_maintenance_that_is_in_force_now_was_a_page(pulled):
    lasting = upkeep(begins=86_400, lasts=365 * 86_400, active_till=str(CLOCK + 400 * 86_400))
    _, rows = pulled([event(1, suppressed="1")], maintenance=[lasting])
    assert [row["alert_id"] for row in rows] == ["zabbix-1"]


def test_where_maintenance_may_not_be_read_that_is_said(pulled):
    result, rows = pulled([event(1), event(2, suppressed="1")], maintenance=None)
    assert (result.error, [row["alert_id"] for row in rows]) == (None, ["zabbix-1"])
    assert "maintenance.get or host.get is refused" in "".join(result.told)


@pytest.mark.parametrize(
    ("minutes", "then", "pages"),
    [
        (22 * 60, [], 0),
        (22 * 60, [upkeep(begins=9 * 3600)], 0),
        # Whether it was in force until its end nobody saw.
        (5, [], 1),
    ],
    ids=["deleted", "moved", "deleted while it was in force"],
)
def test_a_maintenance_that_was_seen_was_there_though_somebody_deletes_it(
    answering, small, tmp_path, monkeypatch, minutes, then, pages
):
    """Two pulls: the day is asked for again, when nothing is left of the maintenance."""
    monkeypatch.setenv("ZABBIX_TOKEN", "loopback-only")
    problem, end = over(1, 1800)
    told: list[dict] = []

    def answer(_path, _query, body):
        question = json.loads(body)
        found = [end] if "eventids" in question.get("params", {}) else [problem]
        named = {"apiinfo.version": "7.0.5", "maintenance.get": told, "host.get": [{"hostid": "1"}]}
        return 200, {"jsonrpc": "2.0", "id": 1, "result": named.get(question["method"], found)}

    sources = TOML.format(url=answering(answer), more="min_severity = 0").replace("2026-07-01", "2026-08-03")
    (small / "sources.toml").write_text(sources, encoding="utf-8")
    for after, maintenance, rows in ((minutes, [upkeep()], 0), (46 * 60, then, pages)):
        told[:] = maintenance
        now = datetime.fromtimestamp(CLOCK, tz=UTC) + timedelta(minutes=after)
        settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=now)
        (result,) = pull_stream(settings, load_organisation(small), "alerts")
        assert (result.error, result.rows) == (None, rows)


ON, OFF = ({"triggerid": "7", "status": status} for status in "01")
HOST = {"hostid": "1", "host": "vm-db"}


@pytest.mark.parametrize(
    ("then", "hours", "service"),
    [
        # It is seen when the second pull looks.
        ({"relatedObject": OFF}, 46, "db"),
        ({"relatedObject": ON, "hosts": [HOST | {"status": "1"}]}, 46, "db"),
        # The trigger went with its host, whose name an earlier pull was told.
        ({"relatedObject": [], "hosts": []}, 46, "db"),
        ({"relatedObject": ON, "hosts": [HOST | {"status": "0"}]}, None, "db"),
    ],
    ids=["trigger off", "host off", "deleted", "watched"],
)
def test_a_problem_that_nobody_watches_any_more_is_over_and_keeps_its_service(
    answering, small, tmp_path, monkeypatch, then, hours, service
):
    """Zabbix makes no end of it, ever."""
    monkeypatch.setenv("ZABBIX_TOKEN", "loopback-only")
    now = [event(relatedObject=ON)]

    def answer(_path, _query, body):
        named = {"apiinfo.version": "7.0.5", "maintenance.get": [], "host.get": [{"hostid": "1"}]}
        return 200, {"jsonrpc": "2.0", "id": 1, "result": named.get(json.loads(body)["method"], now)}

    sources = TOML.format(url=answering(answer), more="min_severity = 0").replace("2026-07-01", "2026-08-03")
    (small / "sources.toml").write_text(sources, encoding="utf-8")

    def pull(after: int) -> tuple[str, datetime | None]:
        at = datetime.fromtimestamp(CLOCK, tz=UTC) + timedelta(hours=after)
        settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=at)
        (result,) = pull_stream(settings, load_organisation(small), "alerts")
        assert (result.error, result.quarantined) == (None, 0)
        rows = (row for load in result.loads for row in pl.read_parquet(load.path).to_dicts())
        return next((row["service_id"], row["closed_at"]) for row in rows if row["alert_id"] == "zabbix-1")

    assert pull(22) == ("db", None)
    now[0] |= then
    closed = None if hours is None else datetime.fromtimestamp(CLOCK, tz=UTC) + timedelta(hours=hours)
    assert pull(46) == (service, closed)


def test_what_maintenance_kept_back_stays_so_when_the_host_is_deleted(answering, small, tmp_path, monkeypatch):
    """Two pulls: nothing says any more in which group the host was."""
    monkeypatch.setenv("ZABBIX_TOKEN", "loopback-only")
    (quiet, end), other = over(1, 1800), event(3, relatedObject=ON, objectid="8")
    events = [quiet | {"relatedObject": ON}, other]
    group = {"groupid": "5", "name": "Drift"}
    hosts = [{"hostid": "1", "hostgroups": [{"name": "Drift/db"}]}]

    def answer(_path, _query, body):
        question = json.loads(body)
        found = [end] if "eventids" in question.get("params", {}) else events
        told = [upkeep(hosts=[], hostgroups=[group], lasts=1300 + 1800)]
        named = {"apiinfo.version": "7.0.5", "maintenance.get": told, "host.get": hosts}
        return 200, {"jsonrpc": "2.0", "id": 1, "result": named.get(question["method"], found)}

    sources = TOML.format(url=answering(answer), more="min_severity = 0").replace("2026-07-01", "2026-08-03")
    (small / "sources.toml").write_text(sources, encoding="utf-8")
    for after in (22, 46):
        now = datetime.fromtimestamp(CLOCK, tz=UTC) + timedelta(hours=after)
        settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=now)
        (result,) = pull_stream(settings, load_organisation(small), "alerts")
        rows = [row for load in result.loads for row in pl.read_parquet(load.path).to_dicts()]
        assert "zabbix-3" in {row["alert_id"] for row in rows}
        assert "zabbix-1" not in {row["alert_id"] for row in rows}
        events[0] = events[0] | {"relatedObject": [], "hosts": []}
        hosts.clear()


def test_problems_that_nobody_watched_when_they_were_first_seen_stay_open_and_are_counted(pulled):
    gone = event(2, relatedObject=[], hosts=[], objectid="8")
    result, rows = pulled([event(1, relatedObject=OFF), gone, event(3, relatedObject=ON)])
    assert [(row["service_id"], row["closed_at"]) for row in rows] == [("db", None), ("zabbix-8", None), ("db", None)]
    assert result.quarantined == 0
    assert f"{UNWATCHED}: 2" in "".join(result.told)


OSLO = ZoneInfo("Europe/Oslo")


def again(kind: int, **more: int) -> dict:
    """A maintenance of an hour at 02:30 that comes again, from Wednesday 1 July 2026 on."""
    said = {"timeperiod_type": kind, "start_date": 0, "start_time": 9000, "period": 3600, "every": 1, "month": 0}
    period = {name: str(value) for name, value in (said | {"day": 0, "dayofweek": 0} | more).items()}
    since = datetime(2026, 7, 1, 12, tzinfo=OSLO)
    active = {"active_since": str(int(since.timestamp())), "active_till": str(int(since.timestamp()) + 500 * 86_400)}
    return {**upkeep(), **active, "timeperiods": [period]}


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (again(2), list(range(2, 32))),
        (again(2, every=3), [4, 7, 10, 13, 16, 19, 22, 25, 28, 31]),
        # Mondays and Sundays of every second week, counted from the week of the first day.
        (again(3, every=2, dayofweek=1 + 64), [5, 13, 19, 27]),
        (again(4, month=1 << 6, day=15), [15]),
        (again(4, month=1 << 7, day=15), []),
        # The second and the last Tuesday of July.
        (again(4, month=1 << 6, every=2, dayofweek=2), [14]),
        (again(4, month=1 << 6, every=5, dayofweek=2), [28]),
        (again(4, month=1 << 6, every=5, dayofweek=16), [31]),
    ],
)
def test_maintenance_that_comes_again_is_worked_out_as_the_server_does(period, days):
    """The rules of dc_calculate_maintenance_period in zabbix/zabbix, src/libs/zbxcacheconfig/dbconfig_maintenance.c."""
    within = (datetime(2026, 7, 1, tzinfo=OSLO), datetime(2026, 8, 1, tzinfo=OSLO))
    found = spans([period], *within, OSLO)
    assert [span.since.astimezone(OSLO).day for span in found] == days
    assert {(span.since.astimezone(OSLO).hour, span.until - span.since) for span in found} <= {(2, timedelta(hours=1))}


def test_a_time_that_the_clocks_skip_does_not_come():
    within = (datetime(2027, 3, 27, tzinfo=OSLO), datetime(2027, 3, 30, tzinfo=OSLO))
    assert [span.since.astimezone(OSLO).day for span in spans([again(2)], *within, OSLO)] == [27, 29]


def test_the_zone_of_the_server_may_be_another_one(pulled):
    """02:30 in UTC is 04:30 in Oslo."""
    problem, end = over(1, 1800)
    problem["clock"] = str(int(datetime(2026, 8, 4, 2, 45, tzinfo=UTC).timestamp()))
    end["clock"] = str(int(datetime(2026, 8, 4, 3, 15, tzinfo=UTC).timestamp()))
    _, rows = pulled([problem, end], maintenance=[again(2)])
    assert len(rows) == 1
    _, rows = pulled([problem, end], maintenance=[again(2)], more='timezone = "UTC"\nmin_severity = 0')
    assert rows == []


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
    assert ["auth" in item for item in pulled.asked] == [False, in_request, in_request]
    (asked,) = (item["params"] for item in pulled.asked if item["method"] == "event.get")
    assert [name for name in asked if "cknowledges" in name] == [updates]


def test_a_refusal_comes_with_status_200(pulled):
    result, _ = pulled([], error={"code": -32602, "message": "Invalid params.", "data": "zxq Not authorized."})
    assert "event.get is refused (-32602)" in result.error
    assert "ZABBIX_TOKEN" in result.error
    assert "zxq" not in result.error
