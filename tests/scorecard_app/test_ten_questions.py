"""Ten questions of a leader, a team lead and an analyst: answered from screens alone, in two clicks at most, as SQL does.

A click is a link that the page before it shows. ``docs/app.md`` says where each answer stands.
"""

from __future__ import annotations

import re

import pytest

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import PAGES
from tests.demo_sql import NOW, sql
from tests.pages import flat, links_of, open_page

__all__ = ["sql"]  # a fixture
BY_NAME = {place.name: place for place in PAGES}
MOST_CLICKS = 2


@pytest.fixture
def screen(demo_home, monkeypatch):
    """Walk from the overview over links that are there, and return the words of the page where the walk ends."""

    def walk(*clicks: str, **query: str) -> str:
        assert len(clicks) <= MOST_CLICKS
        _, html = open_page("overview", demo_home, monkeypatch, lang="en")
        for place, name in enumerate(clicks):
            chosen = query if place == len(clicks) - 1 else {}
            wanted = {f"{key}={value}" for key, value in chosen.items()}
            there = [
                link
                for link in links_of(html)
                if link.path.strip("/") == BY_NAME[name].path and wanted <= {f"{k}={v}" for k, v in link.query}
            ]
            assert there, (clicks, name, "no link leads there")
            _, html = open_page(name, demo_home, monkeypatch, lang="en", **chosen)
        return re.sub(r" ([.,;:])", r"\1", flat(html))

    return walk


def test_a_leader_sees_who_has_exploited_vulnerabilities_past_their_deadline(screen, sql):
    rows = sql(
        "select t.name_en, s.value from scores.metric as s join ref.teams as t using (team_id)"
        f" where s.{NOW} and metric_id = 'sec_overdue_exploited' and value > 0 order by value desc, team_id"
    )
    named = " and ".join(f"{name} ({value:.0f})" for name, value in rows)
    assert named in screen()


def test_a_leader_sees_how_many_major_incidents_there_were_and_who_had_most(screen, sql):
    rows = sql(
        """select t.name_en, count(*) from facts.incidents as i join ref.teams as t using (team_id),
               (select max(as_of) as as_of from ref.as_of where grain = 'latest') as w
           where i.severity <= 2 and i.declared_at < w.as_of and i.declared_at >= w.as_of - interval 28 days
           and not coalesce(i.is_exercise, false)
           group by all order by 2 desc, 1"""
    )
    shown = screen()
    assert f"{sum(count for _, count in rows)} in the last 28 days" in shown
    assert f"{rows[0][0]} ({rows[0][1]})" in shown


def test_a_leader_sees_which_decisions_are_past_their_day_and_which_is_oldest(screen, sql):
    rows = sql(
        """select m.title_en, t.name_en, r.due_on from scores.goal as r join ref.goals as g using (team_id, metric_id, decided_on)
           join meta.metrics as m using (metric_id) join ref.teams as t using (team_id)
           join ref.as_of as w using (as_of, grain)
           where r.grain = 'latest' and g.status in ('planned', 'in_progress') and r.forecast <> 'closed'
           and r.due_on < w."on" order by r.due_on"""
    )
    shown = screen("decisions")
    assert f"{len(rows)} are overdue" in shown
    places = [shown.index(title) for title, _, _ in rows]
    assert places == sorted(places), "the oldest stands first"
    assert fmt.short_date("en", rows[0][2]) in shown


def test_a_leader_sees_what_the_ten_first_improvements_give_together(screen, demo_home):
    from opsmetrics.snapshots.queries import catalogue, gaps  # noqa: PLC0415 - the order of the list is the app's
    from opsmetrics.snapshots.store import current  # noqa: PLC0415
    from tests.by_hand import gains_by_hand  # noqa: PLC0415

    snapshot = current(demo_home / "snapshots")
    first = gaps.gaps(snapshot, catalogue.periods(snapshot)[0])[:10]
    found, scored = gains_by_hand(demo_home, "latest", {(gap.team_id, gap.metric_id): 100.0 for gap in first})
    points = fmt.number("en", sum(found.values()) / scored, 1)
    assert f"The first 10 together lift the mean of all teams by {points} points" in screen("gaps")


def test_a_team_lead_sees_which_areas_a_gate_holds_and_why(screen, sql):
    rows = sql(
        f"""select a.name_en, s.gate_findings from scores.area as s join meta.areas as a using (area_id)
            where s.{NOW} and s.team_id = 'sjokart' and s.gate is not null"""
    )
    shown = screen("team", team="sjokart")
    assert rows
    for name, findings in rows:
        assert re.search(rf"{name}.{{0,160}}a gate holds the level down: {findings} ", shown), name


def test_a_team_lead_sees_how_far_the_team_is_from_another_in_an_area(screen, sql):
    rows = dict(
        sql(
            f"select team_id, score from scores.area where {NOW} and area_id = 'mon' and team_id in ('sjokart', 'kaiplan')"
        )
    )
    shown = screen("area", area="mon")
    for team, name in (("sjokart", "Sea charts"), ("kaiplan", "Quay planning")):
        assert f"{name} {fmt.score('en', rows[team])} " in shown


def test_a_team_lead_sees_when_an_exemption_ends(screen, sql):
    rows = sql(
        """select t.name_en, cast(w.valid_to - 1 as date) from ref.waivers as w join ref.teams as t using (team_id)
           where w.valid_to > (select max("on") from ref.as_of where grain = 'latest') order by 2"""
    )
    shown = screen("exemptions")
    assert rows
    assert all(fmt.short_date("en", last) in shown for _, last in rows)


def test_an_analyst_sees_which_service_was_down_longest_in_a_year(screen, sql):
    shown = screen("incidents")
    ((name, minutes),) = sql(
        """select s.name_en, sum(a.down_minutes) from facts.availability_daily as a join ref.services as s using (service_id),
               (select as_of, "on" from ref.as_of where grain = 'latest') as w
           where a.day <= w."on" and a.day > w."on" - interval 1 year group by all order by 2 desc limit 1"""
    )
    assert re.search(rf"{name}.{{0,200}}{fmt.number('en', minutes)} ", shown)


def test_an_analyst_sees_how_many_metrics_no_team_meets(screen, sql):
    ((none, measured),) = sql(
        f"""select count(*) filter (met = 0), count(*) from (
                select metric_id, count(*) filter (points >= 60) as met, count(points) as measured from scores.metric
                where {NOW} and not starts_with(status, 'not_measured') group by metric_id having count(points) > 0)"""
    )
    shown = screen("metrics")
    assert f"{measured} of " in shown
    said = {0: "Each of them is met by at least one team", 1: "One of them is met by no team"}
    assert said.get(none, f"{none} of them are met by no team") in shown


def test_an_analyst_sees_which_system_is_silent_since_when_and_whom_it_touches(screen, sql):
    shown = screen("health")
    match = re.search(r"(\w[\w ]*) has no new data on ([\w ]+): ([\w ]+ ago)", shown)
    assert match, shown[:600]
    ((days,),) = sql(
        """select date_diff('day', max(d.day), (select max("on") from ref.as_of where grain = 'latest'))
           from meta.delivered_days as d where d.stream = 'repository_states'"""
    )
    assert str(days) in match[3]
