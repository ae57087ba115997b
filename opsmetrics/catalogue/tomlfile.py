"""A TOML file beside the SQL files, read with its faults in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.toml_text import TomlError, toml_table


def toml_of(path: Path) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        ConfigurationError: It is no TOML, or no UTF-8; with line and fix.
    """
    return read_toml(path)[1]


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a file, for the lines of its keys, and what it says.

    Raises:
        ConfigurationError: It is no TOML, or no UTF-8; with line and fix.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, toml_table(text)
    except UnicodeDecodeError as error:
        problem = Problem(str(path), None, "the file is not UTF-8", "save it as UTF-8 and try again")
        raise ConfigurationError([problem]) from error
    except TomlError as error:
        raise ConfigurationError([Problem(str(path), error.line, error.message, error.fix)]) from error
