"""Typed rows: a row type names the columns of a query; what does not fit is said at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from opsmetrics.core.errors import SnapshotError
from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.rows import Rows, group_by, index_by


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    title: Text
    reason: Text | None
    count: int
    share: float | None
    amount: float | Decimal
    days: list[date]
    at: datetime


FRAME = pl.DataFrame(
    {
        "id": ["a", "b", "a"],
        "title_nb": ["én", "to", "tre"],
        "title_en": ["one", "two", "three"],
        "reason_nb": [None, "fordi", None],
        "reason_en": [None, "because", None],
        "count": [1, 2, 3],
        "share": [None, 0.5, 1.0],
        "amount": [Decimal("1.5"), Decimal("2.5"), Decimal("3.5")],
        "days": [[date(2026, 1, 1)], [], [date(2026, 1, 2)]],
        "at": [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)],
        "more": [True, False, True],
    }
)


def test_rows_are_the_frame_s_in_order():
    rows = Rows(Row, FRAME)
    assert len(rows) == 3
    assert [row.count for row in rows] == [1, 2, 3]
    first = rows[0]
    assert (first.id, first.title.get("nb"), first.title.get("en")) == ("a", "én", "one")
    assert first.reason is None
    assert first.share is None
    assert rows[-1].title.get("en") == "three"
    assert rows[1].reason is not None
    assert rows[1].reason.get("nb") == "fordi"
    assert [row.id for row in rows[1:]] == ["b", "a"]
    assert rows.frame.columns[-1] == "more", "columns without a field stay for files"
    assert Rows(Row, FRAME.clear()).first() is None
    with pytest.raises(IndexError):
        rows[3]
    assert [row.count for row in rows.where(id="a")] == [1, 3]
    assert rows.where() is rows


def test_rows_by_key():
    rows = Rows(Row, FRAME)
    assert list(index_by(rows, lambda row: row.count)) == [1, 2, 3]
    assert {key: len(found) for key, found in group_by(rows, lambda row: row.id).items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME.drop("title_en"), "Row: column title_en is missing, str was expected"),
        (FRAME.with_columns(pl.col("count").cast(pl.String)), "Row: column count is String, int was expected"),
        (FRAME.with_columns(amount=pl.lit("x")), "Row: column amount is String, float or Decimal was expected"),
    ],
)
def test_a_column_that_does_not_fit_is_named(frame, words):
    with pytest.raises(SnapshotError, match=words):
        Rows(Row, frame)


def test_gaps_that_a_field_does_not_know_are_found():
    assert Rows(Row, FRAME).missing() == []
    assert Rows(Row, FRAME.with_columns(id=pl.lit(None, pl.String))).missing() == ["id"]
    assert len(fields(Row)) == 8
