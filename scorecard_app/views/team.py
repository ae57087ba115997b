"""Where does this team stand, what gives most points, what is next, which incidents lie behind it?"""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl
import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import catalogue, facts, scores
from opsmetrics.reading.board import gate_reason, holds_down
from scorecard_app import charts
from scorecard_app.marks import bullet, sparkline
from scorecard_app.markup import folded, heading, reason, rich, small, table, tag
from scorecard_app.matrix import change_mark
from scorecard_app.page import Page, by, choose, choose_period, head, known, show, unknown, view
from scorecard_app.views import explain
from scorecard_app.views.parts import gaps_table, shown_value, status_tag

SHOWN_GAPS = 6
SHOWN_INCIDENTS = 5

Row = dict[str, Any]


@view("team")
def render(page: Page) -> None:
    """Show one team."""
    teams = by(catalogue.teams(page.snapshot), "team_id")
    team_id = known("team", teams, next(iter(sorted(page.reader.teams)), None))
    team = teams[team_id]
    score = by(scores.team_scores(page.snapshot, page.period), "team_id").get(team_id)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.label(team), _meta(page, team, score))
    with right:
        choose(page.text("team.choose"), "team", list(teams), {k: page.label(r) for k, r in teams.items()}, team_id)
        choose_period(page)
    unknown(page, {"team": teams})
    cells = by(scores.area_scores(page.snapshot, page.period).filter(team_id=team_id), "area_id")
    gaps = scores.gaps(page.snapshot, page.period, team_id).to_dicts()
    _lead(page, team_id, score, cells, gaps)
    _areas(page, team_id, cells, gaps)
    _gaps(page, team_id, score, gaps)
    explain.plan(page, team_id)
    _incidents(page, team_id)
    explain.change(page, team_id)
    explain.restated(page, team_id)
    explain.alarms(page, team_id)
    _metrics(page, team_id)
    explain.formula(page, team_id, score)
    explain.diagnostics(page, team_id)


def _meta(page: Page, team: Row, score: Row | None) -> str:
    return escape(
        page.text(
            "team.meta",
            type=page.text(f"word.type_{team['type']}"),
            coverage=fmt.percent(page.language, score["coverage"] if score else None),
            low=fmt.number(page.language, score["low"] if score else None),
            high=fmt.number(page.language, score["high"] if score else None),
        )
    )


def _lead(page: Page, team_id: str, score: Row | None, cells: dict[str, Row], gaps: list[Row]) -> None:
    language = page.language
    areas = by(catalogue.areas(page.snapshot), "area_id")
    published = {key: row["score"] for key, row in cells.items() if row["status"] == "ok"}
    if score is None or score["score"] is None or not published:
        low, high = (fmt.number(language, score[key] if score else None) for key in ("low", "high"))
        lead = page.text("team.lead_no_score", low=low, high=high)
    else:
        values = {
            "score": fmt.number(language, score["score"]),
            "area": page.label(areas[min(published, key=lambda key: published[key])]),
        }
        if score["status"] == "provisional":
            lead = page.text("team.lead_provisional", **values)
        else:
            gain = sum(gap["gain_if_met"] for gap in gaps[:3])
            level = page.text(f"level.{score['level']}").lower()
            lead = page.text("team.lead", **values, level=level, gain=fmt.number(language, gain, 1))
    sentences = [
        explain.certainty(page, score),
        explain.trend_sentence(page, team_id),
        explain.alarm_sentence(page, team_id),
    ]
    if score and score["score_without_waivers"] is not None and score["score_without_waivers"] != score["score"]:
        sentences.insert(
            0, page.text("team.without_waivers", score=fmt.number(language, score["score_without_waivers"]))
        )
    extra = "".join(f'<p class="hint">{escape(sentence)}</p>' for sentence in sentences if sentence)
    show(f'<p class="lead">{rich(lead)}</p>{extra}')


def _areas(page: Page, team_id: str, cells: dict[str, Row], gaps: list[Row]) -> None:
    language, edges = page.language, catalogue.rules(page.snapshot)["level_edges"]
    months = scores.area_months(page.snapshot, team_id).filter(pl.col("as_of") <= page.period["as_of"])
    moves: dict[Any, Row] = {}
    if page.period["grain"] == "latest":
        moves = by(scores.verdicts(page.snapshot).filter(team_id=team_id), "area_id")
    rows: list[list[str]] = []
    for area in catalogue.areas(page.snapshot).to_dicts():
        cell = cells.get(area["area_id"])
        name = page.link("omrade", page.label(area), area=area["area_id"])
        if cell is None or cell["status"] == "not_applicable":
            rows.append([name, "", fmt.MISSING, escape(page.text("status.not_applicable")), "", "", "", "", ""])
            continue
        key = f"level.{cell['level']}" if cell["level"] is not None else f"status.{cell['status']}"
        note = escape(page.text(key))
        if holds_down(cell, edges):
            note += small(page.text("team.gate", gate=cell["gate"], reason=gate_reason(page.language, cell)))
        elif cell["status"] == "provisional":
            note += small(page.text("status.provisional"))
        history = months.filter(area_id=area["area_id"])["score"].to_list()[-12:]
        seen = [value for value in history if value is not None]
        first, last = (fmt.number(language, seen[i] if seen else None) for i in (0, -1))
        spark = sparkline(history, page.text("overview.trend_alt", team=page.label(area), first=first, last=last))
        move = moves.get(area["area_id"])
        count = sum(gap["area_id"] == area["area_id"] for gap in gaps)
        gaps_link = page.link("forbedring", str(count), team=team_id, area=area["area_id"]) if count else "0"
        rows.append(
            [
                name,
                bullet(cell["score"]),
                f"<strong>{fmt.number(language, cell['score'])}</strong>",
                note,
                change_mark(language, move["change"] if move else None) or fmt.MISSING,
                spark,
                fmt.percent(language, cell["coverage"]),
                f"{fmt.number(language, cell['low'])}–{fmt.number(language, cell['high'])}",
                gaps_link,
            ]
        )
    header = [
        (page.text("word.area"), False),
        (page.text("team.bar"), False),
        (page.text("word.score"), True),
        (page.text("word.level"), False),
        (page.text("word.change"), True),
        (page.text("overview.year"), False),
        (page.text("word.coverage"), True),
        (page.text("word.bounds"), True),
        (page.text("team.points"), True),
    ]
    show(
        heading(page.text("team.areas"), page.text("team.areas_note"))
        + table(page.text("team.areas_caption"), header, rows, kind="areas")
        + page.downloads("area-scores", team=team_id)
    )


def _gaps(page: Page, team_id: str, score: Row | None, gaps: list[Row]) -> None:
    language = page.language
    note = page.text("team.gaps_note", shown=min(SHOWN_GAPS, len(gaps)), all=len(gaps))
    total = ""
    if score and score["score"] is not None:
        lost = fmt.number(language, sum(gap["points_lost"] for gap in gaps), 1)
        words = page.text("team.sum", lost=lost, score=fmt.number(language, score["score"], 1))
        total = f'<p class="hint">{escape(words)} {escape(page.text("team.sum_note"))}</p>'
    more = page.link("forbedring", page.text("team.all_gaps", count=len(gaps)), team=team_id)
    show(
        heading(page.text("team.gaps"), note)
        + gaps_table(page, gaps[:SHOWN_GAPS], below="area")
        + f"<p>{more}</p>{total}{page.downloads('gaps', team=team_id)}"
    )


def _incidents(page: Page, team_id: str) -> None:
    """The incidents of twelve months: as a picture, and the latest as a table."""
    found = facts.incidents(page.snapshot, page.period, team_id).to_dicts()
    language, zone = page.language, str(page.organisation["timezone"])
    title = heading(page.text("team.incidents"), page.text("team.incidents_note", count=len(found)))
    if not found:
        show(title + f'<p class="hint">{escape(page.text("team.incidents_none"))}</p>')
        return
    show(title)
    severities = {number: page.text(f"severity.{number}") for number in (1, 2, 3, 4)}
    minutes = [
        ((row["resolved_at"] or page.period["as_of"]) - row["declared_at"]).total_seconds() / 60 for row in found
    ]
    worst = sum(row["severity"] <= 2 for row in found)
    st.plotly_chart(
        charts.incidents(
            language,
            [
                (row["declared_at"], severities[row["severity"]], length, fmt.duration(language, length))
                for row, length in zip(found, minutes, strict=True)
            ],
            list(severities.values()),
        ),
        config=charts.CONFIG,
        theme=None,
        key="incidents",
        alt=page.text("team.incidents_alt", count=len(found), major=worst),
    )
    rows: list[list[str]] = []
    for row, length in zip(found, minutes, strict=True):
        rows.append(
            [
                escape(row["incident_id"]) + small(row["service_id"] or ""),
                fmt.instant(language, row["declared_at"], zone),
                escape(severities[row["severity"]]),
                fmt.duration(language, length) if row["resolved_at"] else escape(page.text("team.open")),
                _postmortem(page, row),
            ]
        )
    header = [
        (page.text("team.incident"), False),
        (page.text("team.declared"), False),
        (page.text("team.severity"), False),
        (page.text("team.duration"), True),
        (page.text("team.postmortem"), False),
    ]
    caption = page.text("team.incidents_caption")
    rest = ""
    if len(rows) > SHOWN_INCIDENTS:
        rest = folded(page.text("team.incidents_all", count=len(rows)), table(caption, header, rows))
    show(
        page.figure_buttons(f"incidents-{team_id}", page.text("team.incidents"))
        + table(page.text("team.incidents_latest"), header, rows[:SHOWN_INCIDENTS])
        + rest
        + page.downloads("incidents", team=team_id)
    )


def _postmortem(page: Page, row: Row) -> str:
    if row["postmortem_published_at"] is not None:
        return tag("good", "✓", page.text("postmortem.delivered"))
    if not row["needs_postmortem"]:
        return tag("plain", "–", page.text("postmortem.not_required"))
    due = row["postmortem_due_at"]
    if due is not None and due >= page.period["as_of"]:
        return tag("plain", "○", page.text("postmortem.pending"))
    return tag("warn", "!", page.text("postmortem.missing"))


def _metrics(page: Page, team_id: str) -> None:
    language = page.language
    found = by(scores.metric_scores(page.snapshot, page.period).filter(team_id=team_id), "metric_id")
    areas = by(catalogue.areas(page.snapshot), "area_id")
    rows: list[list[str]] = []
    for metric in catalogue.metrics(page.snapshot).to_dicts():
        row = found.get(metric["metric_id"])
        if row is None:
            continue
        title = page.link("maling", page.label(metric, "title"), team=team_id, metric=metric["metric_id"])
        rows.append(
            [
                title + small(page.label(areas[metric["area_id"]])),
                fmt.metric_value(language, metric["unit"], shown_value(row)),
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
    body = table(page.text("team.all_caption"), header, rows) + page.downloads("metric-scores", team=team_id)
    show(heading(page.text("team.all")) + folded(page.text("team.all_show", count=len(rows)), body))
