"""Time intervals of notification policies: what is asked at their edges is what asking at every minute says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from opsmetrics.sources.quiet_times import QuietTimes

MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "Europe/Oslo", "Asia/Kathmandu", "Australia/Lord_Howe")


def one(rolls: random.Random) -> dict:
    """Some interval, most of them with several conditions."""
    found = {"location": rolls.choice(ZONES)}
    if rolls.random() < 0.8:
        first, last = sorted(rolls.sample(range(24 * 60 + 1), 2))
        found["times"] = [
            {"start_time": f"{first // 60:02}:{first % 60:02}", "end_time": f"{last // 60:02}:{last % 60:02}"}
        ]
    if rolls.random() < 0.4:
        found["weekdays"] = rolls.choice([["monday:friday"], ["saturday", "sunday"], ["wednesday"]])
    if rolls.random() < 0.3:
        found["days_of_month"] = rolls.choice([["1:14"], ["-3:-1"], ["25"]])
    if rolls.random() < 0.2:
        found["months"] = rolls.choice([["march"], ["10:12"]])
    return found


def test_edges_are_enough():
    """Around both changes of the clocks, and with seconds."""
    rolls, told = random.Random(5), set()
    for number in range(400):
        items = [{"name": name, "time_intervals": [one(rolls) for _ in range(rolls.randint(1, 2))]} for name in "ab"]
        times = QuietTimes(items)
        policy = {
            "mute_time_intervals": rolls.choice([["a"], ["a", "b"], []]),
            "active_time_intervals": rolls.choice([["b"], ["b", "unknown"], []]),
        }
        day = rolls.choice([datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
        first = day + timedelta(seconds=rolls.randrange(-90_000, 90_000))
        last = first + timedelta(seconds=rolls.choice([0, 59, 1_800, 7_200, 40_000]))
        minutes = int((last - first) / MINUTE) + 1
        every = [*(min(first + n * MINUTE, last) for n in range(minutes)), last]
        wanted = all(times.cover(policy, at, at) for at in every)
        found = times.cover(policy, first, last)
        # Between two minutes an edge may lie that only one of them sees.
        assert found == wanted or (not found and wanted), (number, policy, items, first, last)
        if found != wanted:
            edges = [first.replace(second=0) + n * MINUTE for n in range(1, minutes + 1)]
            assert not all(times.cover(policy, at, at) for at in edges if at <= last), (number, first, last)
        told.add(found)
    assert told == {True, False}


def test_an_alert_of_years_that_is_muted_all_the_time_is_one():
    times = QuietTimes([{"name": "always", "time_intervals": [{"weekdays": ["sunday:saturday"]}]}])
    first = datetime(2016, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert times.cover({"mute_time_intervals": ["always"]}, first, first + timedelta(days=3650))
