"""Local git clones as a source: merges of update bots, version changes, commits, state of repositories.

No API and no token. Only the first-parent line of the checked-out branch says what was merged and when: imported
histories count elsewhere, and a bot's name alone is no update (realdata, altinn_patching). Authors become a kind of
actor here; names and addresses are not kept.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsmetrics.errors import Problem, SourceError
from opsmetrics.organisation.connectors import GitClones
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.manifests import Change, changes_of, ecosystem_of
from opsmetrics.sources.release_dates import ReleaseDates
from opsmetrics.sources.versions import direction_of, highest, is_update_title, update_type

Row = dict[str, Any]
LIMIT_SECONDS = 300
_AGENTS = re.compile(r"copilot|claude|cursor|codex|devin|\bagent\b", re.IGNORECASE)
_MACHINES = re.compile(r"\[bot\]|automation|-bot\b|\bbot\b", re.IGNORECASE)
# A file of these names in a repository of the bot's own set-up is no version.
_RENOVATE = ("renovate.json", "renovate.json5", ".github/renovate.json", ".renovaterc", ".renovaterc.json")
_DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the first-parent line; ``authors`` are those of all that it brought in."""

    sha: str
    at: datetime
    title: str
    kinds: frozenset[str]
    is_merge: bool

    @property
    def actor(self) -> str:
        """A merge is a bot's when every commit that it brought in is a bot's."""
        if len(self.kinds) == 1:
            return next(iter(self.kinds))
        return "human" if "human" in self.kinds else "other_bot"


def kind_of(author: str) -> str:
    """Return the kind of actor behind an author's name."""
    name = author.lower()
    if "renovate" in name:
        return "renovate"
    if "dependabot" in name:
        return "dependabot"
    if "github-actions" in name:
        return "ci_bot"
    if _AGENTS.search(name):
        return "ai_agent"
    return "other_bot" if _MACHINES.search(name) else "human"


def clones(ask: Ask[GitClones]) -> dict[str, Path]:
    """Return ``owner/name`` -> folder of each clone: those configured, else every clone below ``folder``."""
    root = ask.path(ask.connector.folder)
    if not root.is_dir():
        raise SourceError(Problem(str(root), None, "no such folder", "check folder in sources.toml"))
    named = {name: root / path for name, path in ask.connector.repositories.items()}
    found = named or {path.name: path for path in sorted(root.iterdir()) if (path / ".git").exists()}
    for name, path in found.items():
        if not path.is_dir():
            raise SourceError(Problem(str(path), None, f"there is no clone of {name}", "clone it, or take it out"))
    return found


def git(folder: Path, *arguments: str) -> str:
    """Run git in a clone; it reads only, and never asks for a password."""
    program = shutil.which("git")
    if program is None:
        raise SourceError(Problem("git", None, "the program is not installed", "install git"))
    try:
        found = subprocess.run(  # noqa: S603 - our own arguments
            [program, "-C", str(folder), "-c", "core.quotePath=false", *arguments],
            capture_output=True,
            check=True,
            timeout=LIMIT_SECONDS,
            env={"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except subprocess.CalledProcessError as error:
        message = f"git {arguments[0]} ends with {error.returncode}"
        raise SourceError(Problem(str(folder), None, message, "check that it is a whole clone")) from error
    except subprocess.TimeoutExpired as error:
        message = f"git {arguments[0]} took longer than {LIMIT_SECONDS} s"
        raise SourceError(Problem(str(folder), None, message, "fetch the clone anew, or ask for fewer days")) from error
    return found.stdout.decode("utf-8", errors="replace")


def _window(ask: Ask[GitClones]) -> tuple[str, str]:
    # Filters, not stops: a commit with a wrong clock must not end the walk.
    return f"--since-as-filter={ask.starts_at.isoformat()}", f"--until={ask.ends_at.isoformat()}"


def commits(folder: Path, *limits: str) -> Iterator[Commit]:
    """Yield the commits of the first-parent line."""
    text = git(folder, "log", "--first-parent", "--format=%H%x1f%P%x1f%ct%x1f%an%x1f%s%x1e", *limits)
    for record in text.split("\x1e"):
        if not record.strip():
            continue
        sha, parents, seconds, author, title = record.strip("\n").split("\x1f")
        at = datetime.fromtimestamp(int(seconds), tz=UTC)
        first, *others = parents.split()[:2] or [""]
        kinds = {kind_of(author)}
        if others:
            brought = git(folder, "log", "--format=%an", f"{first}..{others[0]}").splitlines()
            kinds = {kind_of(name) for name in brought} or kinds
        yield Commit(sha, at, title, frozenset(kinds), bool(others))


def changes(folder: Path, sha: str) -> list[Change]:
    """Return the version changes of a commit against its first parent."""
    names = git(folder, "diff-tree", "--no-commit-id", "--name-only", "-r", "-m", "--first-parent", "--root", sha)
    files = [name for name in names.splitlines() if ecosystem_of(name)]
    if not files:
        return []
    text = git(folder, "show", "--first-parent", "-m", "--format=", "-U0", "--no-renames", sha, "--", *files)
    # The same change in many files is one change.
    return list(dict.fromkeys(changes_of(text.splitlines())))


def probe(ask: Ask[GitClones]) -> str:
    """Read the newest commit of the first clone."""
    found = clones(ask)
    if not found:
        return "the folder holds no clone"
    name, folder = next(iter(found.items()))
    git(folder, "rev-parse", "HEAD")
    return f"{len(found)} clones, {name} readable"


def _kind(change: Change) -> str:
    return (
        update_type(
            change.before.version or change.before.digest,
            change.after.version or change.after.digest,
        )
        if change.before.version != change.after.version or not change.after.digest
        else "digest"
    )


def update_merges(ask: Ask[GitClones]) -> Answer:
    """Return commits of update bots on the first-parent line, and whether they were updates at all."""
    rows: list[Row] = []
    for repository, folder in clones(ask).items():
        for commit in commits(folder, *_window(ask)):
            if commit.actor not in {"renovate", "dependabot"} or not ask.covers(commit.at):
                continue
            found = changes(folder, commit.sha)
            local = commit.at.astimezone(ask.organisation.zone)
            rows.append(
                {
                    "repository": repository,
                    "commit_id": commit.sha,
                    "merged_at": commit.at,
                    "bot": commit.actor,
                    "is_dependency_update": bool(found) or is_update_title(commit.title),
                    "is_security": "[security]" in commit.title.lower(),
                    "package_count": len({change.after.package for change in found}),
                    "highest_update_type": highest(_kind(change) for change in found),
                    "is_offhours": local.weekday() >= 5 or not 7 <= local.hour < 17,
                }
            )
    return Answer(rows, source=ask.connector.folder)


def dependency_updates(ask: Ask[GitClones]) -> Answer:
    """Return version changes by bots and people; release dates where the connector may ask for them."""
    rows: list[Row] = []
    with ReleaseDates.of(ask) as dates:
        for repository, folder in clones(ask).items():
            for commit in commits(folder, *_window(ask)):
                if not ask.covers(commit.at):
                    continue
                for change in changes(folder, commit.sha):
                    released = dates.find(change.after.ecosystem, change.after.package, change.after.version)
                    rows.append(_update(repository, commit, change, released))
    return Answer(rows, source=ask.connector.folder)


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


def commits_daily(ask: Ask[GitClones]) -> Answer:
    """Return commits of each UTC day and kind of actor, on the first-parent line and in all."""
    rows: list[Row] = []
    for repository, folder in clones(ask).items():
        counts: dict[str, Counter[tuple[Any, str]]] = {}
        for column, line in (("commits_all", ()), ("commits_first_parent", ("--first-parent",))):
            text = git(folder, "log", *line, "--format=%ct%x1f%an", *_window(ask))
            found: Counter[tuple[Any, str]] = Counter()
            for record in text.splitlines():
                seconds, author = record.split("\x1f")
                found[datetime.fromtimestamp(int(seconds), tz=UTC).date(), kind_of(author)] += 1
            counts[column] = found
        for day, actor in sorted(counts["commits_all"] | counts["commits_first_parent"]):
            rows.append(
                {
                    "repository": repository,
                    "committed_on": day,
                    "actor_kind": actor,
                    **{column: found[day, actor] for column, found in counts.items()},
                }
            )
    return Answer(rows, source=ask.connector.folder)


def repository_states(ask: Ask[GitClones]) -> Answer:
    """Return today's state of each clone: is a bot configured, when did it last merge, when did anybody."""
    rows: list[Row] = []
    for repository, folder in clones(ask).items():
        files = set(git(folder, "ls-tree", "-r", "--name-only", "HEAD").splitlines())
        newest = next(commits(folder, "-1"), None)
        last = next((c for c in commits(folder, "-500") if c.actor in {"renovate", "dependabot"}), None)
        rows.append(
            {
                "repository": repository,
                "observed_on": ask.today,
                "last_activity_on": newest.at.date() if newest else None,
                "is_bot_enabled": bool(files & {*_RENOVATE, *_DEPENDABOT}),
                "last_bot_success_at": last.at if last else None,
            }
        )
    return Answer(rows, source=ask.connector.folder)
