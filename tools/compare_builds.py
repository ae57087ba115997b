"""Prove that a change of the code changed no number: build the demo with two checkouts and compare every table.

Run from anywhere, with two checkouts in which ``make demo`` or ``make test`` has made the virtual environment::

    python -m tools.compare_builds ../before . --from-files

or with two snapshots that exist: ``python -m tools.compare_builds --snapshots before.duckdb after.duckdb``. Every
table and view is compared: columns, types, and rows as multisets. Exit code 1 where anything differs that is not named
in ``MAY_DIFFER``; tables and columns that only the second one has are listed, and are no difference.
Does not belong here: whether the numbers are right (tests, the simulator's own arithmetic).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

# Columns that tell about the code or hold its text, and so differ whenever the code does.
MAY_DIFFER: dict[str, str] = {
    "meta.build.build_id": "digest over code, SQL and configuration",
    "meta.built_scores.shared": "digest of rules and code",
    "meta.built_tables.inputs": "digest over code, SQL and what it reads",
    "meta.built_tables.content": "digest over rows that hold what is listed here",
    "meta.build.code_version": "version of the code",
    "meta.loads.code_version": "version of the code",
    "meta.loads.loaded_at": "pulled when the comparison ran",
    "meta.loads.load_id": "begins with loaded_at, ends with a digest of the contract's form",
    "meta.loads.path": "lies in the state folder of each build",
    "meta.loads.checksum": "over a file that holds loaded_at and the version of the code",
    "meta.metrics.sql": "text of the SQL",
    "meta.metrics.evidence_sql": "text of the SQL",
    "meta.unscored.sql": "text of the SQL",
}
_TABLES = """
    select schema_name || '.' || table_name, column_name, data_type
    from duckdb_columns() where database_name = $1 and not internal order by all
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """How one table differs.

    Attributes:
        table: Schema and name.
        said: What differs, in words.
    """

    table: str
    said: str

    def __str__(self) -> str:
        return f"{self.table}: {self.said}"


def build(checkout: Path, home: Path, *, from_files: bool) -> Path:
    """Build the demo with a checkout's own environment and return its snapshot.

    Raises:
        SystemExit: The checkout has no environment, or its build failed.
    """
    command = [str(checkout.resolve() / ".venv" / "bin" / "opsmetrics"), "demo", "--no-app"]
    if not Path(command[0]).exists():
        raise SystemExit(f"{command[0]} is missing; run `make demo` in {checkout} first")
    if from_files:
        command.append("--from-files")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPSMETRICS_")}
    done = subprocess.run(  # noqa: S603 - the command line of the checkout that the caller named
        command, cwd=checkout, env=environment | {"OPSMETRICS_HOME": str(home)}, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"the demo of {checkout} ended with {done.returncode}")
    pointer = json.loads((home / "snapshots" / "current.json").read_text(encoding="utf-8"))
    return home / "snapshots" / pointer["file"]


def columns(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Return table -> column -> type of an attached snapshot."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(_TABLES, [database]).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def compare(before: Path, after: Path) -> tuple[list[Difference], list[str], int]:
    """Compare two snapshots.

    Returns:
        Differences, names of tables and columns that only the second has, and how many tables were compared.
    """
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for name, path in (("before", before), ("after", after)):
            con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {name} (read_only)")
        old, new = columns(con, "before"), columns(con, "after")
        added = [table for table in new if table not in old]
        added += [f"{table}.{column}" for table in old for column in new.get(table, {}) if column not in old[table]]
        differences = [Difference(table, "is gone") for table in old if table not in new]
        shared = [table for table in old if table in new]
        for table in shared:
            said = _compare(con, table, old[table], new[table])
            if said:
                differences.append(Difference(table, said))
    return differences, sorted(added), len(shared)


def _compare(con: duckdb.DuckDBPyConnection, table: str, old: dict[str, str], new: dict[str, str]) -> str | None:
    gone = [column for column in old if column not in new]
    if gone:
        return f"lost {', '.join(gone)}"
    retyped = [f"{column} {old[column]} -> {new[column]}" for column in old if old[column] != new[column]]
    if retyped:
        return f"changed types: {', '.join(retyped)}"
    chosen = [column for column in old if f"{table}.{column}" not in MAY_DIFFER]
    # Views read tables by schema and name, so each side is asked from inside its own database.
    counts: list[int] = []
    names = ", ".join(f'"{column}"' for column in chosen)
    for database in ("before", "after"):
        con.execute(f"use {database}")
        con.execute(f"create or replace temp table {database}_rows as select {names} from {table}")
    con.execute("use memory")
    for left, right in (("before", "after"), ("after", "before")):
        ((count,),) = con.execute(
            f"select count(*) from (from temp.{left}_rows except all from temp.{right}_rows)"
        ).fetchall()
        counts.append(count)
    return f"{counts[0]} rows only before, {counts[1]} only after" if any(counts) else None


def main() -> None:
    """Compare, print what differs, and end with 1 where anything does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--snapshots", action="store_true", help="the two are snapshots, not checkouts")
    parser.add_argument("--from-files", action="store_true", help="build the demo from files, without servers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        pair = (asked.before, asked.after)
        if not asked.snapshots:
            pair = tuple(
                build(checkout, Path(folder) / name, from_files=asked.from_files)
                for name, checkout in zip(("before", "after"), pair, strict=True)
            )
        differences, added, count = compare(*pair)
    for difference in differences:
        sys.stdout.write(f"DIFFERS {difference}\n")
    for name in added:
        sys.stdout.write(f"added   {name}\n")
    sys.stdout.write(f"{count} tables compared, {len(differences)} differ, {len(added)} tables or columns added\n")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
