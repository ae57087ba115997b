"""A snapshot that one part of a process has open can be opened and read by another, in UTC, with settings that stay."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics.snapshots.queries.reader import frame
from opsmetrics.snapshots.store import current, open_current

ZONE = "select current_setting('timezone') as zone"


def test_a_snapshot_that_is_open_is_opened_again_and_read(demo_home):
    folder = demo_home / "snapshots"
    with open_current(folder) as one, open_current(folder) as other:
        assert frame(current(folder), ZONE)["zone"].to_list() == ["UTC"]
        for con in (one, other, one.cursor()):
            assert con.execute(ZONE).fetchall() == [("UTC",)]
            with pytest.raises(duckdb.InvalidInputException):
                con.execute("set enable_profiling = 'json'")
