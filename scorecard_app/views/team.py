"""Where does this team stand, what gives most points, and what is not measured?"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from scorecard_app import data, fmt
from scorecard_app.markup import bullet, reason, sparkline, table, tag
from scorecard_app.page import Page, begin, by, choose, controls, foot, head, show
from scorecard_app.views import explain
from scorecard_app.views.overview import gate_reason

SHOWN_GAPS = 8
NEARLY_FULL = 0.95
_TAGS = {
    "ok": ("good", "✓"),
    "low_evidence": ("plain", "~"),
    "stale": ("warn", "!"),
    "invalid": ("bad", "✕"),
    "not_measured": ("warn", "?"),
    "not_measured_overdue": ("bad", "✕"),
    "waived": ("warn", "◌"),
}


def render() -> None:
    """Show one team."""
    page = begin()
    if page is None:
        return
    teams = by(data.teams(page.snapshot), "team_id")
    wanted = st.query_params.get("team")
    team_id: str = wanted if wanted is not None and wanted in teams else next(iter(teams))
    team = teams[team_id]
    score = by(data.team_scores(page.snapshot, page.period), "team_id").get(team_id)
    head(page, page.name(team), _meta(page, team, score))
    if wanted and wanted not in teams:
        show(f'<div class="banner" role="alert">{escape(page.text("app.unknown", name=wanted))}</div>')
    names = {key: page.name(row) for key, row in teams.items()}
    choose(page.text("team.choose"), "team", list(teams), names, team_id)
    controls(page)
    cells = by(data.area_scores(page.snapshot, page.period).filter(team_id=team_id), "area_id")
    gaps = data.gaps(page.snapshot, page.period, team_id).to_dicts()
    _lead(page, team_id, score, cells, gaps)
    _areas(page, team_id, cells, gaps)
    _gaps(page, team_id, score, gaps)
    explain.plan(page, team_id)
    explain.formula(page, team_id, score)
    explain.change(page, team_id)
    explain.restated(page, team_id)
    explain.alarms(page, team_id)
    _metrics(page, team_id)
    explain.diagnostics(page, team_id)
    foot(page)


def status_tag(page: Page, row: Mapping[str, Any]) -> str:
    """Return a metric's status as a tag with mark and word; a few missing probes are not called thin evidence."""
    status = row["status"]
    if status == "low_evidence" and min(row["evidence_weight"], row["completeness"]) >= NEARLY_FULL:
        status = "ok"
    kind, mark = _TAGS.get(status, ("plain", "–"))
    return tag(kind, mark, page.text(f"status.{status}"))


def _meta(page: Page, team: dict[str, Any], score: dict[str, Any] | None) -> str:
    return escape(
        page.text(
            "team.meta",
            type=page.text(f"word.type_{team['type']}"),
            coverage=fmt.percent(page.language, score["coverage"] if score else None),
            low=fmt.number(page.language, score["low"] if score else None),
            high=fmt.number(page.language, score["high"] if score else None),
        )
    )


def _lead(
    page: Page, team_id: str, score: dict[str, Any] | None, cells: dict[str, dict[str, Any]], gaps: list[dict[str, Any]]
) -> None:
    language = page.language
    areas = by(data.areas(page.snapshot), "area_id")
    published = {key: row["score"] for key, row in cells.items() if row["status"] == "ok"}
    if score is None or score["score"] is None or not published:
        low, high = (fmt.number(language, score[key] if score else None) for key in ("low", "high"))
        lead = page.text("team.lead_no_score", low=low, high=high)
    else:
        values = {
            "score": fmt.number(language, score["score"]),
            "area": page.name(areas[min(published, key=lambda key: published[key])]),
        }
        if score["status"] == "provisional":
            lead = page.text("team.lead_provisional", **values)
        else:
            gain = sum(gap["gain_if_met"] for gap in gaps[:3])
            level = page.text(f"level.{score['level']}").lower()
            lead = page.text("team.lead", **values, level=level, gain=fmt.number(language, gain, 1))
    extra = ""
    if score and score["score_without_waivers"] is not None and score["score_without_waivers"] != score["score"]:
        text = page.text("team.without_waivers", score=fmt.number(language, score["score_without_waivers"]))
        extra = f'<p class="hint">{escape(text)}</p>'
    sentences = (
        explain.certainty(page, score),
        explain.trend_sentence(page, team_id),
        explain.alarm_sentence(page, team_id),
    )
    for sentence in sentences:
        if sentence:
            extra += f'<p class="hint">{escape(sentence)}</p>'
    show(f'<p class="lead">{escape(lead)}</p>{extra}')


def _areas(page: Page, team_id: str, cells: dict[str, dict[str, Any]], gaps: list[dict[str, Any]]) -> None:
    language = page.language
    months = data.area_months(page.snapshot, team_id)
    rows: list[list[str]] = []
    for area in data.areas(page.snapshot).to_dicts():
        cell = cells.get(area["area_id"])
        name = escape(page.name(area))
        if cell is None:
            continue
        level = (
            page.text(f"level.{cell['level']}") if cell["level"] is not None else page.text(f"status.{cell['status']}")
        )
        note = escape(level)
        if cell["gate"] and cell["level"] is not None:
            why = page.text("team.gate", level=cell["level"], gate=cell["gate"], reason=gate_reason(page, cell))
            note += f'<span class="small">{escape(why)}</span>'
        elif cell["status"] == "provisional":
            note += f'<span class="small">{escape(page.text("status.provisional"))}</span>'
        history = months.filter(months["area_id"] == area["area_id"])["score"].to_list()[-12:]
        known = [value for value in history if value is not None]
        first, last = (fmt.number(language, known[i] if known else None) for i in (0, -1))
        spark = sparkline(history, page.text("overview.trend_alt", team=page.name(area), first=first, last=last))
        count = sum(gap["area_id"] == area["area_id"] for gap in gaps)
        rows.append(
            [
                name,
                bullet(cell["score"]),
                f"<strong>{fmt.number(language, cell['score'])}</strong>",
                note,
                spark,
                fmt.percent(language, cell["coverage"]),
                f"{fmt.number(language, cell['low'])}–{fmt.number(language, cell['high'])}",
                str(count),
            ]
        )
    header = [
        (page.text("word.area"), False),
        (page.text("team.bar"), False),
        (page.text("word.score"), True),
        (page.text("word.level"), False),
        (page.text("word.trend"), False),
        (page.text("word.coverage"), True),
        (page.text("word.bounds"), True),
        (page.text("team.gaps"), True),
    ]
    show(f"<h2>{escape(page.text('team.areas'))}</h2>" + table(page.text("team.areas_caption"), header, rows))


def _gaps(page: Page, team_id: str, score: dict[str, Any] | None, gaps: list[dict[str, Any]]) -> None:
    language = page.language
    metrics = by(data.metrics(page.snapshot), "metric_id")
    areas = by(data.areas(page.snapshot), "area_id")
    rows: list[list[str]] = []
    for gap in gaps[:SHOWN_GAPS]:
        metric = metrics[gap["metric_id"]]
        title = page.link("maling", page.name(metric, "title"), team=team_id, metric=gap["metric_id"])
        krav = metric["krav"] if metric["krav"] is not None else metric["mal"]
        rows.append(
            [
                f'{title}<span class="small">{escape(page.name(areas[gap["area_id"]]))}</span>',
                f"<strong>{fmt.number(language, gap['gain_if_met'], 1)}</strong>",
                fmt.number(language, gap["gain_to_krav"], 1),
                fmt.number(language, gap["points_lost"], 1),
                fmt.metric_value(language, metric["unit"], gap["value"]),
                fmt.metric_value(language, metric["unit"], krav),
                escape(page.name(metric, "remedy")),
                escape(page.text(f"effort.{metric['effort']}")),
            ]
        )
    header = [
        (page.text("word.metric"), False),
        (page.text("team.gain"), True),
        (page.text("team.gain_krav"), True),
        (page.text("team.lost"), True),
        (page.text("word.now"), True),
        (page.text("word.krav"), True),
        (page.text("word.next_step"), False),
        (page.text("word.effort"), False),
    ]
    hint = page.text("team.gaps_hint", shown=len(rows), all=len(gaps))
    total = ""
    if score and score["score"] is not None:
        lost = sum(gap["points_lost"] for gap in gaps)
        text = page.text("team.sum", lost=fmt.number(language, lost, 1), score=fmt.number(language, score["score"], 1))
        total = f'<p class="hint">{escape(text)} {escape(page.text("team.sum_note"))}</p>'
    show(
        f'<h2>{escape(page.text("team.gaps"))}</h2><p class="hint">{escape(hint)}</p>'
        + table(page.text("team.gaps_caption"), header, rows)
        + total
    )


def _metrics(page: Page, team_id: str) -> None:
    language = page.language
    scores = by(data.metric_scores(page.snapshot, page.period).filter(team_id=team_id), "metric_id")
    areas = by(data.areas(page.snapshot), "area_id")
    rows: list[list[str]] = []
    for metric in data.metrics(page.snapshot).to_dicts():
        row = scores.get(metric["metric_id"])
        if row is None:
            continue
        title = page.link("maling", page.name(metric, "title"), team=team_id, metric=metric["metric_id"])
        measured = row["points"] is not None
        rows.append(
            [
                f'{title}<span class="small">{escape(page.name(areas[metric["area_id"]]))}</span>',
                fmt.metric_value(language, metric["unit"], row["value"] if measured else None),
                f"<strong>{fmt.number(language, row['points'])}</strong>",
                fmt.number(language, row["weight"]),
                status_tag(page, row),
                escape(reason(language, row["reason"])),
            ]
        )
    header = [
        (page.text("word.metric"), False),
        (page.text("word.value"), True),
        (page.text("word.points"), True),
        (page.text("word.weight"), True),
        (page.text("word.status"), False),
        (page.text("word.reason"), False),
    ]
    show(f"<h2>{escape(page.text('team.all'))}</h2>" + table(page.text("team.all_caption"), header, rows))
