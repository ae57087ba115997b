"""Lag episodes as a pure function: what was in use, and what was released."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.sources.dependencies.episodes import (
    NO_DATES,
    NOT_RELEASED,
    REMOVED,
    UNSEEN,
    WRONG_DATES,
    Release,
    episodes_of,
)
from opsmetrics.sources.versions import place_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def released(**days: int) -> list[Release]:
    """Versions such as v1_2 and the days on which they came; the first is in use from the start."""
    return [Release(name[1:].replace("_", "."), day(number)) for name, number in days.items()]


def told(spans, releases, **rest):
    found = episodes_of([(day(number), tuple(used)) for number, used in spans], releases, **rest)
    number = lambda at: None if at is None else (at - START).days  # noqa: E731
    unknown = [why for why, _ in found.unknown] + ([found.undated] if found.undated else [])
    return [(one.version, number(one.available_at), number(one.applied_at)) for one in found.episodes], unknown


def test_one_episode_at_a_time_until_what_opened_it_is_there():
    releases = released(v1_0=-9, v1_1=5, v1_2=8, v1_3=20)
    assert told([(0, ["1.0"]), (12, ["1.2"])], releases) == ([("1.1", 5, 12), ("1.3", 20, None)], [])


def test_taking_less_than_all_leaves_the_rest_open_since_it_came():
    releases = released(v1_0=-9, v1_1=5, v1_2=8)
    assert told([(0, ["1.0"]), (12, ["1.1"]), (30, ["1.2"])], releases)[0] == [("1.1", 5, 12), ("1.2", 8, 30)]


def test_what_was_there_before_the_package_came_counts_from_then():
    assert told([(10, ["1.0"])], released(v1_0=-9, v1_1=5))[0] == [("1.1", 10, None)]


def test_what_stood_open_before_a_shallow_clone_begins_is_unknown():
    releases = released(v1_0=-9, v1_1=-5, v1_2=8)
    spans = [(0, ["1.0"]), (7, ["1.1"])]
    assert told(spans, releases, begins_at=day(0)) == ([("1.2", 8, None)], [UNSEEN])
    assert told([(0, [""]), (7, ["1.0"])], releases) == ([], [UNSEEN]), "nor before a lock file tells"


def test_of_several_places_the_last_one_counts_and_lines_stand_apart():
    releases = released(v1_0=-9, v1_1=5, v2_0=-9, v2_1=6)
    spans = [(0, ["1.0", "2.0"]), (8, ["1.1", "2.0"]), (9, ["1.0", "1.1", "2.1"]), (11, ["2.1"])]
    assert told(spans, releases)[0] == [("1.1", 5, 8), ("1.1", 9, 11), ("2.1", 6, 9)]


def test_what_is_taken_out_is_neither_open_nor_applied():
    assert told([(0, ["1.0"]), (9, [])], released(v1_0=-9, v1_1=5)) == ([], [REMOVED])


def test_forerunners_and_what_was_withdrawn_are_not_offered():
    releases = [*released(v1_0=-9), Release("1.1-rc.1", day(2)), Release("1.1", day(3), is_withdrawn=True)]
    assert told([(0, ["1.0"])], releases) == ([], [])
    assert told([(0, ["1.1-rc.1"])], [*releases[:2], Release("1.1", day(5))])[0] == [], "released after it was used"
    assert told([(4, ["1.1-rc.1"])], [*releases[:2], Release("1.1", day(5))])[0] == [("1.1", 5, None)]


def test_variants_are_compared_among_themselves():
    releases = [Release(version, day(at)) for version, at in (("32.0-jre", -9), ("32.1-android", 2), ("32.1-jre", 3))]
    assert told([(0, ["32.0-jre"])], releases)[0] == [("32.1-jre", 3, None)]


def test_what_nobody_released_and_what_is_dated_wrongly_is_unknown():
    assert told([(0, ["1.0"])], released(v1_1=5)) == ([], [NOT_RELEASED])
    assert told([(0, ["1.0"])], released(v1_0=2, v1_1=5)) == ([], [WRONG_DATES])


def test_a_registry_that_gives_no_dates_leaves_unknown_what_it_lists():
    """Registries of one's own may leave the times out: a list without them is no list without updates."""
    nothing = [Release("1.0", None), Release("1.1", None)]
    assert told([(0, ["1.0"])], nothing) == ([], [NO_DATES])
    newest = [Release("1.0", day(-9)), Release("1.1", None)]
    assert told([(0, ["1.0"])], newest) == ([], [NO_DATES])
    assert told([(0, ["1.0"])], [*newest, Release("1.2", day(5))]) == ([("1.2", 5, None)], [])
    assert told([(0, ["1.1"])], newest) == ([], []), "nothing newer is there"
    assert told([(0, ["1.0"])], [newest[0], Release("1.1", None, is_withdrawn=True)]) == ([], [])


def test_a_release_is_there_when_it_is_old_enough_or_taken_before():
    releases, age = released(v1_0=-9, v1_1=5, v1_2=20), timedelta(days=3)
    assert told([(0, ["1.0"]), (6, ["1.1"])], releases, minimum_age=age)[0] == [("1.1", 6, 6), ("1.2", 23, None)]


@given(
    steps=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), min_size=1, max_size=8, unique_by=lambda s: s[0]),
    came=st.lists(st.integers(0, 60), min_size=9, max_size=9),
)
def test_at_every_instant_an_episode_is_open_just_where_the_repository_is_behind(steps, came):
    """Against the definition itself, instant by instant."""
    first = {number: min((at for at, version in steps if version == number), default=60) for number in range(9)}
    releases = [Release(f"1.{number}", day(min(at, first[number]))) for number, at in enumerate(came)]
    spans = [(day(at), (f"1.{version}",)) for at, version in sorted(steps)]
    found = episodes_of(spans, releases)
    assert found.unknown == []
    for number in range(61):
        at = day(number) + timedelta(hours=1)
        used = [versions[0] for since, versions in spans if since <= at]
        in_use = place_of(used[-1]) if used else None
        behind = in_use is not None and any(
            (place := place_of(one.version)) is not None and one.at <= at and place.supersedes(in_use)
            for one in releases
        )
        is_open = any(
            one.available_at <= at and (one.applied_at is None or one.applied_at > at) for one in found.episodes
        )
        assert is_open == behind
