"""What should we connect next, which columns does it need, and what does it give whom?"""

from __future__ import annotations

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import CONNECT, HEALTH
from opsmetrics.reports.next_sources import NextStep, next_steps
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import reach
from scorecard_app.choices import choose, selected_id
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import areas_by_id, metrics_by_id, teams_by_id

EVERY = ""
_SHOWN_TEAMS = 4


@view(CONNECT)
def render(page: Page) -> None:
    """Show the steps, the largest gain of coverage first, for all teams or for one."""
    teams = teams_by_id(page)
    head(page, page.text("connect.title"))
    names = {EVERY: page.text("word.all_teams")} | {key: page.say(team.name) for key, team in teams.items()}
    chosen = choose(page.text("word.team"), "team", list(names), names, selected_id("team", names, EVERY))
    cells = reach.reach_cells(page.snapshot)
    found = next_steps(cells, reach.rests_on(page.snapshot), chosen or None)
    mine = [cell for cell in cells if chosen in {EVERY, cell.team_id}]
    measured = sum(not cell.lacks for cell in mine)
    # Each metric counts for each team: of several teams there are more of them than the catalogue has.
    key = "connect.lead" if chosen or len(teams) == 1 else "connect.lead_teams"
    words = page.text(key, measured=measured, all=len(mine), steps=len(found), teams=len(teams))
    show(join(lead(words), hint(page.text("connect.note"), " ", page.link(HEALTH.at(), page.text("nav.health")))))
    if not found:
        show(hint(page.text("connect.none")))
        return
    show(join(table_html(page, _table(page, found, names)), heading(page.text("connect.how")), _how(page)))


def _table(page: Page, found: list[NextStep], names: dict[str, str]) -> Table:
    metrics, areas = metrics_by_id(page), areas_by_id(page)
    rows = tuple(
        (
            Cell(_streams(page, item), detail=_columns(page, item)),
            Cell(
                ", ".join(page.say(metrics[key].title) for key in item.step.metrics),
                detail=", ".join(page.say(areas[key].name) for key in item.step.areas),
            ),
            Cell(
                fmt.percent(page.language, item.step.gain),
                value=item.step.gain,
                is_strong=True,
                detail=_teams(page, item, names),
            ),
            Cell(page.text(f"effort.{item.effort}"), detail=_ways(page, item)),
        )
        for item in found
    )
    columns = (
        Column(page.text("connect.stream")),
        Column(page.text("connect.gives")),
        Column(page.text("connect.gain"), "percent"),
        Column(page.text("word.effort")),
    )
    return Table("connect", page.text("connect.caption"), columns, rows)


def _streams(page: Page, item: NextStep) -> str:
    return " + ".join(f"{page.text(f'stream.{part.stream}')} ({part.stream})" for part in item.parts)


def _columns(page: Page, item: NextStep) -> str:
    """The columns that are needed, of each stream: those of every row, and those that the metrics rest on."""
    said: list[str] = []
    for part in item.parts:
        names = (*(() if part.is_connected else part.required), *part.wanted)
        said.append(page.text("connect.lacks" if part.is_connected else "connect.columns", names=", ".join(names)))
    return "; ".join(said)


def _teams(page: Page, item: NextStep, names: dict[str, str]) -> str:
    teams = sorted(item.step.teams.items(), key=lambda pair: (-pair[1], names[pair[0]]))
    shown = [f"{names[key]} {fmt.percent(page.language, gain)}" for key, gain in teams]
    return listed(page.language, shown, _SHOWN_TEAMS)


def _ways(page: Page, item: NextStep) -> str:
    kinds = sorted({kind for part in item.parts for kind in part.connectors})
    exports = sorted({name for part in item.parts for name in part.recipes})
    said = [page.text("connect.connectors", names=", ".join(kinds))] if kinds else []
    said += [page.text("connect.recipes", names=", ".join(exports))] if exports else []
    return "; ".join(said) or page.text("connect.file")


def _how(page: Page) -> Markup:
    return points(page.text(f"connect.way_{way}") for way in ("init", "file", "query", "connector", "try"))
