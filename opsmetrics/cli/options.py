"""Options that several commands share, what they mean, and the exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from opsmetrics.core.half_restored import refuse_half_restored
from opsmetrics.core.settings import Settings, names_organisation

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_MISSED = 3
EXIT_UNKNOWN = 4

PORT = click.IntRange(1, 65535)


class _Named(click.Path):
    """A path that says where: an empty text, of a variable that nobody set, would be the folder where one stands."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("it is empty; name a place (a dot is the folder where you are)", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = _Named(path_type=Path, file_okay=False)
FILE = _Named(path_type=Path, dir_okay=False)
EXISTING_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


_ORG_HELP = "Folder of the organisation's configuration (default: OPSMETRICS_ORG or examples/demo)."


def _named_or_its_own(_context: click.Context, _option: click.Parameter, value: Any) -> Any:
    """Return what ``--org`` names; where nobody names one, the default must be the one that the state is of."""
    if value is None and not names_organisation():
        from opsmetrics.snapshots.ownership import refuse_state_of_another  # noqa: PLC0415 - help needs no DuckDB

        settings = Settings.from_env()
        refuse_state_of_another(settings, settings.org)
    return value


def org_option(command: CommandT) -> CommandT:
    """Add ``--org``, which the state must be of where nobody names one."""
    return click.option("--org", type=FOLDER, callback=_named_or_its_own, help=_ORG_HELP)(command)


def stateless_org_option(command: CommandT) -> CommandT:
    """Add ``--org`` to a command that neither reads nor writes state."""
    return click.option("--org", type=FOLDER, help=_ORG_HELP)(command)


def data_option(command: CommandT) -> CommandT:
    """Add ``--data``."""
    return click.option("--data", type=FOLDER, help="Folder that replaces `root` of sources.toml.")(command)


def json_option(command: CommandT) -> CommandT:
    """Add ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON value for scripts.")(command)


def strict_option(command: CommandT) -> CommandT:
    """Add ``--strict``."""
    return click.option("--strict", is_flag=True, help="Exit 1 on warnings too, not only on errors.")(command)


def language_option(command: CommandT) -> CommandT:
    """Add ``--lang``, as the argument ``language``."""
    kind = click.Choice(["nb", "en"])
    return click.option("--lang", "language", type=kind, help="Language (default: the organisation's).")(command)


def backups_option(command: CommandT) -> CommandT:
    """Add ``--from`` and ``--at``, which name a backup."""
    command = click.option("--at", help="Name of the backup (default: the newest).")(command)
    text = "Folder of the backups (default: OPSMETRICS_BACKUP)."
    return click.option("--from", "source", type=FOLDER, help=text)(command)


def settings_of(org: Path | None = None, data: Path | None = None, *, half_restored: bool = False) -> Settings:
    """Read the settings from the environment; what an option names replaces them.

    Args:
        org: What ``--org`` names.
        data: What ``--data`` names.
        half_restored: Whether the command may meet a state folder that a restore has not finished.

    Raises:
        HalfRestoredError: It may not, and there is one.
    """
    settings = Settings.from_env()
    if not half_restored:
        refuse_half_restored(settings.home)
    return replace(settings, org=org or settings.org, data=data or settings.data)


@contextmanager
def as_the_shell_says() -> Generator[None]:
    """Write a file that somebody asked for in a place of theirs: who may read it is theirs to say.

    A collector of another user, or a container, could not read what only the service's own group may.
    """
    context = click.get_current_context(silent=True)
    theirs = context.find_root().obj if context else None
    if theirs is None:
        yield
        return
    ours = os.umask(theirs)
    try:
        yield
    finally:
        os.umask(ours)


def echo_json(content: Any) -> None:
    """Print one JSON value on one line."""
    click.echo(json.dumps(content, ensure_ascii=False))
