"""The history of a git repository, read in two streams however long it is: who committed what when, and what changed.

Belongs here: the git program, commits and the diffs of manifests. Does not belong here: rows of streams, and fetching
(``git_copies``). Names and addresses of authors become a kind of actor while they are read.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.sources.actors import UPDATE_BOTS, ActorKind, kind_of_actor
from opsmetrics.sources.manifests import PATHS, Change, Line, changes_of, distinct

LIMIT_SECONDS = 600
# Branch of a copy that the product keeps (``git_copies``).
MAIN = "opsmetrics"
# Nothing of the machine's or a person's settings changes what is read, and nobody is asked for a password.
ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0"}
_FIELDS = "%H%x1f%P%x1f%ct%x1f%an%x1f%ae%x1f%s"
_SIGNS = frozenset("@ +-\\")
_GAP = Line("", False)
# Lines around a change that are read too: the name of a package may stand above its version.
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; ``actor`` is its author, of a merge on the main line whoever made all that it brought in."""

    sha: str
    parents: tuple[str, ...]
    at: datetime
    title: str
    actor: ActorKind

    @property
    def is_merge(self) -> bool:
        """Whether it joins lines."""
        return len(self.parents) > 1


def git_program() -> str:
    """Return the git program.

    Raises:
        SourceError: It is not installed.
    """
    program = shutil.which("git")
    if program is None:
        raise SourceError(Problem("git", None, "the program is not installed", "install git"))
    return program


@contextmanager
def _reading(folder: Path, *arguments: str, stdin: IO[bytes] | None = None) -> Generator[Iterator[str]]:
    """Run git in a repository and read what it says line by line, so that memory holds a line at a time."""
    command = [git_program(), "-C", str(folder), "-c", "core.quotePath=false", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        too_long = threading.Timer(LIMIT_SECONDS, process.kill)
        too_long.start()
        try:
            yield (line.decode("utf-8", errors="replace").rstrip("\n") for line in process.stdout or ())
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            is_too_long = not too_long.is_alive()
            too_long.cancel()
    if is_too_long:
        message = f"git {arguments[0]} took longer than {LIMIT_SECONDS} s"
        raise SourceError(Problem(str(folder), None, message, "fetch the clone anew, or ask for fewer days"))
    if code:
        message = f"git {arguments[0]} ends with {code}"
        raise SourceError(
            Problem(str(folder), None, message, "check that it is a whole clone, of the user that runs opsmetrics")
        )


def git_lines(folder: Path, *arguments: str) -> list[str]:
    """Return what git says of a repository; it reads only.

    Raises:
        SourceError: It fails, or takes too long.
    """
    with _reading(folder, *arguments) as lines:
        return list(lines)


class History:
    """All commits that lead to the newest of the main line.

    Attributes:
        folder: Where it is.
        commits: By name, in git's order: newest first.
    """

    def __init__(self, folder: Path, bots: Collection[str] = ()) -> None:
        """Read it.

        Args:
            folder: Of the clone, bare or not.
            bots: Names of accounts that are machines'.

        Raises:
            SourceError: It is no clone, or git fails.
        """
        self.folder = folder
        self.commits: dict[str, Commit] = {}
        with _reading(folder, "log", f"--format={_FIELDS}", "HEAD") as lines:
            for line in lines:
                sha, parents, seconds, name, address, title = line.split("\x1f", 5)
                at = datetime.fromtimestamp(int(seconds), tz=UTC)
                actor = kind_of_actor(name, address=address, bots=bots)
                self.commits[sha] = Commit(sha, tuple(parents.split()), at, title, actor)
        self._is_shallow = git_lines(folder, "rev-parse", "--is-shallow-repository") == ["true"]

    @cached_property
    def main_line(self) -> list[Commit]:
        """First-parent commits, oldest first: what was merged, and when; imported histories count elsewhere."""
        line: list[Commit] = []
        commit = next(iter(self.commits.values()), None)
        while commit is not None:
            line.append(commit)
            commit = self.commits.get(commit.parents[0]) if commit.parents else None
        known: set[str] = set()
        return [self._merged(commit, self._new(commit, known)) for commit in reversed(line)]

    @property
    def begins_at(self) -> datetime | None:
        """When the main line of a shallow clone begins; None of a whole one, and of an empty one."""
        return self.main_line[0].at if self._is_shallow and self.main_line else None

    @property
    def fetched_at(self) -> datetime | None:
        """When somebody last fetched the clone; None of one that is kept here, or that nobody fetches into."""
        (place,) = git_lines(self.folder, "rev-parse", "--git-path", "FETCH_HEAD")
        try:
            return datetime.fromtimestamp((self.folder / place).stat().st_mtime, tz=UTC)
        except OSError:
            return None

    def by_bots(self) -> Iterator[Commit]:
        """Yield commits of update bots: of the main line, and of the branches that bots left open."""
        yield from (commit for commit in self.main_line if commit.actor in UPDATE_BOTS)
        pattern = (
            "refs/heads/renovate",
            "refs/heads/dependabot",
            "refs/remotes/*/renovate",
            "refs/remotes/*/dependabot",
        )
        shape = "%(objectname)%1f%(committerdate:unix)%1f%(authorname)%1f%(authoremail:trim)"
        for line in git_lines(self.folder, "for-each-ref", f"--format={shape}", *pattern):
            sha, seconds, name, address = line.split("\x1f")
            actor = kind_of_actor(name, address=address)
            if actor in UPDATE_BOTS:
                yield Commit(sha, (), datetime.fromtimestamp(int(seconds), tz=UTC), "", actor)

    def texts(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the texts of files of the newest commit that are there."""
        there = git_lines(self.folder, "ls-tree", "--name-only", "HEAD", "--", *paths)
        return {path: "\n".join(git_lines(self.folder, "cat-file", "blob", f"HEAD:{path}")) for path in there}

    def _new(self, commit: Commit, known: set[str]) -> list[Commit]:
        """Return what a commit of the main line brought in beside itself; ``known`` is what was there before."""
        found: list[Commit] = []
        waiting = list(commit.parents[1:])
        known.add(commit.sha)
        while waiting:
            sha = waiting.pop()
            if sha not in known and sha in self.commits:
                known.add(sha)
                found.append(self.commits[sha])
                waiting += self.commits[sha].parents
        return found

    @staticmethod
    def _merged(commit: Commit, brought: Sequence[Commit]) -> Commit:
        """A merge is a bot's when every commit that it brought in is a bot's."""
        kinds = {other.actor for other in brought}
        if not kinds:
            return commit
        actor: ActorKind = next(iter(kinds)) if len(kinds) == 1 else "human" if "human" in kinds else "other_bot"
        return Commit(commit.sha, commit.parents, commit.at, commit.title, actor)

    def changes(self, commits: Iterable[Commit]) -> Iterator[tuple[Commit, list[Change]]]:
        """Yield the version changes of commits against their first parents, in the order in which they are asked for.

        The same change in many files of a commit is one change.
        """
        asked = {commit.sha: commit for commit in commits}
        with tempfile.TemporaryFile() as names:
            names.writelines(f"{sha}\n".encode() for sha in asked)
            names.seek(0)
            options = (
                "--stdin",
                "--always",
                "-r",
                "--diff-merges=first-parent",
                "--no-renames",
                "--no-ext-diff",
                "--text",
            )
            shape = (f"-U{_CONTEXT}", "--format=%x00%H", "-p")
            with _reading(self.folder, "diff-tree", *options, *shape, "--", *PATHS, stdin=names) as lines:
                for sha, changes in changes_by_commit(lines):
                    yield asked[sha], changes


def changes_by_commit(lines: Iterable[str]) -> Iterator[tuple[str, list[Change]]]:
    """Yield each commit's hash and version changes from a stream of diffs, each after a line of NUL and its hash."""
    sha, found, path, hunks = "", list[Change](), "", list[str]()
    for line in lines:
        # Within a hunk every line has a sign, so that a word at its begin can only stand between files and commits.
        if line[:1] in _SIGNS:
            hunks.append(line)
        elif line.startswith(("diff --git ", "\0")):
            found += _changes(path, hunks)
            hunks = []
            if line.startswith("\0"):
                if sha:
                    yield sha, distinct(found)
                sha, found, path = line[1:], [], ""
            else:
                path = line.rsplit(" b/", 1)[-1].rstrip('"')
    if sha:
        yield sha, distinct((*found, *_changes(path, hunks)))


def _changes(path: str, hunks: Sequence[str]) -> Iterator[Change]:
    """Yield what changed in a file; ``hunks`` are its lines with their signs, and the heads of the hunks."""
    start = next((place for place, line in enumerate(hunks) if line.startswith("@@")), len(hunks))
    signs = {line[:1] for line in hunks[start:]}
    if not {"-", "+"} <= signs:
        # Nothing was put in for what was taken out: no version can have changed.
        return
    old, new = list[Line](), list[Line]()
    for line in hunks[start:]:
        sign = line[0]
        if sign == "@":
            # What stands before a hunk is not what stands above its first line.
            old.append(_GAP)
            new.append(_GAP)
        elif sign == "-":
            old.append(Line(line[1:], True))
        elif sign == "+":
            new.append(Line(line[1:], True))
        elif sign == " ":
            beside = Line(line[1:], False)
            old.append(beside)
            new.append(beside)
    yield from changes_of(path, old, new)
