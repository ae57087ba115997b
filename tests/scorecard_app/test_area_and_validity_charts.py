"""What the pictures of an area and of practice against outcome are made of, whatever the data."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from opsmetrics.language.fmt import score
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports import palette
from opsmetrics.snapshots.queries.areas import AreaSpread
from scorecard_app import charts

LONG = "Registre over fartøy, havner og farleder langs kysten"
ONE = [("Ett", 59.96, None, False)]
KRAV = {"nb": "krav", "en": "requirement"}
LETTER, LINE = 7, 17  # pixels of a letter and of a line at the size of labels


def drawn(figure):
    made = figure.to_plotly_json()
    return made["data"], made["layout"]


def check_rows(layout, names):
    """Each row of names has the height that its lines need, and the margin holds the longest line."""
    axis = layout["yaxis"]
    lines = [words.split("<br>") for words in axis["ticktext"]]
    assert [" ".join(each).split() for each in lines] == [name.split() for name in names] or any(
        len(word) > 20 for name in names for word in name.split()
    )
    room = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
    most = max(len(each) for each in lines)
    assert room / len(names) >= LINE * most, "names that take several lines do not lie on each other"
    assert layout["margin"]["l"] >= LETTER * max(len(line) for each in lines for line in each)
    low, high = sorted(axis["range"])
    assert low < 0
    assert high > len(names) - 1, "every row lies within the axis"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("months", "newest"), [(2, 60.0), (3, 59.96), (13, 100.0), (13, 0.0), (14, 61.0), (37, 97.0), (37, 2.0)]
)
def test_the_median_of_an_area_ends_with_its_newest_point_on_a_calendar(language, months, newest):
    days = [date(2026, 11, 22) - timedelta(days=30 * back) for back in range(months)][::-1]
    medians = [*(50.0 + place for place in range(months - 1)), newest]
    rows = [
        AreaSpread(day, median, max(0.0, median - 7), min(100.0, median + 5), 14)
        for day, median in zip(days, medians, strict=True)
    ]
    data, layout = drawn(charts.area_trend(language, rows, 60.0, KRAV[language], "median"))
    low, high = layout["yaxis"]["range"]
    assert low <= 0
    assert high >= 100
    median = data[-1]
    assert (list(median["x"]), list(median["y"])) == (days, [row.median for row in rows])
    sizes = list(median["marker"]["size"])
    assert sizes[-1] > max(sizes[:-1]), "the newest point is marked"
    first, end = layout["xaxis"]["range"]
    assert first < days[0] <= days[-1] < end, "all months lie within the axis"
    ticks = layout["xaxis"]["tickvals"]
    assert 1 <= len(ticks) <= 5
    assert (end - first).days < 100 or all(tick.day == 1 for tick in ticks)
    lower, upper = data[0], data[1]
    assert list(lower["y"]) == [row.low for row in rows]
    assert list(upper["y"]) == [row.high for row in rows]
    assert upper["fill"] == "tonexty"
    notes = layout["annotations"]
    assert {note["text"] for note in notes} == {f"{KRAV[language]} 60", f"median {score(language, rows[-1].median)}"}
    assert layout["margin"]["r"] >= LETTER * max(len(note["text"]) for note in notes)
    assert all(low <= note["y"] <= high for note in notes), "labels stand inside"
    assert abs(notes[0]["y"] - notes[1]["y"]) >= 5
    assert all(note["xshift"] >= 6 for note in notes), "a label does not touch the newest mark"
    assert layout["margin"]["r"] >= LETTER * max(len(note["text"]) for note in notes) + notes[0]["xshift"]
    assert layout["shapes"][0]["line"]["color"] == palette.TEAL


MARKS = {
    "one": [("Samlet", "between", (0.0, 0.0, 0.0))],
    "at the ends": [("A", "between", (-1.0, -1.0, 1.0)), ("A", "within", (-1.0, 1.0, 1.0))],
    "long names": [
        (f"{LONG} {place}", kind, (-0.5, place / 10, 0.9)) for place in range(8) for kind in ("between", "within")
    ],
    "one kind alone": [("A", "within", (-0.2, 0.1, 0.3)), ("B", "within", (0.1, 0.2, 0.3))],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", MARKS)
def test_practice_against_outcome_is_a_mark_and_an_interval_within_a_whole_scale(language, case):
    marks = [charts.LinkMark(name, kind, middle, low, high) for name, kind, (low, middle, high) in MARKS[case]]
    data, layout = drawn(charts.links(language, marks, "worse", "better"))
    low, high = layout["xaxis"]["range"]
    assert low < -1 < 1 < high
    assert layout["shapes"][0]["x0"] == 0, "nothing lies between the two answers"
    assert list(layout["xaxis"]["tickvals"]) == [-1, -0.5, 0, 0.5, 1]
    assert "−1" in layout["xaxis"]["ticktext"][0]
    names = list(dict.fromkeys(mark.name for mark in marks))
    for trace, kind in zip(data, ("between", "within"), strict=True):
        own = [mark for mark in marks if mark.kind == kind]
        assert list(trace["x"]) == [mark.correlation for mark in own]
        assert [round(y) for y in trace["y"]] == [names.index(mark.name) for mark in own]
        ends = zip(trace["x"], trace["error_x"]["arrayminus"], trace["error_x"]["array"], strict=True)
        assert [(x - less, x + more) for x, less, more in ends] == [
            pytest.approx((mark.low, mark.high)) for mark in own
        ]
        assert trace["cliponaxis"] is False, "a mark at the end of the scale is whole"
    one, other = (trace["marker"] for trace in data)
    assert one["symbol"] != other["symbol"]
    assert palette.ORANGE not in {one["color"], other["color"]}, "orange means that a requirement is not met"
    assert palette.BLUE not in {one["color"], other["color"]}, "blue means that a requirement is met"
    assert palette.TEAL not in {one["color"], other["color"]}, "teal is the requirement itself"
    check_rows(layout, names)


@pytest.mark.parametrize(
    ("is_met", "colour", "symbol"), [(True, palette.BLUE, "circle"), (False, palette.ORANGE, "diamond")]
)
def test_the_newest_value_of_a_metric_says_by_shape_and_colour_whether_it_meets_the_requirement(is_met, colour, symbol):
    days = [date(2026, 10, day) for day in (1, 8, 15)]
    for values, shape in (([0.2, 0.4, 0.6], symbol), ([0.2, 0.6, None], f"{symbol}-open")):
        lines = {"krav": (0.5, "krav 50 %"), "now": (0.6, "nå 60 %")}
        data, _ = drawn(charts.metric_trend("nb", "share", days, values, lines, is_met=is_met))
        marker = data[-1]["marker"]
        assert (marker["color"], marker["symbol"]) == (colour, shape)
