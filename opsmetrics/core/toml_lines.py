"""On which line of a TOML file a key stands: tomllib keeps no positions (ADR 0004)."""

from __future__ import annotations

import re
from collections.abc import Sequence


def toml_line(text: str, path: Sequence[str | int]) -> int | None:
    """Find the line of a key path in TOML text: the deepest part of the path that can be found.

    tomllib keeps no positions and no maintained parser that does was found (ADR 0004), so this looks for
    the n-th ``[[table]]`` and then for the key below it.
    """
    # The header of a SQL file is TOML behind two dashes, which begin no line of TOML.
    lines = [line.removeprefix("--").removeprefix(" ") for line in text.splitlines()]
    start, found = 0, None
    for position, part in enumerate(path):
        if isinstance(part, int):
            continue
        number = path[position + 1] if position + 1 < len(path) and isinstance(path[position + 1], int) else None
        header = re.compile(rf"^\s*\[\[?\s*{re.escape(part)}\s*\]?\]")
        headers = [i for i, line in enumerate(lines) if header.match(line)]
        if headers and position == 0:
            start = headers[int(number or 0)] if int(number or 0) < len(headers) else headers[0]
            found = start
            continue
        dotted = r"\s*\.\s*".join(re.escape(str(name)) for name in path[: position + 1] if isinstance(name, str))
        below = [i for i in range(start, len(lines)) if re.match(rf"\s*\[\s*{dotted}\s*\]", lines[i])]
        if below and number is None:  # a table of its own, such as [handbook.sections]
            start = found = below[0]
            continue
        key = re.compile(rf"(^|[{{,.\s]){re.escape(part)}\s*=")
        for i in range(start, len(lines)):
            if i > start and lines[i].lstrip().startswith("["):
                break
            if key.search(lines[i].split("#", 1)[0]):
                start = found = _item(lines, i, int(number or 0))
                break
    return None if found is None else found + 1


def _item(lines: Sequence[str], first: int, number: int) -> int:
    """Return the line on which an item of a list of inline tables begins; that of the list where there is none."""
    seen = -1
    for place in range(first, len(lines)):
        if place > first and lines[place].lstrip().startswith("["):
            break
        seen += lines[place].split("#", 1)[0].count("{")
        if seen >= number:
            return place
    return first
