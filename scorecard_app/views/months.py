"""How has each team done month by month? A heat map of teams and months, with the newest column last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import EXEMPTIONS, MONTHS, TEAM
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import across, catalogue
from opsmetrics.snapshots.queries.across import ScoreAt
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.choices import choose, choose_period
from scorecard_app.files import offer_table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, heading, hint, join, lead, link, mark, small
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import legend_html
from scorecard_app.views.index_parts import questioned
from scorecard_app.views.parts import areas_by_id, source
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of

EVERY = ""  # no area: the team's own score
Columns = Sequence[tuple[str, str, str]]
"""Label of each period, its grain, and what people call it; oldest first."""


@view(MONTHS)
def render(page: Page) -> None:
    """Show the scores of all teams over a year, of all areas together or of one."""
    areas = areas_by_id(page)
    wanted = st.query_params.get("area", EVERY)
    area = areas.get(wanted)
    head(page, page.text("months.title"), page.say(area.name) if area else page.text("months.whole"))
    left, right = st.columns(2)
    with left:
        names = {EVERY: page.text("months.whole"), **{key: page.say(row.name) for key, row in areas.items()}}
        choose(page.text("area.choose"), "area", list(names), names, wanted)
    with right:
        choose_period(page)
    found = list(across.scores_of_year(page.snapshot, page.period, area.area_id if area else None))
    columns = _columns(page, found)
    _lead(page, found, columns)
    if columns:
        _map(page, area, found, columns)


def _columns(page: Page, found: Sequence[ScoreAt]) -> Columns:
    """The periods that there are: months by their name, with the year where a new one begins, and now."""
    seen = {(row.label, row.grain): row.on for row in found}
    columns: list[tuple[str, str, str]] = []
    year = None
    for (label, grain), on in seen.items():
        if grain == "month":
            name = fmt.short_month(page.language, on) + (f" {on.year}" if on.year != year else "")
            year = on.year
        else:
            name = page.text("word.now")
        columns.append((label, grain, name))
    return columns


def _lead(page: Page, found: Sequence[ScoreAt], columns: Columns) -> None:
    """How many teams meet the requirement in the newest column, and in the first that has scores."""
    if not any(row.score is not None for row in found):
        show(lead(page.text("months.lead_none")))
        return
    by_column = group_by(found, lambda row: (row.label, row.grain))
    newest = by_column[columns[-1][:2]]
    scored = sum(row.score is not None for row in newest)
    # A month in which nobody had a score is no month in which nobody met the requirement.
    known = [by_column[label, grain] for label, grain, _ in columns[:-1]]
    first = next((rows for rows in known if any(row.score is not None for row in rows)), None)
    if not scored:
        show(lead(page.text("months.lead_none")))
    elif scored == 1:
        show(lead(_only(page, newest, first or ())))
    elif first is None:
        show(lead(page.text("months.lead_one", met=_met(newest), scored=scored, when=page.when)))
    else:
        month = fmt.month(page.language, first[0].on)
        words = {"before": _met(first), "before_scored": sum(row.score is not None for row in first), "month": month}
        show(lead(page.text("months.lead", met=_met(newest), scored=scored, when=page.when, **words)))


def _only(page: Page, newest: Sequence[ScoreAt], first: Sequence[ScoreAt]) -> str:
    """Whether the only team with a score meets the requirement, and did then if it was the only one then too."""
    said = page.text("months.lead_only", met=_met(newest), when=page.when)
    if sum(row.score is not None for row in first) != 1:
        return said
    month = fmt.month(page.language, first[0].on)
    return f"{said} {page.text('months.then_only', before=_met(first), month=month)}"


def _met(rows: Sequence[ScoreAt]) -> int:
    return sum((row.level or 0) >= MET_LEVEL for row in rows)


@dataclass(frozen=True, slots=True)
class Heat:
    """What the rows are drawn from.

    Attributes:
        page: The page.
        area: Whose scores; None for the team's own.
        columns: Periods, oldest first.
        edges: Where the levels begin.
        doubted: Teams whose numbers the product itself doubts.
    """

    page: Page
    area: Area | None
    columns: Columns
    edges: Sequence[float]
    doubted: Collection[str]


def _map(page: Page, area: Area | None, found: Sequence[ScoreAt], columns: Columns) -> None:
    teams = list(catalogue.teams(page.snapshot))
    by_team = group_by(found, lambda row: row.team_id)
    heat = Heat(page, area, columns, catalogue.rules(page.snapshot).level_edges, questioned(page))
    side = side_of(page, len(teams), MOST_ROWS)
    names = (page.text("word.team"), *(name for _, _, name in columns))
    header = (element("th", name, scope="col", role="columnheader") for name in names)
    body = (_row(heat, team, by_team.get(team.team_id, ())) for team in teams[side.start : side.stop])
    table = element(
        "table",
        element("caption", page.text("months.caption")),
        element("thead", element("tr", header, role="row"), role="rowgroup"),
        element("tbody", body, role="rowgroup"),
        role="table",
        class_="heat",
    )
    offer_table(page, source("team-months", area=area.area_id if area else None))
    show(
        join(
            heading(page.text("months.map"), page.text("months.map_note")),
            table,
            legend_html(board.legend(page.language, heat.edges)),
            hint(page.text("months.held_key")),
            side_links(page, side),
        )
    )


def _row(heat: Heat, team: Team, rows: Sequence[ScoreAt]) -> Markup:
    page, known = heat.page, {(row.label, row.grain): row for row in rows}
    asked = page.link(EXEMPTIONS.at(), page.text("overview.mark_signs")) if team.team_id in heat.doubted else None
    label = page.link(TEAM.at(team=team.team_id), page.say(team.name))
    cells = (
        element("td", _cell(heat, team, known.get((label, grain)), words), role="cell", data_l=words)
        for label, grain, words in heat.columns
    )
    return element("tr", element("th", label, small(asked), scope="row", role="rowheader"), cells, role="row")


def _cell(heat: Heat, team: Team, row: ScoreAt | None, words: str) -> Markup:
    """One score in the colour of its level as it stood; what is not known says so and is never a number."""
    page = heat.page
    if row is None or row.score is None:
        known = row is not None and row.status == "too_little_data"
        label = page.text("status.too_little_data" if known else "months.nothing")
        return element("span", "–", class_="cell nodata", role="img", aria_label=label, title=label)
    # As in the matrix: a number over 60 is not met where a gate, another area or the four weeks held it.
    by_score = board.band(row.score, heat.edges)
    level = by_score if row.level is None else row.level
    figure = fmt.score(page.language, row.score)
    name = page.text(f"level.{level}").lower()
    label = page.text(
        "months.cell",
        team=page.say(team.name),
        when=words,
        score=figure,
        level=name,
    )
    if level < by_score:
        label = page.text("months.held", cell=label, level=page.text(f"level.{by_score}").lower())
    period = row.label if row.grain == "month" else None
    address = TEAM.at(team=team.team_id, area=heat.area.area_id if heat.area else None, period=period)
    kind = f"cell l{level}" + (" provisional" if row.status == "provisional" else "")
    # Eyes see that the colour is lower than the number; the sign is explained below the map.
    sign = mark("*") if level < by_score else None
    shown = element("span", join(figure, sign), class_="figure")
    return link(page.href(address), shown, aria_label=label, title=label, class_=kind)
