"""Where a path leads."""

from __future__ import annotations

import re
from pathlib import Path


def followed(path: Path) -> Path:
    """Return where links lead; one that leads to itself leads nowhere, and stays what it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def pattern_of(path: str) -> str:
    """Return a pattern that a folder can be asked for: two stars beside other signs mean what one does."""
    return "/".join(part if part == "**" else re.sub(r"\*+", "*", part) for part in path.split("/"))
