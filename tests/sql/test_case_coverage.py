"""Every table that SQL makes has a case; staging files that all say the same share theirs."""

from __future__ import annotations

import re
from pathlib import Path

from opsmetrics.catalogue.sqlfile import SqlFile, load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.streams import STREAMS
from tests.sql.cases import CASES, table_of

FILES = load_all(default_sql_root())
COVERED = {table_of(case, FILES) for case in CASES}


def form(file: SqlFile) -> str:
    """The text of a staging file without what differs by contract: the stream's name and its key."""
    stream = STREAMS[file.name]
    body = "\n".join(line for line in file.text.splitlines() if not line.startswith("--"))
    # Streams whose empty values say one thing alone need not tell what their sources cannot tell.
    body = body.replace("* exclude (untold)", "*")
    column = rf"(?:r\.)?(?:{'|'.join((*stream.key, str(stream.time), '_day'))})\b"
    body = re.sub(rf"{column}(?:,\s*{column})*", "<key>", body)
    body = re.sub(r"\(\s*<key>\s*\)", "<key>", body)
    body = re.sub(r"<key>(?:,\s*<key>)+", "<key>", body)
    return " ".join(re.sub(rf"\b{stream.name}\b", "<stream>", body).replace("(", "( ").replace(")", " )").split())


def test_every_table_has_a_case():
    missing = {table for table, file in FILES.items() if file.schema != "staging" or file.name not in STREAMS} - COVERED
    assert missing == set(), "add tests/sql/<table>/<rule>/ with given.<schema>.<table>.csv and expect.csv"


def test_no_test_stands_among_the_cases():
    """Nobody would find it (``conftest``)."""
    assert list(Path(__file__).parent.glob("*/**/*.py")) == []


def test_every_form_of_a_staging_file_has_a_case():
    """What a staging file does beyond the others makes a form of its own, and so needs a case of its own."""
    forms: dict[str, set[str]] = {}
    for table, file in FILES.items():
        if file.schema == "staging" and file.name in STREAMS:
            forms.setdefault(form(file), set()).add(table)
    assert [sorted(tables) for tables in forms.values() if not tables & COVERED] == []
    # The rule sees a difference: not every file says the same, and a changed file would stand alone.
    assert 1 < len(forms) < len([file for file in FILES.values() if file.schema == "staging"]) / 4
