"""UptimeRobot, Better Stack and Upptime: what stands between two changes, and what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.organisation import load_organisation
from opsmetrics.sources.pull import pull_stream
from simulator.servers.probers import FIRST_MONITOR, REPOSITORY, changes
from simulator.world import local
from tests.conftest import settings_in
from tests.connectors.sections import PROBERS

DAYS = (date(2026, 11, 2), date(2026, 11, 20))


@pytest.mark.parametrize("origin", ["uptimerobot", "betterstack", "upptime"])
def test_changes_are_those_of_the_records(connected, records, origin):
    settings, organisation = connected(PROBERS)
    (result,) = pull_stream(settings, organisation, "availability_checks", DAYS, origins=(origin,))
    assert (result.error, result.quarantined) == (None, 0)
    found = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "availability_checks")])
    midnights = [local(DAYS[0] + timedelta(days=n), 0) for n in range((DAYS[1] - DAYS[0]).days)]
    expected = set()
    for number, (name, mine) in enumerate(sorted(changes(records).items())):
        monitor = f"{REPOSITORY}/{name}" if origin == "upptime" else str(FIRST_MONITOR + number)
        whole = [(at.replace(microsecond=0), status) for at, status in mine]
        states = {at: status for at, status in whole if midnights[0] <= at < local(DAYS[1], 0)}
        for midnight in midnights:
            before = [status for at, status in whole if at <= midnight]
            states |= {midnight: before[-1]} if before else {}
        expected |= {(monitor, at, status) for at, status in states.items()}
    rows = found.select("monitor_id", "checked_at", "status").rows()
    if origin == "upptime":
        # The daily commit says again what stands.
        rows = [row for row in rows if (row in expected or row[1].hour != 23)]
    assert set(rows) == expected
    assert {status for *_, status in expected} == {"up", "down"}


AUGUST = (date(2026, 8, 3), date(2026, 8, 6))


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 8, day, hour, tzinfo=UTC)


def states(rows: list[dict]) -> list[tuple[int, int, str]]:
    """Day, hour (UTC) and state, in order; the small organisation's midnight is 22 UTC."""
    return [(row["checked_at"].day, row["checked_at"].hour, row["status"]) for row in rows]


TOML = """
[[connector]]
name = "prober"
kind = "{kind}"
streams = ["availability_checks"]
from = 2026-07-01
url = "{url}"
token_env = "PROBER_TOKEN"
{more}
"""


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("PROBER_TOKEN", "loopback-only")


@pytest.fixture
def robot(answering, pull_small):
    """Pull August's first days from an UptimeRobot with one monitor, made of (type, instant) and its creation."""

    def pull(logs: list[tuple[int, datetime]], created: datetime, more: str = "", **told):
        entries = [{"type": kind, "datetime": int(when.timestamp()), "duration": 1} for kind, when in logs]
        monitor = {"id": 1, "create_datetime": int(created.timestamp()), "logs": entries, **told}
        answer = {"stat": "ok", "pagination": {"offset": 0, "limit": 50, "total": 1}, "monitors": [monitor]}
        url = answering(lambda *_: (200, answer))
        result, rows = pull_small(TOML.format(kind="uptimerobot", url=url, more=more), "availability_checks", *AUGUST)
        assert result.error is None
        pull.told = result.told
        return states(rows)

    return pull


def window(kind: int, begins: int | str, minutes: int = 120, **more) -> dict:
    return {"id": 5, "type": kind, "friendly_name": "x", "start_time": begins, "duration": minutes, **more}


# The small organisation's zone is Oslo's, two hours before UTC in August; the third is a Monday.
@pytest.mark.parametrize(
    ("mwindows", "logs", "expected"),
    [
        ([window(1, int(at(3, 8).timestamp()))], [], [(3, 8, "unknown"), (3, 10, "up")]),
        ([window(3, "10:00", value="1-4")], [], [(3, 8, "unknown"), (3, 10, "up")]),
        ([window(4, "10:00", value="3-17")], [], [(3, 8, "unknown"), (3, 10, "up")]),
        ([window(2, "00:00", 60)], [], [(2, 22, "unknown"), (2, 23, "up"), (3, 22, "unknown"), (3, 23, "up")]),
        # It came up outside of any check that we know of, and went down when it was checked again.
        ([window(3, "10:00", value="1")], [(1, at(3, 10))], [(3, 8, "unknown"), (3, 10, "down")]),
        # What is logged was checked.
        ([window(3, "10:00", value="1")], [(1, at(3, 9))], [(3, 8, "unknown"), (3, 9, "down")]),
        (
            [window(3, "10:00", value="1"), window(3, "11:00", value="1")],
            [],
            [(3, 8, "unknown"), (3, 9, "unknown"), (3, 11, "up")],
        ),
        # Switched off, only named, or of days that nobody understands.
        ([window(3, "10:00", value="1", status=0), "7"], [], []),
        ([window(3, "10:00", value="Mon")], [], []),
    ],
)
def test_in_a_maintenance_window_nothing_is_checked(robot, mwindows, logs, expected):
    """The log says *up* all the time, as the vendor's page has it."""
    found = robot([(2, at(1)), *logs], at(1), mwindows=mwindows)
    changes = [row for row in found if row[:2] in {(day, hour) for day, hour, _ in expected} and row[0] < 4]
    assert changes == expected
    others = [row for row in found if row not in changes]
    assert {status for day, hour, status in others if (day, hour) <= (3, 8)} <= {"up"}
    assert ("cannot be read" in "".join(robot.told)) == (mwindows[0].get("value") == "Mon")


def test_a_paused_monitor_is_unknown_until_it_is_checked_again(robot):
    logs = [(2, at(1)), (99, at(3, 10)), (98, at(4, 10)), (2, at(4, 11))]
    assert robot(logs, at(1)) == [
        (2, 22, "up"), (3, 10, "unknown"), (3, 22, "unknown"), (4, 10, "unknown"), (4, 11, "up"), (4, 22, "up"),
    ]  # fmt: skip


def test_before_it_was_created_there_is_nothing_and_before_its_first_check_it_is_unknown(robot):
    assert robot([(2, at(4, 9))], at(4, 8)) == [(4, 8, "unknown"), (4, 9, "up"), (4, 22, "up")]


def test_what_the_plan_no_longer_keeps_is_unknown(robot):
    assert robot([(1, at(4, 9))], at(1)) == [(2, 22, "unknown"), (3, 22, "unknown"), (4, 9, "down"), (4, 22, "down")]


def test_numbers_may_come_as_texts_and_a_new_monitor_without_a_log(answering, pull_small):
    created = str(int(at(1).timestamp()))
    logs = [{"type": "1", "datetime": str(int(at(3, 10).timestamp())), "duration": "60"}]
    monitors = [{"id": 7, "create_datetime": created, "logs": logs}, {"id": 8, "create_datetime": created}]
    answer = {"stat": "ok", "pagination": {"offset": "0", "limit": "50", "total": "2"}, "monitors": monitors}
    url = answering(lambda *_: (200, answer))
    result, rows = pull_small(TOML.format(kind="uptimerobot", url=url, more=""), "availability_checks", *AUGUST)
    assert result.error is None
    assert [(row["monitor_id"], row["status"]) for row in rows if row["checked_at"].hour == 10] == [("7", "down")]
    assert {row["status"] for row in rows if row["monitor_id"] == "8"} == {"unknown"}


def test_a_refusal_comes_with_status_200(answering, pull_small):
    error = {"type": "invalid_parameter", "parameter_name": "api_key", "passed_value": "zxq", "message": "not found"}
    url = answering(lambda *_: (200, {"stat": "fail", "error": error}))
    result, _ = pull_small(TOML.format(kind="uptimerobot", url=url, more=""), "availability_checks", *AUGUST)
    assert "the API refuses" in result.error
    assert "PROBER_TOKEN" in result.error
    assert "zxq" not in result.error


def test_pages_of_monitors_go_on_until_all_are_seen(answering, pull_small):
    def answer(_path, _query, body):
        offset = int(parse_qs(body)["offset"][0])
        monitors = [{"id": n, "create_datetime": 0, "logs": []} for n in range(offset, min(offset + 2, 5))]
        return 200, {"stat": "ok", "pagination": {"offset": offset, "limit": 2, "total": 5}, "monitors": monitors}

    sources = TOML.format(kind="uptimerobot", url=answering(answer), more="")
    _, rows = pull_small(sources, "availability_checks", *AUGUST)
    assert {row["monitor_id"] for row in rows} == {"0", "1", "2", "3", "4"}
    assert {row["status"] for row in rows} == {"unknown"}


MONITOR = {
    "status": "up", "last_checked_at": "2026-08-10T00:00:00Z", "paused_at": None,
    "created_at": "2026-07-01T00:00:00Z", "updated_at": "2026-07-01T00:00:00Z",
}  # fmt: skip


@pytest.fixture
def stack(answering, pull_small):
    def pull(
        incidents: list[tuple[str, str | None]] = (),
        more: str = "",
        incident_status: str = "Resolved",
        about: dict[str, str | None] | None = None,
        **attributes,
    ):
        def answer(path, query, _body):
            neighbours = {"first": None, "last": None, "prev": None, "next": None}
            told = {name: value for name, value in (MONITOR | attributes).items() if value != "left out"}
            data = [{"id": "7", "attributes": told}]
            if path.endswith("incidents"):
                shown = [pair for pair in incidents if "resolved" not in query or pair[1] is None]
                rest = {"status": incident_status, **(about or {})}
                data = [{"id": f"{a}{b}", "attributes": {"started_at": a, "resolved_at": b, **rest}} for a, b in shown]
            return 200, {"data": data, "pagination": neighbours}

        sources = TOML.format(kind="betterstack", url=answering(answer), more=more)
        result, rows = pull_small(sources, "availability_checks", *AUGUST)
        assert result.error is None
        return states(rows)

    return pull


UP = [(2, 22, "up"), (3, 22, "up"), (4, 22, "up")]


def test_an_incident_is_an_outage_and_one_that_lasts_has_no_end(stack):
    found = stack([("2026-07-20T00:00:00Z", "2026-08-03T08:00:00Z"), ("2026-08-04T09:00:00Z", None)])
    assert found == [(2, 22, "down"), (3, 8, "up"), (3, 22, "up"), (4, 9, "down"), (4, 22, "down")]


def test_incidents_that_overlap_are_one_outage(stack):
    found = stack([("2026-08-03T08:00:00Z", "2026-08-03T10:00:00Z"), ("2026-08-03T09:00:00Z", "2026-08-03T12:00:00Z")])
    assert found == [(2, 22, "up"), (3, 8, "down"), (3, 9, "down"), (3, 12, "up"), *UP[1:]]


def test_an_incident_that_somebody_ended_while_the_checks_still_fail_is_not_followed_by_up(stack):
    found = stack([("2026-08-03T08:00:00Z", "2026-08-03T09:00:00Z")], status="down")
    assert found == [(2, 22, "up"), (3, 8, "down"), (3, 9, "unknown"), (3, 22, "unknown"), (4, 22, "unknown")]
    assert stack([("2026-08-03T08:00:00Z", None)], status="down")[1:] == [
        (3, 8, "down"),
        (3, 22, "down"),
        (4, 22, "down"),
    ]


def test_two_incidents_may_begin_at_one_instant(stack):
    begin = "2026-08-03T08:00:00Z"
    found = stack([(begin, None), (begin, "2026-08-03T09:00:00Z")])
    assert found == [(2, 22, "up"), (3, 8, "down"), (3, 22, "down"), (4, 22, "down")]


def test_an_incident_that_better_stack_does_not_believe_yet_is_no_outage(stack):
    found = stack([("2026-08-04T08:00:00Z", None)], incident_status="Unconfirmed")
    assert found == [*UP[:2], (4, 8, "unknown"), (4, 22, "unknown")]


@pytest.mark.parametrize(
    ("reopened", "expected"),
    [
        (None, [(2, 22, "up"), (3, 8, "down"), (3, 10, "up"), *UP[1:]]),
        # It keeps the time of its first end, as the vendor's example of an incident that was opened again has it.
        ("2026-08-03T12:00:00Z", [*UP[:1], (3, 8, "down"), (3, 10, "up"), (3, 12, "down"), (3, 22, "down"), (4, 22, "down")]),
        # Since then it has ended again.
        ("2026-08-03T09:00:00Z", [(2, 22, "up"), (3, 8, "down"), (3, 10, "up"), *UP[1:]]),
    ],
)  # fmt: skip
def test_an_incident_that_was_opened_again_lasts(stack, reopened, expected):
    about = {"reopened_at": reopened}
    assert stack([("2026-08-03T08:00:00Z", "2026-08-03T10:00:00Z")], about=about) == expected


@pytest.mark.parametrize("name", ["ssl_certificate_expires_at", "domain_expires_at"])
@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        # Weeks of warning before a day to come.
        ("2026-08-20T00:00:00.000Z", UP),
        # It has expired: visitors see that.
        ("2026-08-02T23:00:00.000Z", [(2, 22, "up"), (3, 8, "down"), (3, 22, "down"), (4, 22, "down")]),
        (None, [(2, 22, "up"), (3, 8, "down"), (3, 22, "down"), (4, 22, "down")]),
    ],
)
def test_a_warning_that_something_will_expire_is_no_outage(stack, name, expires, expected):
    assert stack([("2026-08-03T08:00:00Z", None)], about={name: expires}) == expected


def test_before_its_settings_were_changed_a_monitor_may_have_been_paused(stack):
    changed = {"updated_at": "2026-08-04T12:00:00Z"}
    unknown = [(2, 22, "unknown"), (3, 22, "unknown")]
    assert stack(**changed) == [*unknown, (4, 12, "up"), (4, 22, "up")]
    assert stack(more="never_paused = true", **changed) == UP


@pytest.mark.parametrize("change", ["settings", "removed"])
def test_a_day_that_is_over_stays_as_it_was_seen(answering, small, tmp_path, change):
    """Two pulls: between them somebody changed a monitor, or removed it; what was known of the days before still is."""
    monitors = [{"id": "7", "attributes": MONITOR}]
    incident = {"started_at": "2026-08-03T08:00:00Z", "resolved_at": "2026-08-03T09:00:00Z", "status": "Resolved"}

    def answer(path, query, _body):
        is_asked = path.endswith("incidents") and "resolved" not in query
        data = [{"id": "1", "attributes": incident}] if is_asked else [] if path.endswith("incidents") else monitors
        return 200, {"data": data, "pagination": {"next": None}}

    sources = TOML.format(kind="betterstack", url=answering(answer), more="").replace("2026-07-01", "2026-08-03")
    (small / "sources.toml").write_text(sources, encoding="utf-8")

    def pull(day: int) -> list[tuple[int, int, str]]:
        settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=at(day, 6))
        (result,) = pull_stream(settings, load_organisation(small), "availability_checks")
        assert result.error is None
        return states([row for load in result.loads for row in pl.read_parquet(load.path).sort("_line").to_dicts()])

    assert pull(4) == [(2, 22, "up"), (3, 8, "down"), (3, 9, "up")]
    # Changed at noon on the fourth: nobody knows whether it was paused before.
    edited = {"id": "7", "attributes": MONITOR | {"updated_at": "2026-08-04T12:00:00Z"}}
    monitors[:] = [edited] if change == "settings" else [edited | {"id": "8"}]
    assert pull(5) == [(3, 22, "unknown"), (4, 12, "up")]


def test_an_outage_is_known_where_the_state_between_is_not(stack):
    found = stack([("2026-08-03T08:00:00Z", "2026-08-03T09:00:00Z")], updated_at="2026-08-20T00:00:00Z")
    assert found == [(2, 22, "unknown"), (3, 8, "down"), (3, 9, "unknown"), (3, 22, "unknown"), (4, 22, "unknown")]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"status": "paused", "paused_at": "2026-08-04T12:00:00Z"}, [*UP[:2], (4, 12, "unknown"), (4, 22, "unknown")]),
        (
            {"status": "maintenance", "last_checked_at": "2026-08-04T12:00:00Z"},
            [*UP[:2], (4, 12, "unknown"), (4, 22, "unknown")],
        ),
        # Of a pause without a time it is only known that it is one now.
        ({"status": "paused", "paused_at": "left out", "last_checked_at": "left out"}, UP),
        (
            {"maintenance_from": "01:00:00", "maintenance_to": "03:00:00"},
            [
                *UP[:1],
                (3, 1, "unknown"),
                (3, 3, "up"),
                *UP[1:2],
                (4, 1, "unknown"),
                (4, 3, "up"),
                *UP[2:],
                (5, 1, "unknown"),
                (5, 3, "up"),
            ],
        ),
        # The fourth is a Tuesday; over midnight both days are named.
        (
            {
                "maintenance_from": "23:00:00",
                "maintenance_to": "01:00:00",
                "maintenance_timezone": "Prague",
                "maintenance_days": ["mon", "tue"],
            },
            [
                (2, 22, "unknown"),
                (2, 23, "up"),
                (3, 21, "unknown"),
                (3, 22, "unknown"),
                (3, 23, "up"),
                (4, 21, "unknown"),
                (4, 22, "up"),
            ],
        ),
        *(
            (
                {"maintenance_from": "01:00:00", "maintenance_to": "03:00:00"} | odd,
                [(day, 22, "unknown") for day in (2, 3, 4)],
            )
            for odd in (
                {"maintenance_to": None},
                {"maintenance_timezone": "Samoa"},
                {"maintenance_days": ["1"]},
                {"maintenance_from": "one"},
            )
        ),
        ({"created_at": "2026-08-04T12:00:00Z"}, [(4, 12, "up"), (4, 22, "up")]),
    ],
)
def test_what_is_not_checked_is_not_up(stack, attributes, expected):
    assert stack(**attributes) == expected


@pytest.fixture
def site(answering, pull_small):
    """Pull from an Upptime repository with the site ``web``, made of commits (message, instant)."""

    def pull(commits: list[tuple[str, datetime]]):
        def answer(path, query, _body):
            if path.endswith("history"):
                return 200, [{"path": "history/web.yml"}, {"path": "history/summary.json"}]
            low, high = query.get("since", ""), query["until"]
            shown = [(text, f"{when:%Y-%m-%dT%H:%M:%SZ}") for text, when in commits]
            found = [
                {"sha": when, "commit": {"committer": {"date": when}, "message": text}}
                for text, when in sorted(shown, key=lambda pair: pair[1], reverse=True)
                if low <= when <= high
            ]
            return 200, found[: int(query["per_page"])]

        sources = TOML.format(kind="upptime", url=answering(answer), more='repository = "o/status"')
        result, rows = pull_small(sources, "availability_checks", *AUGUST)
        assert result.error is None
        return states(rows)

    return pull


IS_UP, IS_DOWN = ("\U0001f7e9 Web is up (200 in 98 ms) [skip ci] [upptime]", "\U0001f7e5 Web is down (0 in 0 ms)")


def test_a_state_stands_until_the_next_commit(site):
    slow = "\U0001f7e8 Web is degraded (200 in 9000.5 ms) [skip ci] [upptime]\n\nSigned-off-by: x"
    found = site([(IS_UP, at(2)), (IS_DOWN, at(3, 9)), (slow, at(3, 10)), (IS_UP, at(4, 9))])
    assert found == [
        (2, 22, "up"),
        (3, 9, "down"),
        (3, 10, "degraded"),
        (3, 22, "degraded"),
        (4, 9, "up"),
        (4, 22, "up"),
    ]


def test_without_the_daily_commit_the_state_is_unknown(site):
    """Fifty hours after the last word nobody knows; a site that fell silent before the asked days is unknown in all."""
    assert site([(IS_UP, at(2))]) == [(2, 22, "up"), (3, 22, "up"), (4, 2, "unknown"), (4, 22, "unknown")]
    assert site([(IS_UP, datetime(2026, 7, 1, tzinfo=UTC))]) == [(day, 22, "unknown") for day in (2, 3, 4)]


def test_a_new_site_has_no_state_before_its_first_commit(site):
    assert site([(IS_UP, at(4, 9))]) == [(4, 9, "up"), (4, 22, "up")]
    assert site([]) == []


def test_other_commits_tell_nothing(site):
    assert site([(IS_UP, at(2)), ("Web is down for good, remove it", at(3, 9))])[0:2] == [(2, 22, "up"), (3, 22, "up")]


@pytest.mark.parametrize("kind", ["uptimerobot", "betterstack"])
def test_without_a_key_nothing_is_asked(pull_small, monkeypatch, kind):
    monkeypatch.delenv("PROBER_TOKEN")
    sources = TOML.format(kind=kind, url="https://zxq.invalid", more="")
    result, _ = pull_small(sources, "availability_checks", *AUGUST)
    assert "PROBER_TOKEN is not set" in result.error
