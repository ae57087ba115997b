"""What exactly is measured and why, is it really changing, how did the number come about, which rows prove it?"""

from __future__ import annotations

import math
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import catalogue, scores
from scorecard_app import charts
from scorecard_app.markup import folded, heading, pairs, reason, rich, strip, table
from scorecard_app.page import Page, by, choose, choose_period, head, known, show, unknown, view
from scorecard_app.views.parts import gaps_table, shown_value, status_tag

SHOWN_WEEKS = 52
SHOWN_POINTS = 26
SHOWN_ROWS = 20
FEWEST_POINTS = 2

Row = dict[str, Any]


@view("metric")
def render(page: Page) -> None:
    """Show one metric of one team."""
    metrics = by(catalogue.metrics(page.snapshot), "metric_id")
    teams = by(catalogue.teams(page.snapshot), "team_id")
    metric_id = known("metric", metrics)
    team_id = known("team", teams, next(iter(sorted(page.reader.teams)), None))
    metric, team = metrics[metric_id], teams[team_id]
    area = by(catalogue.areas(page.snapshot), "area_id")[metric["area_id"]]
    area_link = page.link("omrade", page.label(area), area=metric["area_id"])
    team_link = page.link("team", page.label(team), team=team_id)
    head(page, page.label(metric, "title"), f"{team_link} · {area_link}", crumbs=(team_link,))
    unknown(page, {"metric": metrics, "team": teams})
    names = {key: page.label(row, "title") for key, row in metrics.items()}
    left, middle, right = st.columns([2, 1, 1])
    with left:
        choose(page.text("metric.choose_metric"), "metric", list(metrics), names, metric_id)
    with middle:
        choose(page.text("team.choose"), "team", list(teams), {k: page.label(r) for k, r in teams.items()}, team_id)
    with right:
        choose_period(page)
    row = by(scores.metric_scores(page.snapshot, page.period), "team_id", "metric_id").get((team_id, metric_id))
    if row is not None:
        _now(page, metric, row)
    if not _control(page, metric, team, team_id):
        _trend(page, metric, team, team_id)
    if row is not None:
        _formula(page, metric, row, team_id)
    _about(page, metric)
    _next_step(page, metric_id, team_id)
    _evidence(page, metric, team_id)
    _sql(page, metric)


def _has_points(row: dict[str, Any]) -> bool:
    return row["points"] is not None


def _now(page: Page, metric: dict[str, Any], row: dict[str, Any]) -> None:
    language, unit = page.language, metric["unit"]
    sign = "≤" if metric["floor"] > metric["mal"] else "≥"
    krav = metric["krav"] if metric["krav"] is not None else metric["mal"]
    items = [
        (page.text("word.now"), fmt.metric_value(language, unit, shown_value(row)), ""),
        (page.text("word.krav"), f"{sign} {fmt.metric_value(language, unit, krav)}", ""),
        (page.text("word.target"), f"{sign} {fmt.metric_value(language, unit, metric['mal'])}", ""),
        (page.text("word.points"), fmt.number(language, row["points"]), escape(page.text("word.out_of_100"))),
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
    show(heading(page.text("metric.formula")) + body)
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
        for row in scores.entities(page.snapshot, page.period, team_id, metric["metric_id"]).to_dicts()
    ]
    header = [
        (page.text("metric.entity"), False),
        (page.text("word.weight"), True),
        (page.text("metric.col_numerator"), True),
        (page.text("metric.col_denominator"), True),
        (page.text("word.value"), True),
        (page.text("word.points"), True),
    ]
    files = page.downloads("entities", team=team_id, metric=metric["metric_id"])
    show(table(page.text("metric.entities_caption"), header, rows) + files)


def _control(page: Page, metric: Row, team: Row, team_id: str) -> bool:
    """Show the XmR chart and its two answers: is it really changing, will it meet the target? False without one."""
    language, unit = page.language, metric["unit"]
    until = pl.col("as_of") <= page.period["as_of"]
    found = scores.control_chart(page.snapshot, team_id, metric["metric_id"]).filter(until).to_dicts()
    if len(found) < FEWEST_POINTS:
        return False
    newest, is_up_good = found[-1], metric["mal"] > metric["floor"]
    # A share cannot leave 0 to 1, whatever the moving ranges say.
    widest = 1.0 if unit in {"share", "utilisation"} else math.inf
    for row, before in zip(found, [found[0], *found], strict=False):
        row["low"], row["high"] = max(0.0, row["low"]), min(widest, row["high"])
        rising = row["value"] > (before["value"] if row["signal"] == "seven_rising_or_falling" else row["centre"])
        row["is_better"] = rising == is_up_good
    low, centre, high = (fmt.metric_value(language, unit, newest[key]) for key in ("low", "centre", "high"))
    target = fmt.metric_value(language, unit, metric["mal"])
    answers = [_variation(page, newest), _assurance(page, metric, newest)]
    grain = page.text(f"metric.{newest['grain']}")
    trial = page.text("metric.trial" if newest["is_trial"] else "metric.locked")
    show(
        heading(page.text("metric.control"), page.text("metric.control_note", grain=grain, limits=trial))
        + f'<p class="answer">{rich(" ".join(answers))}</p>'
    )
    words = {
        "target": f"{page.text('word.target').lower()} {target}",
        "mean": f"{page.text('metric.mean').lower()} {centre}",
        "high": page.text("metric.upper"),
        "low": page.text("metric.lower"),
    }
    shown = found[-SHOWN_POINTS:]
    st.plotly_chart(
        charts.control_chart(language, unit, shown, target=metric["mal"], is_up_good=is_up_good, words=words),
        config=charts.CONFIG,
        theme=None,
        key="control",
        alt=f"{page.label(metric, 'title')}, {page.label(team)}. " + " ".join(answers).replace("*", ""),
    )
    key = "".join(
        f"<span>{mark} {escape(page.text(f'metric.key_{name}'))}</span>"
        for mark, name in (("●", "normal"), ("▲", "better"), ("◆", "worse"), ("- -", "limits"), ("▒", "target"))
    )
    rows = [
        [
            fmt.short_date(language, row["on"]),
            fmt.metric_value(language, unit, row["value"]),
            escape(page.text(f"metric.signal_{row['signal']}")) if row["signal"] else fmt.MISSING,
        ]
        for row in reversed(found)
    ]
    header = [(page.text("explain.until"), False), (page.text("word.value"), True), (page.text("metric.signal"), False)]
    limits = page.text("metric.limits", low=low, centre=centre, high=high)
    name = f"{metric['metric_id']}-{team_id}"
    show(
        f'<div class="legend">{key}</div>'
        + page.figure_buttons(name, f"{page.label(metric, 'title')} · {page.label(team)}")
        + folded(page.text("app.show_table"), f'<p class="hint">{escape(limits)}</p>' + table(limits, header, rows))
        + page.downloads("control-chart", team=team_id, metric=metric["metric_id"])
    )
    return True


def _variation(page: Page, newest: Row) -> str:
    """Whether it is really changing."""
    if not newest["signal"]:
        return page.text("metric.variation_normal")
    key = "metric.variation_better" if newest["is_better"] else "metric.variation_worse"
    return page.text(key, signal=page.text(f"metric.signal_{newest['signal']}").lower())


def _assurance(page: Page, metric: Row, newest: Row) -> str:
    """Whether today's way of working will meet the target: where the target lies against the natural limits."""
    target, is_up_good = metric["mal"], metric["mal"] > metric["floor"]
    worst, best = (newest["low"], newest["high"]) if is_up_good else (newest["high"], newest["low"])
    if newest["is_trial"]:
        return page.text("metric.assurance_trial")
    if (worst >= target) if is_up_good else (worst <= target):
        return page.text("metric.assurance_yes")
    if (best < target) if is_up_good else (best > target):
        return page.text("metric.assurance_no")
    return page.text("metric.assurance_chance")


def _trend(page: Page, metric: Row, team: Row, team_id: str) -> None:
    """Show the weekly values of a metric that has no periods of its own, such as a state."""
    language, unit = page.language, metric["unit"]
    until = pl.col("as_of") <= page.period["as_of"]
    weeks = scores.metric_weeks(page.snapshot, team_id, metric["metric_id"]).filter(until).tail(SHOWN_WEEKS)
    values = [
        row["value"] if row["status"] in {"ok", "low_evidence"} else None
        for row in weeks.select("value", "status").to_dicts()
    ]
    show(heading(page.text("metric.trend"), page.text("metric.trend_note")))
    if all(value is None for value in values):
        show(f'<p class="hint">{escape(page.text("metric.trend_none"))}</p>')
        return
    last = next(value for value in reversed(values) if value is not None)
    lines = [(page.text("word.target"), metric["mal"]), (page.text("word.krav"), metric["krav"])]
    alt = page.text(
        "metric.trend_alt",
        metric=page.label(metric, "title"),
        team=page.label(team),
        value=fmt.metric_value(language, unit, last),
        krav=fmt.metric_value(language, unit, metric["krav"]),
        target=fmt.metric_value(language, unit, metric["mal"]),
    )
    days = weeks["on"].to_list()
    labelled = [(f"{name.lower()} {fmt.metric_value(language, unit, at)}", at) for name, at in lines if at is not None]
    st.plotly_chart(
        charts.metric_trend(language, unit, days, values, labelled),
        config=charts.CONFIG,
        theme=None,
        key="trend",
        alt=alt,
    )
    rows = [
        [fmt.short_date(language, day), fmt.metric_value(language, unit, value)]
        for day, value in zip(reversed(days), reversed(values), strict=True)
    ]
    header = [(page.text("word.period"), False), (page.text("word.value"), True)]
    show(
        page.figure_buttons(f"{metric['metric_id']}-{team_id}", f"{page.label(metric, 'title')} · {page.label(team)}")
        + folded(page.text("app.show_table"), table(alt, header, rows))
        + page.downloads("weeks", team=team_id, metric=metric["metric_id"])
    )


def _about(page: Page, metric: dict[str, Any]) -> None:
    days = metric["window_days"]
    window = page.text("metric.window_days", days=days) if days else page.text("metric.window_now")
    items = [
        (page.text("metric.what"), escape(page.label(metric, "formula"))),
        (page.text("metric.why"), escape(page.label(metric, "why"))),
        (page.text("metric.remedy"), escape(page.label(metric, "remedy"))),
        (page.text("metric.window"), escape(window)),
        (page.text("word.weight"), fmt.number(page.language, metric["weight"])),
        (
            page.text("metric.needs"),
            escape(", ".join(page.text(f"stream.{name}") for name in metric["needs"])),
        ),
        (page.text("metric.obligations"), escape(", ".join(metric["obligations"]))),
        (page.text("metric.version"), str(metric["metric_version"])),
    ]
    show(heading(page.text("metric.about")) + pairs(items))


def _next_step(page: Page, metric_id: str, team_id: str) -> None:
    """Show the gap with its remedy, owner and due day, where there is one."""
    gaps = scores.gaps(page.snapshot, page.period, team_id).filter(metric_id=metric_id).to_dicts()
    if gaps:
        show(heading(page.text("word.next_step")) + gaps_table(page, gaps, below="team"))


def _evidence(page: Page, metric: Row, team_id: str) -> None:
    """Show the newest rows behind the number; all of them are in the file."""
    language, zone = page.language, str(page.organisation["timezone"])
    title = page.text("metric.evidence")
    if not page.reader.may_see_rows(metric["area_id"], team_id):
        show(heading(title) + f'<p class="hint">{escape(page.text("metric.evidence_closed"))}</p>')
        return
    found = scores.evidence(page.snapshot, metric["evidence_sql"], page.period, team_id)
    if found.is_empty():
        show(heading(title) + f'<p class="hint">{escape(page.text("metric.evidence_none"))}</p>')
        return
    # Summed in the type the SQL gave (decimals for minutes), so that the recount shows the formula's own digits.
    numerator, denominator = (float(found[name].sum() or 0) for name in ("numerator", "denominator"))
    hint = page.text(
        "metric.evidence_hint",
        rows=fmt.number(language, found.height),
        numerator=_amount(language, numerator),
        denominator=_amount(language, denominator),
        shown=fmt.number(language, min(SHOWN_ROWS, found.height)),
    )
    rows = [
        [
            escape(str(row["item_id"])),
            fmt.instant(language, row["item_at"], zone),
            _amount(language, _float(row["numerator"])),
            _amount(language, _float(row["denominator"])),
            escape(str(row["detail"] or "")),
        ]
        for row in found.head(SHOWN_ROWS).to_dicts()
    ]
    header = [
        (page.text("metric.col_item"), False),
        (page.text("metric.col_when"), False),
        (page.text("metric.col_numerator"), True),
        (page.text("metric.col_denominator"), True),
        (page.text("metric.col_detail"), False),
    ]
    show(
        heading(title)
        + f'<p class="hint">{escape(hint)}</p>'
        + table(title, header, rows)
        + page.downloads("evidence", team=team_id, metric=metric["metric_id"])
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _sql(page: Page, metric: Row) -> None:
    """Show the SQL that makes the number, to copy."""
    copy = (
        f'<button type="button" data-copy="metric-sql" data-done="{escape(page.text("metric.copied"))}">'
        f"{escape(page.text('metric.copy'))}</button>"
    )
    body = (
        f'<p class="downloads">{copy}</p><pre tabindex="0"><code id="metric-sql">{escape(metric["sql"])}</code></pre>'
    )
    show(heading(page.text("metric.sql")) + folded(page.text("metric.sql_show"), body))
