"""What a source cannot tell is kept with each load, and stays apart from what it can tell and left empty."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.landing import load_paths, read_load
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import pull_stream
from tests.conftest import settings_in
from tests.parts import made_for

# Pages of a tool without acknowledgements; the verdict of the duty is a column that nobody has filled in yet.
ALERTS = """alert_id,service_id,rule_id,fired_at,closed_at,label
a1,web,cpu,2026-08-20T08:00:00Z,2026-08-20T08:40:00Z,
a2,web,cpu,2026-08-21T08:00:00Z,2026-08-21T08:40:00Z,
"""
SHIFTS = """shift_id,team_id,starts_at,ends_at
s1,alfa,2026-06-01T00:00:00Z,2026-09-01T22:00:00Z
"""
SOURCES = """
[[stream]]
name = "alerts"
path = "alerts.csv"
covers = [2026-06-01, 2026-09-01]
{alerts}

[[stream]]
name = "oncall_shifts"
path = "shifts.csv"
covers = [2026-06-01, 2026-09-01]
{shifts}
"""


@pytest.fixture
def connect(small):
    """Let the small organisation deliver pages and shifts."""

    def make(alerts: str = "", shifts: str = ""):
        (small / "data/alerts.csv").write_text(ALERTS)
        (small / "data/shifts.csv").write_text(SHIFTS)
        path = small / "sources.toml"
        path.write_text(path.read_text() + SOURCES.format(alerts=alerts, shifts=shifts))
        teams = small / "teams.toml"
        teams.write_text(teams.read_text().replace('id = "alfa"', 'id = "alfa"\noncall = "always"', 1))
        return settings_in(small.parent)

    return make


def cells(settings, *metrics: str) -> dict[str, tuple]:
    context = plans.load_context(settings)
    for name in context.organisation.streams:
        (pulled,) = pull_stream(settings, context.organisation, name)
        assert pulled.error is None
    made_for(context, "scores.metric")
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        rows = con.execute(
            "select metric_id, status, points, reason from scores.metric"
            " where team_id = 'alfa' and grain = 'latest' and list_contains($1, metric_id)",
            [list(metrics)],
        ).fetchall()
    return {metric: rest for metric, *rest in rows}


def test_a_load_names_the_columns_that_are_not_in_the_file(connect, small):
    settings = connect()
    pull_stream(settings, load_organisation(small), "alerts")
    (path,) = load_paths(settings.landing, "alerts")
    assert set(read_load(path).untold) == {
        "severity",
        "acknowledged_at",
        "acknowledged_by_kind",
        "incident_id",
        "is_test",
    }


def test_what_rests_on_it_is_not_measured_and_says_why(connect):
    found = cells(connect(), "inc_ack_within_target", "inc_oncall_coverage")
    for metric, (status, points, reason) in found.items():
        assert (status, points) == ("not_measured", None), metric
        assert reason.startswith("not_told:"), metric
    assert "alerts.acknowledged_at" in found["inc_ack_within_target"][2]
    assert "oncall_shifts.responder_count" in found["inc_oncall_coverage"][2]


def test_a_user_can_state_what_holds_for_every_row(connect):
    stated = cells(connect(shifts="assume = { responder_count = 1 }"), "inc_oncall_coverage")
    status, points, _ = stated["inc_oncall_coverage"]
    assert status in {"ok", "low_evidence"}
    assert points == 100.0


@pytest.mark.parametrize("name", ["label", " Label "])
def test_what_a_file_tells_itself_is_not_assumed(connect, small, name):
    settings = connect('assume = { label = "noise", is_test = false }')
    path = small / "data/alerts.csv"
    path.write_text(ALERTS.replace("label", name).replace("08:40:00Z,", "08:40:00Z,actionable"))
    pull_stream(settings, load_organisation(small), "alerts")
    (load,) = load_paths(settings.landing, "alerts")
    with duckdb.connect() as con:
        assert con.execute("select distinct label, is_test from read_parquet($1)", [str(load)]).fetchall() == [
            ("actionable", False)
        ]


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        ("assume = { is_tset = false }", "no column 'is_tset'"),
        ('assume = { label = "noise" }\ncolumns = { label = "label" }', "both mapped and assumed"),
    ],
)
def test_an_assumption_is_checked_like_a_mapping(connect, small, alerts, message):
    connect(alerts)
    with pytest.raises(ConfigurationError, match=message):
        load_organisation(small)


def test_a_connector_may_be_told_only_what_it_cannot_tell(small):
    path = small / "sources.toml"
    path.write_text(
        path.read_text()
        + """
[[connector]]
name = "pages"
kind = "prometheus"
url = "https://prometheus.example"
streams = ["alerts"]
assume = { alerts = { is_test = false, label = "actionable" } }
"""
    )
    with pytest.raises(ConfigurationError, match="is told by the source"):
        load_organisation(small)
