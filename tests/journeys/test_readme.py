"""The story of the README is what the demo says: every figure, and the query with the rows that it shows."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from opsmetrics.snapshots.store import open_current

TEXT = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
TEAM = "batregister"
LATEST = f"team_id = '{TEAM}' and grain = 'latest'"


@pytest.fixture(scope="module")
def con(demo_home):
    with open_current(demo_home / "snapshots") as found:
        yield found


def tables() -> list[list[list[str]]]:
    """The tables of the story: rows of cells, header first."""
    story = TEXT[TEXT.index("## Why does this team") : TEXT.index("## Who it is for")]
    blocks = re.findall(r"(?:^ *\|.*\n)+", story, flags=re.MULTILINE)
    return [
        [
            [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
            for line in block.splitlines()
            if "---" not in line
        ]
        for block in blocks
    ]


def one(con, query: str):
    ((value,),) = con.execute(query).fetchall()
    return value


def test_the_scores_of_the_story(con):
    area = one(con, f"select score from scores.area where {LATEST} and area_id = 'mon'")
    assert f"has **{area:.0f}** for monitoring" in TEXT
    team = one(con, f"select score from scores.team where {LATEST}")
    assert f"the team's total of {team:.1f}" in TEXT
    after = one(con, f"select score_after from scores.plan where {LATEST} and position = 1")
    assert f"the total is {after:.1f}" in TEXT
    name = one(con, f"select name_en from ref.teams where team_id = '{TEAM}'")
    assert f"*{name}* has" in TEXT


def test_what_each_metric_costs_and_gives_back(con):
    header, *shown = tables()[0]
    assert header == ["metric", "points", "costs the total", "a day of work gives back", "effort"]
    rows = con.execute(
        f"""select m.title_en, s.points, g.points_lost, g.gain_per_day, g.effort_days
            from scores.gap as g join scores.metric as s using (team_id, metric_id, as_of, grain)
            join meta.metrics as m using (metric_id)
            where {LATEST} and m.area_id = 'mon' order by g.gain_per_day desc limit {len(shown)}"""
    ).fetchall()
    assert shown == [
        [title, f"{points:.0f}", f"{lost:.1f}", f"{gain:.1f}", f"{days:.0f} team-days"]
        for title, points, lost, gain, days in rows
    ]
    least = one(con, f"select metric_id from scores.gap where {LATEST} order by points_lost desc limit 1")
    assert least == "mon_signal_coverage", "signal coverage has the largest loss of all"


def test_the_number_behind_the_first_step(con):
    numerator, denominator, value, krav = con.execute(
        f"""select s.numerator, s.denominator, s.value, m.krav from scores.metric as s join meta.metrics as m using (metric_id)
            where {LATEST} and metric_id = 'mon_signal_coverage'"""
    ).fetchall()[0]
    shown = " ".join(TEXT.split())
    assert (
        f"({numerator:.0f} of {denominator:.0f} signals arrived in at least 90 % of the hours is {100 * value:.1f} %;"
        f" {100 * krav:.0f} % is required)" in shown
    )


def test_the_query_gives_the_rows_that_are_shown(con):
    query = re.findall(r'opsmetrics sql "\n(.*?)"\n', TEXT, flags=re.DOTALL)[0]
    relation = con.sql(textwrap.dedent(query))
    _, *shown = tables()[1]
    assert shown == [[str(cell) for cell in row] for row in relation.fetchall()]
    assert f"through {['no', 'one', 'two', 'three', 'four', 'five', 'six'][len(shown)]} signals" in TEXT
