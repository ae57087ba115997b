"""The Dagster page behind our gate (``opsmetrics dagster page``). Dagster's own command asks nobody anything.

Names of hosts and pages are checked, nothing is done by GET, nothing can be changed unless ``--write`` is given, and
with ``--socket`` no other user of the machine can reach it. The app shows it to administrators (docs/operations.md).
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget, WorkspaceFileTarget, WorkspaceLoadTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.cli import DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_MAX_OVERFLOW, DEFAULT_POOL_RECYCLE
from starlette.types import ASGIApp

from door.gate import Gate
from door.rules import Limits, Opening, Rules, names
from door.serving import listen, listen_locally, serve
from pipelines.questions import Questions

PREFIX = "/dagster"
DEFINITIONS = "pipelines.definitions"
GET = frozenset({"GET"})
# Runs of every asset are long texts.
LIMITS = Limits(body_bytes=2**20)
# How a daemon ends that was told to, by us or by whoever pressed Ctrl-C.
_TOLD_TO_END = {0, -signal.SIGINT, -signal.SIGTERM}
# Dagster's page brings a policy of its own; this is for everything beside it.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def openings() -> tuple[Opening, ...]:
    """Return where the page can be asked: questions and changes by POST alone, reports of outsiders not at all."""
    graphql = re.compile(rf"{PREFIX}/graphql")
    return (
        Opening(graphql, frozenset({"POST"})),
        Opening(graphql, GET, is_socket=True, takes_text=True),
        Opening(re.compile(rf"/|{PREFIX}(?:/(?!report_asset_|graphql).*)?")),
    )


def guarded(app: ASGIApp, port: int | None) -> Gate:
    """Return a Dagster page behind its gate; without a port it listens on a local socket."""
    hosts, origins = names(port, None)
    asked = Questions(app, f"{PREFIX}/graphql")
    return Gate(asked, rules=Rules(hosts, origins, openings(), LIMITS), policy=POLICY)


def main() -> None:
    """Serve the page until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", type=int, default=3000, help="port of loopback (default 3000)")
    where.add_argument("--socket", type=Path, help="local socket instead, for this user alone")
    parser.add_argument("--write", action="store_true", help="runs can be started and schedules switched")
    parser.add_argument("--with-daemon", action="store_true", help="run the daemon as well, as long as the page runs")
    parser.add_argument("-w", "--workspace", help="file that names code elsewhere (deploy/workspace-remote.yaml)")
    options = parser.parse_args()
    # As by Ctrl-C: what was started here ends with it. A daemon that stays would be a second one at the next start.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port = None if options.socket else options.port
    try:
        listener = listen_locally(options.socket) if options.socket else listen("127.0.0.1", options.port)
    except OSError as error:
        sys.exit(f"the Dagster page cannot listen on {options.socket or options.port}: {error.strerror or error}")
    print(f"Dagster page on {options.socket or f'http://127.0.0.1:{port}{PREFIX}'} ({_may(options.write)})", flush=True)  # noqa: T201
    daemon = _daemon(options.workspace) if options.with_daemon else None
    try:
        with dg.DagsterInstance.get() as instance:
            instance.optimize_for_webserver(
                DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
            )
            target = _target(options.workspace)
            with WorkspaceProcessContext(instance, target, read_only=not options.write) as context:
                app = create_app_from_workspace_process_context(context, PREFIX)
                serve(guarded(app, port), listener, LIMITS)
    except KeyboardInterrupt:
        pass
    finally:
        # Its end, which is next, would be told to us.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(daemon)
    if daemon is not None and daemon.returncode not in _TOLD_TO_END:
        sys.exit("the daemon has ended, and nothing would start by itself: what it said last stands above")


def _end(daemon: subprocess.Popen[bytes] | None) -> None:
    if daemon is not None:
        daemon.terminate()
        try:
            daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _may(write: bool) -> str:  # noqa: FBT001 - private, one caller
    return "runs can be started" if write else "read-only; --write to start runs"


def _target(workspace: str | None) -> WorkspaceLoadTarget:
    return WorkspaceFileTarget([workspace]) if workspace else ModuleTarget(DEFINITIONS, None, None, None)


def _daemon(workspace: str | None) -> subprocess.Popen[bytes]:
    """Start the daemon; when it ends, so does the page, which would look as if runs were to come."""
    command = [sys.executable, "-m", "opsmetrics", "dagster", "daemon", *(["-w", workspace] if workspace else [])]
    daemon = subprocess.Popen(command)  # noqa: S603 - our own command

    def end_with_it() -> None:
        daemon.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_with_it, daemon=True).start()
    return daemon


if __name__ == "__main__":
    main()
