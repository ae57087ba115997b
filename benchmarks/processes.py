"""What a process costs before it does anything, and a run around its stages: ``python -m benchmarks.processes``.

Limits: an interpreter that does nothing for the command lines, its three commands in one process for the run. Needs a
state folder that was built; nothing is pulled or built again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Figure, Report
from opsmetrics.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
REPEAT = 3
COMMANDS = {
    "opsmetrics --help": (("--help",), 0.3),
    "opsmetrics sql": (("sql", "select 1"), 1.0),
    "opsmetrics path": (("path",), 1.0),
    "opsmetrics check": (("check",), None),
    "opsmetrics health": (("health",), None),
}
STAGES = """
from opsmetrics.cli import main
for step in ("pull", "build", "publish"):
    main([step, "--json", *{options!r}], standalone_mode=False)
"""


def best(command: list[str]) -> float:
    """Return the shortest of some runs of a command, seconds."""
    spans: list[float] = []
    for _ in range(REPEAT):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
        spans.append(time.perf_counter() - began)
    return min(spans)


def main() -> None:
    """Measure and print."""
    report = Report()
    python = [sys.executable, "-c", "pass"]
    bare = best(python)
    for name, (arguments, target) in COMMANDS.items():
        seconds = best([sys.executable, "-m", "opsmetrics", *arguments])
        # A target in seconds is a promise to people: the interpreter's own start stands beside it.
        report.add(Figure(name, seconds, target=target, note=f"an interpreter that does nothing: {bare:.2f} s"))
    data = Settings.from_env().home.resolve() / "demo-data"
    options = ["--org", "examples/demo", *(["--data", str(data)] if data.exists() else [])]
    stages = best([sys.executable, "-c", STAGES.format(options=options)])
    run = best([sys.executable, "-m", "opsmetrics", "run", "--json", *options])
    report.add(Figure("a run with nothing new", run, stages, "pull, build and publish in one process"))


if __name__ == "__main__":
    main()
