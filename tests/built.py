"""Expensive things that tests read: built once, kept below ``.cache``, shared by workers and sessions.

The key is a digest of everything that decides the content, so a changed line builds again and an unchanged checkout
never does. A lock lets one process build while the others wait. Tests get a copy of their own and may write to it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from filelock import FileLock

from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "tests"
KEPT = 3
# `OPSMETRICS_TESTS_BUILT=last`: what was built last is taken, whatever has changed since; for work on pages. CI never sets it.
TAKES_LAST = os.environ.get("OPSMETRICS_TESTS_BUILT") == "last" and not os.environ.get("CI")
DONE = ".built"
LIBRARY = ("opsmetrics", "sql")
EVERYTHING = (*LIBRARY, "simulator", "examples")


@cache
def _digest(names: tuple[str, ...]) -> str:
    """SHA-256 over the files below some paths of the checkout, the pinned versions and the interpreter."""
    total = hashlib.sha256(sys.version.encode())
    for name in (*names, "constraints.txt"):
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                total.update(str(file.relative_to(ROOT)).encode() + b"\0")
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def built(name: str, make: Callable[[Path], object], inputs: Iterable[str] = EVERYTHING, key: str = "") -> Path:
    """Return the folder that ``make`` filled, now or in an earlier session; it is not to be changed.

    Args:
        name: What it is; the newest few of a name are kept.
        make: Fills the empty folder it is given. It is never moved: what it holds may name its own path.
        inputs: Files and folders of the checkout that decide what it makes.
        key: What else decides it, such as a date.
    """
    digest = hashlib.sha256("|".join((_digest(tuple(inputs)), key)).encode()).hexdigest()[:16]
    folder = CACHE / name / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    if TAKES_LAST and (
        done := max(folder.parent.glob(f"*/{DONE}"), key=lambda path: path.stat().st_mtime, default=None)
    ):
        return done.parent
    with FileLock(folder.parent / "lock", timeout=2 * LIMIT_SECONDS):
        if not (folder / DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
        (folder / DONE).touch()
        _forget(folder.parent)
    return folder


def _forget(parent: Path) -> None:
    """Remove all but the newest few folders of a name, and unfinished ones."""
    finished = {done.parent: done.stat().st_mtime for done in parent.glob(f"*/{DONE}")}
    newest = sorted(finished, key=finished.__getitem__, reverse=True)[:KEPT]
    for path in parent.iterdir():
        if path.is_dir() and path not in newest:
            shutil.rmtree(path, ignore_errors=True)


def copied(folder: Path, target: Path) -> Path:
    """Copy a built folder for a test that may write to it; what the library never changes in place is linked."""

    def copy(source: str, destination: str) -> None:
        name = Path(source).name
        if name.endswith(".parquet") or (name.startswith("ops-") and name.endswith(".duckdb")):
            try:
                os.link(source, destination)
            except OSError:  # another file system
                shutil.copy2(source, destination)
        else:
            shutil.copy2(source, destination)

    shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True, copy_function=copy)
    (target / DONE).unlink()
    return target


def opsmetrics(*words: str, home: Path, code: int = 0) -> None:
    """Run the command line in a process that sees no setting but its state folder.

    Args:
        words: Command, arguments and options.
        home: State folder.
        code: What it must end with.

    Raises:
        AssertionError: It ended otherwise; with all it said.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPSMETRICS_")}
    found = subprocess.run(
        [sys.executable, "-m", "opsmetrics", *words],
        env=env | {"OPSMETRICS_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert found.returncode == code, f"exit {found.returncode}\n{found.stdout}\n{found.stderr}"


def demo(*words: str) -> Path:
    """State folder of the demo, built by the same command as ``make demo``; with words such as ``--from-files``."""
    name = "-".join(("demo", *(word.strip("-") for word in words)))
    return built(name, lambda home: opsmetrics("demo", "--no-app", *words, home=home))
