"""Summaries of k6 in its three forms: what they do not say is not guessed, least of all from a file's own time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.pull import pull_stream
from simulator.servers.records import Records
from simulator.servers.reports import PEAK, write_load_tests
from tests.connectors.sections import K6

SMALL = """
[[connector]]
name = "k6"
kind = "k6_summaries"
streams = ["load_tests"]
from = 2026-07-01
folder = "k6"
peaks = {{ web = 3600 }}
{more}
"""
DAYS = (date(2026, 8, 1), date(2026, 9, 1))


def with_peaks(records: Records) -> str:
    services = {row["service_id"] for row in records.rows["load_tests"]}
    return f"{K6}peaks = {{ {', '.join(f'{name} = {PEAK}' for name in sorted(services))} }}\n"


def test_all_forms_tell_what_was_tested(connected, records):
    settings, organisation = connected(with_peaks(records))
    write_load_tests(records, settings.org / "k6")
    (result,) = pull_stream(settings, organisation, "load_tests")
    assert (result.error, result.quarantined) == (None, 0)
    found = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "load_tests")])
    names = ("service_id", "tested_at", "reached_ratio", "is_slo_met")

    def plain(rows):
        return sorted((s, at.timestamp() // 1, round(ratio, 9), met) for s, at, ratio, met in rows)

    assert plain(found.select(*names).rows()) == plain(
        tuple(row[name] for name in names) for row in records.rows["load_tests"]
    )
    assert found.height > 3


def exported(*crossed: bool, rate: float = 0.5) -> dict:
    thresholds = {f"p(95)<{number}": value for number, value in enumerate(crossed)}
    duration = {"p(95)": 200.0, **({"thresholds": thresholds} if thresholds else {})}
    return {"root_group": {}, "metrics": {"http_reqs": {"count": 1, "rate": rate}, "http_req_duration": duration}}


def handled(*ok: bool) -> dict:
    thresholds = {f"p(95)<{number}": {"ok": value} for number, value in enumerate(ok)}
    metrics = {"http_reqs": {"values": {"rate": 0.5}}, "http_req_duration": {"values": {}, "thresholds": thresholds}}
    return {"root_group": {}, "metrics": metrics}


MACHINE = {
    "config": {"duration": 60},
    "metadata": {"generatedAt": "2026-08-03T12:00:00+02:00"},
    "results": {"metrics": [{"name": "http_reqs", "type": "counter", "values": {"count": 30}}]},
}
NAMED = "web-20260803T100000Z.json"


@pytest.fixture
def pulled(small, pull_small):
    def pull(summary: object, name: str = NAMED, more: str = ""):
        (small / "k6").mkdir(exist_ok=True)
        (small / "k6" / name).write_text(summary if isinstance(summary, str) else json.dumps(summary))
        return pull_small(SMALL.format(more=more), "load_tests", *DAYS)

    return pull


@pytest.mark.parametrize(
    ("summary", "is_met"),
    [
        (exported(False, False), True),
        (exported(False, True), False),
        (handled(True, True), True),
        (handled(True, False), False),
    ],
    ids=["export, none crossed", "export, one crossed", "handled, all ok", "handled, one not"],
)
def test_thresholds_of_the_flat_form_say_what_was_crossed(pulled, summary, is_met):
    _, (row,) = pulled(summary)
    assert (row["is_slo_met"], row["reached_ratio"], row["service_id"]) == (is_met, 0.5, "web")
    assert row["tested_at"] == datetime(2026, 8, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize("summary", [exported(), handled(), MACHINE], ids=["export", "handled", "machine"])
def test_a_test_without_thresholds_says_nothing_of_the_slo(pulled, summary):
    _, (row,) = pulled(summary)
    assert row["_reason"] == "is_slo_met: missing"


LIMITS = 'limits = [{ metric = "http_req_duration", value = "p(95)", at_most = %s }]'


@pytest.mark.parametrize(("at_most", "is_met"), [(200, True), (199, False)])
def test_configured_limits_come_before_thresholds(pulled, at_most, is_met):
    _, (row,) = pulled(exported(is_met), more=LIMITS % at_most)
    assert row["is_slo_met"] is is_met


def test_a_limit_on_a_value_that_is_not_there_is_unknown(pulled):
    _, (row,) = pulled(MACHINE, more=LIMITS % 500)
    assert row["_reason"] == "is_slo_met: missing"


def test_the_time_of_the_machine_readable_form_comes_before_the_name(pulled):
    _, (row,) = pulled(
        MACHINE, "web-20260101T000000Z.json", 'limits = [{ metric = "http_reqs", value = "rate", at_most = 9 }]'
    )
    assert row["tested_at"] == datetime(2026, 8, 3, 10, tzinfo=UTC)
    assert row["reached_ratio"] == 0.5


def test_a_load_without_a_known_peak_is_set_aside(pulled):
    _, (row,) = pulled(handled(True), "db-20260803T100000Z.json")
    assert row["_reason"] == "reached_ratio: missing"


@pytest.mark.parametrize(
    ("summary", "name"),
    [(exported(False), "web.json"), (MACHINE, "summary.json"), ("", NAMED), ({"metrics": {}}, NAMED), ("[]", NAMED)],
    ids=["no time", "no service", "empty", "no requests", "a list"],
)
def test_what_does_not_say_of_what_and_when_makes_the_answer_a_part(pulled, summary, name):
    result, rows = pulled(summary, name)
    assert f"no summaries with service and time: {name}" in (result.error or "")
    assert rows == []


def test_the_service_may_stand_in_the_settings(pulled):
    _, (row,) = pulled(MACHINE, "summary.json", 'of_service = "web"')
    assert (row["service_id"], row["_reason"]) == ("web", "is_slo_met: missing")
