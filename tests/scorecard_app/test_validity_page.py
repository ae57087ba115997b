"""The page that holds the scorecard to account says what the table says, and no more."""

from __future__ import annotations

import re
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from opsmetrics.language import fmt
from opsmetrics.snapshots.queries import validity
from opsmetrics.snapshots.queries.validity import PracticeLink
from opsmetrics.snapshots.store import open_current
from scorecard_app import charts
from tests.scorecard_app.test_views import flat, open_page

LINK = PracticeLink(
    "down_minutes", "inc", "within", 14, 40, 2, 0.62, 0.41, 0.77, "goes_with", ["inc_error_budget_consumed"]
)


@pytest.fixture
def shown(homes, monkeypatch):
    """Open the page in English over other comparisons than the snapshot's own."""

    def show(*rows: PracticeLink) -> str:
        monkeypatch.setattr(validity, "links", lambda _: list(rows))
        return flat(open_page("validity", homes["full"], monkeypatch, lang="en")[1])

    return show


def test_every_row_of_the_table_is_what_sql_says_and_the_demo_cannot_tell(homes, monkeypatch):
    app, html = open_page("validity", homes["full"], monkeypatch, lang="en")
    with open_current(homes["full"] / "snapshots") as con:
        rows = con.sql("select * from scores.validity").pl().to_dicts()
    assert {row["verdict"] for row in rows} == {"cannot_tell"}
    assert len(rows) == 48
    words = flat(html)
    assert "48 comparisons of practice" in words
    assert "is the usual answer" in words
    assert "Error budget consumed" in words
    lines = [
        [flat(cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line, re.DOTALL)]
        for line in re.findall(r"<tr[^>]*>(.*?)</tr>", html, flags=re.DOTALL)
    ]
    for row in rows:
        numbers = [fmt.number("en", row[name], 2) for name in ("correlation", "low", "high")]
        counts = [str(row[name]) for name in ("team_count", "quarter_count", "left_out_count")]
        wanted = [f"{row['kind']} teams", *numbers, *counts]
        assert any([line[1], *line[3:]] == wanted for line in lines if len(line) == 9), row
    pictures = [element for element in app.main if element.type == "plotly_chart"]
    assert len(pictures) == 3


def test_a_certain_link_is_told_with_its_kind_and_direction(shown):
    between = replace(LINK, kind="between", area_id="", verdict="goes_against", correlation=-0.6, low=-0.8, high=-0.2)
    words = shown(LINK, between)
    assert (
        "One shows that better practice is followed by better outcomes, one shows the opposite, and all can be told"
        in words
    )
    assert (
        "Quarters in which a team was better than it usually is were followed by better outcomes: Incident handling."
        in words
    )
    assert "Teams with better practice had worse outcomes afterwards: Total." in words
    assert "usual answer" not in words
    assert "It proves no cause." in words


def test_too_few_teams_are_told_without_a_picture_and_nothing_at_all_is_told_too(shown, homes, monkeypatch):
    few = replace(LINK, verdict="too_few", correlation=None, low=None, high=None, team_count=5)
    words = shown(few)
    assert "Too few teams with known quarters to compare." in words
    assert "too few whole quarters, to compare practice with outcomes yet" in words
    assert not [e for e in open_page("validity", homes["full"], monkeypatch)[0].main if e.type == "plotly_chart"]
    assert "too few whole quarters, to compare practice with outcomes yet" in shown()


def test_a_picture_has_a_dot_and_its_interval_for_each_kind():
    marks = [
        charts.LinkMark("Total", "between", 0.5, 0.1, 0.75),
        charts.LinkMark("Total", "within", -0.2, -0.5, 0.1),
        charts.LinkMark("Security & more", "within", 0.0, -0.3, 0.3),
    ]
    figure = charts.links("en", marks, "worse", "better")
    assert isinstance(figure, go.Figure)
    between, within = figure.data
    assert list(between.x) == [0.5]
    assert list(within.x) == [-0.2, 0.0]
    assert within.error_x.array == pytest.approx([0.3, 0.3])
    assert within.error_x.arrayminus == pytest.approx([0.3, 0.3])
    assert list(figure.layout.yaxis.ticktext) == ["Total", "Security &amp; more"]
    assert between.marker.symbol != within.marker.symbol
