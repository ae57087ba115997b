"""End-of-life data: when each release cycle of a product loses support."""

from __future__ import annotations

from typing import Any

from opsmetrics.organisation.connectors import SupportEnds
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.http import Http


def probe(ask: Ask[SupportEnds]) -> str:
    """Read the first product."""
    with Http(ask.connector.name, ask.connector.url, ask.settings) as http:
        http.get(f"products/{ask.connector.products[0]}")
    return f"{len(ask.connector.products)} products"


def eol_dates(ask: Ask[SupportEnds]) -> Answer:
    """Return the release cycles of the configured products; no announced end is null."""
    rows: list[dict[str, Any]] = []
    with Http(ask.connector.name, ask.connector.url, ask.settings) as http:
        for product in ask.connector.products:
            rows += [
                {
                    "product": product,
                    "cycle": release["name"],
                    "released_on": release["releaseDate"],
                    "eol_on": release.get("eolFrom"),
                }
                for release in http.get(f"products/{product}")["result"]["releases"]
            ]
    return Answer(rows, source=ask.connector.url)
