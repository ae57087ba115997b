"""Looks at packages that nobody can date, as a pure function of what was in use."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.sources.dependencies import undated
from opsmetrics.sources.dependencies.undated import EVERY_DAYS, NO_VERSION, NOT_PUBLIC, WORDS, look_days, looks_at
from opsmetrics.streams import STREAMS

START = datetime(2026, 1, 1, tzinfo=UTC)
GRID = [START + timedelta(days=EVERY_DAYS * number) for number in range(4)]


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def looks(spans, why=NOT_PUBLIC, at=GRID) -> list[tuple]:
    found = looks_at([(day(number), tuple(used)) for number, used in spans], why, at)
    number = lambda at: None if at is None else (at - START).days  # noqa: E731
    return [(one.version, number(one.available_at), number(one.applied_at)) for one in found]


def test_every_reason_of_the_contract_has_words_and_no_other_has():
    assert set(WORDS) == set(STREAMS["update_episodes"].column("unknown_because").one_of)
    assert set(WORDS) > undated.SINCE_NEWEST


def test_a_package_is_looked_at_when_it_came_and_every_four_weeks_while_it_is_there():
    assert looks([(10, ["1.0"]), (70, [])]) == [("1.0", 10, None), ("1.0", 28, None), ("1.0", 56, None)]
    assert looks([(10, ["1.0"]), (20, []), (40, ["1.0"])]) == [
        *(("1.0", 10, None), ("1.0", 40, None), ("1.0", 56, None), ("1.0", 84, None)),
    ]


def test_a_newer_version_is_taken_and_a_step_back_is_not():
    spans = [(-5, ["1.0"]), (3, ["1.2"]), (30, ["1.1"]), (40, ["1.2", "1.1"]), (57, ["2.0"])]
    assert looks(spans)[1:] == [("1.0", 0, 3), ("1.2", 28, None), ("1.1", 56, 57), ("2.0", 84, None)]


def test_what_has_no_number_is_in_use_and_never_taken():
    assert looks([(-5, ["main"]), (3, ["next"])])[1:] == [
        *(("main", 0, None), ("next", 28, None), ("next", 56, None), ("next", 84, None)),
    ]


def test_a_range_without_a_lock_file_is_unknown_since_the_lock_file_went():
    assert looks([(-5, ["1.0"]), (40, [""])], NO_VERSION) == [("*", 40, None), ("*", 56, None), ("*", 84, None)]


@given(first=st.dates(date(2019, 1, 1), date(2030, 1, 1)), days=st.integers(0, 200), cut=st.integers(0, 200))
def test_days_are_the_same_whoever_asks_and_no_four_weeks_are_without_one(first, days, cut):
    end = first + timedelta(days=days)
    middle = min(end, first + timedelta(days=cut))
    found = list(look_days(first, end))
    assert found == [*look_days(first, middle), *look_days(middle, end)]
    assert days // EVERY_DAYS <= len(found) <= days // EVERY_DAYS + 1
