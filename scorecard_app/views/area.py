"""How do the teams spread in one area, is the organisation moving, which metric holds us back, who could help whom?"""

from __future__ import annotations

import statistics
from html import escape
from typing import Any

import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import catalogue, scores
from opsmetrics.reading.board import MET_LEVEL
from opsmetrics.scoring.points import KRAV_POINTS
from scorecard_app import charts
from scorecard_app.marks import bullet
from scorecard_app.markup import folded, heading, rich, small, table
from scorecard_app.page import Page, by, choose, choose_period, head, known, show, unknown, view
from scorecard_app.views.parts import gaps_table

SHOWN_GAPS = 6
SHOWN_DOTS = 40  # teams that a picture can name

Row = dict[str, Any]


@view("area")
def render(page: Page) -> None:
    """Show one area across the teams."""
    areas = by(catalogue.areas(page.snapshot), "area_id")
    area_id = known("area", areas)
    area = areas[area_id]
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.label(area), escape(page.text(f"area.question_{area_id}")))
    with right:
        choose(page.text("area.choose"), "area", list(areas), {k: page.label(r) for k, r in areas.items()}, area_id)
        choose_period(page)
    unknown(page, {"area": areas})
    cells = scores.area_scores(page.snapshot, page.period).filter(area_id=area_id).to_dicts()
    teams = by(catalogue.teams(page.snapshot), "team_id")
    scored = sorted((row for row in cells if row["score"] is not None), key=lambda row: -row["score"])
    metrics = scores.area_metrics(page.snapshot, page.period, area_id).to_dicts()
    _lead(page, scored, len(cells), metrics)
    before = by(scores.area_before(page.snapshot, page.period, area_id), "team_id")
    left, right = st.columns(2)
    with left:
        _spread(page, area_id, scored, teams, before)
    with right:
        _trend(page, area_id)
    _metrics(page, area_id, metrics)
    gaps = scores.gaps(page.snapshot, page.period).filter(area_id=area_id).to_dicts()
    note = page.text("team.gaps_note", shown=min(SHOWN_GAPS, len(gaps)), all=len(gaps))
    more = page.link("forbedring", page.text("team.all_gaps", count=len(gaps)), area=area_id)
    show(
        heading(page.text("area.gaps"), note)
        + gaps_table(page, gaps[:SHOWN_GAPS], below="team")
        + f"<p>{more}</p>{page.downloads('gaps', area=area_id)}"
    )


def _lead(page: Page, scored: list[Row], count: int, metrics: list[Row]) -> None:
    if not scored:
        show(f'<p class="lead">{escape(page.text("area.lead_none"))}</p>')
        return
    words = page.text(
        "area.lead",
        median=fmt.number(page.language, statistics.median(row["score"] for row in scored)),
        met=sum(row["level"] >= MET_LEVEL for row in scored),
        teams=count,
        metric=page.label(metrics[0], "title"),
    )
    show(f'<p class="lead">{rich(words)}</p>')


def _spread(page: Page, area_id: str, scored: list[Row], teams: dict[str, Row], before: dict[str, Row]) -> None:
    show(heading(page.text("area.spread")) + f'<p class="hint">{escape(page.text("area.spread_hint"))}</p>')
    if not scored:
        show(f'<p class="hint">{escape(page.text("area.lead_none"))}</p>')
        return
    rows = [
        (page.label(teams[row["team_id"]]), row["score"], before.get(row["team_id"], {}).get("score"))
        for row in scored[:SHOWN_DOTS]
    ]
    st.plotly_chart(
        charts.spread(page.language, rows, KRAV_POINTS, page.text("word.krav").lower()),
        config=charts.CONFIG,
        theme=None,
        key="spread",
        alt=page.text("area.spread_alt", first=rows[0][0], last=rows[-1][0]),
    )
    shown = [
        [
            page.link("team", page.label(teams[row["team_id"]]), team=row["team_id"]),
            fmt.number(page.language, row["score"]),
            fmt.number(page.language, before.get(row["team_id"], {}).get("score")),
            fmt.percent(page.language, row["coverage"]),
        ]
        for row in scored[:SHOWN_DOTS]
    ]
    header = [
        (page.text("word.team"), False),
        (page.text("word.now"), True),
        (page.text("area.year_ago"), True),
        (page.text("word.coverage"), True),
    ]
    show(
        page.figure_buttons(f"spread-{area_id}", page.text("area.spread"))
        + folded(page.text("app.show_table"), table(page.text("area.spread"), header, shown))
        + page.downloads("area-scores", area=area_id)
    )


def _trend(page: Page, area_id: str) -> None:
    show(heading(page.text("area.trend")) + f'<p class="hint">{escape(page.text("area.trend_hint"))}</p>')
    rows = scores.area_spread(page.snapshot, page.period, area_id).to_dicts()
    if len(rows) < 2:
        show(f'<p class="hint">{escape(page.text("area.trend_none"))}</p>')
        return
    first, last = rows[0], rows[-1]
    st.plotly_chart(
        charts.area_trend(
            page.language, rows, KRAV_POINTS, page.text("word.krav").lower(), page.text("word.median").lower()
        ),
        config=charts.CONFIG,
        theme=None,
        key="area-trend",
        alt=page.text(
            "area.trend_alt",
            first=fmt.number(page.language, first["median"]),
            last=fmt.number(page.language, last["median"]),
        ),
    )
    shown = [
        [
            fmt.month(page.language, row["on"]),
            *(fmt.number(page.language, row[k]) for k in ("low", "median", "high", "teams")),
        ]
        for row in reversed(rows)
    ]
    header = [
        (page.text("word.month"), False),
        (page.text("area.low"), True),
        (page.text("word.median"), True),
        (page.text("area.high"), True),
        (page.text("area.teams"), True),
    ]
    show(
        page.figure_buttons(f"trend-{area_id}", page.text("area.trend"))
        + folded(page.text("app.show_table"), table(page.text("area.trend"), header, shown))
        + page.downloads("area-months", area=area_id)
    )


def _metrics(page: Page, area_id: str, metrics: list[Row]) -> None:
    language = page.language
    rows = [
        [
            page.link("maling", page.label(row, "title"), metric=row["metric_id"]) + small(page.label(row, "why")),
            bullet(row["points"]),
            fmt.number(language, row["points"]),
            escape(page.text("area.met_of", met=row["met"], all=row["measured"])),
            fmt.number(language, row["gain"], 1),
        ]
        for row in metrics
    ]
    header = [
        (page.text("word.metric"), False),
        (page.text("area.points_bar"), False),
        (page.text("area.median_points"), True),
        (page.text("area.met"), True),
        (page.text("gaps.gain"), True),
    ]
    show(
        heading(page.text("area.metrics"), page.text("area.metrics_note"))
        + table(page.text("area.metrics_caption"), header, rows, kind="metrics")
        + page.downloads("area-metrics", area=area_id)
    )
