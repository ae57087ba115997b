"""Processes of queries that begin where DuckDB is imported: a tenth of a second each, otherwise a third.

The parent of all of them is isolated as theirs is, has imported the script that they run, and done nothing else: no
database, thread or file is open. It is started with that script's path as its argument.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType


class WarmSandbox:
    """Carries out jobs as ``query_run.carried_out`` does, one at a time."""

    def __init__(self, script: Path) -> None:
        """Remember the script; its parent starts with the first job."""
        self._script = script
        self._lock = threading.Lock()
        self._parent: subprocess.Popen[str] | None = None

    def __call__(self, job: Path, seconds: float) -> subprocess.CompletedProcess[bytes]:
        """Fork a process for a job and wait for its end.

        Raises:
            subprocess.TimeoutExpired: It took longer than that; it is killed.
        """
        with self._lock:
            if self._parent is None:
                command = [sys.executable, "-I", __file__, str(self._script)]
                pipe = subprocess.PIPE
                self._parent = subprocess.Popen(command, stdin=pipe, stdout=pipe, env={}, cwd="/", text=True)
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            self._parent.stdin.write(json.dumps({"job": str(job), "seconds": seconds}) + "\n")
            self._parent.stdin.flush()
            told = json.loads(self._parent.stdout.readline())
        if told["is_late"]:
            raise subprocess.TimeoutExpired(str(job), seconds)
        return subprocess.CompletedProcess(str(job), told["code"], told["said"].encode(), b"")

    def close(self) -> None:
        """End the parent."""
        if self._parent is not None:
            self._parent.communicate()


def _imported(script: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("query_sandbox", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _forked(sandbox: ModuleType, job: str, seconds: float) -> dict[str, object]:
    """Carry out a job in a fork and return how it ended."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(writes, 1)
        os.chdir(Path(job).parent)
        code = 1
        try:
            sandbox.main(job)
            sys.stdout.flush()
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    said, is_late = bytearray(), False
    # Each wait is that long, not all of them together: what it says comes at its end, in one go.
    while True:
        if not select.select([reads], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
            is_late = True
        elif part := os.read(reads, 65536):
            said += part
        else:
            break
    os.close(reads)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "said": said.decode(), "is_late": is_late}


def _serve(script: str) -> None:
    sandbox = _imported(script)
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(_forked(sandbox, asked["job"], asked["seconds"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
