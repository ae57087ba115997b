"""Copies of repositories that the product keeps by itself: bare, of the default branch and the bots' own branches.

A copy is fetched by git over https, ssh or from a file, before it is read. Who may read it is git's own affair: its
credential helper, netrc and ssh agent; no secret is ever in the configuration, and nobody is asked for one. A copy that
cannot be fetched is an error: an old one would read like a quiet repository.

Does not belong here: reading what is in a copy (``git_history``).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import inherited
from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.git_history import FETCHED, MAIN, git_lines, git_program, time_of

# Several streams of one pull read the same copy; it is fetched once for all of them.
FRESH_SECONDS = 600
LIMIT_SECONDS = 1800
# What git says of it -> what is wrong, what to do. Git's own words may hold names and addresses, and are not repeated.
_REASONS = (
    (
        r"authentication|could not read (?:username|password)|permission denied|403|401|terminal prompts disabled",
        "the server asks for credentials, or refuses them",
        "let git's credential helper or ssh know them, for the user that runs opsmetrics",
    ),
    (r"not found|does not exist|does not appear|404", "there is no such repository, or no access to it", "check url"),
    (r"could ?n.t resolve|unable to access|connection|timed out|host key", "the server cannot be reached", "check url"),
    (r"couldn't find remote ref|remote ref HEAD", "the repository is empty", "take it out until it has a commit"),
    (r"shallow", "the server cannot leave out old commits", "take depth and since out"),
)


def is_repository(folder: Path) -> bool:
    """Whether a folder is a clone, with files or bare."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def kept_copies(request: FetchRequest[GitClones]) -> dict[str, Path | SourceError]:
    """Fetch each configured repository and return ``owner/name`` -> its copy, or why it cannot be fetched."""
    home = request.settings.home / "clones" / request.connector.name
    home.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path | SourceError] = {}
    for name, address in request.connector.addresses.items():
        plain = re.sub(r"[^\w.-]+", "+", name).strip(".") or "repository"
        # Names that differ in signs only must not share a copy.
        folder = home / f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.git"
        with FileLock(folder.with_suffix(".lock")):
            try:
                _refresh(request, name, address, folder)
            except SourceError as error:
                # The others are there; an old copy of this one would read like a quiet repository.
                found[name] = error
            else:
                found[name] = folder
    return found


def _refresh(request: FetchRequest[GitClones], name: str, address: str, folder: Path) -> None:
    connector = request.connector
    limits = [f"--depth={connector.depth}"] if connector.depth else []
    limits += [f"--shallow-since={connector.since.isoformat()}"] if connector.since else []
    mark = folder / FETCHED
    asked = "\n".join((address, *limits))
    if _is_fresh(mark, asked):
        return
    beside = f"{folder.name}."
    # A process that was killed over it left its own, as large as the repository; nobody else is at it now.
    for left in [path for path in folder.parent.iterdir() if path.name.startswith(beside)]:
        shutil.rmtree(left, ignore_errors=True)
    if not mark.exists() or not _is_brought_up(request, name, folder, address, limits):
        # A copy that is broken off is none: one is made beside its place, and moved there whole.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=beside) as scratch:
            work = Path(scratch) / "new.git"
            try:
                _init(request, name, work)
                _fetch(request, name, work, address, limits)
            except _OtherFormatError:
                shutil.rmtree(work)
                _init(request, name, work, "sha256")
                _fetch(request, name, work, address, limits)
            if folder.is_dir():
                shutil.move(folder, Path(scratch) / "old.git")
            shutil.move(work, folder)
    mark.write_text(asked)


def _init(request: FetchRequest[Any], name: str, folder: Path, names: str = "sha1") -> None:
    """Make an empty copy, whose commits have names of a kind: a server sends none of another."""
    of_kind = f"--object-format={names}"
    _git(request, name, "init", "--quiet", "--bare", of_kind, f"--initial-branch={MAIN}", str(folder))


def _is_quiet(request: FetchRequest[GitClones], name: str, work: Path, address: str, since: date) -> bool:
    """Whether the newest commit of a repository is older than a day."""
    with tempfile.TemporaryDirectory(dir=work.parent, prefix=f"{work.name}.") as scratch:
        look = Path(scratch) / "newest.git"
        (names,) = git_lines(work, "rev-parse", "--show-object-format")
        _init(request, name, look, names)
        wanted = ("--quiet", "--no-tags", "--depth=1", "--", address, f"+HEAD:refs/heads/{MAIN}")
        _git(request, name, "-C", str(look), "fetch", *wanted)
        (seconds,) = git_lines(look, "log", "-1", "--format=%ct", MAIN)
    return time_of(seconds).date() < since


# Signs that join the parts of their names may be configured.
_BOT_BRANCHES = ("renovate/", "dependabot/", "dependabot-", "dependabot_")


def _is_brought_up(
    request: FetchRequest[GitClones], name: str, folder: Path, address: str, limits: Sequence[str]
) -> bool:
    """Fetch into a copy; whether it took what came.

    A git that was killed leaves locks behind, and a disk damage, of which no later fetch knows a way out.

    Raises:
        SourceError: The server gave nothing.
    """
    try:
        _fetch(request, name, folder, address, limits)
    except _OddError:
        return False
    return True


def _fetch(request: FetchRequest[GitClones], name: str, work: Path, address: str, limits: Sequence[str]) -> None:
    since = request.connector.since
    if not limits and (work / "shallow").exists():
        limits = ["--unshallow"]
    wanted = [f"+HEAD:refs/heads/{MAIN}", *(f"+refs/heads/{bot}*:refs/heads/{bot}*" for bot in _BOT_BRANCHES)]
    options = ["--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-recurse-submodules"]
    try:
        _git(request, name, "-C", str(work), "fetch", *options, *limits, "--", address, *wanted)
    except SourceError:
        # Servers have no commits to send of a repository that was quiet all the time since then: git fails.
        if since is None or not _is_quiet(request, name, work, address, since):
            raise
        _git(request, name, "-C", str(work), "fetch", *options, "--depth=1", "--", address, *wanted)


class _OddError(SourceError):
    """Git failed, and not because of the server, as far as its words tell."""


class _OtherFormatError(_OddError):
    """The commits of a repository have names of another kind."""


def _is_fresh(mark: Path, asked: str) -> bool:
    try:
        # A copy of a clock that was ahead is of no known age.
        return mark.read_text() == asked and 0 <= time.time() - mark.stat().st_mtime < FRESH_SECONDS
    except OSError:
        return False


def _git(request: FetchRequest[Any], name: str, *arguments: str) -> None:
    """Run git with what the machine knows of credentials, and without asking anybody."""
    own = inherited(without="GIT_", but="GIT_SSH_COMMAND")
    quiet = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", "GCM_INTERACTIVE": "never"}
    own.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    if request.settings.ca_file is not None:
        quiet["GIT_SSL_CAINFO"] = str(request.settings.ca_file)
    problem = f"{name} cannot be fetched"
    try:
        subprocess.run(  # noqa: S603 - our own arguments
            [git_program(), "-c", "gc.auto=0", "-c", "core.askPass=", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=LIMIT_SECONDS,
            env=own | quiet,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", errors="replace")
        known = next(
            ((reason, fix) for pattern, reason, fix in _REASONS if re.search(pattern, said, re.IGNORECASE)), None
        )
        if known is not None:
            raise SourceError(Problem(request.connector.name, None, f"{problem}: {known[0]}", known[1])) from None
        fix = "try git ls-remote with its address, as the user that runs opsmetrics"
        message = f"{problem}: git ends with {error.returncode}"
        kind = _OtherFormatError if "mismatched algorithms" in said else _OddError
        raise kind(Problem(request.connector.name, None, message, fix)) from None
    except subprocess.TimeoutExpired:
        message = f"{problem}: git took longer than {LIMIT_SECONDS} s"
        raise SourceError(Problem(request.connector.name, None, message, "set since, or try again")) from None
