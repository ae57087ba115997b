"""A snapshot of 500 teams and three years, copied from the demo's: for speed and layout, never for its numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb

from opsmetrics.snapshots.store import current

COPIES = 36  # of the demo's 14 teams: 504
MONTHS = 16  # of history in the demo; copied back twice, it is more than three years
_HISTORY = ("scores.team", "scores.area", "scores.metric", "scores.gap")


def large_snapshot(home: Path, target: Path) -> Path:
    """Write a large snapshot as the current one of another state folder and return its path.

    Args:
        home: State folder with the demo's snapshot.
        target: State folder to write to.
    """
    source = current(home / "snapshots")
    folder = target / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / source.path.name
    shutil.copyfile(source.path, path)
    with duckdb.connect(path) as con:
        con.execute("set timezone = 'UTC'")
        for table in _HISTORY:
            con.execute(
                f"insert into {table} select * exclude (n) replace (as_of - n * interval {MONTHS} month as as_of)"
                f" from {table}, range(1, 3) as years (n) where grain = 'month'"
            )
        con.execute(
            f"""insert into ref.as_of select * exclude (n) replace (
                    as_of - n * interval {MONTHS} month as as_of,
                    period_starts_at - n * interval {MONTHS} month as period_starts_at,
                    cast("on" - n * interval {MONTHS} month as date) as "on",
                    strftime("on" - n * interval {MONTHS} month, '%Y-%m') as label)
                from ref.as_of, range(1, 3) as years (n) where grain = 'month'"""
        )
        tables = con.execute(
            """select schema_name, table_name from duckdb_columns()
               where column_name = 'team_id' and schema_name in ('scores', 'ref', 'marts')
                   and (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"""
        ).fetchall()
        for schema, table in tables:
            names = ""
            if (schema, table) == ("ref", "teams"):
                names = "".join(f", name_{code} || ' ' || copied as name_{code}" for code in ("nb", "en"))
            con.execute(
                f"""insert into {schema}.{table}
                    select * exclude (copied) replace (team_id || '-' || copied as team_id{names})
                    from {schema}.{table}, range(1, {COPIES}) as copies (copied)"""
            )
        con.execute("checkpoint")
    pointer = json.loads((home / "snapshots" / "current.json").read_text(encoding="utf-8"))
    changed = pointer | {"size": path.stat().st_size}
    (folder / "current.json").write_text(json.dumps(changed), encoding="utf-8")
    return path
