"""Where a path leads."""

from __future__ import annotations

from pathlib import Path


def followed(path: Path) -> Path:
    """Return where links lead; one that leads to itself leads nowhere, and stays what it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
