"""Notes that we wrote ourselves and somebody else had in hand: none of them is a trace, and none is waited for."""

from __future__ import annotations

import json
import os

import pytest

from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.half_restored import MARKER, under_way
from opsmetrics.core.json_text import json_value
from opsmetrics.operations.housekeeping_records import read_record
from opsmetrics.operations.restore_records import newest_test
from opsmetrics.reports.digest import read_told
from opsmetrics.snapshots.store import current
from opsmetrics.sources.notes import read_notes

DEEP = "[" * 100_000
POINTER = {"file": "ops-1.duckdb", "build_id": "1", "published_at": "2026-12-01T00:00:00+00:00"}
RECORD = {"what": "backup", "began_at": "2026-12-01T00:00:00+00:00", "ended_at": None, "result": "failed", "said": []}
NOTE = {"stream": "alerts", "origin": "desk", "attempted_at": "x", "succeeded_at": None, "error": None, "seen": {}}


@pytest.mark.parametrize("text", [DEEP, "9" * 10_000, b"\xff", "", "{"])
def test_what_is_no_value_is_one_kind_of_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        json_value(text)


@pytest.mark.parametrize(
    ("name", "read", "texts"),
    [
        (
            "current.json",
            current,
            [
                POINTER | odd
                for odd in ({"file": 5}, {"file": "../x.duckdb"}, {"file": "\ud800"}, {"file": "a\0b"}, {"size": "1"})
            ],
        ),
        (
            "upkeep/backup.json",
            lambda home: read_record(home, "backup"),
            [RECORD | {"said": 5}, RECORD | {"succeeded_at": "?"}],
        ),
        ("restore-tests/restore-test-1.json", newest_test, [{"id": 1}]),
        ("digests/told.json", read_told, [{"leadership.nb": "all"}, []]),
        (
            "pulls/alerts.desk.json",
            lambda home: read_notes(home / "pulls"),
            [NOTE | {"attempted_at": 5}, NOTE | {"told": [5]}],
        ),
        (MARKER, lambda home: None if (found := under_way(home)) and found.name == "?" else found, [{"name": 5}, 5]),
    ],
)
def test_a_note_of_another_shape_is_a_damaged_one(tmp_path, name, read, texts):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    for text in (DEEP, "9" * 10_000, *map(json.dumps, texts), None):
        path.unlink(missing_ok=True)
        if text is None:
            os.mkfifo(path)
        else:
            path.write_text(text)
        if name == "current.json":
            with pytest.raises(SnapshotError, match="damaged pointer"):
                read(tmp_path)
        else:
            assert not read(tmp_path), text
