r"""Regular expressions of Alertmanager and Grafana, read as they read them: RE2, which Go has and DuckDB brings.

Python reads some of them otherwise (``[[:digit:]]``, ``\pL``, ``(?i)`` in the middle), and some for ever: ``(a+)+``
takes centuries over forty letters, and whoever may write a silence may write that.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

import duckdb

# A pattern is compiled once; of what is longer nothing is known.
_LONGEST = 10_000
# Most patterns are a name, or several of which one is meant: these need no machine.
_NAMES = re.compile(r"[\w /:@-]*(?:\|[\w /:@-]*)*")


@lru_cache(maxsize=65_536)
def fits(pattern: str, text: str) -> bool | None:
    """Whether a pattern fits a whole text; None for one that Go does not read either."""
    if len(pattern) > _LONGEST or len(text) > _LONGEST:
        return None
    if _NAMES.fullmatch(pattern) is not None:
        return text in pattern.split("|")
    try:
        with _database(os.getpid()).cursor() as con:
            found = con.execute("select regexp_full_match($1, $2)", [text, pattern]).fetchone()
    except (duckdb.Error, UnicodeError):
        return None
    return bool(found[0]) if found else None


@lru_cache(maxsize=1)
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """One a process: a process that was forked from another one has none of its threads."""
    return duckdb.connect(":memory:", config={"threads": 1})
