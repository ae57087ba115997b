"""``opsmetrics dagster``: Dagster's page, daemon and code with our definitions, in place of this process.

The library knows no framework: it starts the program and imports nothing of it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import click

from opsmetrics.cli.options import PORT, settings_of
from opsmetrics.core.atomic import copy_whole
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.extras import MissingExtraError, is_installed
from opsmetrics.core.parts import parts_folder
from opsmetrics.core.settings import DAGSTER_HOME, program_environment
from opsmetrics.core.yaml_text import read_yaml

DEFINITIONS = "pipelines.definitions"
# What is asked for -> the program; the page is behind our gate (ADR 44).
PROGRAMS = {
    "dev": ("pipelines.page", "--with-daemon"),
    "page": ("pipelines.page",),
    "daemon": ("dagster._daemon", "run"),
    "code": ("dagster", "code-server", "start", "-h", "127.0.0.1", "-m", DEFINITIONS),
}
_PAGE_PORT, _CODE_PORT = 3000, 4000
# Locked by the one process that makes Dagster's store; says that it was made.
_FIRST = ".first"


@click.command()
@click.argument("what", type=click.Choice(list(PROGRAMS)), default="dev")
@click.option("--port", type=PORT, help="Port of the page (default 3000) or the code (4000), on this machine alone.")
@click.option(
    "--socket", type=click.Path(path_type=Path), help="Local socket of the page instead, for this user alone."
)
@click.option("--write", is_flag=True, help="Runs can be started and schedules switched; else the page only shows.")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File that names where the code is, for page and daemon: docs/scale.md.",
)
def dagster(
    what: str,
    port: int | None,
    socket: Path | None,
    workspace: Path | None,
    write: bool,  # noqa: FBT001 - click gives it by name
) -> None:
    """Start Dagster with our assets, schedules and sensors: page and daemon (dev), or one of them.

    On several machines `code` is what the others' page and daemon ask, with every run. Its state lies in DAGSTER_HOME
    (default: dagster/ in OPSMETRICS_HOME).

    Example: opsmetrics dagster daemon
    """
    if not is_installed("dagster-webserver"):
        raise MissingExtraError("dagster", "dagster")
    settings = settings_of()
    env = program_environment(settings)
    home = Path(env.get(DAGSTER_HOME) or settings.home / "dagster").resolve()
    env[DAGSTER_HOME] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    own = home / "dagster.yaml"
    if not own.exists():
        # Another process of Dagster may read it at the same moment.
        copy_whole(_template(), own)
    _refuse_unreadable(own)
    _make_store(home, env)
    if what == "daemon":
        _be_the_only_daemon(home)
    place = ["--socket", str(socket.resolve())] if socket else ["--port", str(port or _PAGE_PORT)]
    named = ["-w", str(workspace.resolve())] if workspace else []
    options = {
        "code": ["-p", str(port or _CODE_PORT)],
        "daemon": named or ["-m", DEFINITIONS],
    }.get(what, [*place, *named, *(["--write"] if write else [])])
    arguments = [sys.executable, "-m", *PROGRAMS[what], *options]
    os.execve(sys.executable, arguments, env)  # noqa: S606 - our own arguments


def _make_store(home: Path, env: dict[str, str]) -> None:
    """Let one process make Dagster's store: of two that meet a new one at the same moment, one ends with a trace."""
    with (home / _FIRST).open("a+") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.seek(0)
        if first.read():
            return
        command = [sys.executable, "-m", "dagster", "instance", "info"]
        # What is wrong with it is said by the process that is started next, which cannot do without.
        made = subprocess.run(command, env=env, check=False, capture_output=True)  # noqa: S603 - our own command
        if made.returncode == 0:
            first.write("made\n")


def _be_the_only_daemon(home: Path) -> None:
    """Hold a lock until the daemon, which takes the place of this process, ends: two would start everything twice."""
    lock = os.open(home / ".daemon", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fix = "end that one first; `opsmetrics dagster page` starts the page alone"
        raise ConfigurationError([Problem(str(home), None, "a daemon of Dagster works here already", fix)]) from None
    os.set_inheritable(lock, True)


def _refuse_unreadable(own: Path) -> None:
    """Dagster's own settings may be edited; of a mistake in them Dagster writes a trace."""
    try:
        found = read_yaml(own.read_text(encoding="utf-8"))
    except ValueError as error:
        found = error
    # An empty one is Dagster's own defaults.
    if not isinstance(found, dict | None):
        fix = f"correct it, or remove it: {_template()} is put there then"
        raise ConfigurationError([Problem(str(own), None, "this is no YAML that Dagster can be set up with", fix)])


def _template() -> Path:
    """Return the settings of Dagster that come with the code."""
    bundled = parts_folder() / "dagster.yaml"
    return bundled if bundled.exists() else parts_folder() / "dagster_home" / "dagster.yaml"
