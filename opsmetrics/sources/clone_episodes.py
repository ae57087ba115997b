"""Update episodes from clones: what was in use when, what was released meanwhile, and what of it was taken (ADR 39).

Nothing that a clone or a registry cannot show becomes an episode: it is counted and told. An open episode says that the
repository has not taken an update *until now*, so that a clone which nobody fetched since tells of none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors import GitClones
from opsmetrics.sources.clones import Told, read_clones
from opsmetrics.sources.dependencies import platforms
from opsmetrics.sources.dependencies.episodes import Episode, episodes_of
from opsmetrics.sources.dependencies.inventory import UNTOLD, Timeline, Used, instant
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.registries import Registries, counted
from opsmetrics.sources.dependencies.timelines import timeline_of_clone
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.git_history import History

Row = dict[str, Any]
# What is not told because no file shows it.
NO_VERSION = "packages whose version in use no file tells (a range, and no lock file)"
UNREAD = "manifests and lock files that could not be read"


def update_episodes(request: FetchRequest[GitClones]) -> FetchResult:
    """Return the episodes that began in the asked days."""
    rows, told, unknown = list[Row](), Told(), Counter[str]()
    with Registries(request) as registries:
        for repository, history in read_clones(request):
            told.look_at(request, repository, history)
            timeline = timeline_of_clone(history, request.settings.home / "cache" / "timelines", request.now)
            if _is_newest(request):
                unknown[UNREAD] += timeline.unread.total()
            found = list(_episodes(request, history, timeline, registries, unknown))
            stale_from = _not_seen_from(request, history)
            for package, episode in found:
                if stale_from is not None and (episode.applied_at is None or episode.available_at >= stale_from):
                    told.unseen.add(_local_day(request, episode.available_at))
                else:
                    rows.append(_row(repository, package, episode))
        if _is_newest(request):
            unknown += registries.unknown
    counts = counted((why, count) for why, count in unknown.items() if count)
    source = request.connector.folder or "git"
    return FetchResult(rows, source=source, notes=tuple(told.notes), unseen=frozenset(told.unseen), counted=counts)


def _episodes(
    request: FetchRequest[GitClones],
    history: History,
    timeline: Timeline,
    registries: Registries,
    unknown: Counter[str],
) -> list[tuple[Package, Episode]]:
    """Return the episodes of a repository that began in the asked days."""
    wanted = dict(_in_use(request, timeline, unknown))
    registries.learn(wanted)
    found: list[tuple[Package, Episode]] = []
    age = timedelta(days=request.connector.minimum_release_age_days)
    for package, spans in wanted.items():
        releases = registries.releases(package)
        if releases is None:
            continue
        told = episodes_of(spans, releases, begins_at=history.begins_at, minimum_age=age)
        unknown.update(why for why, at in told.unknown if (request.covers(at) if at else _is_newest(request)))
        found += [
            (package, one)
            for one in told.episodes
            if request.covers(one.available_at) and one.available_at <= request.now
        ]
    return found


def _in_use(
    request: FetchRequest[GitClones], timeline: Timeline, unknown: Counter[str]
) -> Iterator[tuple[Package, list[tuple[datetime, Used]]]]:
    """Yield the packages of which an episode can begin in the asked days, with their versions."""
    for package, uses in sorted(timeline.uses.items()):
        spans = [(instant(at), used) for at, used in uses]
        # Nothing can begin after the package was taken out, or before it came.
        is_out = spans[0][0] >= request.ends_at or (not spans[-1][1] and spans[-1][0] <= request.starts_at)
        if is_out or package.ecosystem in platforms.KINDS:
            continue
        unknown[NO_VERSION] += spans[-1][1] == (UNTOLD,) and _is_newest(request)
        if any(version for _, used in spans for version in used):
            yield package, spans


def _is_newest(request: FetchRequest[GitClones]) -> bool:
    """Whether the asked days reach until now: what is true of a package as a whole is told once, and not a window."""
    return request.ends_at + timedelta(days=1) > request.now


def _not_seen_from(request: FetchRequest[GitClones], history: History) -> datetime | None:
    """Return when somebody else's clone was last fetched, where that is not today or yesterday; else None."""
    fetched = history.fetched_at
    is_stale = fetched is not None and _local_day(request, fetched) < _local_day(request, request.now) - timedelta(1)
    return fetched if is_stale else None


def _local_day(request: FetchRequest[GitClones], at: datetime) -> date:
    return at.astimezone(request.organisation.zone).date()


def _row(repository: str, package: Package, episode: Episode) -> Row:
    # The same release can be offered twice: after a step back, or when the package came again.
    begun = f"{episode.available_at:%Y%m%dT%H%M%S}"
    return {
        "episode_id": f"{repository}/{package.ecosystem}/{package.name}@{episode.version}/{begun}",
        "repository": repository,
        "package": package.name,
        "available_at": episode.available_at,
        "applied_at": episode.applied_at,
    }
