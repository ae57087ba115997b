"""The brief as one HTML file: no script, no outside address, the same page on screen, phone and paper."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from opsmetrics.language.texts import text
from opsmetrics.reports.brief.document import Chart, Document
from opsmetrics.reports.brief.drawings import draw
from opsmetrics.reports.palette import BANDS

CHART_WIDTH, CHART_HEIGHT = 310.0, 135.0
"""Of a chart on the page, in its own units: narrow, so that its type can be read on a phone."""


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FunctionLoader(lambda name: (files("opsmetrics.reports.brief") / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["rich"] = _rich
    environment.filters["draw"] = _drawn
    return environment.get_template("brief.html.j2")


def _rich(words: str) -> Markup:
    """Escape a text and make ``*this*`` strong."""
    return Markup(re.sub(r"\*(.+?)\*", r"<strong>\1</strong>", str(escape(words))))  # noqa: S704 - escaped above


def _drawn(chart: Chart) -> Markup:
    return draw(chart, CHART_WIDTH, CHART_HEIGHT)


def write_html(document: Document) -> bytes:
    """Return the brief as HTML, UTF-8."""
    contents = text(document.language, "brief.contents")
    return _template().render(document=document, contents=contents, bands=BANDS).encode("utf-8")
