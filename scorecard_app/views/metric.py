"""What exactly is measured and why, how did the number come about, which rows prove it?"""

from __future__ import annotations

import math
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from scorecard_app import charts, data, fmt
from scorecard_app.exports import csv_bytes
from scorecard_app.markup import pairs, reason, strip, table
from scorecard_app.page import Page, begin, by, choose, controls, foot, head, show
from scorecard_app.views.team import status_tag

SHOWN_WEEKS = 52
FEWEST_POINTS = 2


def render() -> None:
    """Show one metric of one team."""
    page = begin()
    if page is None:
        return
    metrics = by(data.metrics(page.snapshot), "metric_id")
    teams = by(data.teams(page.snapshot), "team_id")
    metric_id = _known("metric", metrics)
    team_id = _known("team", teams)
    metric, team = metrics[metric_id], teams[team_id]
    area = by(data.areas(page.snapshot), "area_id")[metric["area_id"]]
    head(
        page,
        page.name(metric, "title"),
        f"{page.link('team', page.name(team), team=team_id)} · {escape(page.name(area))}",
    )
    _unknown(page, {"metric": metrics, "team": teams})
    left, right = st.columns(2)
    with left:
        names = {key: page.name(row, "title") for key, row in metrics.items()}
        choose(page.text("metric.choose_metric"), "metric", list(metrics), names, metric_id)
    with right:
        choose(
            page.text("metric.choose_team"),
            "team",
            list(teams),
            {k: page.name(r) for k, r in teams.items()},
            team_id,
        )
    controls(page)
    row = by(data.metric_scores(page.snapshot, page.period), "team_id", "metric_id").get((team_id, metric_id))
    if row is not None:
        _now(page, metric, row)
        _formula(page, metric, row, team_id)
    _trend(page, metric, team, team_id)
    _control(page, metric, team_id)
    _about(page, metric)
    _evidence(page, metric, team_id)
    with st.expander(page.text("metric.sql")):
        st.code(metric["sql"], language="sql")
    foot(page)


def _known(key: str, rows: dict[Any, dict[str, Any]]) -> str:
    wanted = st.query_params.get(key)
    return wanted if wanted is not None and wanted in rows else next(iter(rows))


def _unknown(page: Page, known: dict[str, dict[Any, dict[str, Any]]]) -> None:
    for key, rows in known.items():
        wanted = st.query_params.get(key)
        if wanted and wanted not in rows:
            show(f'<div class="banner" role="alert">{escape(page.text("app.unknown", name=wanted))}</div>')


def _has_points(row: dict[str, Any]) -> bool:
    return row["points"] is not None


def _now(page: Page, metric: dict[str, Any], row: dict[str, Any]) -> None:
    language, unit = page.language, metric["unit"]
    sign = "≤" if metric["floor"] > metric["mal"] else "≥"
    krav = metric["krav"] if metric["krav"] is not None else metric["mal"]
    value = row["value"] if _has_points(row) else None
    items = [
        (page.text("word.now"), fmt.metric_value(language, unit, value), ""),
        (page.text("word.krav"), f"{sign} {fmt.metric_value(language, unit, krav)}", ""),
        (page.text("word.target"), f"{sign} {fmt.metric_value(language, unit, metric['mal'])}", ""),
        (page.text("word.points"), fmt.number(language, row["points"]), page.text("word.out_of_100")),
    ]
    chance = ""
    if row["interval_low"] is not None and _has_points(row):
        low, high = (fmt.metric_value(language, unit, row[key]) for key in ("interval_low", "interval_high"))
        chance = f'<p class="hint">{escape(page.text("metric.interval", low=low, high=high))}</p>'
    why = reason(language, row["reason"])
    show(strip(items) + f'<p class="meta">{status_tag(page, row)} {escape(why)}</p>{chance}')


def _formula(page: Page, metric: dict[str, Any], row: dict[str, Any], team_id: str) -> None:
    language, unit = page.language, metric["unit"]
    lines: list[str] = []
    value = fmt.metric_value(language, unit, row["value"])
    if not _has_points(row) or row["status"] == "not_measured_overdue":
        status = page.text(f"status.{row['status']}").lower()
        lines.append(page.text("metric.no_value", status=status, reason=reason(language, row["reason"])))
    else:
        numerator, denominator = (_amount(language, row[key]) for key in ("numerator", "denominator"))
        if row["value"] is not None:
            lines.append(page.text("metric.formula_value", numerator=numerator, denominator=denominator, value=value))
        points = fmt.number(language, row["points"], 1)
        floor, krav, target = (fmt.metric_value(language, unit, metric[key]) for key in ("floor", "krav", "mal"))
        if metric["is_entity"]:
            lines.append(page.text("metric.formula_entities"))
        elif metric["krav"] is None:
            lines.append(
                page.text("metric.formula_points_line", value=value, points=points, floor=floor, target=target)
            )
        else:
            lines.append(
                page.text("metric.formula_points", value=value, points=points, floor=floor, krav=krav, target=target)
            )
        effective = row["weight"] * row["evidence_weight"]
        lines.append(
            page.text(
                "metric.formula_weight",
                weight=fmt.number(language, row["weight"]),
                evidence=fmt.number(language, row["evidence_weight"], 3),
                effective=fmt.number(language, effective, 3),
            )
        )
    body = "".join(f'<p class="equation">{escape(line)}</p>' for line in lines)
    show(f"<h2>{escape(page.text('metric.formula'))}</h2>{body}")
    if metric["is_entity"] and _has_points(row):
        _entities(page, metric, team_id)


def _amount(language: str, value: float | None) -> str:
    if value is None:
        return fmt.MISSING
    return fmt.number(language, value, 0 if value == int(value) else 2)


def _entities(page: Page, metric: dict[str, Any], team_id: str) -> None:
    language = page.language
    rows = [
        [
            escape(row["entity_id"]),
            fmt.number(language, row["entity_weight"]),
            _amount(language, row["numerator"]),
            _amount(language, row["denominator"]),
            fmt.metric_value(language, metric["unit"], row["value"]),
            fmt.number(language, row["points"], 1),
        ]
        for row in data.entities(page.snapshot, page.period, team_id, metric["metric_id"]).to_dicts()
    ]
    header = [
        (page.text("metric.entity"), False),
        (page.text("word.weight"), True),
        (page.text("metric.col_numerator"), True),
        (page.text("metric.col_denominator"), True),
        (page.text("word.value"), True),
        (page.text("word.points"), True),
    ]
    show(table(page.text("metric.entities_caption"), header, rows))


def _trend(page: Page, metric: dict[str, Any], team: dict[str, Any], team_id: str) -> None:
    language, unit = page.language, metric["unit"]
    weeks = data.metric_weeks(page.snapshot, team_id, metric["metric_id"]).tail(SHOWN_WEEKS)
    values = [
        row["value"] if row["status"] in {"ok", "low_evidence"} else None
        for row in weeks.select("value", "status").to_dicts()
    ]
    if all(value is None for value in values):
        return
    last = next(value for value in reversed(values) if value is not None)
    lines = [(page.text("word.target"), metric["mal"]), (page.text("word.krav"), metric["krav"])]
    shown = [
        (f"{label} {fmt.metric_value(language, unit, height)}", height) for label, height in lines if height is not None
    ]
    alt = page.text(
        "metric.trend_alt",
        metric=page.name(metric, "title"),
        team=page.name(team),
        value=fmt.metric_value(language, unit, last),
        krav=fmt.metric_value(language, unit, metric["krav"]),
        target=fmt.metric_value(language, unit, metric["mal"]),
    )
    hint = escape(page.text("metric.trend_hint"))
    show(f'<h2>{escape(page.text("metric.trend"))}</h2><p class="hint">{hint}</p>')
    days = weeks["on"].to_list()
    figure = charts.metric_trend(language, days, values, is_share=unit in {"share", "utilisation"}, lines=shown)
    st.plotly_chart(figure, alt=alt, key="trend", config=charts.CONFIG)
    rows = [
        [fmt.short_date(language, day), fmt.metric_value(language, unit, value)]
        for day, value in zip(reversed(days), reversed(values), strict=True)
    ]
    header = [(page.text("word.period"), False), (page.text("word.value"), True)]
    summary = escape(page.text("app.show_table"))
    show(f"<details><summary>{summary}</summary>{table(alt, header, rows)}</details>")


def _control(page: Page, metric: dict[str, Any], team_id: str) -> None:
    """The XmR chart as a table: natural limits, and the points that are more than noise."""
    language, unit = page.language, metric["unit"]
    rows = data.control_chart(page.snapshot, team_id, metric["metric_id"]).to_dicts()
    if len(rows) < FEWEST_POINTS:
        return
    newest = rows[-1]
    # A share cannot leave 0 to 1, whatever the moving ranges say.
    widest = 1.0 if unit in {"share", "utilisation"} else math.inf
    limits = (max(0.0, newest["low"]), newest["centre"], min(widest, newest["high"]))
    low, centre, high = (fmt.metric_value(language, unit, limit) for limit in limits)
    key = "metric.control_trial" if newest["is_trial"] else "metric.control_hint"
    shown = [
        [
            fmt.short_date(language, row["on"]),
            fmt.metric_value(language, unit, row["value"]),
            escape(page.text(f"metric.signal_{row['signal']}")) if row["signal"] else fmt.MISSING,
        ]
        for row in reversed(rows)
    ]
    header = [
        (page.text("word.period"), False),
        (page.text("word.value"), True),
        (page.text("metric.signal"), False),
    ]
    count = sum(bool(row["signal"]) for row in rows)
    text = page.text(key, low=low, centre=centre, high=high, signals=count, points=len(rows))
    show(
        f'<h2>{escape(page.text("metric.control"))}</h2><p class="hint">{escape(text)}</p>'
        f"<details><summary>{escape(page.text('app.show_table'))}</summary>"
        f"{table(page.text('metric.control'), header, shown)}</details>"
    )


def _about(page: Page, metric: dict[str, Any]) -> None:
    days = metric["window_days"]
    window = page.text("metric.window_days", days=days) if days else page.text("metric.window_now")
    items = [
        (page.text("metric.what"), escape(page.name(metric, "formula"))),
        (page.text("metric.why"), escape(page.name(metric, "why"))),
        (page.text("metric.remedy"), escape(page.name(metric, "remedy"))),
        (page.text("metric.window"), escape(window)),
        (page.text("word.weight"), fmt.number(page.language, metric["weight"])),
        (
            page.text("metric.needs"),
            escape(", ".join(page.text(f"stream.{name}") for name in metric["needs"])),
        ),
        (page.text("metric.obligations"), escape(", ".join(metric["obligations"]))),
        (page.text("metric.version"), str(metric["metric_version"])),
    ]
    show(f"<h2>{escape(page.text('metric.about'))}</h2>" + pairs(items))


def _evidence(page: Page, metric: dict[str, Any], team_id: str) -> None:
    language = page.language
    rows = data.evidence(page.snapshot, metric["evidence_sql"], page.period, team_id)
    show(f"<h2>{escape(page.text('metric.evidence'))}</h2>")
    if rows.is_empty():
        show(f'<p class="hint">{escape(page.text("metric.evidence_none"))}</p>')
        return
    # Summed in the type the SQL gave (decimals for minutes), so that the recount shows the formula's own digits.
    numerator, denominator = (float(rows[name].sum() or 0) for name in ("numerator", "denominator"))
    hint = page.text(
        "metric.evidence_hint",
        rows=rows.height,
        numerator=_amount(language, numerator),
        denominator=_amount(language, denominator),
    )
    show(f'<p class="hint">{escape(hint)}</p>')
    zone = page.organisation["timezone"]
    shown = rows.select(
        pl.col("item_id").alias(page.text("metric.col_item")),
        pl.col("item_at").dt.convert_time_zone(zone).alias(page.text("metric.col_when")),
        pl.col("numerator").cast(pl.Float64).alias(page.text("metric.col_numerator")),
        pl.col("denominator").cast(pl.Float64).alias(page.text("metric.col_denominator")),
        pl.col("detail").alias(page.text("metric.col_detail")),
    )
    localized = st.column_config.NumberColumn(format="localized")
    formats = {
        page.text("metric.col_when"): st.column_config.DatetimeColumn(format="DD.MM.YYYY HH:mm"),
        page.text("metric.col_numerator"): localized,
        page.text("metric.col_denominator"): localized,
    }
    st.dataframe(shown, hide_index=True, column_config=formats)
    st.download_button(
        page.text("app.download_csv"),
        csv_bytes(shown, language),
        file_name=f"{metric['metric_id']}-{team_id}-{page.period['label']}.csv",
        mime="text/csv",
        on_click="ignore",
    )
