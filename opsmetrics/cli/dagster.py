"""``opsmetrics dagster``: Dagster's page and daemon with our definitions, in place of this process.

The library knows no framework: it starts the program and imports nothing of it.
"""

from __future__ import annotations

import os
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
    home = Path(env.get(DAGSTER_HOME) or settings.home / "dagster").resolve()
    env[DAGSTER_HOME] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    own = home / "dagster.yaml"
    if not own.exists():
        # Another process of Dagster may read it at the same moment.
        copy_whole(_template(), own)
    _refuse_unreadable(own)
    place = ["--socket", str(socket.resolve())] if socket else ["--port", str(port)]
    options = [] if what == DAEMON else [*place, *(["--write"] if write else [])]
    arguments = [sys.executable, "-m", *PROGRAMS[what], *options]
    os.execve(sys.executable, arguments, env)  # noqa: S606 - our own arguments


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
