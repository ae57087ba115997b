"""``opsmetrics build``, ``publish`` and ``run``: parts of the build plan."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from opsmetrics import build as plans
from opsmetrics.build import load_context
from opsmetrics.cli.options import (
    EXIT_WRONG,
    data_option,
    echo_json,
    json_option,
    org_option,
    settings_of,
    strict_option,
)
from opsmetrics.cli.progress import run_progress, step_progress
from opsmetrics.core.settings import parse_instant


@click.command()
@org_option
@json_option
@click.option("--known-at", help="Leave out loads landed after this instant (ISO 8601 with offset).")
def build(org: Path | None, known_at: str | None, *, as_json: bool) -> None:
    """Build facts, metrics and scores from what is landed.

    Example: opsmetrics build --known-at 2026-11-01T06:00:00Z
    """
    context = load_context(settings_of(org), parse_instant(known_at, "--known-at") if known_at else None)
    built = plans.build(context, step_progress(quiet=as_json))
    damaged = [text for texts in built.damaged.values() for text in texts]
    if as_json:
        echo_json({"build_id": built.build_id, "changed": built.changed, "set_aside": damaged})
        return
    for text in damaged:
        click.echo(text, err=True)
    click.echo(f"{'built' if built.changed else 'unchanged'} {built.build_id[:12]}")


@click.command()
@org_option
@json_option
def publish(org: Path | None, *, as_json: bool) -> None:
    """Publish the finished build as an immutable snapshot and make it the current one.

    Example: opsmetrics publish --json
    """
    found, changed = plans.publish(load_context(settings_of(org)))
    if as_json:
        echo_json({"path": str(found.path), "build_id": found.build_id, "changed": changed})
    else:
        click.echo(f"{'published' if changed else 'unchanged'} {found.path}")


@click.command()
@org_option
@data_option
@json_option
@strict_option
def run(org: Path | None, data: Path | None, *, as_json: bool, strict: bool) -> None:
    """Pull, build and publish, in this process.

    The same stages as the schedule's, without Dagster. Exit code 1 where a source could not be read, or nothing that a
    source sent can be used; with --strict also on every warning.

    Example: opsmetrics run --org my-org --data exports
    """
    with run_progress(quiet=as_json) as progress:
        report = plans.run(settings_of(org, data), progress)
    if as_json:
        echo_json(asdict(report))
    else:
        # One folder that is missing is the error of every stream that lies in it.
        for text in (*dict.fromkeys(report.errors), *report.set_aside, *report.at_risk, *report.told):
            click.echo(text, err=True)
        for sentence in report.warnings:
            click.echo(sentence, err=True)
        click.echo(f"snapshot {report.path}")
    if not report.ok or (strict and (report.warnings or report.at_risk or report.set_aside)):
        sys.exit(EXIT_WRONG)
