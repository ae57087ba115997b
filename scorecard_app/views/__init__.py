"""The pages: a module for each, of the page's own name, with a function ``render``; and the parts that they share."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from opsmetrics.reports.addresses import AppPage


def render(place: AppPage) -> Callable[[], None]:
    """Return what draws a page."""
    function: Callable[[], None] = import_module(f"{__name__}.{place.name}").render
    return function
