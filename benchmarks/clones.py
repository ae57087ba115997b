"""Ten years of a repository of 10,000 commits, read as the connector reads clones; or clones that are named.

The limit is git's own: ``git log -p`` of the same line of commits and files, thrown away.
``python -m benchmarks.clones PATH ...`` measures clones that you have instead of the one that is made here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Figure, Report, peak_mib
from opsmetrics.sources.git_history import History, git_program
from opsmetrics.sources.manifests import PATHS

COMMITS, SERVICES, PACKAGES = 10_000, 20, 60
BEGIN = datetime(2016, 1, 4, 8, tzinfo=UTC)
ALONG = ("log", "--first-parent", "--diff-merges=first-parent", "-p", "--no-renames", "HEAD", "--", *PATHS)


def history() -> Iterator[str]:
    """Yield a repository in git's import format: every third commit an update of a bot, every tenth a merge."""
    versions = dict.fromkeys(range(PACKAGES), 0)
    for number in range(COMMITS):
        at = int((BEGIN + timedelta(hours=number * 8.76)).timestamp())
        is_bot = number % 3 == 0
        who = "renovate[bot] <bot@example.invalid>" if is_bot else "Ola Plantesen <ola@example.invalid>"
        service = number % SERVICES
        if is_bot:
            versions[number % PACKAGES] += 1
            lock = "".join(f"{name}: 1.{minor}.0 {number}\n" * 20 for name, minor in versions.items())
            files = {
                f"s{service}/package.json": json.dumps(
                    {"dependencies": {f"pakke-{name}": f"1.{minor}.0" for name, minor in versions.items()}}, indent=2
                ),
                f"s{service}/package-lock.json": lock,
            }
        else:
            files = {f"s{service}/src/{number % 97}.txt": f"line {number}\n" * 40}
        yield f"commit refs/heads/main\nmark :{number + 1}\ncommitter {who} {at} +0000\ndata 6\nupdate\n"
        if number:
            yield f"from :{number}\n"
        if number > 20 and number % 10 == 0:
            yield f"merge :{number - 7}\n"
        for path, text in files.items():
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"


def made(folder: Path) -> Path:
    """Make the repository and return it."""
    git = git_program()
    subprocess.run([git, "init", "-q", "--bare", "-b", "main", str(folder)], check=True)  # noqa: S603
    command = [git, "-C", str(folder), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:  # noqa: S603
        if process.stdin is None:
            raise RuntimeError("git takes nothing")
        process.stdin.writelines(history())
    subprocess.run([git, "-C", str(folder), "repack", "-adq"], check=True)  # noqa: S603
    return folder


def read(folder: Path) -> tuple[int, int]:
    """Read a clone as the connector does; return its commits and the changes of versions."""
    found = History(folder)
    return len(found.commits), sum(len(changes) for _, changes in found.changes(found.main_line))


def measure(report: Report, name: str, folder: Path) -> None:
    """Read one clone, and let git walk the same commits for nothing."""
    began = time.perf_counter()
    commits, changes = read(folder)
    span = time.perf_counter() - began
    began = time.perf_counter()
    git = [git_program(), "-C", str(folder), *ALONG]
    subprocess.run(git, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    limit = time.perf_counter() - began
    beside = f"{commits:,} commits, {changes:,} changes of versions, {peak_mib():.0f} MiB"
    report.add(Figure(f"clones: {name}", span, limit, "git log -p, thrown away", 3.0, note=beside))


def main() -> None:
    """Measure the clones that are named, or the one that is made."""
    report = Report()
    named = [Path(argument) for argument in sys.argv[1:]]
    for folder in named:
        measure(report, folder.name, folder)
    if not named:
        with tempfile.TemporaryDirectory() as work:
            measure(report, f"ten years, {COMMITS:,} commits", made(Path(work) / "made.git"))


if __name__ == "__main__":
    main()
