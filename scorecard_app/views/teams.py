"""All teams in a list: score, requirement and year of each, with the way to its page."""

from __future__ import annotations

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import TEAM, TEAMS
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.points import KRAV_POINTS, MET_LEVEL
from opsmetrics.snapshots.queries import across, catalogue, scores
from opsmetrics.snapshots.queries.rows import group_by, index_by
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import bullet
from scorecard_app.table_html import table_html
from scorecard_app.trend_lines import trend_line
from scorecard_app.views.index_parts import alt, frame_of, questioned, words_of_level
from scorecard_app.views.parts import source
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of


@view(TEAMS)
def render(page: Page) -> None:
    """Show the teams by name, product teams first."""
    head(page, page.text("nav.teams"))
    choose_period(page)
    teams = list(catalogue.teams(page.snapshot))
    found = index_by(scores.team_scores(page.snapshot, page.period), lambda row: row.team_id)
    met = sum((row.level or 0) >= MET_LEVEL for row in found.values())
    scored = sum(row.score is not None for row in found.values())
    key = "index.teams_lead_only" if scored == 1 else "index.teams_lead"
    words = page.text(key, teams=len(teams), met=met, scored=scored)
    show(lead(words if scored else page.text("months.lead_none")))
    year = group_by(across.team_year(page.snapshot, page.period), lambda row: row.subject_id)
    side, frame = side_of(page, len(teams), MOST_ROWS), frame_of(page, year)
    doubted, note = questioned(page), page.text("moves.doubt_signs")
    rows: list[tuple[Cell, ...]] = []
    for team in teams[side.start : side.stop]:
        row, spots = found.get(team.team_id), [(each.on, each.value) for each in year.get(team.team_id, ())]
        score = row.score if row else None
        kind = page.text(f"word.type_{team.type}")
        about = f"{kind} · {note}" if team.team_id in doubted else kind
        rows.append(
            (
                Cell(page.say(team.name), detail=about, address=TEAM.at(team=team.team_id)),
                page.cells.score(score, is_strong=True),
                Cell(drawing=bullet(score)),
                Cell(words_of_level(page, row.level if row else None)),
                page.cells.percent(row.coverage if row else None),
                Cell(drawing=trend_line(spots, frame, alt(page, spots))),
            )
        )
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("word.score"), "number"),
        Column(page.text("index.bar", krav=fmt.number(page.language, KRAV_POINTS))),
        Column(page.text("word.level")),
        Column(page.text("word.coverage"), "percent"),
        Column(page.text("across.year")),
    )
    table = Table("teams", page.text("index.teams_caption"), columns, tuple(rows), source=source("team-scores"))
    show(join(table_html(page, table, kind="index"), side_links(page, side)))
