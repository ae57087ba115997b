"""Ticks stand on whole units of the calendar and on round values; what is drawn on a track stays within it."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.language.texts import LANGUAGES
from scorecard_app import charts
from scorecard_app.ticks import MOST, calendar_ticks, round_ticks, tick_words
from scorecard_app.tracks import Line, place, track
from scorecard_app.trend_lines import HEIGHT, WIDTH, Frame
from scorecard_app.views.incidents import _year_before

DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


@given(DAYS, st.integers(0, 5000))
def test_ticks_are_few_within_the_axis_in_order_and_on_the_calendar(first, length):
    last = first + timedelta(days=length)
    ticks = calendar_ticks("nb", first, last)
    days = [tick.on for tick in ticks]
    assert 1 <= len(days) <= MOST
    assert days == sorted(set(days))
    assert all(first <= day <= last for day in days)
    if length > 70:
        assert all(day.day == 1 for day in days), "months are told by their first day"
    assert ticks[0].year == str(days[0].year), "the first tick says its year"
    said = [tick.year for before, tick in itertools.pairwise(ticks) if before.on.year != tick.on.year]
    assert all(said), "and every new year is said"


def test_a_year_has_ticks_at_its_quarters():
    ticks = calendar_ticks("nb", date(2025, 11, 23), date(2026, 11, 23))
    assert [tick.on for tick in ticks] == [date(2026, month, 1) for month in (1, 4, 7, 10)]
    assert [tick.label for tick in ticks] == ["jan.\u00a02026", "apr.", "juli", "okt."]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_round_ticks_lie_within_the_axis(low, length):
    ticks = round_ticks(low, low + length)
    room = (low + length - low) * 1e-6
    assert all(low - room <= tick <= low + length + room for tick in ticks)
    assert len(ticks) <= MOST + 2


def test_round_ticks_say_as_many_decimals_as_they_need():
    assert tick_words("nb", "share", round_ticks(0.4, 0.8, 4)) == [
        "40\u00a0%",
        "50\u00a0%",
        "60\u00a0%",
        "70\u00a0%",
        "80\u00a0%",
    ]
    assert tick_words("en", "hours", round_ticks(0, 0.2)) == ["0.00", "0.05", "0.10", "0.15", "0.20"]


@given(DAYS, DAYS, DAYS)
def test_a_place_lies_within_its_track(at, first, last):
    assert 0 <= place(at, first, max(first, last)) <= 1


def test_labels_near_an_end_are_written_inwards():
    html = track([], [Line(0.0, "0"), Line(0.5, "middle"), Line(1.0, "100")], "alt").axis
    assert 'class="tick from" style="left:0.00%"' in html
    assert 'class="tick" style="left:50.00%"' in html
    assert 'class="tick to" style="left:100.00%"' in html


@given(st.floats(-1e9, 1e9), DAYS)
def test_a_small_line_never_leaves_its_picture(value, on):
    frame = Frame(date(2030, 1, 1), 0.0, 100.0, 60.0)
    assert 0 < frame.x(on) < WIDTH
    assert 0 < frame.y(value) < HEIGHT


def test_the_year_before_a_leap_day_is_a_day():
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    assert _year_before(datetime(2028, 2, 29, tzinfo=UTC)).date() == date(2027, 2, 28)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_labels_of_the_area_chart_fit_beside_it_and_do_not_lie_on_each_other(language):
    from opsmetrics.snapshots.queries.areas import AreaSpread  # noqa: PLC0415 - only here

    words = {"nb": ("krav", "median"), "en": ("requirement", "median")}[language]
    for last in (12.0, 59.0, 59.9, 60.0, 61.0, 99.0):
        rows = [AreaSpread(date(2026, month, 28), last, last - 5, last + 1, 14) for month in range(1, 12)]
        layout = charts.area_trend(language, rows, 60.0, *words).to_plotly_json()["layout"]
        notes = layout["annotations"]
        assert layout["margin"]["r"] >= 7 * max(len(note["text"]) for note in notes)
        heights = sorted(note["y"] for note in notes)
        assert all(above - below >= 5 for below, above in itertools.pairwise(heights))
        assert all(tick.day == 1 for tick in layout["xaxis"]["tickvals"])
        if last == 59.9:
            assert any("59" in note["text"] and "60 " not in note["text"] for note in notes if words[1] in note["text"])
