"""``opsmetrics metric``: what someone who writes a metric asks for."""

from __future__ import annotations

import sys

import click

from opsmetrics.catalogue.cases import run_cases
from opsmetrics.cli.options import EXIT_WRONG


@click.group()
def metric() -> None:
    """Work on one metric.

    Example: opsmetrics metric test inc_postmortem_on_time
    """


@metric.command()
@click.argument("metric_id", metavar="ID")
def test(metric_id: str) -> None:
    """Run the worked cases of the metric ID (or of any other SQL file).

    Example: opsmetrics metric test inc_postmortem_on_time
    """
    if run_cases(metric_id) != 0:
        sys.exit(EXIT_WRONG)
