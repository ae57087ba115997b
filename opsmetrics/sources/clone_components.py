"""Components from clones: the base images, runtimes and frameworks that a repository names today, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.organisation.connectors.result_files import SupportEnds
from opsmetrics.sources.clones import Clones, timelines_folder
from opsmetrics.sources.dependencies import platforms
from opsmetrics.sources.dependencies.inventory import UNTOLD, Timeline, instant
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.timelines import timeline_of_clone
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.git_history import History
from opsmetrics.sources.repositories import service_of

Row = dict[str, Any]
NO_ENDS = "components left out, of products that no support_ends connector lists"


def component_states(request: FetchRequest[GitClones]) -> FetchResult:
    """Return today's components of each repository, of products whose ends of support somebody tells.

    A product that no source of ends of support lists would count as unsupported, which nobody knows: it is left out.
    """
    rows, stale, left_out = list[Row](), list[str](), Counter[str]()
    ends = [one for one in request.organisation.sources.connector if isinstance(one, SupportEnds)]
    listed = {product.lower() for one in ends for product in one.products} if ends else platforms.PRODUCTS
    told = Clones(request)
    for repository, history in told.read():
        fetched = history.fetched_at
        if fetched is not None and request.now - fetched > timedelta(days=2):
            stale.append(repository)
            continue
        timeline = timeline_of_clone(history, timelines_folder(request), request.now)
        for row in _components(request, repository, history, timeline):
            if row["product"] in listed:
                rows.append(row)
            else:
                left_out[f"{NO_ENDS} ({row['product']})"] += 1
    return told.answer(rows, stale=stale, counted=left_out)


def _components(
    request: FetchRequest[GitClones], repository: str, history: History, timeline: Timeline
) -> Iterator[Row]:
    service = service_of(request.organisation, request.connector, repository)
    for package, spans in sorted(timeline.uses.items()):
        if package.ecosystem not in platforms.KINDS:
            continue
        for cycle in spans[-1][1]:
            if cycle == UNTOLD:
                continue
            since = instant(next(at for at, used in spans if cycle in used))
            is_seen = history.begins_at is None or since > history.begins_at
            yield {
                "component_id": _name(repository, package, cycle),
                "service_id": service,
                "kind": package.ecosystem,
                "product": package.name,
                "cycle": cycle,
                "observed_on": request.today,
                # What a shallow clone begins with may be older.
                "first_seen_on": since.astimezone(request.organisation.zone).date() if is_seen else None,
            }


def _name(repository: str, package: Package, cycle: str) -> str:
    return f"{repository}/{package.ecosystem}/{package.name}/{cycle}"
