"""``opsmetrics check``: is the configuration whole, does it mean what it says, and do the sources answer?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from opsmetrics.build import Context, load_context
from opsmetrics.cli.options import (
    EXIT_WRONG,
    data_option,
    echo_json,
    json_option,
    org_option,
    settings_of,
    strict_option,
)
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import Settings
from opsmetrics.operations.checking import inspect
from opsmetrics.operations.connections import Connection, connections
from opsmetrics.organisation.access import load_access
from opsmetrics.organisation.advice import Finding


@click.command()
@org_option
@data_option
@json_option
@click.option("--connect", is_flag=True, help="Also ask every connector its smallest question.")
@strict_option
def check(org: Path | None, data: Path | None, *, connect: bool, as_json: bool, strict: bool) -> None:
    """Validate the configuration and the SQL files as a whole, and look at the heads of the files it names.

    Every problem names file, line and fix. Exit code 1 where something cannot be; with --strict also where it may not
    be meant.

    Example: opsmetrics check --org my-org --connect
    """
    settings = settings_of(org, data)
    try:
        context = _loaded(settings)
    except ConfigurationError as error:
        _report_problems(error, settings.org, as_json=as_json)
        sys.exit(EXIT_WRONG)
    today = context.now.astimezone(context.organisation.zone).date()
    found = inspect(settings, context.organisation, today)
    is_wrong = any(strict or item.is_error for item in found)
    answers = connections(settings, context.organisation) if connect else None
    if as_json:
        _echo(_facts(context), found, answers)
    else:
        _say(_facts(context), found, answers, settings.org)
    if is_wrong or not all(item.is_connected for item in answers or ()):
        sys.exit(EXIT_WRONG)


def _loaded(settings: Settings) -> Context:
    """Read the configuration, and who may do what in the app: what is wrong with either is told at once."""
    found: list[Problem] = []
    try:
        load_access(settings.org)
    except ConfigurationError as error:
        found += error.problems
    try:
        context = load_context(settings)
    except ConfigurationError as error:
        # Both say so where the folder itself cannot be read.
        raise ConfigurationError(list(dict.fromkeys([*found, *error.problems]))) from error
    if found:
        raise ConfigurationError(found)
    return context


def _facts(context: Context) -> dict[str, Any]:
    return {
        "organisation": context.organisation.settings.id,
        "teams": len(context.organisation.teams),
        "services": len(context.organisation.services),
        "streams": len(context.organisation.streams),
        "metrics": len(context.catalogue.metrics),
    }


def _echo(facts: dict[str, Any], found: list[Finding], answers: list[Connection] | None) -> None:
    errors, warnings = ([_row(item.problem) for item in found if item.is_error is wanted] for wanted in (True, False))
    told = {"ok": not errors, **facts, "problems": errors, "warnings": warnings}
    echo_json(told if answers is None else told | {"connections": [asdict(item) for item in answers]})


def _say(facts: dict[str, Any], found: list[Finding], answers: list[Connection] | None, org: Path) -> None:
    for item in found:
        click.echo(f"{'error' if item.is_error else 'warning'}: {item.problem}", err=True)
    errors = sum(item.is_error for item in found)
    if errors:
        click.echo(f"\n{errors} problem(s) in {org}", err=True)
    elif answers is None:
        click.echo(" ".join(f"{key}={value}" for key, value in ({"ok": True} | facts).items()))
    if answers is not None:
        _report_connections(answers)


def _row(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "message": problem.message, "fix": problem.fix}


def _report_problems(error: ConfigurationError, org: Path, *, as_json: bool) -> None:
    if as_json:
        echo_json({"ok": False, "problems": [_row(problem) for problem in error.problems]})
    else:
        click.echo(f"{error}\n\n{len(error.problems)} problem(s) in {org}", err=True)


def _report_connections(found: list[Connection]) -> None:
    for item in found:
        mark = "ok    " if item.is_connected else "FAILED"
        message = item.said.replace("\n    fix: ", "; to fix it: ")
        click.echo(f"{mark} {item.source:<20} {item.kind:<16} {message}")
