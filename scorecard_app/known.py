"""What an address can name: the parameters, and what there is of each in a snapshot; for pages and files alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from opsmetrics.language.bilingual import Text
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.addresses import PAGES, SHARED
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.store import Snapshot

ROLES = ("team_lead", "tech_lead", "ops_lead", "product_owner", "security_lead")
EFFORTS = ("S", "M", "L")
ORDERS = ("group", "lowest")
EVERYTHING = "all"
PARTS = frozenset({"changes", "diagnostics", "duties", "formula", "incidents", "metrics", "shared", "streams", "trend"})
"""What opens on demand on some page (``later``); ``all`` is all that a page has."""
COLUMNS: Mapping[str, str] = {
    "team": "team_id",
    "area": "area_id",
    "metric": "metric_id",
    "role": "owner_role",
    "effort": "effort",
}
"""Parameters that choose rows, and the column of every table whose values they name."""


def _team_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.team_id: row.name for row in catalogue.teams(snapshot)}


def _area_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.area_id: row.name for row in catalogue.areas(snapshot)}


def _metric_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.metric_id: row.title for row in catalogue.metrics(snapshot)}


THINGS: Mapping[str, Callable[[Snapshot], Mapping[str, Text]]] = {
    "team": _team_names,
    "area": _area_names,
    "metric": _metric_names,
}
"""Parameters that name a thing of the organisation, and the things that there are."""
WORDS: Mapping[str, Callable[[Snapshot], Collection[str]]] = {
    "period": lambda snapshot: [period.label for period in catalogue.periods(snapshot)],
    "lang": lambda _snapshot: LANGUAGES,
    "role": lambda _snapshot: ROLES,
    "effort": lambda _snapshot: EFFORTS,
    "sort": lambda _snapshot: ORDERS,
    "open": lambda _snapshot: PARTS | {EVERYTHING},
    "other": lambda snapshot: [team.team_id for team in catalogue.teams(snapshot)],
    "before": lambda snapshot: [period.label for period in catalogue.periods(snapshot)],
}
"""Parameters that choose among words, and the words."""
ALL = frozenset(SHARED) | {name for page in PAGES for name in page.parameters}
"""Every parameter that something of the app takes."""
