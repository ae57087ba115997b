"""``opsmetrics pull``: the sources into landing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from opsmetrics.build.pulling import pull_streams
from opsmetrics.cli.options import (
    EXIT_WRONG,
    data_option,
    echo_json,
    json_option,
    org_option,
    settings_of,
    strict_option,
)
from opsmetrics.cli.progress import pull_progress
from opsmetrics.core.instants import is_of_our_time
from opsmetrics.operations.landed import notices_of_pull
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots.notices import Sentence, sentences
from opsmetrics.sources import PullResult

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@org_option
@data_option
@json_option
@strict_option
@click.option("--stream", "streams", multiple=True, help="Only this stream (repeatable).")
@click.option("--source", "origins", multiple=True, help="Only this connector, or files (repeatable).")
@click.option("--from", "start", type=_DAY, help="First local day.")
@click.option("--to", "end", type=_DAY, help="Last local day.")
def pull(
    org: Path | None,
    data: Path | None,
    streams: tuple[str, ...],
    origins: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    *,
    as_json: bool,
    strict: bool,
) -> None:
    """Pull the sources into landing; what was landed before is left alone.

    Exit code 1 where a source could not be read, or nothing that it sent can be used; with --strict also on warnings.

    Example: opsmetrics pull --org my-org --stream incidents --from 2026-10-01 --to 2026-10-31
    """
    settings = settings_of(org, data)
    organisation = load_organisation(settings.org)
    names = list(streams) or sorted(organisation.streams)
    strangers = [name for name in names if name not in organisation.streams]
    strangers += sorted(set(origins) - {delivery.origin for delivery in organisation.deliveries})
    if strangers:
        known = ", ".join(sorted({*organisation.streams, *(delivery.origin for delivery in organisation.deliveries)}))
        raise click.UsageError(f"not in sources.toml: {', '.join(strangers)}; there are {known}")
    window = _window(start, end)
    with pull_progress(quiet=as_json) as progress:
        results = pull_streams(settings, organisation, names, window, origins=origins, progress=progress)
    today = settings.clock(organisation.settings.now).astimezone(organisation.zone).date()
    found = sentences(notices_of_pull(organisation, results, today))
    _report(results, found, as_json=as_json)
    if any(result.error for result in results) or any(strict or item.is_error for item in found):
        sys.exit(EXIT_WRONG)


def _window(start: datetime | None, end: datetime | None) -> tuple[date, date] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise click.UsageError("--from and --to go together")
    if start > end:
        raise click.UsageError(f"--from {start:%Y-%m-%d} is later than --to {end:%Y-%m-%d}")
    if not (is_of_our_time(start.replace(tzinfo=UTC)) and is_of_our_time(end.replace(tzinfo=UTC))):
        raise click.UsageError("--from and --to lie between 1990 and 2099")
    return start.date(), end.date() + timedelta(days=1)


def _report(results: list[PullResult], found: list[Sentence], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "stream": r.stream,
                "source": r.origin,
                "loads": len(r.loads),
                "rows": r.rows,
                "quarantined": r.quarantined,
                "unchanged": r.unchanged,
                "error": r.error,
                "told": list(r.told),
            }
            for r in results
        ]
        echo_json({"streams": rows, "warnings": [asdict(item) for item in found]})
        return
    for r in results:
        state = "failed" if r.error else ("landed" if r.loads else "unchanged")
        aside = f", {r.quarantined} set aside" if r.quarantined else ""
        click.echo(f"{r.stream:<22} {r.origin:<16} {state:<10} {r.rows:>10} rows{aside}")
        for line in r.told:
            click.echo(f"{r.stream}: {line}", err=True)
    # One folder that is missing is the error of every stream that lies in it.
    for error in dict.fromkeys(result.error for result in results if result.error):
        click.echo(error, err=True)
    for item in found:
        click.echo(item, err=True)
