"""What every staging file does, for all streams: only loads that count, and of each key the row known last."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from opsmetrics.streams import STREAMS, Column, Stream

DAY = date(2026, 8, 30)
VALUES = {
    "text": ("old", "new"),
    "integer": (1, 2),
    "number": (0.25, 0.5),
    "boolean": (False, True),
    "timestamp": (datetime(2026, 8, 30, 8, tzinfo=UTC), datetime(2026, 8, 30, 9, tzinfo=UTC)),
    "date": (DAY, date(2026, 8, 31)),
}
SPANNING = ("alerts", "oncall_shifts")
KEYS = {"text": "k", "integer": 7, "timestamp": datetime(2026, 8, 30, 7, tzinfo=UTC), "date": DAY}
OTHER_KEYS = {"text": "l", "integer": 8, "timestamp": datetime(2026, 8, 30, 6, tzinfo=UTC), "date": date(2026, 8, 29)}


def told_by(stream: Stream) -> Column:
    """A column that shows which of two rows was kept."""
    return next(column for column in stream.columns if column.name not in stream.key)


def land(con, stream: Stream, load: str, line: int, value: object, other: str | None = None) -> None:
    """One raw row of the same key, but for the column ``other``, and with one column that is no key."""
    row = {name: (OTHER_KEYS if name == other else KEYS)[stream.column(name).type] for name in stream.key}
    row |= {told_by(stream).name: value, "_day": DAY, "_line": line, "_load_id": load}
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    con.execute(f'insert into raw."{stream.name}" ({names}) values ({marks})', list(row.values()))


def count_in(con, stream: Stream, loads: list[str]) -> None:
    """Let these loads count, the later the newer: of different sources, as two loads of one source never do."""
    for number, load in enumerate(loads, start=1):
        con.execute(
            "insert into meta.loads by name select $1 as stream, $2 as origin, $2 as load_id, $3 as sequence, [] as untold",
            [stream.name, load, number],
        )
        if stream.is_register:
            con.execute(
                "insert into meta.register_loads by name"
                " select $1 as stream, $2 as origin, $2 as load_id, true as is_complete, $3 as sequence",
                [stream.name, load, number],
            )
        else:
            con.execute(
                "insert into meta.load_days by name"
                " select $1 as stream, $2 as origin, $3::date as day, $2 as load_id, true as is_complete, $4 as sequence",
                [stream.name, load, DAY, number],
            )


def kept(con, context, stream: Stream) -> list[tuple]:
    text = context.files[f"staging.{stream.name}"].text
    return con.execute(f'select "{told_by(stream).name}", day from ({text}) order by 1').fetchall()


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)
def test_only_loads_that_count(warehouse, context, stream):
    old, new = VALUES[told_by(stream).type]
    land(warehouse, stream, "load-2", 1, new)
    land(warehouse, stream, "load-1", 1, old)
    assert kept(warehouse, context, stream) == []
    count_in(warehouse, stream, ["load-1"])
    assert kept(warehouse, context, stream) == [(old, DAY)]


# Checks are too many to be compared; one that two sources bring stands twice and changes no state.
@pytest.mark.parametrize(
    "stream", [stream for stream in STREAMS.values() if stream.name != "availability_checks"], ids=lambda s: s.name
)
def test_of_each_key_the_row_known_last(warehouse, context, stream):
    old, new = VALUES[told_by(stream).type]
    land(warehouse, stream, "load-2", 1, new)
    land(warehouse, stream, "load-1", 2, old)
    count_in(warehouse, stream, ["load-1", "load-2"])
    assert kept(warehouse, context, stream) == [(new, DAY)]


@pytest.mark.parametrize(
    "stream", [stream for stream in STREAMS.values() if stream.name != "availability_checks"], ids=lambda s: s.name
)
def test_the_number_of_a_load_decides_and_not_the_clock_in_its_id(warehouse, context, stream):
    old, new = VALUES[told_by(stream).type]
    land(warehouse, stream, "20990101T000000Z", 1, old)
    land(warehouse, stream, "20260101T000000Z", 2, new)
    count_in(warehouse, stream, ["20990101T000000Z", "20260101T000000Z"])
    assert kept(warehouse, context, stream) == [(new, DAY)]


@pytest.mark.parametrize("stream", [s for s in STREAMS.values() if s.ends], ids=lambda s: s.name)
def test_what_several_days_tell_of_a_lasting_row_is_one_row(warehouse, context, stream):
    """The first day tells how it ended, a later one does not, and the later one was landed first."""
    early, late = VALUES["timestamp"]
    end = stream.ends[0]
    for number, (day, began, ended) in enumerate(((date(2026, 8, 31), late, None), (DAY, early, late)), start=1):
        row = {name: KEYS[stream.column(name).type] for name in stream.key}
        row |= {} if stream.time in stream.key else {stream.time: began}
        row |= {end: ended, "_day": day, "_line": 1, "_load_id": f"load-{number}"}
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
        warehouse.execute(f'insert into raw."{stream.name}" ({names}) values ({marks})', list(row.values()))
        warehouse.execute(
            "insert into meta.load_days by name"
            " select $1 as stream, 'files' as origin, $2::date as day, $3 as load_id, true as is_complete, $4 as sequence",
            [stream.name, day, f"load-{number}", number],
        )
        warehouse.execute(
            "insert into meta.loads by name select $1 as stream, $2 as load_id, $3::date as window_end, [] as untold",
            [stream.name, f"load-{number}", day],
        )
    # Of a page and a shift the earliest start counts; of others the one that the latest delivery tells, with its day.
    began = KEYS["timestamp"] if stream.time in stream.key else {True: early, False: late}[stream.name in SPANNING]
    text = context.files[f"staging.{stream.name}"].text
    assert warehouse.execute(f'select "{stream.time}", "{end}", day from ({text})').fetchall() == [
        (began, late, DAY if began != late else date(2026, 8, 31))
    ]


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)
def test_rows_that_differ_in_one_column_of_the_key_both_stay(warehouse, context, stream):
    old, new = VALUES[told_by(stream).type]
    land(warehouse, stream, "load-1", 1, old)
    for line, column in enumerate(stream.key, start=2):
        land(warehouse, stream, "load-1", line, new, other=column)
    count_in(warehouse, stream, ["load-1"])
    assert kept(warehouse, context, stream) == sorted([(old, DAY)] + [(new, DAY)] * len(stream.key))


@pytest.mark.parametrize(
    "stream", [stream for stream in STREAMS.values() if any(c.or_none for c in stream.columns)], ids=lambda s: s.name
)
def test_a_row_carries_what_its_source_cannot_tell(warehouse, context, stream):
    land(warehouse, stream, "load-1", 1, VALUES[told_by(stream).type][0])
    count_in(warehouse, stream, ["load-1"])
    names = [column.name for column in stream.columns if column.or_none]
    warehouse.execute("update meta.loads set untold = $1", [names])
    text = context.files[f"staging.{stream.name}"].text
    assert warehouse.execute(f"select untold from ({text})").fetchall() == [(names,)]
