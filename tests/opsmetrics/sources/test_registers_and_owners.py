"""Register lines as people make them, owners as CODEOWNERS propose them, and the restore-test contract."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.proposals import register_line
from opsmetrics.sources.github.owners import teams_of
from opsmetrics.sources.restore_files import rows_of

TEST = '{"schema":1,"team":"t","system":"db","data_gb":42.5,"started_at":"2026-11-18T01:00:00Z","restored_at":"2026-11-18T01:42:10Z","verified_at":"2026-11-18T01:55:00Z","result":"ok"}'


def test_a_line_is_quoted_and_checked():
    values = {"test_id": 'a,"b"', "datastore_id": "db", "requested_at": datetime(2026, 1, 2, tzinfo=UTC)}
    text, wrong = register_line.line("restore_tests", values | {"is_successful": True})
    assert (text, wrong) == ('"a,""b""",db,2026-01-02T00:00:00+00:00,,,true,', [])
    _, wrong = register_line.line("restore_tests", values | {"data_gb": -1})
    assert wrong == ["is_successful: missing", "data_gb: below 0"]


@pytest.mark.parametrize(
    ("text", "teams"),
    [
        ("* @org/alfa @person\n/docs/ @org/beta", ("alfa",)),
        # Teams of parts own parts; without a default line nobody is proposed for the whole.
        ("/api/ @org/beta\n/web/ @org/alfa mail@example.invalid # @org/no", ()),
        ("* @org/old\n/docs/ @org/beta\n*", ()),
        ("* @org/old\n* @org/new", ("new",)),
        ("* @person", ()),
        ("", ()),
    ],
)
def test_codeowners(text, teams):
    assert teams_of(text) == teams


def test_restore_files_hold_one_a_list_or_lines():
    for text in (TEST, f"[{TEST}]", f"{TEST}\n{TEST}\n"):
        row = rows_of(text, "x", {"db": "broker-db"})[0]
        assert row["datastore_id"] == "broker-db"
        assert row["restored_at"] < row["verified_at"]
    assert rows_of(TEST.replace('"ok"', '"failed"'), "x", {})[0]["verified_at"] is None


@pytest.mark.parametrize(
    ("word", "is_successful"),
    [("OK", True), ("Success", True), ("passed", True), ("FAILED", False), ("not ok", False), ("rather well", None)],
)
def test_words_for_an_outcome_are_read_in_any_case_and_others_not_at_all(word, is_successful):
    assert rows_of(TEST.replace('"ok"', f'"{word}"'), "x", {})[0]["is_successful"] is is_successful


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"x:1: no valid JSON"),
        ('{"system":"db","result":"ok"}', "test 1 lacks started_at"),
        (TEST.replace('"schema":1', '"schema":2'), "has schema 2"),
        ("[1]", "test 1 lacks system"),
        ('{"system":"db","result":"ok","started_at":"soon"}', "x: test 1: started_at is not a time"),
        ('{"system":"db","result":"ok","started_at":[1]}', "x: test 1: started_at is not a time"),
        ("[" * 100_000, "x: no valid JSON"),
        ("{}\n" + "[" * 100_000, "x:2: no valid JSON"),
    ],
)
def test_a_wrong_restore_file_is_explained(text, words):
    with pytest.raises(SourceError, match=words):
        rows_of(text, "x", {})
