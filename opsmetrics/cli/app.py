"""``opsmetrics app``: the app's server in place of this process."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from opsmetrics.cli.options import PORT, settings_of
from opsmetrics.core.extras import MissingExtraError, is_installed
from opsmetrics.core.settings import Settings, program_environment


@click.command()
@click.option("--port", type=PORT, default=8501, show_default=True, help="Port.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Beyond loopback only with sign-in.")
def app(port: int, address: str) -> None:
    """Open the scorecard on the current snapshot.

    Example: opsmetrics app --port 8502
    """
    serve(settings_of(), port, address)


def serve(settings: Settings, port: int, address: str = "127.0.0.1") -> None:
    """Become the app's server; returns never."""
    if not is_installed("streamlit"):
        raise MissingExtraError("streamlit", "app")
    folder = _package()
    # The app runs in a folder of its own: paths must hold there.
    env = program_environment(settings)
    # Its frames are small: to wake other threads for each takes longer than what they do.
    env.setdefault("POLARS_MAX_THREADS", "1")
    os.chdir(folder)
    arguments = [sys.executable, "-P", "-m", "scorecard_app.server", "--port", str(port), "--address", address]
    os.execve(sys.executable, arguments, env)  # noqa: S606 - our own arguments


def _package() -> Path:
    """Return the app's folder: the library starts it by its name and imports nothing of it."""
    found = find_spec("scorecard_app")
    if found is None or found.origin is None:
        raise click.ClickException("scorecard_app is not installed")
    return Path(found.origin).parent
