"""TOML that people write, read with its faults in plain words."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from opsmetrics.core import words

# The parser takes the square of a name's parts: minutes for a line of some kilobytes.
_DEEP = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")


class TooDeepError(ValueError):
    """A name has a hundred parts and more."""


def bounded_toml(text: str) -> dict[str, Any]:
    """Return what a text says, as Python's parser does, but in no more time than its length asks for.

    Raises:
        TooDeepError: A name has too many parts.
        ValueError: It is no TOML, or holds a number of thousands of digits.
        RecursionError: Brackets within brackets without end.
    """
    if _DEEP.search(text) is not None:
        raise TooDeepError("a name of a hundred parts")
    return tomllib.loads(text)


class TomlError(Exception):
    """A text is no TOML.

    Attributes:
        line: Where, or None where the parser does not tell.
        message: What is wrong.
        fix: What to do.
    """

    def __init__(self, line: int | None, message: str, fix: str) -> None:
        """Keep what is told of it."""
        super().__init__(message)
        self.line, self.message, self.fix = line, message, fix


def toml_table(text: str) -> dict[str, Any]:
    """Return what a text says.

    Raises:
        TomlError: It is no TOML.
    """
    try:
        return bounded_toml(text)
    except TooDeepError as error:
        raise TomlError(None, f"no valid TOML: {error}", "write shorter names") from error
    except tomllib.TOMLDecodeError as error:
        line, message, fix = words.of_toml(str(error), text)
        raise TomlError(line, f"no valid TOML: {message}", fix) from error
    except RecursionError as error:
        raise TomlError(None, "no valid TOML: brackets within brackets without end", "correct the syntax") from error
    except ValueError as error:
        # What the parser hands to Python, which has bounds of its own: a number of thousands of digits.
        message, fix = "no valid TOML: a value that cannot be read", "look for a number without end"
        raise TomlError(None, message, fix) from error
