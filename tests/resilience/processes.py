"""Processes of the command line that begin where its modules are imported: half of a second each, otherwise a whole one.

The parent of all of them has imported the command line and done nothing else: no thread, file or connection is open. From
there on each is a process of its own with an environment, a folder and an end of its own, as one that a shell starts.
Commands whose start matters are started by a shell (``test_full_disk`` and others).
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.patience import LIMIT_SECONDS

# What a run imports only when it needs it.
IMPORTED = (
    *("opsmetrics.cli.build", "opsmetrics.cli.pull", "opsmetrics.sources.files", "opsmetrics.snapshots.publications"),
    *("opsmetrics.warehouse.reference.build", "opsmetrics.scoring.plan", "opsmetrics.organisation.load"),
    *("_strptime", "highspy", "holidays.countries.norway", "pyarrow.dataset", "pyarrow.parquet", "rich.progress"),
    "tests.resilience.processes",
)


class Process:
    """A process of its own, with the methods of ``subprocess.Popen`` that tests ask for."""

    def __init__(self, steps: list[list[str]], cwd: Path, env: dict[str, str]) -> None:
        """Start it.

        Args:
            steps: Words of each command, one after the other until one is refused.
            cwd: Its folder.
            env: Its whole environment.
        """
        with tempfile.NamedTemporaryFile(prefix="said-", delete=False) as said:
            self._said = Path(said.name)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*IMPORTED])
        self._process: ForkServerProcess = context.Process(target=_run, args=(steps, str(cwd), env, str(self._said)))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """Exit code; negative where a signal ended it."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def communicate(self, timeout: float = LIMIT_SECONDS) -> tuple[str, None]:
        """Wait for its end.

        Returns:
            All it said, and nothing.
        """
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"no end after {timeout} seconds"
        said = self._said.read_text(encoding="utf-8")
        self._said.unlink()
        return said, None


def _run(steps: list[list[str]], cwd: str, env: dict[str, str], said: str) -> None:
    """Become a process of the command line."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, (name, flags) in enumerate(((os.devnull, os.O_RDONLY), (said, os.O_WRONLY), (said, os.O_WRONLY))):
        handle = os.open(name, flags | (os.O_APPEND if number else 0))
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))  # noqa: PTH123, SIM115
    try:
        for words in steps:
            sys.argv = ["opsmetrics", *words]
            try:
                runpy.run_module("opsmetrics", run_name="__main__", alter_sys=True)
            except SystemExit as end:
                if end.code:
                    raise
    finally:
        # A fork's end leaves them out.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
