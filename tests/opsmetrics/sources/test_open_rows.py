"""Days with rows that can still change are asked for until these end, and no longer; against a source on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import compact, read_columns, read_loads
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import pull as pulling
from opsmetrics.sources import pull_stream, windows
from opsmetrics.sources.fetching import FetchResult

FIRST = datetime(2026, 7, 1, tzinfo=UTC)
SOURCES = """
[[connector]]
name = "pager"
kind = "oncall"
dialect = "opsgenie"
token_env = "PAGER_TOKEN"
streams = ["alerts"]
"""


class Paper:
    """A source that shows, to whoever asks for a day, what is known at that hour of the alerts that fired on it."""

    def __init__(self, org, home, monkeypatch):
        (org / "sources.toml").write_text(SOURCES)
        self.org, self.asked, self.alerts = org, [], {}
        self.settings = Settings(home=home, org=org, data=None, now=None, sql=default_sql_root())
        monkeypatch.setattr(pulling, "fetch_function", lambda _kind, _stream: self.fetch)

    def fetch(self, request):
        self.asked.append(request.days)
        return FetchResult(
            [
                {
                    "alert_id": name,
                    "service_id": "web",
                    "rule_id": "r",
                    "fired_at": fired,
                    "closed_at": closed if closed and closed <= request.now else None,
                }
                for name, (fired, closed) in self.alerts.items()
                if request.covers(fired) and fired <= request.now
            ]
        )

    def pull(self, now):
        self.asked.clear()
        (result,) = pull_stream(replace(self.settings, now=now), load_organisation(self.org), "alerts")
        assert result.error is None
        return result

    def days(self):
        return [day for start, end in self.asked for day in windows.days_of((start, end))]


@pytest.fixture
def paper(small, tmp_path, monkeypatch):
    return Paper(small, tmp_path / "home", monkeypatch)


def at(day, hour=8):
    return FIRST + timedelta(days=day, hours=hour)


def test_an_alert_of_july_is_asked_for_until_it_is_closed_and_then_two_weeks_more(paper):
    paper.alerts = {"old": (at(2), at(60))}
    held = date(2026, 7, 3)
    asked = []
    for day in range(90):
        paper.pull(at(day, 20))
        asked += [day] if held in paper.days() else []
        assert len(paper.days()) <= 16
    assert asked == list(range(3, 75))


def test_closed_rows_cost_nothing(paper):
    paper.alerts = {f"a{n}": (at(n), at(n, 9)) for n in range(60)}
    paper.pull(at(80))
    paper.pull(at(81))
    assert min(paper.days()) == date(2026, 9, 5)


def test_hourly_pulls_ask_for_old_days_once_a_day(paper):
    paper.alerts = {"old": (at(2), None)}
    paper.pull(at(60))
    paper.pull(at(61, 6))
    assert date(2026, 7, 3) in paper.days()
    paper.pull(at(61, 9))
    assert date(2026, 7, 3) not in paper.days()
    assert date(2026, 8, 30) in paper.days()


def test_what_one_pull_leaves_is_told_and_comes_next(paper, monkeypatch):
    monkeypatch.setattr(windows, "MOST_OLD_DAYS", 3)
    monkeypatch.setattr(windows, "_joined", lambda days, _longest: [(day, day + timedelta(days=1)) for day in days])
    paper.alerts = {f"a{n}": (at(n), None) for n in range(5)}
    paper.pull(at(60))
    asked = []
    for day in (61, 62):
        result = paper.pull(at(day))
        assert result.told == ("2 old days with open rows are left for the next pulls (3 a pull)",)
        asked += [day for day in paper.days() if day < date(2026, 7, 10)]
    assert set(asked) == {date(2026, 7, 1) + timedelta(days=n) for n in range(5)}


def test_what_the_source_has_forgotten_is_told(paper):
    (paper.org / "sources.toml").write_text(SOURCES + "remembers_days = 30\n")
    paper.alerts = {"old": (at(2), None)}
    paper.pull(at(20))
    (told,) = paper.pull(at(60)).told
    assert told.startswith("1 days with open rows, from 2026-07-03, are older than the 30 days that pager remembers")


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_lost_note_forgets_no_open_row(paper, is_packed):
    paper.alerts = {"old": (at(2), None)}
    paper.pull(at(30))
    paper.pull(at(60))
    if is_packed:
        assert compact(paper.settings.landing, "alerts", at(200)).packs > 0
    (paper.settings.home / "pulls/alerts.pager.json").unlink()
    paper.pull(at(61))
    assert date(2026, 7, 3) in paper.days()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    alerts=st.lists(st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 80))), max_size=6),
    pulls=st.lists(st.integers(1, 20), min_size=2, max_size=8),
)
def test_whenever_it_is_pulled_every_closing_that_was_told_is_landed(make_small, tmp_path_factory, alerts, pulls):
    folder = tmp_path_factory.mktemp("open")
    with pytest.MonkeyPatch.context() as monkeypatch:
        paper = Paper(make_small(folder / "org", days=1), folder / "home", monkeypatch)
        paper.alerts = {
            f"a{n}": (at(day), None if lasted is None else at(day + lasted, 9))
            for n, (day, lasted) in enumerate(alerts)
        }
        day = 0
        for step in pulls:
            day += step
            paper.pull(at(day, 20))
        newest = {}
        for load in read_loads(paper.settings.landing, "alerts", "pager"):
            newest |= dict.fromkeys(windows.days_of((load.window_start, load.window_end)), load)
        found = {}
        for held, load in newest.items():
            rows = read_columns(load, ("alert_id", "closed_at", "_day"))
            found |= {name: closed for name, closed, its_day in rows.iter_rows() if its_day == held}
        # Today is asked for tomorrow.
        known = {name: row for name, row in paper.alerts.items() if row[0] < at(day, -2)}
        told = {name: closed if closed and closed <= at(day, 20) else None for name, (_, closed) in known.items()}
        assert found == told
