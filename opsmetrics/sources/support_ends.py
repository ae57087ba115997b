"""End-of-life data: when each release cycle of a product loses support, or that it has lost it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsmetrics.organisation.connectors.result_files import SupportEnds
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import Http, RefusedError

Row = dict[str, Any]
# How the older API's address ends; it tells one list a product, and an end that is a day, a yes or a no.
_OLD = "/api"


def probe(request: FetchRequest[SupportEnds]) -> str:
    """Read every product: a name that the source does not have is an error here."""
    with request.client(request.connector.url) as http:
        for product in request.connector.products:
            list(_cycles(http, product))
    return f"{len(request.connector.products)} products"


def eol_dates(request: FetchRequest[SupportEnds]) -> FetchResult:
    """Return the release cycles of the configured products.

    No announced end is null; an end that is over, without anybody saying since when, is a flag and no day.
    """
    rows: list[Row] = []
    unknown: list[str] = []
    with request.client(request.connector.url) as http:
        for product in request.connector.products:
            try:
                rows += [{"product": product, **cycle} for cycle in _cycles(http, product)]
            except RefusedError as error:
                if error.status != 404 or len(request.connector.products) == 1:
                    raise
                unknown.append(product)
    notes = tuple(f"there is no product {name!r}: check products in sources.toml" for name in unknown)
    return FetchResult(rows, source=request.connector.url, notes=notes)


def _cycles(http: Http, product: str) -> Iterator[Row]:
    if http.url.endswith(_OLD):
        for cycle in http.get(f"{product}.json"):
            end = cycle.get("eol")
            yield {
                # A cycle as a number has lost what distinguishes 3.1 from 3.10; the contract sets it aside.
                "cycle": cycle["cycle"],
                "released_on": cycle.get("releaseDate"),
                "eol_on": end if isinstance(end, str) else None,
                "has_ended": end if isinstance(end, bool) else None,
            }
        return
    for release in http.get(f"products/{product}")["result"]["releases"]:
        yield {
            "cycle": release["name"],
            "released_on": release.get("releaseDate"),
            "eol_on": release.get("eolFrom"),
            "has_ended": release.get("isEol"),
        }
