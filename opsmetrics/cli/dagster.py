"""``opsmetrics dagster``: Dagster's page and daemon with our definitions, in place of this process.

The library knows no framework: it starts the program and imports nothing of it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from opsmetrics.cli.options import PORT, settings_of
from opsmetrics.core.extras import MissingExtraError, is_installed
from opsmetrics.core.parts import parts_folder
from opsmetrics.core.settings import DAGSTER_HOME, program_environment

DEFINITIONS = "pipelines.definitions"
# What is asked for -> the program; the page is behind our gate (ADR 44).
PROGRAMS = {
    "dev": ("pipelines.page", "--with-daemon"),
    "page": ("pipelines.page",),
    "daemon": ("dagster._daemon", "run", "-m", DEFINITIONS),
}
DAEMON = "daemon"


@click.command()
@click.argument("what", type=click.Choice(list(PROGRAMS)), default="dev")
@click.option("--port", type=PORT, default=3000, show_default=True, help="Port of the page, on this machine alone.")
@click.option("--socket", type=click.Path(path_type=Path), help="Local socket instead, for this user alone.")
@click.option("--write", is_flag=True, help="Runs can be started and schedules switched; else the page only shows.")
def dagster(what: str, port: int, socket: Path | None, write: bool) -> None:  # noqa: FBT001 - click gives it by name
    """Start Dagster with our assets, schedules and sensors: page and daemon (dev), or one of them.

    Its state lies in DAGSTER_HOME (default: dagster/ in OPSMETRICS_HOME).

    Example: opsmetrics dagster daemon
    """
    if not is_installed("dagster-webserver"):
        raise MissingExtraError("dagster", "dagster")
    settings = settings_of()
    env = program_environment(settings)
    home = Path(env.setdefault(DAGSTER_HOME, str(settings.home.resolve() / "dagster")))
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copy(_template(), home / "dagster.yaml")
    place = ["--socket", str(socket.resolve())] if socket else ["--port", str(port)]
    options = [] if what == DAEMON else [*place, *(["--write"] if write else [])]
    arguments = [sys.executable, "-m", *PROGRAMS[what], *options]
    os.execve(sys.executable, arguments, env)  # noqa: S606 - our own arguments


def _template() -> Path:
    """Return the settings of Dagster that come with the code."""
    bundled = parts_folder() / "dagster.yaml"
    return bundled if bundled.exists() else parts_folder() / "dagster_home" / "dagster.yaml"
