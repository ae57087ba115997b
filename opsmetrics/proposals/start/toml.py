"""Values as they stand in TOML. Text by hand: comments and order are half of what is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path


def quoted(text: str) -> str:
    """Return a text as TOML writes it; JSON escapes the same signs."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(items: Iterable[str]) -> str:
    """Return texts as a list."""
    return "[" + ", ".join(quoted(item) for item in items) + "]"


def relative(target: Path, folder: Path) -> str:
    """Return a path as it is written in a folder: from there on where both lie near each other, else whole."""
    wanted, start = target.resolve(), folder.resolve()
    shared = os.path.commonpath((wanted, start))
    if len(Path(shared).parts) <= 2:
        return wanted.as_posix()
    return Path(os.path.relpath(wanted, start)).as_posix()
