"""Ctrl-C: a pull, a query and the app end at once, without a trace, and leave no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opsmetrics.snapshots import store
from tests.listening import listening
from tests.own_metric import HEADER
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]
# Of the processor: more than all that comes before a query without end.
QUERY_SECONDS = 5.0
# Of the processor, without a word to the working file: more than any other statement of a build of so few rows.
STATEMENT_SECONDS = 3.0
ENDLESS = "range(100000000000000) as numbers (number) where number % 7 = 3"
OWN = (
    HEADER
    + f"""with items as (
    select d.team_id, w.as_of, w.grain, d.deployment_id as item_id, (select count(*) from {ENDLESS}) as numerator,
        1 as denominator, w.completeness
    from macros.metric_windows('own_endless') as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
"""
)
PROMETHEUS = """
[[connector]]
name = "prometheus"
kind = "prometheus"
streams = ["alerts", "capacity_samples", "latency_daily"]
from = 2026-08-30
url = "{url}"
utilisation = "use"
requests_total = "all"
requests_fast = "fast"
"""

# Whoever runs the tests in the background of a shell has Ctrl-C ignored, and so would what they start.
HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "opsmetrics", *sys.argv[1:]])
"""


@contextmanager
def started(home: Path, *arguments: str, org: Path | None = None):
    """A command in a process group of its own, which Ctrl-C goes to as a whole."""
    env = os.environ | {"OPSMETRICS_HOME": str(home), "OPSMETRICS_READ_APART": "1"}
    env |= {"OPSMETRICS_ORG": str(org)} if org else {}
    process = subprocess.Popen(
        [sys.executable, "-c", HEARING, *arguments],
        env=env,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said before and after Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=LIMIT_SECONDS)
    wait_until(lambda: is_gone(process.pid))
    return process.returncode, said


def is_gone(group: int) -> bool:
    """Whether no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def processor_seconds(pid: int) -> float:
    """What a process has used so far, all threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_pull_from_a_server_that_does_not_answer(small, tmp_path):
    asked, over = threading.Event(), threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            over.wait(LIMIT_SECONDS)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Silent)) as url:
        sources = small / "sources.toml"
        sources.write_text(sources.read_text() + PROMETHEUS.format(url=url))
        try:
            with started(tmp_path / "home", "run", org=small) as process:
                assert asked.wait(LIMIT_SECONDS)
                code, said = interrupted(process)
        finally:
            over.set()
    assert (code, said.split()) == (1, ["Aborted!"])
    notes = [json.loads(path.read_text()) for path in (tmp_path / "home" / "pulls").glob("*.json")]
    assert [note["error"] for note in notes if note["error"]] == [], "that somebody stopped is no fault of a source"


def test_a_command_that_is_still_being_read():
    """Ctrl-C comes with the first import of a library."""
    code = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Pressed:
    def find_spec(self, name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Pressed())
runpy.run_module("opsmetrics", run_name="__main__")
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (-signal.SIGINT, "")


def test_the_app(small_run):
    from tests.apps import free_port, is_healthy  # noqa: PLC0415 - loads a driver of browsers

    port = free_port()
    with started(small_run.home, "app", "--port", str(port)) as process:

        def answers() -> bool:
            assert process.poll() is None
            return is_healthy(f"http://127.0.0.1:{port}")

        wait_until(answers, every=0.2)
        code, said = interrupted(process)
    assert (code, said.strip()) == (0, f"scorecard on http://127.0.0.1:{port} (stop with Ctrl-C)")


def interrupted_at_work(process: subprocess.Popen[str], is_at_work: Callable[[float], bool]) -> tuple[int, str]:
    """Exit code and words of a command that is ended in a statement without end, known by what it has used."""
    wait_until(lambda: process.poll() is not None or is_at_work(processor_seconds(process.pid)), every=0.2)
    assert process.poll() is None, process.communicate()
    return interrupted(process)


class Silence:
    """Whether a build that began to write its working file has worked for long without writing to it."""

    def __init__(self, warehouse: Path) -> None:
        self._paths = [warehouse, warehouse.with_name(f"{warehouse.name}.wal")]
        self._first = self._last = self._marks()
        self._since = 0.0

    def _marks(self) -> list[tuple[int, int] | None]:
        found = []
        for path in self._paths:
            try:
                found.append(((state := path.stat()).st_size, state.st_mtime_ns))
            except FileNotFoundError:
                found.append(None)
        return found

    def __call__(self, used: float) -> bool:
        if (marks := self._marks()) != self._last:
            self._last, self._since = marks, used
        return self._last != self._first and used - self._since > STATEMENT_SECONDS


def test_a_query_without_end(small_run):
    with started(small_run.home, "sql", f"select count(*) from {ENDLESS}") as process:
        code, said = interrupted_at_work(process, lambda used: used > QUERY_SECONDS)
    assert (code, said.split()) == (1, ["Aborted!"])


def test_a_build_whose_own_metric_has_no_end(small_run):
    """The snapshot and what was built before stay, and the next build is whole."""
    (small_run.org / "metrics").mkdir()
    metric = small_run.org / "metrics" / "own_endless.sql"
    metric.write_text(OWN)
    before = store.current(small_run.snapshots).build_id
    with started(small_run.home, "run", org=small_run.org) as process:
        code, said = interrupted_at_work(process, Silence(small_run.warehouse))
    assert code == 1
    assert said.split()[-1] == "Aborted!"
    assert "error" not in said
    assert store.current(small_run.snapshots).build_id == before
    metric.unlink()
    with started(small_run.home, "run", org=small_run.org) as process:
        said, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, said
