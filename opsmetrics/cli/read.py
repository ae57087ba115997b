"""Commands that read the current snapshot: ``path``, ``sql``, ``results``, ``export``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import duckdb

from opsmetrics.cli.options import (
    EXIT_MISSED,
    EXIT_UNKNOWN,
    EXIT_USAGE,
    FOLDER,
    echo_json,
    json_option,
    settings_of,
)
from opsmetrics.core.atomic import write_whole_text
from opsmetrics.snapshots import export as exporting
from opsmetrics.snapshots import results as evaluation
from opsmetrics.snapshots.store import current, open_current


@click.command()
@json_option
def path(*, as_json: bool) -> None:
    """Print the path of the current snapshot."""
    found = current(settings_of().snapshots)
    if as_json:
        echo_json({"path": str(found.path), "build_id": found.build_id, "published_at": found.published_at})
    else:
        click.echo(found.path)


# A query may begin with a comment, which looks like an option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, form: str) -> None:
    """Run QUERY on the current snapshot, read-only; - reads it from standard input.

    Example: opsmetrics sql "from marts.scorecard"
    """
    query = sys.stdin.read() if query == "-" else query
    with open_current(settings_of().snapshots) as con:
        try:
            relation: Any = con.sql(query)
            if relation is None:
                return
            if form == "table":
                relation.show(max_rows=1000, max_width=10_000)
            elif form == "csv":
                click.echo(relation.pl().write_csv(), nl=False)
            else:
                click.echo(relation.pl().write_json())
        except duckdb.Error as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_USAGE)


@click.command()
@click.option("--team", "teams", multiple=True, help="Only this team (repeatable).")
@click.option("--format", "form", type=click.Choice(["json", "openmetrics"]), default="json", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here, whole or not at all.")
@click.option("--min-score", type=float, help="Wish: every team's score is at least this.")
@click.option("--min-level", type=int, help="Wish: every team's level is at least this.")
@click.option("--min-coverage", type=float, help="Wish: every team's coverage (0..1) is at least this.")
@click.option("--no-gate", is_flag=True, help="Wish: no gate is tripped.")
def results(
    teams: tuple[str, ...],
    form: str,
    out: Path | None,
    min_score: float | None,
    min_level: int | None,
    min_coverage: float | None,
    *,
    no_gate: bool,
) -> None:
    """Print today's scores for other programs; with requirements, exit 3 where one is missed, 4 if unknown.

    Example: opsmetrics results --team sjokart --min-level 2 --no-gate
    """
    with open_current(settings_of().snapshots) as con:
        found = evaluation.read_results(con, teams)
    verdicts = evaluation.judge(found, evaluation.Requirements(min_score, min_level, min_coverage, no_gate))
    if form == "openmetrics":
        text = evaluation.openmetrics(found)
    else:
        text = json.dumps(found | {"verdicts": verdicts}, ensure_ascii=False, indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        # A collector reads it every fifteen seconds and must never see half of it.
        write_whole_text(out, text)
    for verdict in verdicts:
        if verdict["verdict"] != evaluation.MET:
            wish = f"{verdict['team_id']}: {verdict['wish']} is {verdict['found']}, wanted {verdict['wanted']}"
            click.echo(f"{verdict['verdict']}: {wish}", err=True)
    outcomes = {verdict["verdict"] for verdict in verdicts}
    if evaluation.MISSED in outcomes:
        sys.exit(EXIT_MISSED)
    if evaluation.UNKNOWN in outcomes:
        sys.exit(EXIT_UNKNOWN)


@click.command()
@click.option(
    "--to", "target", required=True, type=FOLDER, help="Folder of the exports; `current` in it is the newest."
)
@json_option
def export(target: Path, *, as_json: bool) -> None:
    """Write marts and scores of the current snapshot as Parquet files, one a table, comments included."""
    folder, tables = exporting.export(settings_of().snapshots, target)
    if as_json:
        echo_json({"path": str(folder), "tables": tables})
    else:
        click.echo(f"{tables} tables in {folder}")
