"""From a row behind a number to the row in the system that told it.

The template comes from the snapshot (``meta.source_links``) and decides where a link may lead; what the row says is
percent-encoded behind it. Nothing is asked of any system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsmetrics.core.links import filled
from opsmetrics.snapshots.queries import source_links
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.source_links import Template
from opsmetrics.snapshots.store import Snapshot
from opsmetrics.streams import STREAMS

# Of which stream a metric's rows are, where it is not the first that the metric needs.
_ROWS_OF: Mapping[str, str] = {
    "inc_known_error_docs": "documents",
    "mon_detection_by_alert": "incidents",
    "mon_pager_load_ok": "oncall_shifts",
    "scl_capacity_alert_coverage": "alert_rule_states",
}
# owner/name, and a number after # or @ (``run`` before it is a run of a workflow).
_REPOSITORY = re.compile(r"(?P<repository>[\w.-]+(?:/[\w.-]+)+)(?:[#@](?:run)?(?P<number>\d+)(?:/.*)?| .*)?")
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Item:
    """A row behind a number: its id, and what it says beside."""

    item_id: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SourceLink:
    """Where a row is found."""

    url: str

    @property
    def host(self) -> str:
        """The system as its address calls it: a source's own name may be that of a folder of files."""
        return urlsplit(self.url).hostname or self.url


def stream_of(metric: Metric) -> str:
    """Return the stream that a metric's rows are of."""
    return _ROWS_OF.get(metric.metric_id, metric.needs[0])


def links(snapshot: Snapshot, metric: Metric, team_id: str, items: Sequence[Item]) -> dict[str, SourceLink]:
    """Return the link of each row that has one, by the row's id.

    A row that its source is known of gets that source's link. Of every other only what is beyond doubt: where the
    sources that deliver today would lead to different places, there is none.
    """
    stream = stream_of(metric)
    known = source_links.templates(snapshot, stream) if stream in STREAMS else []
    if not known or not items:
        return {}
    ids = sorted({item.item_id for item in items})
    origin_of = {row.item_id: row.origin for row in source_links.origins(snapshot, stream, ids)}
    service_of = services(snapshot, metric, items)
    found: dict[str, SourceLink] = {}
    for item in items:
        origin = origin_of.get(item.item_id)
        mine = [each for each in known if each.origin == origin] if origin else [each for each in known if each.is_due]
        link = _one(mine, {"id": item.item_id, "team": team_id, "service": service_of.get(item.item_id)})
        if link is not None:
            found[item.item_id] = link
    return found


def services(snapshot: Snapshot, metric: Metric, items: Sequence[Item]) -> dict[str, str]:
    """Return the service of each row that is of one, by the row's id: as the facts say, else as it names one."""
    stream = stream_of(metric)
    ids = sorted({item.item_id for item in items})
    found = {row.item_id: row.service_id for row in source_links.services(snapshot, stream, ids)}
    names = source_links.service_names(snapshot)
    for item in items:
        named = {names[word] for word in _WORD.findall(f"{item.item_id} {item.detail}") if word in names}
        if item.item_id not in found and len(named) == 1:
            found[item.item_id] = named.pop()
    return found


def _one(known: Sequence[Template], values: Mapping[str, str | None]) -> SourceLink | None:
    """The link that the templates agree on, or None."""
    made = (filled(each.template, {**values, **_parts(values["id"] or "", each.origin)}) for each in known)
    urls = {url for url in made if url is not None}
    return SourceLink(urls.pop()) if len(urls) == 1 else None


def _parts(item_id: str, origin: str) -> dict[str, str | None]:
    """Repository and number in an id: ``owner/name#12/more``, or ``source-12/more`` without a repository."""
    match = _REPOSITORY.fullmatch(item_id)
    if match is not None:
        return {"repository": match["repository"], "number": match["number"]}
    own = re.match(r"\d+", item_id.removeprefix(f"{origin}-")) if item_id.startswith(f"{origin}-") else None
    return {"repository": None, "number": own[0] if own else None}
