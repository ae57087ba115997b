"""``opsmetrics metric``: what someone who writes a metric asks for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from opsmetrics.build.cases import run_own_cases
from opsmetrics.catalogue.cases import run_cases
from opsmetrics.catalogue.model import OWN_PREFIX
from opsmetrics.cli.options import EXIT_WRONG, settings_of, stateless_org_option


@click.group()
def metric() -> None:
    """Work on one metric.

    Example: opsmetrics metric test inc_postmortem_on_time
    """


@metric.command()
@click.argument("metric_id", metavar="ID")
@stateless_org_option
def test(metric_id: str, org: Path | None) -> None:
    """Run the worked cases of the metric ID (or of any other SQL file).

    Those of an organisation's own metric lie in metrics/cases/ID/ beside its configuration.

    Example: opsmetrics metric test own_releases_announced --org my-org
    """
    if not metric_id.startswith(OWN_PREFIX):
        sys.exit(EXIT_WRONG if run_cases(metric_id) else 0)
    settings = settings_of(org)
    found = run_own_cases(settings, settings.org, metric_id)
    for case, wrong in found.items():
        click.echo(f"{'FAILED' if wrong else 'ok    '} {case}{f': {wrong}' if wrong else ''}")
    if any(found.values()):
        sys.exit(EXIT_WRONG)
