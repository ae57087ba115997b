"""A TOML file beside the SQL files, read with its faults in plain words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from opsmetrics.core import words
from opsmetrics.core.errors import ConfigurationError, Problem


def toml_of(path: Path) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        ConfigurationError: It is no TOML, or no UTF-8; with line and fix.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(str(path), None, "the file is not UTF-8", "save it as UTF-8 and try again")
        raise ConfigurationError([problem]) from error
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line, message, fix = words.of_toml(str(error), text)
        raise ConfigurationError([Problem(str(path), line, f"no valid TOML: {message}", fix)]) from error
