"""A folder of clones: a service for each repository, owned as its CODEOWNERS says, from the day it says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.proposals.start.draft import Draft, OwnerDraft, ServiceDraft, SourceDraft
from opsmetrics.proposals.start.toml import listed, quoted, relative
from opsmetrics.sources.git_copies import is_repository
from opsmetrics.sources.git_history import git_lines
from opsmetrics.sources.github.owners import PLACES, teams_of

_HOSTED = re.compile(r"(?:(?:https?|ssh|git)://(?:[^@/]*@)?(?P<host>[^:/]+)(?::\d+)?/|[^@/]+@[^:/]+:)(?P<path>.+)$")
# GitLab's own place too.
_PLACES = (*PLACES, ".gitlab/CODEOWNERS")
# Episodes need somebody who says what was released when; the rest clones tell alone.
_EPISODES = "update_episodes"


def repositories(folder: Path) -> list[tuple[str, Path]]:
    """Return ``owner/name`` and folder of every clone in a folder, or one or two folders below it.

    Raises:
        ConfigurationError: There is none.
    """
    found = [path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern)) if is_repository(path)]
    found = [path for path in found if not any(path != other and path.is_relative_to(other) for other in found)]
    if is_repository(folder):
        found = [folder]
    if not found:
        fix = "clone your repositories into it: git clone https://host/owner/name"
        raise ConfigurationError([Problem(str(folder), None, "the folder holds no clone", fix)])
    return [(_name(path), path) for path in found]


def _name(path: Path) -> str:
    """Name of a clone: as its address says, else as its folders are called."""
    (address,) = git_lines(path, "config", "--default", "", "--get", "remote.origin.url")
    return name_of_address(address) or f"{path.resolve().parent.name}/{path.resolve().name.removesuffix('.git')}"


def name_of_address(address: str) -> str | None:
    """Return ``owner/name`` of a repository's address, with all groups that it lies in; None for what names none.

    Of Azure DevOps project and name: repositories of two projects may have one name.
    """
    at = _HOSTED.match(address)
    if at is None:
        # A folder has no owner but the one that it lies in.
        parts = list(PurePosixPath(address.replace("\\", "/")).parts[-2:])
    else:
        parts = [unquote(part) for part in at["path"].split("/") if part]
        parts = parts[1:] if parts[:1] == ["scm"] else parts[2:] if parts[:1] == ["v3"] else parts
        if "_git" in parts:
            place = parts.index("_git")
            name, projects = parts[-1], parts[1 if at["host"] == "dev.azure.com" else 0 : place]
            # The first repository of a project has its name, and addresses may then leave the project out.
            parts = [*([one for one in projects if one != "DefaultCollection"] or [name])[-1:], name]
    return "/".join((*parts[:-1], parts[-1].removesuffix(".git"))) if len(parts) > 1 else None


def read_clones(draft: Draft, folder: Path, org: Path, release_dates: str | None = None) -> None:
    """Add a service for each clone, its owners, and the connector that reads them.

    Args:
        draft: What is proposed so far.
        folder: Folder of the clones.
        org: Folder of the configuration.
        release_dates: Address of an API as that of deps.dev, which may be asked when packages were released.

    Raises:
        ConfigurationError: It holds no clone.
        SourceError: git fails.
    """
    found = repositories(folder)
    ends = Counter(_last(name) for name in {name for name, _ in found})
    read: dict[str, Path] = {}
    for repository, path in found:
        if repository in read:
            draft.guess("sources.toml", f"{path.name} is left out: {repository} is {read[repository].name}", "keep one")
            continue
        if not git_lines(path, "for-each-ref", "--count=1"):
            draft.guess("sources.toml", f"{repository} is left out: it has no commit", "add it once it has one")
            continue
        read[repository] = path
        # Repositories of one name are services of their own.
        name = _last(repository) if ends[_last(repository)] == 1 else repository.replace("/", "-")
        service = draft.service_of(repository, name)
        first = first_commit(path)
        service.seen(first, f"first commit of {repository}")
        if first is not None:
            draft.days.append(first)
        _owners(draft, service, path, repository, first)
    draft.sources.append(
        SourceDraft("", _connector(read, folder, org, release_dates), f"{len(read)} clones below {folder}")
    )


def _last(repository: str) -> str:
    return repository.rpartition("/")[2]


def _owners(draft: Draft, service: ServiceDraft, path: Path, repository: str, first: date | None) -> None:
    where = f"CODEOWNERS of {repository}"
    owners: list[OwnerDraft] = []
    is_first = not service.owners
    for number, (day, name) in enumerate(owner_days(path)):
        team = draft.team(name, where)
        if number == 0 and first is not None and first < day:
            owners.append(OwnerDraft(team, first, f"first commit; in CODEOWNERS since {day}"))
            if is_first:
                what = (
                    f"{service.id}: {team} owns it since the first commit on {first}; CODEOWNERS names it since {day}"
                )
                draft.guess("services.toml", what, "end an earlier owner with `to` where another team had it before")
        else:
            owners.append(OwnerDraft(team, day, f"in {where} since that day"))
    draft.owned(service, owners, where)


def first_commit(path: Path) -> date | None:
    """Return the day of the oldest commit, as its committer wrote it; None of an empty clone."""
    days = [day for day in git_lines(path, "log", "--max-parents=0", "--format=%cs", "HEAD") if day]
    return min(map(date.fromisoformat, days), default=None)


def owner_days(path: Path) -> list[tuple[date, str]]:
    """Return from which day on CODEOWNERS named which team for everything, oldest first; handovers only.

    Where it no longer names one, nobody is known to own the repository now, and what it said before is over.
    """
    found: list[tuple[date, str]] = []
    teams: tuple[str, ...] = ()
    for day, text in _versions(path):
        teams = teams_of(text)
        if teams and (not found or found[-1][1] != teams[0]):
            found.append((day, teams[0]))
    if not teams:
        return []
    # Two handovers on one day: the last one stands.
    return [item for number, item in enumerate(found) if number + 1 == len(found) or found[number + 1][0] > item[0]]


def _versions(path: Path) -> Iterator[tuple[date, str]]:
    """Yield day and text of each version of CODEOWNERS, oldest first."""
    log = git_lines(path, "log", "--first-parent", "--reverse", "--format=%H %cs", "HEAD", "--", *_PLACES)
    for line in log:
        sha, day = line.split()
        there = git_lines(path, "ls-tree", "--name-only", sha, "--", *_PLACES)
        place = next((place for place in _PLACES if place in there), None)
        text = "\n".join(git_lines(path, "cat-file", "blob", f"{sha}:{place}")) if place else ""
        yield date.fromisoformat(day), text


def _connector(found: dict[str, Path], folder: Path, org: Path, release_dates: str | None) -> str:
    """The connector of the clones, each by its own folder."""
    streams = [name for name in GitClones.feeds if release_dates is not None or name != _EPISODES]
    asked = ["[connector.release_dates]", f"deps_dev = {quoted(release_dates)}"] if release_dates else []
    places = {name: path.relative_to(folder).as_posix() for name, path in found.items()}
    return "\n".join(
        (
            "# Clones that somebody keeps fresh: `git pull` in each before a run.",
            "[[connector]]",
            'name = "clones"',
            'kind = "git_clones"',
            f"folder = {quoted(relative(folder, org))}",
            f"streams = {listed(streams)}",
            *asked,
            "[connector.repositories]",
            *(f"{quoted(name)} = {quoted(place)}" for name, place in sorted(places.items())),
            "",
        )
    )
