"""Dagster with its state in PostgreSQL, runs in a process that neither daemon nor launcher started, and a pool of one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from tests.few_rules import few_rules
from tests.patience import LIMIT_SECONDS, wait_until
from tests.postgres import POSTGRES

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SETTINGS = [(ROOT / path).read_text() for path in ("dagster_home/dagster.yaml", "deploy/dagster-postgres.yaml")]


@contextmanager
def running(*command: str, log: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, ended with all its children."""
    with log.open("w") as said:
        process = subprocess.Popen(
            command,
            env=os.environ | variables,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if "-c" in command else said,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            if "-c" not in command:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(LIMIT_SECONDS)
        except ProcessLookupError:
            process.wait(LIMIT_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def await_port(port: int, process: subprocess.Popen[str], log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, log.read_text)


@pytest.fixture
def short():
    """A folder with a short name: sockets have no long ones."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(folder: Path, log: Path) -> Iterator[str]:
    """A PostgreSQL server of its own: its address."""
    with running(sys.executable, "-c", POSTGRES, str(folder / "data"), log=log) as server:
        url = server.stdout.readline().strip()
        assert url.startswith("postgresql://"), log.read_text()
        yield url.replace("postgresql://", "postgresql+psycopg2://", 1)


def builds(url: str) -> list[tuple[str, float | None, float | None]]:
    """Status, start and end of every build, in the order of their starts."""
    asked = (
        "select status, start_time, end_time from runs where pipeline_name = 'build_and_publish' order by start_time"
    )
    engine = create_engine(url)
    try:
        with engine.connect() as con:
            return [tuple(row) for row in con.execute(text(asked))]
    finally:
        engine.dispose()


def test_two_builds_and_the_sensors_run_one_after_the_other_where_the_code_is(small, tmp_path, short):
    port = free_port()
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text((ROOT / "deploy" / "workspace-remote.yaml").read_text().replace("4000", str(port)))
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dagster.yaml").write_text("\n".join(SETTINGS))
    logs = {name: tmp_path / f"{name}.log" for name in ("postgres", "code", "daemon")}
    with ExitStack() as stack:
        start = stack.enter_context
        url = start(postgres(short, logs["postgres"]))
        code = start(
            running(
                *(str(BIN / "opsmetrics"), "dagster", "code", "--port", str(port)),
                log=logs["code"],
                DAGSTER_HOME=str(tmp_path / "there"),
                DAGSTER_POSTGRES_URL=url,
                OPSMETRICS_HOME=str(tmp_path / "state"),
                OPSMETRICS_ORG=str(small),
                # Fewer tables, of each kind: who runs is asked here, not what is made.
                OPSMETRICS_SQL=str(few_rules()),
            )
        )
        await_port(port, code, logs["code"])
        # Daemon and launcher see neither state nor configuration.
        elsewhere = {
            "DAGSTER_HOME": str(tmp_path / "here"),
            "DAGSTER_POSTGRES_URL": url,
            "OPSMETRICS_HOME": str(tmp_path / "nowhere"),
            "OPSMETRICS_ORG": str(tmp_path / "nowhere"),
        }
        # Both wait when the daemon begins, which would start them together; no pool was made before.
        for _ in range(2):
            done = subprocess.run(
                [str(BIN / "dagster"), "job", "launch", "-w", str(workspace), "-j", "build_and_publish"],
                env=os.environ | elsewhere,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        start(
            running(str(BIN / "opsmetrics"), "dagster", "daemon", "-w", str(workspace), log=logs["daemon"], **elsewhere)
        )

        def both_built() -> bool:
            statuses = [status for status, *_ in builds(url)]
            assert "FAILURE" not in statuses, logs["code"].read_text()[-3000:]
            return statuses.count("SUCCESS") >= 2

        # The sensor may build a third time, and is not waited for.
        wait_until(both_built, logs["daemon"].read_text, every=2)
        found = builds(url)
    begun = [(first, last) for _, first, last in found if first is not None]
    for (_, end), (after, _) in pairwise(begun):
        assert end is not None
        assert end <= after
    # The working file's lock, which would have made the second wait, was not needed.
    assert "another run is" not in logs["code"].read_text()
    assert (tmp_path / "state" / "snapshots" / "current.duckdb").exists()
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture(params=["postgres", "files"])
def store(request, short, tmp_path, monkeypatch) -> Iterator[Path]:
    """A DAGSTER_HOME with the repository's settings; what Dagster stores lies in PostgreSQL or in files."""
    with ExitStack() as stack:
        if request.param == "postgres":
            monkeypatch.setenv("DAGSTER_POSTGRES_URL", stack.enter_context(postgres(short, tmp_path / "postgres.log")))
        (short / "dagster.yaml").write_text("\n".join(SETTINGS if request.param == "postgres" else SETTINGS[:1]))
        yield short


def test_dagster_gives_the_only_slot_of_a_pool_to_two_claims_at_once(store):
    """Nothing of ours runs here. When this fails, Dagster was mended, and the pool may be trusted (ADR 0021)."""
    together, first_has_read = threading.Barrier(2), threading.Event()
    claimants: dict[int, str] = {}

    def meet(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        run = claimants.get(threading.get_ident())
        if run is None:
            return
        # Both have counted who is in the pool.
        if statement.startswith("INSERT INTO pending_steps"):
            together.wait(LIMIT_SECONDS / 10)
        # Reading at the very same instant, the second would skip the row that the first holds just then.
        if run == "second" and statement.startswith("SELECT concurrency_slots.id"):
            assert first_has_read.wait(LIMIT_SECONDS / 10)
        # Both have read which slot is free.
        if statement.startswith("UPDATE concurrency_slots SET run_id"):
            first_has_read.set()
            together.wait(LIMIT_SECONDS / 10)

    def claim(run: str) -> bool:
        with dg.DagsterInstance.from_config(str(store)) as instance:
            claimants[threading.get_ident()] = run
            return instance.event_log_storage.claim_concurrency_slot("writer", run, "step").is_claimed

    with dg.DagsterInstance.from_config(str(store)) as instance:
        instance.event_log_storage.set_concurrency_slots("writer", 1)
    event.listen(Engine, "before_cursor_execute", meet)
    try:
        with ThreadPoolExecutor(2) as threads:
            claimed = list(threads.map(claim, ["first", "second"]))
    finally:
        event.remove(Engine, "before_cursor_execute", meet)
    assert claimed == [True, True]
