"""Commands that read the current snapshot: ``path``, ``sql``, ``results``, ``export``."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click
import duckdb

from opsmetrics.cli.options import (
    EXIT_MISSED,
    EXIT_UNKNOWN,
    EXIT_USAGE,
    FILE,
    FOLDER,
    as_the_shell_says,
    echo_json,
    json_option,
    settings_of,
)
from opsmetrics.cli.query_output import show
from opsmetrics.core.atomic import write_where_named
from opsmetrics.core.interrupts import ended_by_interrupt
from opsmetrics.operations.health import upkeep
from opsmetrics.snapshots import export as exporting
from opsmetrics.snapshots import results as evaluation
from opsmetrics.snapshots.store import current, open_current


@click.command()
@json_option
def path(*, as_json: bool) -> None:
    """Print the path of the current snapshot.

    Example: duckdb "$(opsmetrics path)"
    """
    found = current(settings_of().snapshots)
    if as_json:
        echo_json({"path": str(found.path), "build_id": found.build_id, "published_at": found.published_at})
    else:
        click.echo(found.path)


# What somebody writes as a query is far smaller.
_MOST_BYTES = 16 << 20


# A query may begin with a comment, which looks like an option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path, dir_okay=False), help="Read the query from it.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str | None, file: Path | None, form: str) -> None:
    """Run QUERY on the current snapshot, read-only; it may be a text, a file that ends in .sql, or standard input (-).

    Example: opsmetrics sql "from marts.scorecard"

    Example: opsmetrics sql -f examples/queries/03-what-to-fix-first.sql --format csv
    """
    asked = _query(query, file)
    with open_current(settings_of().snapshots) as con, ended_by_interrupt(con):
        try:
            statements = con.extract_statements(asked)
            if not statements:
                raise click.UsageError('there is no query; write one, such as "from marts.scorecard"')
            if sum(statement.type == duckdb.StatementType.SELECT for statement in statements) > 1:
                raise click.UsageError("one query at a time: only the last would be shown")
            relation: Any = con.sql(asked)
            if relation is not None:
                show(relation, form)
        except duckdb.Error as error:
            click.echo(f"error: {_refusal(error)}", err=True)
            sys.exit(EXIT_USAGE)


def _query(query: str | None, file: Path | None) -> str:
    """The text of the query: of a file, of standard input, or as it was typed."""
    if query is not None and file is not None:
        raise click.UsageError("write a query or name a file, one of them")
    if file is None and query is not None and query.endswith(".sql") and len(query.split()) == 1:
        file = Path(query)
    if file is not None:
        try:
            with file.open("rb") as content:
                return _text(content, str(file))
        except OSError:
            raise click.UsageError(f"{file} cannot be read: name a file that is there") from None
    if query not in {None, "-"}:
        return _text(io.BytesIO(os.fsencode(query or "")), "the query")
    if sys.stdin is None or (query is None and sys.stdin.isatty()):
        raise click.UsageError('write a query, such as "from marts.scorecard", or name a file with -f')
    return _text(sys.stdin.buffer, "standard input")


def _text(content: BinaryIO, named: str) -> str:
    """What a file or a pipe says, as far as it can be a query; a device says something for ever."""
    found = content.read(_MOST_BYTES + 1)
    if len(found) > _MOST_BYTES:
        raise click.UsageError(f"{named} holds more than {_MOST_BYTES >> 20} MiB: that is not a query")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{named} is not UTF-8: save it as UTF-8") from None


def _refusal(error: duckdb.Error) -> str:
    """What DuckDB says of a query; of one that would change something, what a snapshot is."""
    said = str(error)
    if "read-only" in said:
        return "a snapshot is never changed; write a select, or create your own tables in a database of your own"
    return f"the query cannot be run: {said}"


@click.command()
@click.option("--team", "teams", multiple=True, help="Only this team (repeatable).")
@click.option("--format", "form", type=click.Choice(["json", "openmetrics"]), default="json", show_default=True)
@click.option("--out", type=FILE, help="Write here, whole or not at all.")
@click.option("--min-score", type=click.FloatRange(0, 100), help="Wish: every team's score is at least this.")
@click.option("--min-level", type=click.IntRange(0, 4), help="Wish: every team's level is at least this.")
@click.option(
    "--min-coverage", type=click.FloatRange(0, 1), help="Wish: every team's coverage (0..1) is at least this."
)
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
        text = evaluation.openmetrics(found, upkeep(settings_of()))
    else:
        text = json.dumps(found | {"verdicts": verdicts}, ensure_ascii=False, indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        # A collector reads it every fifteen seconds and must never see half of it.
        with as_the_shell_says():
            write_where_named(out, text)
    for verdict in verdicts:
        if verdict["verdict"] != evaluation.MET:
            value = "not known" if verdict["found"] is None else verdict["found"]
            wish = f"{verdict['team_id']}: {verdict['wish']} is {value}, wanted {verdict['wanted']}"
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
    """Write marts and scores of the current snapshot as Parquet files, one a table, comments included.

    Example: opsmetrics export --to exports
    """
    with as_the_shell_says():
        folder, tables = exporting.export(settings_of().snapshots, target)
    if as_json:
        echo_json({"path": str(folder), "tables": tables})
    else:
        click.echo(f"{tables} tables in {folder}")
