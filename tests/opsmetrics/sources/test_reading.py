"""What files may hold, kind by kind, and what each is read as: a value, a reason, or one error; never a guess.

What the tests saw is the tables of ``docs/reading.md``: UPDATE_GOLDEN=1 writes it again.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.landing import PARTIAL, SILENT, Batch, land
from opsmetrics.organisation import StreamSource, load_organisation
from opsmetrics.sources import files
from opsmetrics.sources.contract import Judged, apply_contract, wanted
from opsmetrics.sources.forms import Zones
from opsmetrics.sources.notes import days_of
from opsmetrics.sources.tables import read_table
from opsmetrics.streams import STREAMS, Stream

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reading.md"
NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
HAPPENED = (date(2016, 7, 1), date(2026, 9, 4))
READ: list[tuple[str, str, str]] = []
TYPES: list[tuple[str, str, str]] = []
FILES: list[tuple[str, str]] = []

# Column -> cell of a CSV file -> the value it has, or a part of the reason that it has none.
GOOD_INSTANT = datetime(2026, 8, 1, 8, tzinfo=UTC)
INCIDENT_CELLS: dict[str, dict[str, Any]] = {
    "declared_at": {
        "2026-08-01T08:00Z": GOOD_INSTANT,
        "2026-08-01 08:00:00z": GOOD_INSTANT,
        "2026-08-01T10:00:00+02:00": GOOD_INSTANT,
        "2026-08-01 10:00:00.000000000 +0200": GOOD_INSTANT,
        "2026-08-01T10:00+02": GOOD_INSTANT,
        "2026-08-01 08:00:00 UTC": GOOD_INSTANT,
        "2026-08-01 08:00 GMT": GOOD_INSTANT,
        "2026-08-01T22:00:00+14:00": GOOD_INSTANT,
        "2026-07-31T20:00:00-12:00": GOOD_INSTANT,
        "2026-08-01T08:00:00": "no offset from UTC (set naive_time",
        "2026-08-01 08:00:00 PM": "a clock of 12 hours",
        "01:20 PM": "a clock of 12 hours",
        "2026-08-01 08:00 EST": "after the time that is no offset",
        "2026-08-01 09:00 America/New_York": "after the time that is no offset",
        "2026-08-01 08:00 banana": "after the time that is no offset",
        "2026-08-01T08:00:00+25:00": "not between -12:00 and +14:00",
        "2026-08-01T08:00:00+14:30": "not between -12:00 and +14:00",
        "2026-08-01T08:00:00-13:00": "not between -12:00 and +14:00",
        "46247.3333": "a day as a spreadsheet counts it: let its cells show dates, and save it again",
        "1785571200": "a number; epochs are not read",
        "1785571200000": "a number; epochs are not read",
        "2026-08-01": "a day without a time",
        "01.08.2026 08:00": "not written YYYY-MM-DD HH:MM",
        "8/1/2026 8:00": "not written YYYY-MM-DD HH:MM",
        "2026-08-01T24:00:00Z": "no instant",
        "2026-02-30T08:00:00Z": "no instant",
        "yesterday": "no instant",
        "9999-12-31T00:00:00Z": "not between 1990-01-01 and 2026-09-03",
        "2062-08-01T08:00:00Z": "not between 1990-01-01 and 2026-09-03",
        "1970-01-01T00:00:00Z": "not between 1990-01-01 and 2026-09-03",
        "": "declared_at: missing",
    },
    "severity": {
        " 1 ": 1,
        "+1": 1,
        "1.0": "no whole number",
        "1e0": "no whole number",
        "true": "no whole number",
        "0": "below 1",
        "5": "above 4",
        "99999999999999999999": "no whole number",
    },
    "is_data_loss": {
        "true": True,
        "FALSE": False,
        "1": True,
        "0": False,
        "yes": "neither true nor false",
        "2": "neither true nor false",
        "": None,
    },
}
CHECK_CELLS: dict[str, dict[str, Any]] = {
    "status": {
        "up": "=up",
        " Up ": "=up",
        "DOWN": "=down",
        "OK": "not one of up, down, degraded, unknown",
        "200": "not one of up, down, degraded, unknown",
    },
    "response_ms": {
        "12": 12.0,
        "1.5e3": 1500.0,
        "1,5": 1.5,
        "-0,125": -0.125,
        "1234,567": 1234.567,
        "1,234": "a number that may be read in two ways",
        "1,234,567": "no finite number",
        "1.234,5": "no finite number",
        "1_000": "no finite number",
        "10 ms": "no finite number",
        "inf": "no finite number",
        "nan": "no finite number",
        "1e999": "no finite number",
        "0x10": "no finite number",
    },
    "monitor_id": {
        "3.10": "=3.10",
        "10021": "=10021",
        "\u00a0web 1\u202f": "=web 1",
        "10021.0": "a number with a fraction",
        "1,78554E+12": "a number that a spreadsheet has rounded",
        "1.2e+18": "a number that a spreadsheet has rounded",
        "1e10": "=1e10",
        "a" * 4001: "longer than 4000 characters",
        "a\tb": "a line break or control character",
        "ba\u030at": "=b\u00e5t",
        "so\u00adft": "a sign in it that nobody sees",
        "web\u200b": "a sign in it that nobody sees",
        "\u202ebew": "a sign in it that nobody sees",
    },
}
DAY_CELLS = {
    "observed_on": {
        "2026-08-01": date(2026, 8, 1),
        "2026-08-01T00:00:00": "no date as YYYY-MM-DD",
        "01.08.2026": "no date as YYYY-MM-DD",
        "20260801": "no date as YYYY-MM-DD",
        "2026-02-29": "no date as YYYY-MM-DD",
    }
}
# What is due on a day is in time on all of it.
DUE_CELLS: dict[str, dict[str, Any]] = {
    "first_due_at": {
        "2026-08-31": datetime(2026, 8, 31, 21, 59, 59, tzinfo=UTC),
        " 2026-10-25 ": datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC),
        "2026-08-31T08:00Z": datetime(2026, 8, 31, 8, tzinfo=UTC),
        "2026-02-30": "no instant",
        "2026-08-31T08:00": "no offset from UTC (set naive_time",
        "31.08.2026": "not written YYYY-MM-DD HH:MM",
        "2062-08-31": "not between 1990-01-01 and",
    }
}
STREAM_CELLS = {
    "incidents": INCIDENT_CELLS,
    "availability_checks": CHECK_CELLS,
    "latency_daily": DAY_CELLS,
    "maintenance_tasks": DUE_CELLS,
}
ROWS: dict[str, dict[str, Any]] = {
    "incidents": {"service_id": "web", "severity": 1, "declared_at": "2026-08-01T08:00:00Z"},
    "availability_checks": {"monitor_id": "m", "status": "up"},
    "latency_daily": {"observed_on": "2026-08-01", "valid_count": 10, "fast_count": 9},
    "maintenance_tasks": {"team_id": "alfa"},
}
# Makes each row one of its own key.
OWN_KEY = {
    "incidents": "incident_id",
    "availability_checks": "checked_at",
    "latency_daily": "service_id",
    "maintenance_tasks": "task_id",
}


def judged(
    path: Path, stream: Stream, *, naive_time: str | None = None, columns: dict[str, str] | None = None
) -> Judged:
    names = columns or {}
    table = read_table(path, wanted(stream, names))
    zones = Zones(naive_time, "Europe/Oslo")
    return apply_contract(table, stream, columns=names, zones=zones, happened=HAPPENED, file=path)


def _key(stream: str, number: int) -> str:
    at = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(seconds=number)
    return at.isoformat() if stream == "availability_checks" else f"k{number}"


def _expected(found: Any, reason: str | None, wish: Any) -> bool:
    if isinstance(wish, str) and not wish.startswith("="):
        return reason is not None and wish in reason
    return reason is None and found == (wish.removeprefix("=") if isinstance(wish, str) else wish)


@pytest.mark.parametrize("stream", STREAM_CELLS)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_cell_is_read_in_a_known_form_or_set_aside(tmp_path, stream, kind):
    cells = [(column, cell, wish) for column, wishes in STREAM_CELLS[stream].items() for cell, wish in wishes.items()]
    rows = [
        ROWS[stream] | {OWN_KEY[stream]: _key(stream, number)} | {column: cell}
        for number, (column, cell, _) in enumerate(cells)
    ]
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pl.DataFrame([{name: str(value) for name, value in row.items()} for row in rows]).write_csv(path)
    frame = judged(path, STREAMS[stream]).frame
    for (column, cell, wish), row in zip(cells, frame.iter_rows(named=True), strict=True):
        assert _expected(row[column], row["_reason"], wish), (column, cell, wish, row[column], row["_reason"])
        if kind == "csv":
            said = row["_reason"].removeprefix(f"{column}: ") if row["_reason"] else _shown(row[column])
            READ.append((f"{STREAMS[stream].column(column).type} `{column}`", f"`{cell[:40]}`" if cell else "", said))


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"**{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}**"
    return "nothing" if value is None else f"**{str(value).lower() if isinstance(value, bool) else value}**"


@pytest.mark.parametrize(
    ("zone", "twice", "never", "once"),
    [
        ("Europe/Oslo", "2025-10-26 02:30", "2026-03-29 02:30", "2025-10-26 03:30"),
        ("Antarctica/Troll", "2025-10-26 01:30", "2026-03-29 01:30", "2025-10-26 03:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2025-10-05 02:15", "2026-04-05 02:15"),
        ("Africa/Lagos", None, None, "2025-10-26 02:30"),
    ],
)
def test_a_local_time_that_happened_twice_or_never_has_a_day_and_no_instant(tmp_path, zone, twice, never, once):
    cells = {"twice": twice, "never": never, "once": once}
    rows = {name: cell for name, cell in cells.items() if cell}
    path = tmp_path / "rows.csv"
    lines = [f"{name},web,1,{cell}\n" for name, cell in rows.items()]
    path.write_text("incident_id,service_id,severity,declared_at\n" + "".join(lines))
    frame = judged(path, STREAMS["incidents"], naive_time=zone).frame
    said = dict(zip(frame["incident_id"], frame["_reason"], strict=True))
    assert {name for name, reason in said.items() if reason} == rows.keys() - {"once"}
    assert "happened twice" in (said.get("twice") or "happened twice")
    assert "does not exist" in (said.get("never") or "does not exist")
    assert frame["_day"].null_count() == 0, "the other days of the file are not in doubt"


@pytest.mark.parametrize(
    ("stream", "column"),
    [(stream, column.name) for stream in STREAMS.values() for column in stream.columns if "_ratio" in column.name],
)
def test_a_share_in_percent_is_not_read_as_a_multiple(tmp_path, stream, column):
    row = _row(stream)
    path = tmp_path / "rows.csv"
    pl.DataFrame([row | {stream.key[0]: "a", column: "0.8"}, row | {stream.key[0]: "b", column: "80"}]).write_csv(path)
    share, percent = judged(path, stream).frame["_reason"]
    assert share is None
    assert "a share: 85 % is 0.85" in percent


@pytest.mark.parametrize(
    ("stream", "column"),
    [(stream, column.name) for stream in STREAMS.values() for column in stream.columns if column.most_days_ahead],
)
def test_a_due_date_of_a_mistyped_year_is_set_aside(tmp_path, stream, column):
    row = _row(stream)
    path = tmp_path / "rows.csv"
    cells = [{stream.key[0]: str(n), column: f"{2026 + n}-10-01T08:00:00Z"} for n in (0, 4, 36)]
    pl.DataFrame([row | cell for cell in cells]).write_csv(path)
    soon, later, mistyped = judged(path, stream).frame["_reason"].fill_null("")
    # What other columns of the same row make of it is another reason.
    assert f"{column}: not between" not in soon + later
    assert f"{column}: not between" in mistyped


def test_what_follows_a_local_time_is_not_dropped_either(tmp_path):
    cells = INCIDENT_CELLS["declared_at"]
    path = tmp_path / "rows.csv"
    rows = [f'i{number},web,1,"{cell}"\n' for number, cell in enumerate(cells)]
    path.write_text("incident_id,service_id,severity,declared_at\n" + "".join(rows))
    frame = judged(path, STREAMS["incidents"], naive_time="Europe/Oslo").frame
    for (cell, wish), at, reason in zip(cells.items(), frame["declared_at"], frame["_reason"], strict=True):
        if cell == "2026-08-01T08:00:00":
            assert (at, reason) == (datetime(2026, 8, 1, 6, tzinfo=UTC), None)
        else:
            assert _expected(at, reason, wish), (cell, at, reason)


JSON_CELLS = {
    "true for a number": ({"severity": True}, "severity: a Boolean where a whole number is expected"),
    "true for text": ({"service_id": True}, "service_id: a Boolean where text is expected"),
    "a list": ({"severity": [1]}, "severity: a list where a whole number is expected"),
    "an object": ({"service_id": {"id": "web"}}, "service_id: an object where text is expected"),
    "a number for an instant": ({"declared_at": 1785571200}, "a number; epochs are not read"),
    "NUL": ({"service_id": "a\0b"}, "service_id: text with a NUL character where text is expected"),
    "half a surrogate pair": ({"service_id": "\ud800"}, "half a surrogate pair"),
}


@pytest.mark.parametrize("case", JSON_CELLS)
def test_json_values_of_another_kind_are_reasons(tmp_path, case):
    cells, reason = JSON_CELLS[case]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS["incidents"] | {"incident_id": "a"} | cells) + "\n")
    (found,) = judged(path, STREAMS["incidents"]).frame["_reason"]
    assert reason in found
    TYPES.append(("JSON Lines", case, found.partition(": ")[2]))


def test_json_numbers_keep_their_spelling_and_keys_stand_once(tmp_path):
    path = tmp_path / "rows.jsonl"
    rest = '"service_id": "web", "severity": 1, "declared_at": "2026-08-01T08:00Z"}\n'
    path.write_text('{"incident_id": 3.10, ' + rest + '{"incident_id": "a", "incident_id": "b", ' + rest)
    frame = judged(path, STREAMS["incidents"]).frame
    assert frame["incident_id"].to_list() == ["3.10", None]
    assert frame["_reason"].to_list() == [None, "the key 'incident_id' stands twice"]


AT = [datetime(2026, 8, 1, 22, tzinfo=UTC)]
NAIVE = [datetime(2026, 8, 1)]  # noqa: DTZ001 - a timestamp without zone is the point
PARQUET = {
    "timestamp with zone, local midnight, for a day": ("latency_daily", {"observed_on": AT}, date(2026, 8, 2)),
    "timestamp with zone, another time, for a day": (
        "latency_daily",
        {"observed_on": [datetime(2026, 8, 1, tzinfo=UTC)]},
        "no midnight in Europe/Oslo",
    ),
    "timestamp without zone, midnight, for a day": ("latency_daily", {"observed_on": NAIVE}, date(2026, 8, 1)),
    "timestamp without zone, another time, for a day": (
        "latency_daily",
        {"observed_on": [NAIVE[0] + timedelta(hours=5)]},
        "no midnight",
    ),
    "date for a day": ("latency_daily", {"observed_on": [date(2026, 8, 1)]}, date(2026, 8, 1)),
    "integer for a day": ("latency_daily", {"observed_on": [20260801]}, "a number where a day is expected"),
    "timestamp without zone for an instant": ("incidents", {"declared_at": NAIVE}, "no offset from UTC"),
    "date for an instant": ("incidents", {"declared_at": [date(2026, 8, 1)]}, "a day where an instant is expected"),
    "date for an instant by which something is due": (
        "maintenance_tasks",
        {"first_due_at": [date(2026, 8, 31)]},
        datetime(2026, 8, 31, 21, 59, 59, tzinfo=UTC),
    ),
    "integer for an instant": ("incidents", {"declared_at": [1785571200]}, "a number where an instant is expected"),
    "timestamp of the year 150000": (
        "incidents",
        {"declared_at": pl.Series([2**62]).cast(pl.Datetime("us", "UTC"))},
        "after year 9999",
    ),
    "double for text": ("incidents", {"service_id": [3.10]}, "3.10 is 3.1"),
    "integer for text": ("incidents", {"service_id": [310]}, "=310"),
    "Boolean for text": ("incidents", {"service_id": [True]}, "a Boolean where text is expected"),
    "date for text": ("incidents", {"service_id": [date(2026, 8, 1)]}, "a day where text is expected"),
    "Boolean for a number": ("incidents", {"severity": [True]}, "a Boolean where a whole number is expected"),
    "double without fraction for a whole number": ("incidents", {"severity": [2.0]}, 2),
    "double with fraction for a whole number": ("incidents", {"severity": [2.5]}, "no whole number"),
    "decimal for a whole number": ("incidents", {"severity": pl.Series(["2"]).cast(pl.Decimal(9, 2))}, 2),
    "list": ("incidents", {"severity": [[1]]}, "a list where a whole number is expected"),
    "struct": ("incidents", {"service_id": [{"id": "web"}]}, "an object where text is expected"),
    "bytes": ("incidents", {"service_id": [b"\xff"]}, "of the type binary where text is expected"),
    "duration": ("incidents", {"declared_at": [timedelta(days=1)]}, "of the type duration where an instant"),
    "categories": ("incidents", {"service_id": pl.Series(["web"], dtype=pl.Categorical)}, "=web"),
    "Boolean for a Boolean": ("incidents", {"is_data_loss": [True]}, True),
    "integer 1 for a Boolean": ("incidents", {"is_data_loss": [1]}, True),
    "integer 2 for a Boolean": ("incidents", {"is_data_loss": [2]}, "neither true nor false"),
    "double for a Boolean": ("incidents", {"is_data_loss": [1.0]}, "where true or false is expected"),
}


@pytest.mark.parametrize("case", PARQUET)
def test_a_type_of_parquet_is_read_or_set_aside(tmp_path, case):
    stream, cells, wish = PARQUET[case]
    path = tmp_path / "rows.parquet"
    row = {name: [value] for name, value in (ROWS[stream] | {OWN_KEY[stream]: "k"}).items()}
    pl.DataFrame(row | cells).write_parquet(path)
    (found,) = judged(path, STREAMS[stream]).frame.iter_rows(named=True)
    column = next(iter(cells))
    assert _expected(found[column], found["_reason"], wish), (found[column], found["_reason"])
    TYPES.append(("Parquet", case, (found["_reason"] or _shown(found[column])).removeprefix(f"{column}: ")))


def test_text_that_grows_when_it_is_decoded_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    many = pl.Series(["x" * 1000], dtype=pl.String).new_from_index(0, 50_000)
    pl.DataFrame({"incident_id": many, "service_id": many}).write_parquet(path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr("opsmetrics.sources.parquet.MAX_TEXT_BYTES", 90_000_000)
    with pytest.raises(SourceError, match="bytes of text once decoded"):
        judged(path, STREAMS["incidents"])


# ---- rules between columns, and rows of one key

BROKEN_RULES = [
    (stream.name, rule.least, rule.most, rule.is_strict)
    for stream in STREAMS.values()
    for rule in stream.rules
    if rule.within_days is None
]


def _pair(stream: Stream, column: str) -> tuple[str, str]:
    """An earlier or smaller value of a column, and a later or larger one."""
    kind = stream.column(column).type
    if kind == "timestamp":
        return "2026-08-01T08:00:00Z", "2026-08-01T09:00:00Z"
    return ("2026-08-01", "2026-08-02") if kind == "date" else ("1", "2")


def _row(stream: Stream) -> dict[str, str]:
    """A row of a stream with its required columns."""
    words = {"text": "x", "integer": "1", "number": "0.5", "boolean": "true", "date": "2026-08-01"}
    words["timestamp"] = "2026-08-01T08:00:00Z"
    return {c.name: c.one_of[0] if c.one_of else words[c.type] for c in stream.columns if c.required}


@pytest.mark.parametrize(("name", "least", "most", "is_strict"), BROKEN_RULES)
def test_a_row_that_breaks_a_rule_between_columns_is_set_aside(tmp_path, name, least, most, is_strict):
    stream = STREAMS[name]
    low, high = _pair(stream, least)
    key = next(column for column in stream.key if column not in {least, most} and stream.column(column).type == "text")
    row = _row(stream)
    # Columns of other rules are as late, or as large, as they can be.
    for rule in stream.rules:
        row |= {rule.most: _pair(stream, rule.most)[1]} if rule.most in row else {}
    rows = [
        row | {key: "right", least: low, most: high},
        row | {key: "equal", least: high, most: high},
        row | {key: "wrong", least: high, most: low},
    ]
    path = tmp_path / "rows.csv"
    pl.DataFrame(rows).write_csv(path)
    right, equal, wrong = judged(path, stream).frame["_reason"]
    assert right is None
    assert (equal is not None) == is_strict
    assert wrong is not None
    assert most in wrong


def test_rows_of_one_key_are_settled_by_a_rule_and_not_by_their_order(tmp_path):
    header = "monitor_id,checked_at,status,recorded_at\n"
    at, later = "2026-08-01T08:00:00Z", "2026-08-01T08:05:00Z"
    rows = [
        f"same,{at},up,\n",
        f"same,2026-08-01T10:00:00+02:00,UP,\n",  # noqa: F541 - a row like the others
        f"newest,{at},up,{at}\n",
        f"newest,{at},down,{later}\n",
        f"conflict,{at},up,\n",
        f"conflict,{at},down,\n",
    ]
    outcomes = []
    for number, order in enumerate((rows, rows[::-1])):
        path = tmp_path / f"{number}.csv"
        path.write_text(header + "".join(order))
        frame = judged(path, STREAMS["availability_checks"]).frame
        kept = frame.filter(pl.col("_reason").is_null())
        outcomes.append(sorted(kept.select("monitor_id", "status").rows()))
        assert [r for r in frame["_reason"] if r] == [
            r for r in frame["_reason"] if r and r.startswith("conflict: lines")
        ]
        assert frame.height == 4
    assert outcomes[0] == outcomes[1] == [("newest", "down"), ("same", "up")]


# ---- files as a whole

HEADER = "incident_id,service_id,severity,declared_at,resolved_at\n"
DAYS = [f"i{day},web,1,2026-08-{day:02d}T08:00:00Z,\n" for day in range(1, 29)]
GOOD = HEADER + "".join(DAYS)
ERRORS = {
    "empty (0 bytes)": "",
    "`Access denied`": "Access denied\n",
    "a page in HTML": "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
    "other columns": "foo,bar\n1,2\n",
    "other columns, no rows": "foo,bar\n",
    "a required column is missing, no rows": HEADER.replace("declared_at", "created_at"),
    "a blank first line": "\n" + GOOD,
    "a column stands twice": GOOD.replace("resolved_at", "severity", 1),
    "two columns that differ in case only": GOOD.replace(
        "severity,declared_at,resolved_at", "Severity,declared_at,SEVERITY"
    ),
    "no rows, and no days named": HEADER,
    "a hint for Excel above the header": "sep=;\n" + GOOD.replace(",", ";"),
    "a title above the header": "Incidents of August\n" + GOOD,
    "every row set aside": GOOD.replace("Z,", ","),
    "a quote that swallows rows to the end": GOOD.replace("i3,", 'i3,"'),
    "a quote that swallows rows to another quote": GOOD.replace("i3,web", '"i3,web').replace("i20,web", 'i20",web'),
    "100,000 columns": ",".join(f"c{n}" for n in range(100_000)) + "\n",
    "a line of 2 MB": GOOD + "x" * 2_000_000,
    "not UTF-8": GOOD.replace("web", "m\udce5ler"),
}
WHOLE = 28
PARTS: dict[str, tuple[str, int]] = {
    "as it should be": (GOOD, WHOLE),
    "a row with an unknown severity": (GOOD.replace("i3,web,1", "i3,web,9"), WHOLE - 1),
    "a row that ends before it begins": (
        GOOD.replace("08-03T08:00:00Z,", "08-03T08:00:00Z,2026-08-01T08:00:00Z"),
        WHOLE - 2,
    ),
    "a row whose time cannot be read": (GOOD.replace("08-03T08:00:00Z", "08-03T08:00 PM"), 0),
    "a row of the year 2062": (GOOD.replace("2026-08-03", "2062-08-03"), 0),
    "a row with a field too many": (GOOD.replace("i3,web", "i3,x,web"), 0),
    "a row with NUL": (GOOD.replace("i3,", "i\0003,"), 0),
    "a row of two years before the others": (HEADER + "old,web,1,2024-08-03T08:00:00Z,\n" + "".join(DAYS), WHOLE + 1),
    "columns named like ours": (GOOD.replace("resolved_at", "_line", 1), WHOLE),
    "a column in another case": (GOOD.replace("severity", " Severity ", 1), WHOLE),
    "a row that stands twice": (GOOD + DAYS[2], WHOLE),
    "blank rows, as a spreadsheet saves them": (GOOD + ",,,,\n , ,,,\n\n   \n", WHOLE),
    "sentences of several lines": (
        GOOD.replace("i3,web,1,", 'i3,web,1,"')
        .replace("03T08:00:00Z,", '03T08:00:00Z","x:\nweb, api, db, job, log\nbye"')
        .replace("resolved_at\n", "text\n"),
        WHOLE,
    ),
    "two different rows of one id": (GOOD + DAYS[2].replace("web,1", "web,2"), WHOLE - 1),
}


@pytest.fixture(scope="module")
def organisation(make_small, tmp_path_factory):
    return load_organisation(make_small(tmp_path_factory.mktemp("reading") / "org"))


def parcel(organisation, path: Path, landing: Path, day=None, **source: Any) -> Batch:
    described = StreamSource(name="incidents", path=path.name, **source)
    stream = STREAMS["incidents"]
    reading = files.Reading(organisation, described, stream, path.parent, NOW.date())
    return files.read_parcel(reading, path, landing=landing, day=day, window=None)


def proven(batch: Batch) -> int:
    unproven = {day for start, end, _ in batch.unproven for day in days_of((start, end))}
    return len([day for day in days_of(batch.window) if day not in unproven])


@pytest.mark.parametrize("case", ERRORS)
def test_a_file_that_proves_nothing_is_one_error(organisation, tmp_path, case):
    path = tmp_path / "incidents.csv"
    path.write_bytes(ERRORS[case].encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceError) as caught:
        parcel(organisation, path, tmp_path)
    assert "incidents.csv" in str(caught.value)
    assert "fix:" in str(caught.value)
    FILES.append((case, f"error: {caught.value.problem.message[:110]}"))


@pytest.mark.parametrize("case", PARTS)
def test_a_file_proves_the_days_of_which_all_rows_are_known(organisation, tmp_path, case):
    content, days = PARTS[case]
    path = tmp_path / "incidents.csv"
    path.write_text(content)
    batch = parcel(organisation, path, tmp_path)
    assert proven(batch) == days
    aside = batch.frame.height - batch.frame["_reason"].null_count()
    FILES.append((case, f"{days} days proven of {WHOLE}, {aside} rows set aside" if days <= WHOLE else _silence(batch)))


SHIFTS = {
    "as it should be": (("2026-08-10T06:00Z", "2026-08-17T06:00Z"), set()),
    "of a year": (("2026-08-10T06:00Z", "2027-08-10T06:00Z"), set()),
    "with an end before its start": (("2026-08-10T06:00Z", "2026-07-17T06:00Z"), {10}),
    "with an end of another year": (("2026-08-10T06:00Z", "2027-08-17T06:00Z"), {10}),
    "with an end of another century": (("2026-08-10T06:00Z", "2062-08-17T06:00Z"), {10}),
    "with a start after its end": (("2026-08-25T06:00Z", "2026-08-16T22:00Z"), {*range(10, 18), 25}),
    "with a start of another century": (("2062-08-10T06:00Z", "2026-08-17T06:00Z"), set(range(10, 18))),
    "with a start that nobody can read": (("10th", "2026-08-17T06:00Z"), set(range(10, 18))),
    "with an end of another century too": (("2062-08-10T06:00Z", "2062-08-17T06:00Z"), set(range(1, 32))),
    "without an end that anybody can read": (("10th", "17th"), set(range(1, 32))),
}


@pytest.mark.parametrize("case", SHIFTS)
def test_a_shift_with_a_mistyped_time_is_neither_cover_nor_a_gap(organisation, tmp_path, case):
    """The days of which a row was set aside are not known (method, inc_oncall_coverage), and the week after each."""
    (start, end), days = SHIFTS[case]
    path = tmp_path / "shifts.csv"
    path.write_text(
        "shift_id,team_id,starts_at,ends_at,responder_count\n"
        f"odd,alfa,{start},{end},1\ngood,alfa,2026-08-01T06:00Z,2026-08-08T06:00Z,1\n"
    )
    source = StreamSource(name="oncall_shifts", path=path.name, covers=(date(2026, 8, 1), date(2026, 8, 31)))
    reading = files.Reading(organisation, source, STREAMS["oncall_shifts"], path.parent, NOW.date())
    batch = files.read_parcel(reading, path, landing=tmp_path, day=None, window=None)
    assert {day.day for start, end, _ in batch.unproven for day in days_of((start, end))} == days


def _silence(batch: Batch) -> str:
    (silent,) = batch.unproven
    assert silent[2] == SILENT
    return f"the days of its rows are proven; the silence of {(silent[1] - silent[0]).days} days is not"


def test_an_hour_that_never_was_blurs_its_own_day_only(organisation, tmp_path):
    path = tmp_path / "incidents.csv"
    path.write_text(HEADER + "".join(f"i{day},web,1,2026-03-{day} 02:30,\n" for day in range(10, 32)))
    batch = parcel(organisation, path, tmp_path, naive_time="Europe/Oslo")
    assert batch.unproven == ((date(2026, 3, 29), date(2026, 3, 30), PARTIAL),)


def test_a_json_array_is_told_how_lines_are_made_of_it(organisation, tmp_path):
    path = tmp_path / "incidents.jsonl"
    for indent in (None, 1):
        path.write_text(json.dumps([ROWS["incidents"] | {"incident_id": "a"}], indent=indent))
        with pytest.raises(SourceError, match="one JSON array") as caught:
            parcel(organisation, path, tmp_path)
        assert "jq -c" in caught.value.problem.fix


@pytest.mark.parametrize("word", ["NULL", "None", "n/a", "-", "\\N", "NaN"])
def test_a_word_for_nothing_is_no_name(tmp_path, word):
    path = tmp_path / "rows.csv"
    header = "alert_id,service_id,rule_id,fired_at,incident_id\n"
    path.write_text(header + f"a,web,r,2026-08-01T08:00Z,{word}\nb,web,r,2026-08-01T08:00Z,none-1\n")
    said = judged(path, STREAMS["alerts"]).frame["_reason"]
    assert said.to_list() == ["incident_id: a word for nothing: leave the cell empty, or write null in JSON", None]


def test_json_lines_without_a_line_say_what_can_show_a_quiet_day(organisation, tmp_path):
    path = tmp_path / "incidents.jsonl"
    path.write_text("")
    with pytest.raises(SourceError) as caught:
        parcel(organisation, path, tmp_path)
    assert "write CSV or Parquet" in caught.value.problem.fix


def test_a_key_that_no_line_has_is_to_be_written_as_null(organisation, tmp_path):
    path = tmp_path / "incidents.jsonl"
    path.write_text(json.dumps({"incident_id": "a", "service_id": "web", "severity": 1, "declared_at": "x"}) + "\n")
    with pytest.raises(SourceError) as caught:
        parcel(organisation, path, tmp_path, columns={"resolved_at": "ended"})
    assert "write it with null" in caught.value.problem.fix


def test_a_quiet_period_is_a_header_and_the_days_it_is_about(organisation, tmp_path):
    path = tmp_path / "incidents.csv"
    path.write_text(HEADER)
    quiet = parcel(organisation, path, tmp_path, covers=(date(2026, 8, 1), date(2026, 8, 31)))
    assert (proven(quiet), quiet.frame.height) == (31, 0)
    day = (date(2026, 8, 1), date(2026, 8, 2))
    assert proven(parcel(organisation, path, tmp_path, day=day)) == 1
    later = parcel(organisation, path, tmp_path, covers=(date(2026, 8, 1), date(2030, 1, 1)))
    assert later.window[1] == date(2026, 9, 3), "nobody has seen the days to come"


def test_a_file_that_had_rows_is_empty_only_where_somebody_says_so(organisation, tmp_path):
    path = tmp_path / "incidents.csv"
    covers = (date(2026, 8, 1), date(2026, 8, 31))
    path.write_text(GOOD)
    land(tmp_path, "incidents", parcel(organisation, path, tmp_path, covers=covers), loaded_at=NOW)
    path.write_text(HEADER)
    with pytest.raises(SourceError, match="no rows, where 28 were landed") as caught:
        parcel(organisation, path, tmp_path, covers=covers)
    assert "empty_since = 2026-09-02" in caught.value.problem.fix
    with pytest.raises(SourceError, match="no rows"):
        parcel(organisation, path, tmp_path, covers=covers, empty_since=date(2026, 9, 1))
    assert proven(parcel(organisation, path, tmp_path, covers=covers, empty_since=date(2026, 9, 2))) == 31


@pytest.mark.parametrize("column", ["resolved_at", "severity"])
def test_a_mapped_column_that_is_gone_is_an_error(organisation, tmp_path, column):
    path = tmp_path / "incidents.csv"
    path.write_text(GOOD)
    with pytest.raises(SourceError, match=r"'Closed' .* is missing") as caught:
        parcel(organisation, path, tmp_path, columns={column: "Closed"})
    assert "the file has incident_id, service_id, severity, declared_at, resolved_at" in caught.value.problem.fix


def test_a_file_that_changes_while_it_is_read_is_read_again_or_refused(organisation, tmp_path, monkeypatch):
    path = tmp_path / "incidents.csv"
    path.write_text(GOOD)
    monkeypatch.setattr(files, "PAUSE_SECONDS", 0)
    changes = iter([HEADER + DAYS[0], GOOD])

    def rewritten(place: Path, names: frozenset[str]) -> Any:
        table = read_table(place, names)
        content = next(changes, None)
        if content is not None:
            path.write_text(content)
        return table

    monkeypatch.setattr(files, "read_table", rewritten)
    assert parcel(organisation, path, tmp_path).frame.height == 28
    changes = iter([GOOD + f"more{number},web,1,2026-08-01T08:00:00Z,\n" for number in range(9)])
    with pytest.raises(SourceError, match="changed 3 times while it was read"):
        parcel(organisation, path, tmp_path)


def test_planned_shifts_prove_the_days_until_today(organisation, tmp_path):
    path = tmp_path / "shifts.csv"
    rows = [f"s{day},alfa,2026-{day}T08:00:00Z,2026-{day}T20:00:00Z,1\n" for day in ("08-31", "09-02", "09-20")]
    path.write_text("shift_id,team_id,starts_at,ends_at,responder_count\n" + "".join(rows))
    source, stream = StreamSource(name="oncall_shifts", path=path.name), STREAMS["oncall_shifts"]
    reading = files.Reading(organisation, source, stream, tmp_path, NOW.date())
    batch = files.read_parcel(reading, path, landing=tmp_path, day=None, window=None)
    assert batch.frame["_reason"].null_count() == 3
    assert batch.unproven == ((date(2026, 9, 3), date(2026, 9, 21), PARTIAL),)
    today, tomorrow = (files.digest(replace(reading, today=date(2026, 9, day)), path) for day in (2, 3))
    assert today != tomorrow, "tomorrow, the same file proves one day more"


# ---- the document


# As the tests that fill it: where they are left out, there is nothing to compare.
@pytest.mark.usefixtures("organisation")
def test_the_document_says_what_was_seen():
    lines = [
        "# How files are read",
        "",
        "Generated by `tests/opsmetrics/sources/test_reading.py` from what it saw (`UPDATE_GOLDEN=1`). A cell is read in one of the",
        "forms below, or its row is set aside with the reason; nothing is repaired, and what follows a time is never dropped. Why:",
        "[ADR 0027](adr/0027-strict-reading.md); how a file is described: [configuration.md](configuration.md).",
        "",
        "## Cells of CSV and JSON Lines",
        "",
        "The clock of these examples is 2026-09-02, the history begins on 2026-07-01, the zone is Europe/Oslo. **Bold** is a value.",
        "",
        "| Column | Written | Read as, or set aside because |",
        "|---|---|---|",
        *(f"| {column} | {cell} | {said} |" for column, cell, said in READ),
        "",
        "## Types of JSON Lines and Parquet",
        "",
        "| File | Holds | Read as, or set aside because |",
        "|---|---|---|",
        *(f"| {kind} | {case} | {said} |" for kind, case, said in TYPES),
        "",
        "## Files as a whole",
        "",
        "A file of incidents with one row for each of 28 days, changed as the first column says.",
        "",
        "| The file | Outcome |",
        "|---|---|",
        *(f"| {case} | {said} |" for case, said in FILES),
        "",
        "## Rules between columns",
        "",
        "| Stream | A row is set aside where |",
        "|---|---|",
        *(f"| `{stream.name}` | {rule.reason} |" for stream in STREAMS.values() for rule in stream.rules),
    ]
    text = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text
