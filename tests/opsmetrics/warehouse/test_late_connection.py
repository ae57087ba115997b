"""A team that is connected to a stream in the middle of a window: what the stream told before was about others."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics.build import runs
from opsmetrics.snapshots import store
from opsmetrics.warehouse.score_tables import INPUTS
from tests.conftest import settings_in


def test_the_share_of_a_window_from_the_day_on_which_a_team_was_connected():
    """Of events alone, of the stream that came last, and of nobody who came into the scorecard with its streams."""
    con = duckdb.connect()
    con.execute("create schema ref; create schema meta; create schema facts; set timezone = 'UTC'")
    con.execute("""
        create table meta.metrics as from (values
            ('pages', 'sample', 10, ['alerts', 'incidents']), ('tasks', 'sample', 10, ['tasks']),
            ('state', 'sample', 0, ['alerts']), ('hours', 'census', 10, ['alerts'])
        ) as m(metric_id, kind, window_days, needs);
        create table meta.streams as from (values
            ('alerts', false), ('incidents', false), ('tasks', true)
        ) as s(stream, is_register);
        create table ref.teams as from (values
            ('late', date '2026-01-01'), ('new', date '2026-08-27')
        ) as t(team_id, onboarded_on);
        create table ref.team_streams as from (values
            ('late', 'alerts', date '2026-08-26'), ('late', 'incidents', date '2026-08-29'),
            ('late', 'tasks', date '2026-08-29'),
            ('new', 'alerts', date '2026-08-27'), ('new', 'incidents', date '2026-08-27')
        ) as c(team_id, stream, connected_on);
        create table ref.windows as from (values
            (10, timestamptz '2026-08-31 22:00:00+00', 'month', date '2026-08-31', date '2026-08-22'),
            (10, timestamptz '2026-09-06 22:00:00+00', 'week', date '2026-09-06', date '2026-08-28'),
            (10, timestamptz '2026-09-07 22:00:00+00', 'latest', date '2026-09-07', date '2026-08-29'),
            (10, timestamptz '2026-07-31 22:00:00+00', 'month', date '2026-07-31', date '2026-07-22'),
            (0, timestamptz '2026-08-31 22:00:00+00', 'month', date '2026-08-31', date '2026-09-01')
        ) as w(window_days, as_of, grain, "on", starts_on);
        create table facts.hidden_windows as from (values
            ('late', 'pages', timestamptz '2026-08-31 22:00:00+00', 'month', 'alerts', 0.2),
            ('late', 'pages', timestamptz '2026-09-06 22:00:00+00', 'week', 'alerts', 0.95),
            ('new', 'state', timestamptz '2026-08-31 22:00:00+00', 'month', 'alerts', 0.5)
        ) as h(team_id, metric_id, as_of, grain, stream, told_share)
    """)
    found = con.sql(
        f"select team_id, metric_id, grain, told_share, late_stream from ({INPUTS['late']}) order by as_of, team_id"
    ).fetchall()
    assert found == [
        # Of two streams that told a part of it that of which less is known.
        ("late", "pages", "month", pytest.approx(0.2), "alerts"),
        ("new", "state", "month", pytest.approx(0.5), "alerts"),
        ("late", "pages", "week", pytest.approx(0.9), "incidents"),
    ]


def test_the_quiet_of_a_stream_before_a_team_was_connected_is_none_of_its_own(make_small, tmp_path):
    org = make_small(tmp_path / "org")
    (org / "data/asked.csv").write_text("request_id,from_team_id,to_team_id,asked_at,answered_at\n")
    with (org / "sources.toml").open("a") as file:
        file.write(
            '\n[[stream]]\nname = "assist_requests"\npath = "asked.csv"\nempty_since = 2026-03-01\n'
            "covers = [2026-03-01, 2026-09-02]\nconnected_on = 2026-08-20\n"
        )
    teams = org / "teams.toml"
    new, alfa = teams.read_text().rsplit("onboarded_on = ", 1)
    teams.write_text(f"{new}onboarded_on = 2026-08-20{alfa[10:]}")
    settings = settings_in(tmp_path)
    runs.run(settings)
    with store.opened(store.current(settings.snapshots)) as con:
        found = con.execute(
            "select team_id, metric_id, status, reason, round(completeness, 2) from scores.metric"
            " where grain = 'latest' and metric_id = 'inc_assist_response' order by team_id"
        ).fetchall()
    assert found == [
        ("alfa", "inc_assist_response", "stale", "incomplete:7/assist_requests", 0.07),
        # Who came into the scorecard with its sources is told of as they tell.
        ("beta", "inc_assist_response", "no_opportunity", "no_events", 1.0),
    ]
