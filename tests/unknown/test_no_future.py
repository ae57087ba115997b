"""Nothing that is dated after an instant moves what is said about it: rows and dates from then on are taken away."""

from __future__ import annotations

from datetime import datetime

import pytest

from opsmetrics.streams import STREAMS, Stream
from tests.unknown.rebuilding import Warehouse

# Dates of what is planned or promised: they are known before they come.
PLANNED = {
    **{key: {"first_due_at"} for key in ("action_items", "maintenance_tasks", "findings")},
    "oncall_shifts": {"ends_at"},
    "expiries": {"expires_at"},
    "eol_dates": {"eol_on"},
}
# When a row begins to exist, where it is not the stream's own time.
BEGINS = {
    "action_items": "created_at",
    "assessments": "approved_at",
    "documents": "reviewed_at",
    "findings": "found_at",
    "load_tests": "tested_at",
    "restore_tests": "requested_at",
}
CUTS = ("2026-03-31", "2026-06-30", "2026-08-31")


def later(stream: Stream, column: str, at: datetime, on: str) -> str | None:
    """Condition that a column's date has not come at an instant."""
    kind = stream.column(column).type
    if kind == "timestamp":
        return f"{column} >= '{at.isoformat()}'::timestamptz"
    return f"{column} > date '{on}'" if kind == "date" else None


def cut(stream: Stream, at: datetime, on: str) -> list[str]:
    """Statements that take away what is dated after an instant."""
    begins = BEGINS.get(stream.name, stream.time)
    statements: list[str] = []
    if begins is not None and (condition := later(stream, begins, at, on)):
        statements.append(f"delete from staging.{stream.name} where {condition}")
    for column in stream.columns:
        if column.required or column.name in {begins, *PLANNED.get(stream.name, ())}:
            continue
        if condition := later(stream, column.name, at, on):
            statements.append(f"update staging.{stream.name} set {column.name} = null where {condition}")
    return statements


def cut_configuration(at: datetime, on: str) -> dict[str, list[str]]:
    """Table of the configuration -> statements that take away what was decided after an instant."""
    instant, day = f"'{at.isoformat()}'::timestamptz", f"date '{on}'"
    found = {
        "ref.services": [f"update ref.services set last_major_change_on = null where last_major_change_on > {day}"],
        "ref.maintenance_windows": [f"delete from ref.maintenance_windows where registered_at >= {instant}"],
        "ref.waivers": [f"delete from ref.waivers where valid_from > {day}"],
    }
    for name in ("slos", "service_owners", "oncall_duties"):
        found[f"ref.{name}"] = [
            f"delete from ref.{name} where valid_from_at >= {instant}",
            f"update ref.{name} set valid_to_at = 'infinity' where valid_to_at > {instant}",
        ]
    return found


@pytest.mark.parametrize("on", CUTS)
def test_what_comes_later_moves_nothing(on: str, whole_warehouse: Warehouse):
    con, context = whole_warehouse.con, whole_warehouse.context
    ((at,),) = con.execute("""select as_of from ref.as_of where grain = 'month' and "on" = $1""", [on]).fetchall()
    streams = [stream for stream in STREAMS.values() if stream.name != "secure_scores"]
    configuration = cut_configuration(at, on)
    statements = [statement for stream in streams for statement in cut(stream, at, on)]
    statements += [statement for parts in configuration.values() for statement in parts]
    tables = [
        *(metric.file.table for metric in context.catalogue.metrics),
        *(gate.file.table for gate in context.catalogue.gates),
        *(item.file.table for item in context.catalogue.unscored),
    ]
    for table in tables:
        con.execute(f"create or replace temp table before_{table.replace('.', '_')} as select * from {table}")
    # Both sides say what stood at the end of the day: the weeks, months and tertials that had ended by then.
    until = f"as_of <= '{at.isoformat()}'::timestamptz"
    changed = [*(f"staging.{stream.name}" for stream in streams), *configuration]
    wrong, moved = [], []
    with whole_warehouse.change(*statements, changed=changed):
        for table in tables:
            sides = (f"select * from temp.before_{table.replace('.', '_')}", f"select * from {table}")
            for first, second in (sides, sides[::-1]):
                found = con.execute(
                    f"select * from ({first}) where {until} except select * from ({second}) where {until} limit 2"
                ).fetchall()
                wrong += [f"{table}: {row}" for row in found]
            later = f"select * from ({{}}) where as_of > '{at.isoformat()}'::timestamptz"
            moved += con.execute(f"{later.format(sides[0])} except {later.format(sides[1])} limit 1").fetchall()
    assert wrong == []
    # What was taken away matters to what was said afterwards.
    assert len(moved) > len(tables) / 2
