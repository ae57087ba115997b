"""Two teams, or one team in two periods, side by side: areas and metrics that differ most first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import COMPARE, EXEMPTIONS, METRIC, TEAM
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.reports.weakest import NAMED
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries import catalogue, quality, scores
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore, TeamScore
from scorecard_app.choices import choose, choose_period, selected_id
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, folded, heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.tracks import Line, Mark, MarkKind, track
from scorecard_app.views.parts import areas_by_id, metrics_by_id, status_words, teams_by_id

EVERY = ""
SHOWN_METRICS = 12
_MONTHS_BACK = 12
_FEWEST = 0.05  # points that show with one decimal


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two that are compared.

    Attributes:
        name: What people call it.
        team: Whose numbers they are.
        period: When.
        score: The team's own.
        areas: Its areas by id.
        metrics: Its metrics by id.
    """

    name: str
    team: Team
    period: Period
    score: TeamScore | None
    areas: Mapping[str, AreaScore]
    metrics: Mapping[str, MetricScore]


@view(COMPARE)
def render(page: Page) -> None:
    """Show one team against another, or against itself in an earlier period."""
    teams = teams_by_id(page)
    team = teams[selected_id("team", teams, next(iter(sorted(page.permissions.teams)), None))]
    wanted = st.query_params.get("other", EVERY)
    other = teams.get(wanted) if wanted != team.team_id else None
    earlier = {period.label: period for period in catalogue.periods(page.snapshot) if period.as_of < page.period.as_of}
    before = _before(earlier)
    head(page, page.text("compare.title"))
    _choices(page, teams, team, other, earlier, before)
    if other is None and before is None:
        show(lead(page.text("compare.nothing")))
        return
    now = page.period_label()
    if other is not None:
        left, right = (
            _half(page, other, page.period, page.say(other.name)),
            _half(page, team, page.period, page.say(team.name)),
        )
    else:
        then = page.period_label(before)
        left, right = _half(page, team, before or page.period, then), _half(page, team, page.period, now)
    _lead(page, left, right)
    _questions(page, left, right)
    _areas(page, left, right)
    _metrics(page, left, right)


def _before(earlier: Mapping[str, Period]) -> Period | None:
    """The period that the address names, else the one nearest to a year ago; periods are newest first."""
    wanted = st.query_params.get("before", EVERY)
    if wanted in earlier:
        return earlier[wanted]
    months = [period for period in earlier.values() if period.grain == "month"]
    return months[min(_MONTHS_BACK, len(months)) - 1] if months else None


def _choices(
    page: Page,
    teams: Mapping[str, Team],
    team: Team,
    other: Team | None,
    earlier: Mapping[str, Period],
    before: Period | None,
) -> None:
    columns = st.columns(4)
    names = {key: page.say(row.name) for key, row in teams.items()}
    with columns[0]:
        choose(page.text("team.choose"), "team", list(names), names, team.team_id)
    with columns[1]:
        choose_period(page)
    with columns[2]:
        others = {
            EVERY: page.text("compare.itself"),
            **{key: name for key, name in names.items() if key != team.team_id},
        }
        choose(page.text("compare.other"), "other", list(others), others, other.team_id if other else EVERY)
    if other is None and earlier:
        with columns[3]:
            words = {label: page.period_label(period) for label, period in earlier.items()}
            choose(page.text("compare.before"), "before", list(words), words, before.label if before else None)


def _half(page: Page, team: Team, period: Period, name: str) -> Half:
    team_id = team.team_id
    found = index_by(scores.team_scores(page.snapshot, period), lambda row: row.team_id)
    areas = index_by(scores.area_scores(page.snapshot, period, team_id=team_id), lambda row: row.area_id)
    metrics = index_by(scores.metric_scores(page.snapshot, period, team_id=team_id), lambda row: row.metric_id)
    return Half(name, team, period, found.get(team_id), areas, metrics)


def _lead(page: Page, left: Half, right: Half) -> None:
    """Both totals, and the area that differs most."""
    totals = [half.score.score if half.score else None for half in (left, right)]
    if None in totals:
        show(lead(page.text("compare.lead_none")))
        return
    before, now = fmt.scores(page.language, *totals)
    words = page.text(
        "compare.lead",
        left=fmt.unmarked(left.name),
        right=fmt.unmarked(right.name),
        before=before,
        now=now,
    )
    differences = {key: abs(value) for key in right.areas if (value := _difference(left, right, key)) is not None}
    most = max(differences, key=lambda key: differences[key], default=None)
    if most is not None and differences[most] >= 1:
        points, names = fmt.number(page.language, differences[most]), areas_by_id(page)
        tied = [
            page.say(names[key].name) for key, each in differences.items() if fmt.number(page.language, each) == points
        ]
        words += " " + page.text("compare.lead_area", area=listed(page.language, tied, NAMED), points=points)
    show(lead(words))


def _questions(page: Page, left: Half, right: Half) -> None:
    """Say whose numbers the product itself doubts, in the period that they are of."""
    halves = {half.name: half for half in (left, right)}.values()
    signs = [
        half.name
        for half in halves
        if any(row.team_id == half.team.team_id for row in quality.alarms(page.snapshot, half.period))
    ]
    if signs:
        show(hint(f"{', '.join(signs)}: ", page.link(EXEMPTIONS.at(), page.text("moves.doubt_signs"))))


def _difference(left: Half, right: Half, area_id: str) -> float | None:
    """Points from left to right; None where one of them has no score."""
    pair = [half.areas.get(area_id) for half in (left, right)]
    values = [row.score if row else None for row in pair]
    return None if values[0] is None or values[1] is None else values[1] - values[0]


def _areas(page: Page, left: Half, right: Half) -> None:
    """The total and the areas in their order: both scores, and both on one line."""
    totals = [half.score.score if half.score else None for half in (left, right)]
    rows = [_score_row(page, Cell(page.text("word.total"), is_strong=True), left, right, *totals)]
    for area_id, area in areas_by_id(page).items():
        pair = [half.areas.get(area_id) for half in (left, right)]
        name = Cell(page.say(area.name), address=TEAM.at(team=right.team.team_id, area=area_id))
        rows.append(_score_row(page, name, left, right, *(row.score if row else None for row in pair)))
    columns = (
        Column(page.text("word.area"), "link"),
        Column(left.name, "number"),
        Column(right.name, "number"),
        Column(page.text("compare.difference"), "number"),
        Column(page.text("compare.drawn")),
    )
    table = Table("compare_areas", page.text("compare.areas_caption"), columns, tuple(rows))
    key = (
        element("span", element("i", class_="sign hollow"), " ", left.name),
        element("span", element("i", class_="sign s3"), " ", right.name),
    )
    legend = element("div", key, class_="legend")
    show(join(heading(page.text("compare.areas")), legend, table_html(page, table, kind="compare")))


def _score_row(
    page: Page, name: Cell, left: Half, right: Half, before: float | None, now: float | None
) -> tuple[Cell, ...]:
    return (
        name,
        *page.cells.scores(before, now),
        _signed(page, before, now),
        _dumbbell(page, left, right, before, now),
    )


def _signed(page: Page, before: float | None, now: float | None) -> Cell:
    """The difference in points; none where one is missing, nothing where it does not show."""
    if before is None or now is None or abs(now - before) < _FEWEST:
        return Cell(fmt.MISSING)
    return page.cells.signed(now - before)


def _dumbbell(page: Page, left: Half, right: Half, before: float | None, now: float | None) -> Cell:
    """Both values on one line from 0 to 100 with the requirement."""
    krav = f"{page.text('word.krav').lower()} {fmt.number(page.language, KRAV_POINTS)}"
    lines = [Line(0.0, "0"), Line(1.0, "100"), Line(KRAV_POINTS / 100, krav, "krav")]
    said = [
        f"{half.name}: {words}"
        for half, words in zip((left, right), fmt.scores(page.language, before, now), strict=True)
    ]
    alt = "; ".join(said)
    kinds: tuple[MarkKind, ...] = ("hollow", "plain")
    marks = [
        Mark(value / 100, kind, words)
        for value, kind, words in zip((before, now), kinds, said, strict=True)
        if value is not None
    ]
    spans = [(min(before, now) / 100, max(before, now) / 100)] if before is not None and now is not None else []
    return track(marks, lines, alt, spans=spans)


def _metrics(page: Page, left: Half, right: Half) -> None:
    """The metrics that differ most in points first; the rest, and those with one value only, on demand."""
    metrics = metrics_by_id(page)
    ranked = sorted(metrics.values(), key=lambda metric: -_apart(left, right, metric))
    shown = [metric for metric in ranked[:SHOWN_METRICS] if _apart(left, right, metric) >= _FEWEST]
    rest = [metric for metric in metrics.values() if metric not in shown]
    title = heading(page.text("compare.metrics"), page.text("compare.metrics_note"))
    none = "compare.metrics_same" if any(_apart(left, right, metric) >= 0 for metric in ranked) else "compare.unknown"
    table = _metric_table(page, left, right, shown)
    body = table_html(page, table, kind="compared") if shown else hint(page.text(none))
    more = None
    if rest:
        others = table_html(page, _metric_table(page, left, right, rest), kind="compared")
        more = folded(page.text("compare.metrics_rest", count=len(rest)), others)
    show(join(title, body, more))


def _points(half: Half, metric: Metric) -> float | None:
    row = half.metrics.get(metric.metric_id)
    return row.points if row else None


def _apart(left: Half, right: Half, metric: Metric) -> float:
    before, now = _points(left, metric), _points(right, metric)
    return -1.0 if before is None or now is None else abs(now - before)


def _metric_table(page: Page, left: Half, right: Half, metrics: Sequence[Metric]) -> Table:
    rows = tuple(
        (
            Cell(page.say(metric.title), address=METRIC.at(metric=metric.metric_id, team=right.team.team_id)),
            *_values(page, left, right, metric),
            *page.cells.points(_points(left, metric), _points(right, metric)),
            _signed(page, _points(left, metric), _points(right, metric)),
        )
        for metric in metrics
    )
    points = page.text("word.points").lower()
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(left.name, "number"),
        Column(right.name, "number"),
        Column(f"{left.name}, {points}", "number"),
        Column(f"{right.name}, {points}", "number"),
        Column(page.text("compare.difference"), "number"),
    )
    return Table("compare_metrics", page.text("compare.metrics_caption"), columns, rows)


def _values(page: Page, left: Half, right: Half, metric: Metric) -> list[Cell]:
    """The values of both; of one that is not measured why."""
    rows = [half.metrics.get(metric.metric_id) for half in (left, right)]
    cells = page.cells.measures(metric.unit, *(shown_value(row) if row else None for row in rows))
    return [
        replace(cell, detail=status_words(page, row) if row and cell.value is None else "")
        for cell, row in zip(cells, rows, strict=True)
    ]
