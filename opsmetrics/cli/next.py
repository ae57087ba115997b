"""``opsmetrics next``: what to connect next, and what it gives."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from opsmetrics.build import Context, load_context
from opsmetrics.cli.options import echo_json, json_option, org_option, settings_of
from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.settings import Settings
from opsmetrics.reports.next_sources import NextStep, Part, configured_cells, next_steps, rests_on_of
from opsmetrics.scoring.reach import ReachCell
from opsmetrics.snapshots.queries.catalogue import organisation
from opsmetrics.snapshots.queries.reach import reach_cells
from opsmetrics.snapshots.store import current


@click.command("next")
@org_option
@click.option("--team", help="Only for this team, by its id.")
@click.option("--most", type=click.IntRange(1), default=8, show_default=True, help="Steps to show.")
@json_option
def next_(org: Path | None, team: str | None, most: int, *, as_json: bool) -> None:
    """Say what to connect next: stream, columns, the metrics and areas it gives, coverage gained, largest gain first.

    Each step counts on those before it. Coverage is gained at most so much: with every day delivered.

    Example: opsmetrics next --org my-org --team alfa
    """
    settings = settings_of(org)
    context = load_context(settings)
    teams = [item.id for item in context.organisation.teams]
    if team is not None and team not in teams:
        raise click.UsageError(f"there is no team {team!r}; there are {', '.join(teams)}")
    cells = _cells(settings, context)
    found = next_steps(cells, rests_on_of(context.catalogue), team)
    if as_json:
        echo_json([asdict(item) | {"effort": item.effort} for item in found])
        return
    measured = sum(not cell.lacks for cell in cells if team in {None, cell.team_id})
    everything = sum(team in {None, cell.team_id} for cell in cells)
    click.echo(f"{measured} of {everything} metrics of {team or f'{len(teams)} teams'} have their sources")
    for number, item in enumerate(found[:most], 1):
        click.echo(_text(number, item, context))
    if len(found) > most:
        click.echo(f"\n{len(found) - most} more steps: --most {len(found)}")


def _cells(settings: Settings, context: Context) -> list[ReachCell]:
    """What is measured in the newest snapshot of this organisation; before the first, as it is configured."""
    configured = context.organisation
    today = context.now.astimezone(configured.zone).date()
    try:
        snapshot = current(settings.snapshots)
        if organisation(snapshot).name == configured.settings.name:
            return reach_cells(snapshot)
    except SnapshotError:
        pass
    return configured_cells(configured, context.catalogue, today)


def _text(number: int, item: NextStep, context: Context) -> str:
    step = item.step
    teams = sorted(step.teams.items(), key=lambda pair: -pair[1])
    gains = ", ".join(f"{name} +{100 * gain:.0f}" for name, gain in teams[:6])
    more = f" and {len(teams) - 6} more" if len(teams) > 6 else ""
    areas = {area.id: area.name.en for area in context.catalogue.areas}
    streams = " and ".join(part.stream for part in item.parts)
    lines = [
        f"\n{number}. {streams}: +{100 * step.gain:.1f} points of coverage ({gains}{more}), effort {item.effort}",
        f"   gives {', '.join(step.metrics)} in {', '.join(areas[area] for area in step.areas)}",
    ]
    if step.helped:
        lines.append(f"   is one of several for {', '.join(step.helped)}")
    return "\n".join([*lines, *(_part(part) for part in item.parts)])


def _part(part: Part) -> str:
    columns = f"columns {', '.join(part.required)}"
    wanted = f"; for these metrics also {', '.join(part.wanted)}" if part.wanted else ""
    if part.is_connected:
        columns, wanted = "is connected, and no source of it tells ", ", ".join(part.wanted)
    ways = f"; or connector {', '.join(part.connectors)}" if part.connectors else ""
    exports = f"; recipes: {', '.join(part.recipes)}" if part.recipes else ""
    return f"   {part.stream}: {part.doc}\n      {columns}{wanted}: a file or a query{ways}{exports}"
