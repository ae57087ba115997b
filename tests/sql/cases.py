"""Where the SQL cases lie and which table each is about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# Tables that Python makes of rows that a case gives.
BY_PYTHON = ("scores.goal_effect",)
CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/*/expect.csv"))


def table_of(case: Path, tables: Iterable[str]) -> str:
    """The table that a case is about.

    The folder bears the table's name, with the schema before it for staging: facts bear the same names.

    Raises:
        LookupError: There is no such table.
    """
    name = case.parent.name
    found = [
        table
        for table in (*tables, *BY_PYTHON)
        if name == table or (name == table.split(".")[1] and not table.startswith("staging."))
    ]
    if not found:
        raise LookupError(f"{case}: there is no table {name}; name the folder after a file of sql/ (staging.<name>)")
    return found[0]
