"""How did a metric's number come about: its formula with today's figures, and the rows that prove it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from opsmetrics.language import fmt
from opsmetrics.language.details import detail
from opsmetrics.reports.do_first import is_unconnected, unconnected
from opsmetrics.reports.source_links import Item, links
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import evidence, scores
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.evidence import Evidence
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.queries.scores import MetricScore
from scorecard_app.markup import NOTHING, Markup, heading, hint, join, paragraph, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.do_first import connect_advice, source_link
from scorecard_app.views.metric_words import Written
from scorecard_app.views.parts import reason, source, status_words
from scorecard_app.views.sides import MOST_ROWS


def formula_section(page: Page, metric: Metric, row: MetricScore, written: Written) -> None:
    """Show how value, points and weight come about, and the entities where the metric is scored by them."""
    lines = (paragraph(line, kind="equation") for line in _formula(page, metric, row, written))
    show(join(heading(page.text("metric.formula")), lines, _connect(page, row)))
    if metric.is_entity and row.points is not None:
        _entities(page, metric, row.team_id)


def _connect(page: Page, row: MetricScore) -> Markup:
    """Where nothing is connected, that is the next step, and no remedy of something that nobody has measured."""
    return (
        points(connect_advice(page, row.team_id, each) for each in unconnected([row]))
        if is_unconnected(row)
        else NOTHING
    )


def _formula(page: Page, metric: Metric, row: MetricScore, written: Written) -> list[str]:
    """Value, points and weight as sentences; of what has no points only why."""
    language = page.language
    if row.points is None or row.status == "not_measured_overdue":
        status = status_words(page, row).lower()
        said = reason(language, row.reason)
        return [page.text("metric.no_value", status=status, reason=f" ({said})" if said else "")]
    lines: list[str] = []
    if row.value is not None:
        lines.append(
            page.text(
                "metric.formula_value",
                numerator=_amount(language, row.numerator),
                denominator=_amount(language, row.denominator),
                value=written.one(row.value),
            )
        )
    weight, evidence_weight = row.weight, row.evidence_weight or 0.0
    if metric.lifecycle != "stable":
        return [*lines, _points_line(page, metric, row, written), page.text(f"metric.weight_{metric.lifecycle}")]
    return [
        *lines,
        _points_line(page, metric, row, written),
        page.text(
            "metric.formula_weight",
            weight=fmt.exact(language, weight),
            evidence=fmt.number(language, evidence_weight, 3),
            effective=fmt.number(language, weight * evidence_weight, 3),
            stated_share=fmt.percent(language, row.stated_share, 1),
            effective_share=fmt.percent(language, row.effective_share, 1),
        ),
    ]


def _points_line(page: Page, metric: Metric, row: MetricScore, written: Written) -> str:
    """How the value gives points: by entities, by a line from floor to target, or over the requirement between."""
    if metric.is_entity:
        return page.text("metric.formula_entities")
    scale = (row.value, metric.floor, metric.krav, metric.mal)
    value, floor, krav, target = written.all(*scale)
    values = {
        "value": value,
        "points": fmt.score_in_tenths(page.language, row.points),
        "floor": floor,
        "target": target,
    }
    if metric.krav is None:
        return page.text("metric.formula_points_line", **values)
    return page.text("metric.formula_points", **values, krav=krav)


def _amount(language: str, value: float | None) -> str:
    if value is None:
        return fmt.MISSING
    return fmt.number(language, value, 0 if value == int(value) else 2)


def _amount_cell(page: Page, value: float | Decimal | None) -> Cell:
    number = None if value is None else float(value)
    return Cell(_amount(page.language, number), number)


def _entities(page: Page, metric: Metric, team_id: str) -> None:
    cells, language = page.cells, page.language
    found = scores.entities(page.snapshot, page.period, team_id, metric.metric_id)
    known = links(page.snapshot, metric, team_id, [Item(row.entity_id) for row in found])
    rows = tuple(
        (
            Cell(row.entity_id, drawing=source_link(page, known.get(row.entity_id), row.entity_id)),
            cells.number(row.entity_weight),
            _amount_cell(page, row.numerator),
            _amount_cell(page, row.denominator),
            cells.measure(metric.unit, row.value),
            Cell(fmt.score_in_tenths(language, row.points), row.points),
        )
        for row in found
    )
    columns = (
        Column(page.text("metric.entity")),
        Column(page.text("word.weight"), "number"),
        Column(page.text("metric.col_numerator"), "number"),
        Column(page.text("metric.col_denominator"), "number"),
        Column(page.text("word.value"), "number"),
        Column(page.text("word.points"), "number"),
    )
    file = source("entities", team=team_id, metric=metric.metric_id)
    show(table_html(page, Table("entities", page.text("metric.entities_caption"), columns, rows, source=file)))


def evidence_section(page: Page, metric: Metric, team_id: str) -> None:
    """Show the newest rows behind the number; all of them are in the file."""
    title = heading(page.text("metric.evidence"))
    if not page.permissions.may_see_rows(metric.area_id, team_id):
        show(join(title, hint(page.text("metric.evidence_closed"))))
        return
    score = scores.metric_scores(page.snapshot, page.period, team_id=team_id, metric_id=metric.metric_id).first()
    if score is not None and is_unconnected(score):
        show(join(title, hint(page.text("metric.evidence_unconnected"))))
        return
    found = evidence.evidence(page.snapshot, metric, page.period, team_id)
    if not found:
        show(join(title, hint(page.text("metric.evidence_none"))))
        return
    table = _evidence_table(page, metric, team_id, found)
    show(join(title, hint(_recount(page, found)), table_html(page, table)))


def _recount(page: Page, found: Rows[Evidence]) -> str:
    """How many rows there are and what they sum to."""
    # Summed in the type the SQL gave (decimals for minutes), so that the recount shows the formula's own digits.
    numerator, denominator = (float(found.frame[name].sum() or 0) for name in ("numerator", "denominator"))
    return page.text(
        "metric.evidence_hint_cut" if len(found) > MOST_ROWS else "metric.evidence_hint",
        rows=fmt.number(page.language, len(found)),
        numerator=_amount(page.language, numerator),
        denominator=_amount(page.language, denominator),
        shown=fmt.number(page.language, min(MOST_ROWS, len(found))),
    )


def _when(page: Page, row: Evidence, day: date | None) -> Cell:
    """The day of what is of a day, else the instant."""
    language = page.language
    return Cell(fmt.long_date(language, day) if day else fmt.instant(language, row.item_at, page.organisation.timezone))


def _evidence_table(page: Page, metric: Metric, team_id: str, found: Rows[Evidence]) -> Table:
    zone = page.organisation.timezone
    shown = found[:MOST_ROWS]
    known = links(page.snapshot, metric, team_id, [Item(row.item_id, row.detail or "") for row in shown])
    names = {row.item_id: detail(page.language, row.item_id) for row in shown}
    rows = tuple(
        (
            Cell(names[row.item_id], drawing=source_link(page, known.get(row.item_id), names[row.item_id])),
            _when(page, row, evidence.day_of(metric, row, zone)),
            _amount_cell(page, row.numerator),
            _amount_cell(page, row.denominator),
            Cell(detail(page.language, row.detail)),
        )
        for row in shown
    )
    columns = (
        Column(page.text("metric.col_item")),
        Column(page.text("metric.col_when"), "date"),
        Column(page.text("metric.col_numerator"), "number"),
        Column(page.text("metric.col_denominator"), "number"),
        Column(page.text("metric.col_detail")),
    )
    file = source("evidence", team=team_id, metric=metric.metric_id)
    return Table("evidence", page.text("metric.evidence"), columns, rows, source=file)
