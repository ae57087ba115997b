"""A group of commands whose modules are imported when one is called, so that ``opsmetrics --help`` is immediate."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from opsmetrics.cli.options import EXIT_WRONG
from opsmetrics.core.errors import (
    OTHER_SHAPE,
    FolderGoneError,
    OpsMetricsError,
    PlaceError,
    is_no_place,
    is_refusal,
    refused,
)
from opsmetrics.core.extras import missing_extra
from opsmetrics.core.parts import reach_parts


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is, and what the list of commands says of it.

    Attributes:
        name: As people type it.
        module: Module of ``opsmetrics.cli``.
        attribute: Name of the command in that module.
        summary: First sentence of the command's own help.
    """

    name: str
    module: str
    attribute: str
    summary: str

    def load(self) -> click.Command:
        """Import the module and return the command.

        Raises:
            TypeError: The attribute is no command.
        """
        reach_parts()
        found = getattr(importlib.import_module(f"opsmetrics.cli.{self.module}"), self.attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"opsmetrics.cli.{self.module}.{self.attribute} is not a command")
        return found


# What DuckDB says where Ctrl-C reached it in the middle of a statement.
_INTERRUPTED = "Query interrupted"
# Commands whose SQL reads a snapshot that an older or newer version may have written.
_READING = {"results", "health", "export", "digest", "brief", "preview", "backtest"}


def _is_other_shape(ctx: click.Context, error: Exception) -> bool:
    """Whether a command that reads a snapshot found no table or column of a name; DuckDB is not imported for it."""
    return ctx.invoked_subcommand in _READING and type(error).__name__ in {"CatalogException", "BinderException"}


def _said(ctx: click.Context, error: Exception) -> object | None:
    """What to say of an error, or None where it is click's own or a fault of ours."""
    said: object | None = None
    match error:
        case click.ClickException():
            pass
        case OpsMetricsError():
            said = error
        case ModuleNotFoundError():
            said = missing_extra(error)
        case FileNotFoundError() if error.filename is None:
            # What asks for the folder that it works in, such as for the whole path of a relative one.
            said = FolderGoneError()
        case OSError() if is_no_place(error):
            said = PlaceError(error)
        case _ if _is_other_shape(ctx, error):
            said = OTHER_SHAPE
        case _ if is_refusal(error):
            # Of the disk, or of a library that says what the system said.
            said = refused(error)
        case _:
            pass
    return said


class LazyGroup(click.Group):
    """Imports a command when it is called; shows our own errors as text and exit code 1, never as a traceback."""

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the list."""
        del ctx
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None where there is none of this name."""
        del ctx
        return self._lazy[cmd_name].load() if cmd_name in self._lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their summaries: nothing is imported for that."""
        named = [click.Command(name, help=command.summary) for name, command in self._lazy.items()]
        click.Group(commands=named).format_commands(ctx, formatter)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """What is answered before a command runs, such as ``--help``, may meet a full disk too."""
        try:
            return super().make_context(*args, **kwargs)
        except OSError as error:
            if not is_refusal(error):
                raise
            click.echo(f"error: {refused(error)}", err=True)
        sys.exit(EXIT_WRONG)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours, or a disk that refuses, is one text."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, RuntimeError) and str(error) == _INTERRUPTED:
                raise click.Abort from None
            said = _said(ctx, error)
            if said is None:
                raise
            click.echo(f"error: {said}", err=True)
        sys.exit(EXIT_WRONG)
