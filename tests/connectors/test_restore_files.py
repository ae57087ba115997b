"""Results of restore tests in a folder that others write to."""

from __future__ import annotations

import os
from datetime import date

import pytest

SOURCES = """
[[connector]]
name = "restores"
kind = "restore_files"
streams = ["restore_tests"]
from = 2026-08-01
folder = "results"
"""
GOOD = '{"system": "db", "result": "ok", "started_at": "2026-08-04T02:00:00Z", "restored_at": "2026-08-04T03:00:00Z"}'
DAYS = (date(2026, 8, 1), date(2026, 8, 8))


@pytest.fixture
def results(small):
    folder = small / "results"
    folder.mkdir()
    (folder / "restore-test-1.json").write_text(GOOD)
    return folder


def test_what_is_no_file_is_not_waited_for(results, pull_small):
    os.mkfifo(results / "restore-test-2.json")
    (results / "restore-test-3.json").mkdir()
    result, rows = pull_small(SOURCES, "restore_tests", *DAYS)
    assert (result.error, len(rows)) == (None, 1)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, GOOD.replace("2026-08-04T02", "x").encode()])
def test_a_file_that_cannot_be_read_is_named(results, pull_small, content):
    (results / "restore-test-2.json").write_bytes(content)
    result, _ = pull_small(SOURCES, "restore_tests", *DAYS)
    assert "restore-test-2.json" in (result.error or "")
