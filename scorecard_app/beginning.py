"""What an app says before anything was published: how to begin, and what would give most, as it is configured."""

from __future__ import annotations

from markupsafe import Markup

from opsmetrics.build import load_context
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import Settings
from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports.next_sources import NextStep, configured_cells, next_steps, rests_on_of
from scorecard_app.markup import join, paragraph, points

SHOWN = 5


def begin(language: str) -> Markup:
    """Return how to begin; where there is a configuration, also what to connect first."""
    said = paragraph(text(language, "connect.begin"))
    found = _steps()[:SHOWN]
    if not found:
        return said
    return join(said, paragraph(text(language, "connect.first")), points(_line(language, item) for item in found))


def _steps() -> list[NextStep]:
    settings = Settings.from_env()
    try:
        context = load_context(settings)
    except OpsMetricsError:
        # A configuration that cannot be read is told by the command line, with its lines.
        return []
    today = context.now.astimezone(context.organisation.zone).date()
    cells = configured_cells(context.organisation, context.catalogue, today)
    return next_steps(cells, rests_on_of(context.catalogue))


def _line(language: str, item: NextStep) -> str:
    names = " + ".join(f"{text(language, f'stream.{part.stream}')} ({part.stream})" for part in item.parts)
    return f"{names}: +{fmt.percent(language, item.step.gain)}"
