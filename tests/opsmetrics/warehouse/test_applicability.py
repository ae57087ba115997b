"""To whom a metric applies: what the register says, and what follows from a team's duties."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from opsmetrics.build import runs
from opsmetrics.catalogue.load import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.warehouse.reference.teams import oncall_duties
from opsmetrics.warehouse.score_tables import applicability_select
from tests.conftest import settings_in

OF_DUTY = ("inc_oncall_coverage", "mon_pager_load_ok")


def test_windows_that_lie_whole_without_a_duty():
    """28 and 90 days: from the 28th and 90th day without a duty, by the organisation's clock, until it begins again."""
    con = duckdb.connect()
    con.execute("create schema ref; create schema meta; set timezone = 'UTC'")
    con.execute("create table meta.organisation as select 'Europe/Oslo' as timezone")
    con.execute("""
        create table ref.applicability as
        select 't' as team_id, 'bck_coverage' as metric_id, date '2026-01-01' as valid_from, date '2026-02-01' as valid_to
    """)
    con.execute("""
        create table ref.oncall_duties as from (values
            ('t', 'none', timestamptz '2026-05-31 22:00:00+00', timestamptz '2026-09-30 22:00:00+00'),
            ('t', 'always', timestamptz '2026-09-30 22:00:00+00', timestamptz '2200-01-01 00:00:00+00')
        ) as d(team_id, coverage, valid_from_at, valid_to_at)
    """)
    catalogue = load_catalogue(default_sql_root(), load_all(default_sql_root()))
    found = con.sql(applicability_select(catalogue) + " order by metric_id").fetchall()
    assert found == [
        ("t", "bck_coverage", date(2026, 1, 1), date(2026, 2, 1), "register"),
        ("t", "inc_oncall_coverage", date(2026, 6, 28), date(2026, 10, 1), "nothing_of_this_kind"),
        ("t", "mon_pager_load_ok", date(2026, 8, 29), date(2026, 10, 1), "nothing_of_this_kind"),
    ]


@pytest.mark.parametrize("rota", ["not connected", "connected"])
def test_whoever_has_no_duty_is_not_behind_with_a_rota(make_small, tmp_path, rota):
    org = make_small(tmp_path / "org")
    teams = org / "teams.toml"
    teams.write_text(teams.read_text().replace('id = "beta"', 'id = "beta"\noncall = "none"'))
    if rota == "connected":
        (org / "data/shifts.csv").write_text("shift_id,team_id,starts_at,ends_at,responder_count\n")
        with (org / "sources.toml").open("a") as file:
            file.write('\n[[stream]]\nname = "oncall_shifts"\npath = "shifts.csv"\nempty_since = 2026-07-01\n')
    settings = settings_in(tmp_path)
    runs.run(settings)
    with store.opened(store.current(settings.snapshots)) as con:
        found = con.execute(
            "select team_id, metric_id, status from scores.metric where grain = 'latest' and metric_id = any($1)",
            [list(OF_DUTY)],
        ).fetchall()
    said = {(team, metric): status for team, metric, status in found}
    assert said["beta", "inc_oncall_coverage"] == "not_applicable"
    assert said["alfa", "inc_oncall_coverage"] != "not_applicable"
    # Pages are not connected either way.
    assert said["beta", "mon_pager_load_ok"] == "not_applicable"
    assert said["alfa", "mon_pager_load_ok"].startswith("not_measured")


def test_a_team_that_answers_for_nothing_any_more_has_no_duty_of_its_own(make_small, tmp_path):
    """Merged into another: its last ownership is over. Whoever is on duty for others says so in the register."""
    org = make_small(tmp_path / "org")
    services = org / "services.toml"
    ended = '{ team = "beta", from = 2025-01-01, to = 2026-03-01 }, { team = "alfa", from = 2026-03-01 }'
    services.write_text(services.read_text().replace('{ team = "beta", from = 2025-01-01 }', ended))
    (org / "registers").mkdir()
    (org / "registers/rosters.csv").write_text(
        "team_id,coverage,valid_from,valid_to\nbeta,none,2026-02-01,2026-04-01\nbeta,always,2026-06-01,2026-07-01\n"
    )
    found = [
        (row["coverage"], row["valid_from_at"].isoformat()[:16], row["valid_to_at"].isoformat()[:16])
        for row in oncall_duties(load_organisation(org))
        if row["team_id"] == "beta"
    ]
    assert found == [
        ("working_hours", "1999-12-31T23:00", "2026-01-31T23:00"),
        ("none", "2026-01-31T23:00", "2026-05-31T22:00"),
        ("always", "2026-05-31T22:00", "2026-06-30T22:00"),
        ("none", "2026-06-30T22:00", "2199-12-31T23:00"),
    ]
