"""The header of a ``.sql`` file: TOML in its leading ``--`` lines, a line of the file for each line of TOML."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from opsmetrics.core.toml_text import TooDeepError, bounded_toml


class HeaderError(ValueError):
    """A header that is missing or is no TOML.

    Attributes:
        line: 1-based line of the file, or None where it is not known.
        said: What the parser of TOML says of it, where it is one.
    """

    def __init__(self, message: str, line: int | None, said: str | None = None) -> None:
        self.line, self.said = line, said
        super().__init__(message)


def header_text(text: str) -> str:
    """Return the TOML of a file's header; empty where it has none."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line[2:].removeprefix(" "))
    return "\n".join(lines)


def read_header(text: str) -> dict[str, Any]:
    """Return the header of a file.

    Raises:
        HeaderError: There is none, or it is not valid TOML.
    """
    header = header_text(text)
    if not header:
        raise HeaderError('the header is missing; start with lines such as -- title = "..."', 1)
    try:
        return bounded_toml(header)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        raise HeaderError(f"the header is not valid TOML: {error}", int(at[1]) if at else None, str(error)) from error
    except RecursionError as error:
        raise HeaderError("the header is not valid TOML: brackets within brackets without end", None) from error
    except ValueError as error:
        said = str(error) if isinstance(error, TooDeepError) else "a value such as a number without end"
        raise HeaderError(f"the header is not valid TOML: {said}", None) from error
