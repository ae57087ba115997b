"""``opsmetrics source``: try what a source would land, and add a query for an export that is recognised."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from opsmetrics.cli.options import (
    EXIT_WRONG,
    as_the_shell_says,
    data_option,
    echo_json,
    json_option,
    org_option,
    settings_of,
    strict_option,
)
from opsmetrics.operations.trying import Trial, sources_to_try, try_source
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.queries import FORMATS
from opsmetrics.recipes import draft, own_columns, recipes, recognise
from opsmetrics.streams import STREAMS

_NAMES_SHOWN = 12


@click.group()
def source() -> None:
    """Work on one source.

    Example: opsmetrics source try incidents
    """


@source.command("try")
@click.argument("stream")
@click.option("--source", "origin", help="Only this source of the stream; default: all its files and queries.")
@org_option
@data_option
@json_option
@strict_option
def try_(stream: str, origin: str | None, org: Path | None, data: Path | None, *, as_json: bool, strict: bool) -> None:
    """Show what the files of STREAM would land: rows, rows set aside, and names that lead nowhere; nothing lands.

    Exit code 1 where nothing would land; with --strict also where a row, a name or a column is left out.

    Example: opsmetrics source try incidents --source servicenow
    """
    settings = settings_of(org, data)
    organisation = load_organisation(settings.org)
    today = settings.clock(organisation.settings.now).astimezone(organisation.zone).date()
    found = [try_source(settings, organisation, each, today) for each in sources_to_try(organisation, stream, origin)]
    if as_json:
        echo_json([_row(trial) for trial in found])
    else:
        for trial in found:
            _say(trial)
    if any(trial.kept == 0 or (strict and not trial.is_clean) for trial in found):
        sys.exit(EXIT_WRONG)


def _row(trial: Trial) -> dict[str, Any]:
    first = [{key: str(value) for key, value in row.items()} for row in trial.first.to_dicts()]
    told = {name: getattr(trial, name) for name in ("stream", "source", "rows", "kept", "untold", "dropped")}
    return told | {
        "days": [day.isoformat() for day in trial.days or ()],
        "first": first,
        "aside": [asdict(each) for each in trial.aside],
        "strange_words": trial.strange_words,
        "strange_names": [asdict(each) for each in trial.strange_names],
    }


def _say(trial: Trial) -> None:
    days = f", days {trial.days[0]} to {trial.days[1]}" if trial.days else ""
    aside = trial.rows - trial.kept
    click.echo(
        f"{trial.stream} from {trial.source}: {trial.rows} rows, {trial.kept} would land, {aside} set aside{days}"
    )
    if not trial.first.is_empty():
        with pl.Config(
            tbl_rows=-1,
            tbl_cols=-1,
            tbl_width_chars=10_000,
            fmt_str_lengths=40,
            tbl_hide_dataframe_shape=True,
            tbl_hide_column_data_types=True,
        ):
            click.echo(str(trial.first.select(pl.all().cast(pl.String))))
    for reason in trial.aside:
        place = f"{reason.file}:{reason.line}" if reason.file else f"line {reason.line}"
        click.echo(f"set aside: {reason.rows} x {reason.text} (first: {place})")
    for column, words in trial.strange_words.items():
        said = ", ".join(f"{word!r} ({rows})" for word, rows in words.items())
        click.echo(f"not understood: {column}: {said}")
    told: set[str] = set()
    for name in trial.strange_names[:_NAMES_SHOWN]:
        near = f"; did you mean {name.near!r}?" if name.near else ""
        click.echo(f"no such {name.kind}: {name.name!r} ({name.rows} rows){near}")
        if name.kind not in told:
            told.add(name.kind)
            click.echo(f"    fix: {name.fix}")
    if len(trial.strange_names) > _NAMES_SHOWN:
        click.echo(f"and {len(trial.strange_names) - _NAMES_SHOWN} more names")
    if trial.dropped:
        click.echo(f"left out, the stream has no such column: {', '.join(trial.dropped)}")
    if trial.untold:
        click.echo(f"cannot be told, so that what rests on it is not measured: {', '.join(trial.untold)}")


@source.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--recipe", "wanted", type=click.Choice([each.name for each in recipes()]), help="Which, where several fit."
)
@click.option("--stream", type=click.Choice(list(STREAMS)), help="Write a draft that gives this stream, to fill in.")
@org_option
def add(file: Path, wanted: str | None, stream: str | None, org: Path | None) -> None:
    """Write the query for an export that is recognised, FILE, into sources/ of the configuration.

    Of one that no recipe knows, --stream writes a draft: how the file is read, what it has, what the stream asks for.

    Example: opsmetrics source add exports/incident.csv

    Example: opsmetrics source add exports/tickets.json --stream incidents
    """
    settings = settings_of(org, None)
    if stream is not None:
        drafted = draft(file, STREAMS[stream])
        with as_the_shell_says():
            written = drafted.write(settings.org, file)
        click.echo(f"{written}: {drafted.title.en}; write what stands for each null, then")
        click.echo(f"opsmetrics source try {stream} --source {drafted.header.source}")
        return
    own = own_columns(file)
    fitting = recognise(file) or ([own] if own is not None else [])
    chosen = [each for each in fitting if wanted in {None, each.name}]
    if not chosen:
        known = ", ".join(each.name for each in fitting) or "no recipe"
        fix = (
            f"opsmetrics source add {shlex.quote(str(file))} --stream incidents writes a draft (or another stream);"
            " docs/configuration.md"
            if file.suffix.lower() in FORMATS
            else f"a query reads no files of this format: save it as one of {', '.join(FORMATS)}"
        )
        click.echo(f"error: {file}: {known} fits it\n    fix: {fix}", err=True)
        sys.exit(EXIT_WRONG)
    pattern = chosen[0].pattern_of(file)
    with as_the_shell_says():
        written = chosen[0].write(settings.org, file, pattern)
    click.echo(f"{written}: {chosen[0].title.en}")
    if pattern is not None:
        click.echo(f"it reads {pattern}, so that the next export is read too")
    if chosen[0].note:
        click.echo(chosen[0].note.en)
    if len(chosen) > 1:
        click.echo(f"others fit too (--recipe): {', '.join(each.name for each in chosen[1:])}")
    click.echo(f"look at it: opsmetrics source try {chosen[0].stream} --source {chosen[0].header.source}")
