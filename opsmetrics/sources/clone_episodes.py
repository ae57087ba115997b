"""Update episodes from clones: what was in use when, what was released meanwhile, and what of it was taken (ADR 39).

Nothing that a clone or a registry cannot show becomes an episode: it is counted and told, and of a package as a whole
rows say that nobody knows (ADR 51). An open episode says that the repository has not taken an update *until now*, so
that a clone which nobody fetched since tells of none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.sources.clones import Clones, timelines_folder
from opsmetrics.sources.dependencies import platforms
from opsmetrics.sources.dependencies.episodes import Episode, episodes_of
from opsmetrics.sources.dependencies.inventory import UNTOLD, Timeline, Used, instant
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.registries import Registries, counted
from opsmetrics.sources.dependencies.timelines import timeline_of_clone
from opsmetrics.sources.dependencies.undated import EVERY_DAYS, NO_REGISTRY, NO_VERSION, WORDS, look_days, looks_at
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.git_history import History

Row = dict[str, Any]
Spans = Sequence[tuple[datetime, Used]]
# What is not told because no file shows it.
UNREAD = "manifests and lock files that could not be read"


def update_episodes(request: FetchRequest[GitClones]) -> FetchResult:
    """Return the episodes that began in the asked days."""
    rows, told, unknown = list[Row](), Clones(request), Counter[str]()
    with Registries(request) as registries:
        for repository, history in told.days():
            timeline = timeline_of_clone(history, timelines_folder(request), request.now)
            if _is_newest(request):
                unknown[UNREAD] += timeline.unread.total()
            found = list(_episodes(request, history, timeline, registries, unknown))
            stale_from = _not_seen_from(request, history)
            for package, episode in found:
                if stale_from is not None and not _is_seen(episode, stale_from):
                    told.miss(repository, _local_day(request, episode.available_at))
                else:
                    rows.append(_row(repository, package, episode))
    counts = counted((why, count) for why, count in unknown.items() if count)
    return told.answer(rows, counted=counts)


def _episodes(
    request: FetchRequest[GitClones],
    history: History,
    timeline: Timeline,
    registries: Registries,
    unknown: Counter[str],
) -> list[tuple[Package, Episode]]:
    """Return the episodes of a repository that began in the asked days, and the looks at what nobody can date."""
    wanted = dict(_in_use(request, timeline))
    registries.learn(package for package, spans in wanted.items() if _names_version(spans))
    noon = timedelta(hours=12)
    looks = [request.organisation.midnight(day) + noon for day in look_days(*request.days)]
    found: list[tuple[Package, Episode]] = []
    for package, spans in wanted.items():
        for why, episodes in _told_of(request, history, package, spans, registries, looks, unknown):
            if why is not None and _is_newest(request):
                unknown[f"{WORDS[why]} ({package.ecosystem})" if why == NO_REGISTRY else WORDS[why]] += 1
            found += [
                (package, one)
                for one in episodes
                if request.covers(one.available_at) and one.available_at <= request.now
            ]
    return found


def _told_of(
    request: FetchRequest[GitClones],
    history: History,
    package: Package,
    spans: Spans,
    registries: Registries,
    looks: Sequence[datetime],
    unknown: Counter[str],
) -> Iterator[tuple[str | None, list[Episode]]]:
    """Yield the episodes of a package, and the looks at it with why nobody can date it."""
    if spans[-1][1] == (UNTOLD,):
        yield NO_VERSION, list(looks_at(spans, NO_VERSION, looks))
    if not _names_version(spans):
        return
    releases = registries.releases(package)
    if isinstance(releases, str):
        yield releases, list(looks_at(spans, releases, looks))
        return
    age = timedelta(days=request.connector.minimum_release_age_days)
    told = episodes_of(spans, releases, begins_at=history.begins_at, minimum_age=age)
    unknown.update(why for why, at in told.unknown if request.covers(at))
    yield None, told.episodes
    if told.undated is not None:
        yield told.undated, list(looks_at(spans, told.undated, looks))


def _in_use(request: FetchRequest[GitClones], timeline: Timeline) -> Iterator[tuple[Package, Spans]]:
    """Yield the packages of which an episode can begin in the asked days, with their versions."""
    for package, uses in sorted(timeline.uses.items()):
        spans = [(instant(at), used) for at, used in uses]
        # Nothing can begin after the package was taken out, or before it came.
        is_out = spans[0][0] >= request.ends_at or (not spans[-1][1] and spans[-1][0] <= request.starts_at)
        if not is_out and package.ecosystem not in platforms.KINDS:
            yield package, spans


def _names_version(spans: Spans) -> bool:
    return any(version != UNTOLD for _, used in spans for version in used)


def _is_seen(episode: Episode, stale_from: datetime) -> bool:
    """Whether a clone that was last fetched then shows all of an episode: that it ended, or all of a look."""
    if episode.unknown_because is not None:
        return episode.available_at + timedelta(days=EVERY_DAYS) <= stale_from
    return episode.applied_at is not None and episode.available_at < stale_from


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
        "unknown_because": episode.unknown_because,
    }
