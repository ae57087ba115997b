"""A renamed team or service: whatever names it by its earlier name follows, by its date where it has one."""

from __future__ import annotations

import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.organisation import load_organisation

DAYS = "2026-06-01"


@pytest.fixture
def renamed(small):
    """``alfa`` is called ``omega`` now, and ``web`` is ``portal``; nothing else was edited."""
    teams = (small / "teams.toml").read_text()
    (small / "teams.toml").write_text(teams.replace('id = "alfa"', 'id = "omega"\naliases = ["alfa"]'))
    services = (small / "services.toml").read_text()
    (small / "services.toml").write_text(services.replace('id = "web"', 'id = "portal"\naliases = ["web"]'))
    (small / "registers").mkdir()
    return small


def write(org, register, header, *rows):
    (org / "registers" / f"{register}.csv").write_text("\n".join([header, *rows]) + "\n")


def test_owners_promises_and_registers_follow(renamed):
    write(renamed, "rosters", "team_id,coverage,valid_from,valid_to", f"alfa,always,{DAYS},")
    write(
        renamed,
        "waivers",
        "waiver_id,team_id,metric_id,reason,compensating_measure,approver,valid_from,valid_to",
        f"w1,alfa,mon_alert_coverage,a reason that is long,a measure that is long,board,{DAYS},2026-08-01",
    )
    write(
        renamed,
        "goals",
        "team_id,metric_id,owner_role,decided_on,due_on,status",
        f"alfa,mon_alert_coverage,team_lead,{DAYS},2026-09-01,planned",
    )
    write(renamed, "efforts", "team_id,metric_id,effort_days", "alfa,mon_alert_coverage,2")
    found = load_organisation(renamed)
    assert {row.team_id for rows in (found.rosters, found.waivers, found.goals, found.efforts) for row in rows} == {
        "omega"
    }
    assert {owner.team for service in found.services for owner in service.owners} == {"omega", "beta"}
    assert [slo.service for slo in found.slos] == ["portal"]


def test_a_new_name_is_no_handover(renamed):
    path = renamed / "services.toml"
    owners = '{ team = "alfa", from = 2025-01-01, to = 2026-03-01 }, { team = "omega", from = 2026-03-01 }'
    path.write_text(path.read_text().replace('{ team = "alfa", from = 2025-01-01 }', owners))
    (owner,) = load_organisation(renamed).services[0].owners
    assert (owner.team, str(owner.valid_from), owner.valid_to) == ("omega", "2025-01-01", None)


def test_sources_name_teams_as_they_were(renamed):
    path = renamed / "sources.toml"
    path.write_text(path.read_text().replace('name = "deployments"', 'name = "deployments"\nteams = ["alfa", "beta"]'))
    (renamed / "sources").mkdir()
    header = '-- source = "desk"\n-- files = { rows = "i.csv" }\n-- teams = ["alfa"]\nselect * from rows\n'
    (renamed / "sources" / "alerts.sql").write_text(header)
    found = load_organisation(renamed)
    assert found.sources.stream[-1].teams == ["omega", "beta"]
    assert [query.teams for query in found.queries] == [["omega"]]


def test_a_name_that_meant_two_teams_is_told_apart_by_its_day(small):
    teams = (small / "teams.toml").read_text()
    teams = teams.replace('id = "alfa"', 'id = "alfa"\naliases = [{ name = "ops", to = 2026-03-01 }]')
    (small / "teams.toml").write_text(
        teams.replace('id = "beta"', 'id = "beta"\naliases = [{ name = "ops", from = 2026-03-01 }]')
    )
    (small / "registers").mkdir()
    header = "team_id,coverage,valid_from,valid_to"
    write(small, "rosters", header, "ops,always,2026-02-01,2026-02-10", "ops,none,2026-04-01,2026-04-10")
    assert [row.team_id for row in load_organisation(small).rosters] == ["alfa", "beta"]
    # Without a day nobody knows which of the two is meant.
    write(small, "efforts", "team_id,metric_id,effort_days", "ops,mon_alert_coverage,2")
    with pytest.raises(ConfigurationError, match=r"efforts\.csv:2: 'ops' is not in the configuration"):
        load_organisation(small)


def test_a_name_that_nothing_ever_had_is_wrong_as_before(renamed):
    write(renamed, "efforts", "team_id,metric_id,effort_days", "alfo,mon_alert_coverage,2")
    with pytest.raises(ConfigurationError, match="'alfo' is not in the configuration"):
        load_organisation(renamed)
