"""The history of a git repository, read in two streams however long it is: who committed what when, and what changed.

Belongs here: the git program, commits and the diffs of manifests. Does not belong here: rows of streams, and fetching
(``git_copies``). Names and addresses of authors become a kind of actor while they are read.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.sources.actors import UPDATE_BOTS, ActorKind, kind_of_actor
from opsmetrics.sources.manifest_pins import GAP, Line
from opsmetrics.sources.manifests import PATHS, Change, changes_of, distinct

LIMIT_SECONDS = 600
# Branch of a copy that the product keeps (``git_copies``).
MAIN = "opsmetrics"
# File that says when such a copy was fetched.
FETCHED = "opsmetrics-fetched"
# Nothing of the machine's or a person's settings changes what is read, and nobody is asked for a password.
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "https",
    # Nor do commits that stand for others, and parents that nobody committed: of the latter there may be circles.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
}
# Nor do a clone's own: whoever wrote them could have a program run by whoever reads it, or change what is said.
SETTINGS = (
    "core.quotePath=false",
    "log.showSignature=false",
    "log.follow=false",
    "diff.orderFile=",
    "i18n.logOutputEncoding=UTF-8",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "credential.helper=",
)
_ORIGIN = "refs/remotes/origin/HEAD"
# Between fields, because it is the one sign that no commit can hold.
_BREAK = "\0"
_FIELDS = "%H%x00%P%x00%ct%x00%an%x00%ae%x00%s"
# Of a line nobody asks for more; what follows is as good as not there.
_MOST_OF_A_LINE = 64 * 1024
# Of a commit that says no time, or one beyond all calendars, as git shows it.
_NO_TIME, _LAST_TIME = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC).timestamp()
# A commit alone, or that of a branch; tags and requests are no main line.
_FETCHED_LINE = re.compile(
    r"(?P<sha>[0-9a-f]{40,64})\t(?:not-for-merge)?\t"
    r"(?:branch '(?P<branch>[^']+)' of |'[0-9a-f]{40,64}' of |(?!branch|tag|'))"
)
_SIGNS = frozenset("@ +-\\")
# Lines around a change that are read too: the name of a package may stand above its version.
_CONTEXT = 3
_DAY = 86_400
_FILE_MODES = {"100644", "100755"}
_LINK_MODE = "120000"
# No manifest or lock file is larger.
MOST_BYTES = 32 * 1024 * 1024
# Path, and what stands in it; None where the file is gone.
FileText = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Attributes:
        sha: Its name.
        parents: Names of those before it.
        at: When it was committed.
        title: Its first line.
        actor: Its author, of a merge on the main line whoever made all that it brought in.
        brought: Of a merge on the main line, titles of the commits that it brought in, oldest first: a server's
            own words (*Merge pull request #7 from ...*) do not say what was merged.
    """

    sha: str
    parents: tuple[str, ...]
    at: datetime
    title: str
    actor: ActorKind
    brought: tuple[str, ...] = ()

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
def _running(folder: Path, *arguments: str, stdin: IO[bytes] | None = None) -> Generator[IO[bytes]]:
    """Run git in a repository and hand on what it says as it says it, so that memory holds a piece at a time."""
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    command = [git_program(), "-C", str(folder), *settings, *arguments]
    # A broken clone is none: git would look for one in the folders around it.
    around = str(folder.resolve().parent)
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": around},
    ) as process:
        too_long = threading.Timer(LIMIT_SECONDS, process.kill)
        too_long.start()
        try:
            yield process.stdout or io.BytesIO()
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
        if (folder / FETCHED).exists():
            # A copy of ours without this mark is fetched anew.
            (folder / FETCHED).unlink()
            fix = "nothing: the next pull fetches this copy anew; if it stays so, look at the disk"
            raise SourceError(Problem(str(folder), None, message, fix))
        raise SourceError(
            Problem(str(folder), None, message, "check that it is a whole clone, of the user that runs opsmetrics")
        )


@contextmanager
def _reading(folder: Path, *arguments: str, stdin: IO[bytes] | None = None) -> Generator[Iterator[str]]:
    """Run git and read what it says line by line."""
    with _running(folder, *arguments, stdin=stdin) as said:
        yield (line.decode("utf-8", errors="replace").rstrip("\n") for line in _lines(said))


def _lines(said: IO[bytes]) -> Iterator[bytes]:
    """Yield lines of which none fills memory."""
    while line := said.readline(_MOST_OF_A_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = said.readline(_MOST_OF_A_LINE)
        yield line


def time_of(seconds: str) -> datetime:
    """Return the time that a commit says; any digits may stand there, and none."""
    try:
        is_known = 0 <= int(seconds) < _LAST_TIME
    except ValueError:
        return _NO_TIME
    return datetime.fromtimestamp(int(seconds), tz=UTC) if is_known else _NO_TIME


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
        self._bots = bots
        # The default branch as its origin has it, whatever is checked out here.
        self._head = (git_lines(folder, "for-each-ref", "--format=%(refname)", _ORIGIN) or ["HEAD"])[0]
        self.commits: dict[str, Commit] = {}
        if not self._is_empty:
            self._read()
        self._is_shallow = git_lines(folder, "rev-parse", "--is-shallow-repository") == ["true"]

    @property
    def _is_empty(self) -> bool:
        """Whether nobody committed anything yet: a branch is checked out, and there is none."""
        if git_lines(self.folder, "for-each-ref", "--count=1"):
            return False
        return (self.folder / git_lines(self.folder, "rev-parse", "--git-path", "HEAD")[0]).read_bytes()[:4] == b"ref:"

    def _read(self) -> None:
        # Texts come as they were committed: one that says that it is UTF-7 could hold whole lines of its own.
        with _reading(self.folder, "log", "--encoding=none", f"--format={_FIELDS}", self._head) as lines:
            for line in lines:
                # Of one with thousands of parents the line is cut.
                sha, parents, seconds, name, address, title = [*line.split(_BREAK, 5), *[""] * 5][:6]
                actor = kind_of_actor(name, address=address, bots=self._bots)
                self.commits[sha] = Commit(sha, tuple(parents.split()), time_of(seconds), title, actor)

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

    @cached_property
    def fetched_at(self) -> datetime | None:
        """When somebody last fetched the main line; None of a copy that is kept here, or of nobody's clone.

        ``FETCH_HEAD`` tells what was fetched last: nothing after a fetch that failed, not the main line after one of
        another branch. Its references then tell when somebody last saw it move, or made the clone.
        """
        if (self.folder / FETCHED).exists():
            return None
        if self._is_among_fetched:
            written = self._written("FETCH_HEAD")
        elif self._is_clone:
            moved = (self._written(name) for name in (_ORIGIN, self._branch))
            known = [at for at in moved if at is not None]
            written = max(
                known or [at for name in ("packed-refs", "HEAD") if (at := self._written(name))], default=None
            )
        else:
            return None
        if written is not None and written > time.time() + _DAY:
            # Of a clock that was ahead. What it holds was there.
            there = (commit.at for commit in self.commits.values() if commit.at.timestamp() <= time.time())
            return max(there, default=_NO_TIME)
        return datetime.fromtimestamp(written, tz=UTC) if written is not None else None

    @property
    def is_branch_missed(self) -> bool:
        """Whether others were fetched lately, and the main line was not: it may have another name by now."""
        return bool(self._fetched) and not self._is_among_fetched

    @cached_property
    def _branch(self) -> str:
        """Full name of the reference of the main line; ``HEAD`` where none is checked out, and before any commit."""
        if not self.commits:
            return "HEAD"
        said = git_lines(self.folder, "rev-parse", "--symbolic-full-name", self._head)
        return said[0] if said else "HEAD"

    @cached_property
    def _fetched(self) -> list[tuple[str, str]]:
        """What was fetched last: commit, and which branch it was, empty where nobody said one."""
        (place,) = git_lines(self.folder, "rev-parse", "--git-path", "FETCH_HEAD")
        try:
            lines = (self.folder / place).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [(found["sha"], found["branch"] or "") for line in lines if (found := _FETCHED_LINE.match(line))]

    @property
    def _is_among_fetched(self) -> bool:
        """Whether the main line was fetched last, and what was fetched is part of what is read."""
        name = re.sub(r"^refs/(?:heads|remotes/[^/]+)/", "", self._branch)
        return any(sha in self.commits and branch in {"", name} for sha, branch in self._fetched)

    @property
    def _is_clone(self) -> bool:
        is_bare, *remotes = git_lines(self.folder, "rev-parse", "--is-bare-repository", "--symbolic", "--remotes")
        return is_bare == "true" or bool(remotes)

    def _written(self, name: str) -> float | None:
        (place,) = git_lines(self.folder, "rev-parse", "--git-path", name)
        try:
            return (self.folder / place).stat().st_mtime
        except OSError:
            return None

    def by_bots(self) -> Iterator[Commit]:
        """Yield commits of update bots: of the main line, and of the branches that bots left open."""
        yield from (commit for commit in self.main_line if commit.actor in UPDATE_BOTS)
        pattern = (
            *("refs/heads/renovate", "refs/heads/dependabot", "refs/heads/dependabot[-_]*"),
            *("refs/remotes/*/renovate", "refs/remotes/*/dependabot", "refs/remotes/*/dependabot[-_]*"),
        )
        shape = "%(objectname)%00%(committerdate:unix)%00%(authorname)%00%(authoremail:trim)"
        for line in git_lines(self.folder, "for-each-ref", f"--format={shape}", *pattern):
            sha, seconds, name, address = line.split(_BREAK)
            actor = kind_of_actor(name, address=address, bots=self._bots)
            if actor in UPDATE_BOTS:
                yield Commit(sha, (), time_of(seconds), "", actor)

    def texts(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the texts of files of the newest commit that are there; None of links, and of what is too large."""
        found: dict[str, str | None] = {}
        if not self.commits:
            return found
        for line in git_lines(self.folder, "ls-tree", "--long", self._head, "--", *paths):
            head, _, path = line.partition("\t")
            mode, _, blob, size = head.split()
            # Of what is missing the size is no number: reading it says so.
            is_too_large = size.isdigit() and int(size) > MOST_BYTES
            if mode in _FILE_MODES and not is_too_large:
                with _running(self.folder, "cat-file", "blob", blob) as said:
                    found[path] = said.read().decode("utf-8", errors="replace")
            elif mode in {*_FILE_MODES, _LINK_MODE}:
                found[path] = None
        return found

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
        # A history that was imported has a beginning of its own: what was updated there was not updated by this merge.
        is_imported = any(not other.parents for other in brought)
        own = () if is_imported else sorted(brought, key=lambda other: other.at)
        titles = tuple(other.title for other in own if not other.is_merge)
        return replace(commit, actor=actor, brought=titles)

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

    def files(self, commits: Iterable[Commit], paths: Collection[str]) -> Iterator[tuple[Commit, list[FileText]]]:
        """Yield the texts of files that commits changed against their first parents, in the order that is asked for.

        A root, also the one of a shallow clone, changes all that it holds. Two processes, whatever the length: names of
        what changed, and its contents.

        Args:
            commits: Of the main line.
            paths: Git's patterns of the files.
        """
        asked = {commit.sha: commit for commit in commits}
        with tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as blobs:
            names.writelines(f"{sha}\n".encode() for sha in asked)
            names.seek(0)
            options = ("--stdin", "--root", "-r", "--raw", "--abbrev=64", "--diff-merges=first-parent", "--no-renames")
            with _reading(self.folder, "diff-tree", *options, "--format=%x00%H", "--", *paths, stdin=names) as lines:
                changed = list(_raw_changes(lines))
            blobs.writelines(f"{blob}\n".encode() for _, files in changed for _, blob in files if blob)
            blobs.seek(0)
            with _running(self.folder, "cat-file", "--batch", stdin=blobs) as said:
                for sha, files in changed:
                    yield asked[sha], [(path, _blob(said) if blob else None) for path, blob in files]

    def tree(self, sha: str, wanted: Callable[[str], bool]) -> list[FileText]:
        """Return the texts of the wanted files of a commit."""
        files: list[tuple[str, str]] = []
        for line in git_lines(self.folder, "ls-tree", "-r", "--full-tree", sha):
            head, _, path = line.partition("\t")
            mode, _, blob = head.split(" ")
            if mode in _FILE_MODES and wanted(path.strip('"')):
                files.append((path.strip('"'), blob))
        with tempfile.TemporaryFile() as blobs:
            blobs.writelines(f"{blob}\n".encode() for _, blob in files)
            blobs.seek(0)
            with _running(self.folder, "cat-file", "--batch", stdin=blobs) as said:
                return [(path, _blob(said)) for path, _ in files]


def _raw_changes(lines: Iterable[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each commit's hash and its files, with the blob that each is now, empty where it is gone."""
    sha, files = "", list[tuple[str, str]]()
    for line in lines:
        if line.startswith("\0"):
            if files:
                yield sha, files
            sha, files = line[1:], []
        elif line.startswith(":"):
            head, _, path = line.partition("\t")
            _, mode, _, blob, _ = head.split(" ")
            # Links and submodules are no files with a text.
            files.append((path.strip('"'), blob if mode in _FILE_MODES else ""))
    if files:
        yield sha, files


def _blob(said: IO[bytes]) -> str:
    """Return the next answer of git cat-file; what a clone leaves out, or what is too large, is an empty text."""
    head = said.readline().split()
    if len(head) < 3:
        return ""
    size = int(head[2])
    if size > MOST_BYTES:
        left = size + 1
        while left and (piece := said.read(min(left, MOST_BYTES))):
            left -= len(piece)
        return ""
    return said.read(size + 1)[:-1].decode("utf-8", errors="replace")


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
            old.append(GAP)
            new.append(GAP)
        elif sign == "-":
            old.append(Line(line[1:].rstrip("\r"), True))
        elif sign == "+":
            new.append(Line(line[1:].rstrip("\r"), True))
        elif sign == " ":
            beside = Line(line[1:].rstrip("\r"), False)
            old.append(beside)
            new.append(beside)
    yield from changes_of(path, old, new)
