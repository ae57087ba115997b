"""Git clones as a source: merges of update bots, version changes, commits, state of repositories.

No API and no token. Only the first-parent line of the default branch says what was merged and when: imported
histories count elsewhere, and a bot's name alone is not an update (realdata, altinn_patching). Authors become a kind of
actor here; names and addresses are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.sources.actors import UPDATE_BOTS
from opsmetrics.sources.bot_config import FILES, INHERITED_FILE, INHERITED_REPOSITORY, read_configuration
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.python import normal
from opsmetrics.sources.dependencies.timelines import made_by
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.git_copies import is_repository, kept_copies
from opsmetrics.sources.git_history import Commit, History, git_lines
from opsmetrics.sources.manifests import Change, Pin
from opsmetrics.sources.release_dates import ReleaseDates
from opsmetrics.sources.repositories import service_of, without, without_on
from opsmetrics.sources.update_titles import is_update_title, read_title, read_titles, shape_of
from opsmetrics.sources.versions import direction_of, highest, update_type

Row = dict[str, Any]
# Packages that only a title names, since no manifest that is read says what changed.
_FROM_TITLE = "unknown"
# What whoever keeps a clone can do where others than its main line are fetched.
MISSED = "its branch was not among what was fetched; renamed? git remote set-head origin --auto"
# A bot that made something within these days is on, whatever the files say.
LATELY_DAYS = 90


def clones(request: FetchRequest[GitClones]) -> dict[str, Path | SourceError]:
    """Return ``owner/name`` -> folder of each clone: those that are kept here, those configured, else all of a folder.

    In place of the folder of one that is missing, or cannot be fetched, stands why.

    Raises:
        SourceError: There is none.
    """
    connector = request.connector
    if connector.url is not None:
        return kept_copies(request)
    root = request.path(connector.folder or "")
    if not root.is_dir():
        raise SourceError(Problem(str(root), None, "no such folder", "check folder in sources.toml"))
    named = {name: root / path for name, path in connector.places.items()}
    found = named or {path.name.removesuffix(".git"): path for path in sorted(root.iterdir()) if is_repository(path)}
    if not found:
        raise SourceError(Problem(str(root), None, "the folder holds no clone", "clone into it, or set url"))
    return {name: path if is_repository(path) else _no_clone(name, path) for name, path in found.items()}


def _no_clone(name: str, path: Path) -> SourceError:
    return SourceError(Problem(str(path), None, f"there is no clone of {name}", "clone it, or take it out"))


def _unseen(request: FetchRequest[GitClones], history: History) -> Iterator[date]:
    """Yield asked days of which a clone cannot tell: before a shallow one begins, and since it was last fetched."""
    zone = request.organisation.zone
    begins, fetched = history.begins_at, history.fetched_at
    day, end = request.days
    while day < end:
        is_before = begins is not None and day <= begins.astimezone(zone).date()
        is_after = fetched is not None and day > fetched.astimezone(zone).date()
        if is_before or is_after:
            yield day
        day += timedelta(days=1)


class Clones:
    """The clones of one answer, and what is said beside its rows: of which of them, and on which days, nobody knows."""

    def __init__(self, request: FetchRequest[GitClones]) -> None:
        self.request = request
        self.notes: list[str] = []
        self._read: list[str] = []
        # Clone -> why nothing of it can be read.
        self._lost: dict[str, SourceError] = {}
        self._unseen: dict[str, set[date]] = {}

    def read(self) -> Iterator[tuple[str, History]]:
        """Yield the name and history of each clone; one that cannot be read ends no other.

        Raises:
            SourceError: There are clones, and not one of them can be read.
        """
        for name, folder in clones(self.request).items():
            self._read.append(name)
            try:
                if isinstance(folder, SourceError):
                    raise folder
                history = History(folder, self.request.connector.bots)
            except SourceError as error:
                self._lost[name] = error
                continue
            yield name, history
        if self._read and len(self._lost) == len(self._read):
            raise next(iter(self._lost.values()))

    def days(self) -> Iterator[tuple[str, History]]:
        """Yield the name and history of each clone, of which the days that it cannot tell are noted."""
        for name, history in self.read():
            days = sorted(_unseen(self.request, history))
            if days:
                self.miss(name, *days)
                why = "is shallow" if history.begins_at is not None else "was not fetched since"
                why += f" ({MISSED})" if history.is_branch_missed else ""
                self.notes.append(f"{name} {why}: {len(days)} days from {days[0]} to {days[-1]} are not told")
            yield name, history

    def miss(self, name: str, *days: date) -> None:
        """Note days of which a clone cannot tell everything."""
        self._unseen.setdefault(name, set()).update(days)

    def answer(
        self, rows: list[Row], *notes: str, stale: Collection[str] = (), counted: Mapping[str, int] | None = None
    ) -> FetchResult:
        """Return the answer, whole for the services of the clones that could be read.

        Args:
            rows: What was read.
            notes: What else is to be said.
            stale: Clones that tell nothing of now: not fetched today or yesterday.
            counted: What was left out.
        """
        request = self.request
        said = [str(error).splitlines()[0] for error in self._lost.values()]
        if stale:
            notes = (*notes, f"not fetched today or yesterday: {', '.join(stale)}")
        source = request.connector.folder or "git"
        answer = FetchResult(rows, source=source, notes=(*said, *self.notes, *notes), counted=counted or {})
        missed: dict[date, list[str]] = {}
        for name, days in self._unseen.items():
            for day in days:
                missed.setdefault(day, []).append(self._service(name))
        told = without_on(request.organisation, answer, missed, len(self._read) - len(self._lost))
        return without(request.organisation, told, [self._service(name) for name in (*self._lost, *stale)])

    def _service(self, name: str) -> str:
        return service_of(self.request.organisation, self.request.connector, name)


def probe(request: FetchRequest[GitClones]) -> str:
    """Read the newest commit of the first clone."""
    found = clones(request)
    for folder in found.values():
        if isinstance(folder, SourceError):
            raise folder
    name, folder = next((name, folder) for name, folder in found.items() if isinstance(folder, Path))
    git_lines(folder, "rev-parse", "HEAD")
    return f"{len(found)} clones, {name} readable"


def _asked(request: FetchRequest[GitClones], commits: Iterable[Commit]) -> list[Commit]:
    # A commit with a wrong clock must not end the walk: every one is looked at.
    return [commit for commit in commits if request.covers(commit.at)]


def timelines_folder(request: FetchRequest[GitClones]) -> Path:
    """Return where what is read of clones is kept."""
    return request.settings.home / "cache" / "timelines"


def _changes(
    request: FetchRequest[GitClones], history: History, commits: Collection[Commit]
) -> Iterator[tuple[Commit, list[Change]]]:
    """Yield the version changes of commits; a release of what the repository makes itself is no update."""
    if not commits:
        # Most repositories are quiet on most days: their manifests need not be read.
        return
    own = made_by(history, timelines_folder(request))
    for commit, changes in history.changes(commits):
        yield commit, [change for change in changes if _package_of(change.after) not in own]


def _package_of(pin: Pin) -> Package:
    name = normal(pin.package) if pin.ecosystem == "pypi" else pin.package
    return Package(pin.ecosystem, name.lower() if pin.ecosystem == "packagist" else name)


def _titles_of(commit: Commit) -> list[str]:
    """Return the titles that say what was updated: its own, else those of the commits that a merge brought in."""
    if is_update_title(commit.title):
        return [commit.title]
    # A branch that was made anew has the same title again.
    return list(dict.fromkeys(title for title in commit.brought if is_update_title(title))) or [commit.title]


def _updates_of(commit: Commit, found: list[Change]) -> list[Change]:
    """Return the version changes of a commit: of the manifests, else what a bot's titles say by themselves."""
    if found or commit.actor not in UPDATE_BOTS:
        return found
    return [
        Change(Pin(_FROM_TITLE, title.package, title.old), Pin(_FROM_TITLE, title.package, title.new))
        for title in map(read_title, _titles_of(commit))
        if title.package is not None and title.new is not None
    ]


def _kind(change: Change) -> str:
    return (
        update_type(
            change.before.version or change.before.digest,
            change.after.version or change.after.digest,
        )
        if change.before.version != change.after.version or not change.after.digest
        else "digest"
    )


def _package_count(changes: Collection[Change], packages: Collection[str], said: int | None) -> int:
    """Return how many packages a merge changed: what its manifests show, or more where its title counts them.

    A lock file alone, or one property for many, shows none or one of a group. Of actions the bot counts each folder.
    """
    has_actions = any(change.after.ecosystem == "github-actions" for change in changes)
    return len(packages) if has_actions else max(len(packages), said or 0)


def update_merges(request: FetchRequest[GitClones]) -> FetchResult:
    """Return commits of update bots on the first-parent line, and whether they were updates at all."""
    rows, told = list[Row](), Clones(request)
    for repository, history in told.days():
        made_by_bots = [commit for commit in history.main_line if commit.actor in UPDATE_BOTS]
        for commit, changes in _changes(request, history, _asked(request, made_by_bots)):
            titles = _titles_of(commit)
            found, title = _updates_of(commit, changes), read_titles(titles)
            is_update = bool(found) or any(map(is_update_title, titles))
            packages = {change.after.package for change in changes} or set(title.packages)
            # Where no manifest that is read says what changed, a group's title says how many.
            is_understood = bool(packages or title.count) or not is_update or title.has_no_package
            local = commit.at.astimezone(request.organisation.zone)
            rows.append(
                {
                    "repository": repository,
                    "commit_id": commit.sha,
                    "merged_at": commit.at,
                    "bot": commit.actor,
                    "is_dependency_update": is_update,
                    "is_security": title.is_security,
                    # Which packages it changed is not known where neither the manifests nor the title tell.
                    "package_count": _package_count(changes, packages, title.count) if is_understood else None,
                    "highest_update_type": highest(_kind(change) for change in found),
                    "is_offhours": local.weekday() >= 5 or not 7 <= local.hour < 17,
                    "unread_form": None if is_understood else shape_of(titles[0]),
                }
            )
    return told.answer(rows)


def dependency_updates(request: FetchRequest[GitClones]) -> FetchResult:
    """Return version changes by bots and people; release dates where the connector may ask for them."""
    rows, told = list[Row](), Clones(request)
    with ReleaseDates.of(request) as dates:
        for repository, history in told.days():
            for commit, changes in _changes(request, history, _asked(request, history.main_line)):
                for change in _updates_of(commit, changes):
                    released = dates.find(change.after.ecosystem, change.after.package, change.after.version)
                    rows.append(_update(repository, commit, change, released))
        notes = dates.notes()
    return told.answer(rows, *notes)


def _update(repository: str, commit: Commit, change: Change, released: datetime | None) -> Row:
    # A release a day or more after its adoption is a wrong date (realdata, trap 5).
    lag = (commit.at - released).total_seconds() / 86_400 if released else None
    known = lag is not None and lag >= -1
    return {
        "repository": repository,
        "commit_id": commit.sha,
        "merged_at": commit.at,
        "actor_kind": commit.actor,
        "ecosystem": change.after.ecosystem,
        "package": change.after.package,
        "from_version": change.before.version,
        "to_version": change.after.version,
        "from_digest": change.before.digest,
        "to_digest": change.after.digest,
        "update_type": _kind(change),
        "direction": direction_of(change.before.version, change.after.version),
        "released_at": released if known else None,
        "lag_days": max(0.0, lag) if known and lag is not None else None,
    }


def commits_daily(request: FetchRequest[GitClones]) -> FetchResult:
    """Return commits of each UTC day and kind of author, on the first-parent line and in all."""
    rows, told = list[Row](), Clones(request)
    for repository, history in told.days():
        main_line = {commit.sha for commit in history.main_line}
        every, merged = Counter[tuple[date, str]](), Counter[tuple[date, str]]()
        for commit in history.commits.values():
            key = (commit.at.astimezone(UTC).date(), commit.actor)
            # The day is UTC's, and so it is asked for whole, whatever the local midnights are.
            if not request.days[0] <= key[0] < request.days[1]:
                continue
            every[key] += 1
            merged[key] += commit.sha in main_line
        rows += [
            {
                "repository": repository,
                "committed_on": day,
                "actor_kind": actor,
                "commits_first_parent": merged[day, actor],
                "commits_all": count,
            }
            for (day, actor), count in sorted(every.items())
        ]
    return told.answer(rows)


def repository_states(request: FetchRequest[GitClones]) -> FetchResult:
    """Return today's state of each clone: is a bot configured, and when did anybody last commit.

    A clone shows what a bot made, not that it ran: one that finds nothing to do leaves nothing. So when it last ran is
    not told; a trace of it shows that it is on where no file says so.
    """
    rows, stale = list[Row](), list[str]()
    told = Clones(request)
    read = dict(told.read())
    inherits = {name.rsplit("/", 1)[0] for name, history in read.items() if _is_inherited_from(name, history)}
    for repository, history in read.items():
        if not history.main_line:
            # Without a file there is nothing to update, and nothing that a bot would have to do.
            continue
        if any(_unseen(request, history)) and history.fetched_at is not None:
            stale.append(repository)
            continue
        newest = history.main_line[-1]
        trace = max((commit.at for commit in history.by_bots()), default=None)
        configuration = read_configuration(
            history.texts(FILES),
            has_worked=trace is not None and request.now - trace < timedelta(days=LATELY_DAYS),
            may_inherit=repository.rsplit("/", 1)[0] in inherits,
        )
        rows.append(
            {
                "repository": repository,
                "observed_on": request.today,
                "last_activity_on": newest.at.date(),
                "is_bot_enabled": configuration.is_enabled,
                "is_bot_config_valid": configuration.is_valid,
            }
        )
    return told.answer(rows, stale=stale)


def _is_inherited_from(name: str, history: History) -> bool:
    return name.rsplit("/", 1)[-1] == INHERITED_REPOSITORY and bool(history.texts([INHERITED_FILE]))
