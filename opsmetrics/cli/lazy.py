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
    MemoryRefusedError,
    OpsMetricsError,
    PlaceError,
    StorageError,
    is_no_place,
    is_refusal,
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
            click.echo(f"error: {StorageError(error)}", err=True)
        sys.exit(EXIT_WRONG)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours, or a disk that refuses, is one text."""
        try:
            return super().invoke(ctx)
        except OpsMetricsError as error:
            click.echo(f"error: {error}", err=True)
        except ModuleNotFoundError as error:
            told = missing_extra(error)
            if told is None:
                raise
            click.echo(f"error: {told}", err=True)
        except MemoryError:
            click.echo(f"error: {MemoryRefusedError()}", err=True)
        except Exception as error:
            if isinstance(error, RuntimeError) and str(error) == _INTERRUPTED:
                raise click.Abort from None
            if _is_other_shape(ctx, error):
                click.echo(f"error: {OTHER_SHAPE}", err=True)
                sys.exit(EXIT_WRONG)
            if isinstance(error, OSError) and is_no_place(error):
                click.echo(f"error: {PlaceError(error)}", err=True)
                sys.exit(EXIT_WRONG)
            # Of the disk, or of a library that says what the system said.
            if isinstance(error, click.ClickException) or not is_refusal(error):
                raise
            click.echo(f"error: {StorageError(error)}", err=True)
        sys.exit(EXIT_WRONG)
