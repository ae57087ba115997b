"""How are we doing, what really changed, what must be settled, where are the gaps, can the numbers be trusted?"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from scorecard_app import fmt
from scorecard_app.data import catalogue, facts, quality, scores
from scorecard_app.marks import sparkline
from scorecard_app.markup import heading, link, points, rich, small, strip
from scorecard_app.matrix import MET_LEVEL, Cell, band, cell_html, change_mark, legend
from scorecard_app.page import Page, by, choose_period, head, show, view

SHOWN_ITEMS = 3
SHOWN_TEAMS = 40  # rows of the matrix at once: more is a wall, and slow
SOON_DAYS = 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the overview and the report say, read once."""

    teams: list[Row]
    areas: list[Row]
    scores: dict[str, Row]
    cells: dict[tuple[str, str], Row]
    edges: list[float]

    def found(self) -> list[float]:
        """Return the team scores that there are."""
        return [row["score"] for row in self.scores.values() if row["score"] is not None]

    def medians(self) -> dict[str, float]:
        """Return each area's median over the teams that have a score."""
        found: dict[str, list[float]] = {}
        for (_, area_id), row in self.cells.items():
            if row["score"] is not None:
                found.setdefault(area_id, []).append(row["score"])
        return {area_id: statistics.median(values) for area_id, values in found.items()}


def board(page: Page) -> Board:
    """Read what the overview shows."""
    return Board(
        teams=catalogue.teams(page.snapshot).to_dicts(),
        areas=catalogue.areas(page.snapshot).to_dicts(),
        scores=by(scores.team_scores(page.snapshot, page.period), "team_id"),
        cells=by(scores.area_scores(page.snapshot, page.period), "team_id", "area_id"),
        edges=catalogue.rules(page.snapshot)["level_edges"],
    )


@view("overview")
def render(page: Page) -> None:
    """Show the overview."""
    found = board(page)
    metrics = catalogue.metrics(page.snapshot)
    meta = page.text("overview.meta", teams=len(found.teams), areas=len(found.areas), metrics=metrics.height)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("overview.title"), escape(meta))
    with right:
        choose_period(page)
    lead(page, found)
    changed(page, found)
    matrix(page, found)
    _facts(page)


def lead(page: Page, found: Board) -> None:
    """Show the answer in two sentences and four numbers."""
    language, values, medians = page.language, found.found(), found.medians()
    met = sum(row["level"] is not None and row["level"] >= MET_LEVEL for row in found.scores.values())
    months = [
        row for row in scores.months(page.snapshot, MET_LEVEL).to_dicts() if row["as_of"] <= page.period["as_of"]
    ][-13:]
    middle = statistics.median(values) if values else None
    if values and medians:
        weakest = min(medians, key=lambda key: medians[key])
        words = page.text(
            "overview.lead",
            met=met,
            teams=len(found.scores),
            median=fmt.number(language, middle),
            area=page.label(by(catalogue.areas(page.snapshot), "area_id")[weakest]),
            area_median=fmt.number(language, medians[weakest]),
        )
    else:
        words = page.text("overview.lead_no_scores")
    coverage = [row["coverage"] for row in found.scores.values() if row["coverage"] is not None]
    states = [row["state"] for row in quality.sources(page.snapshot).to_dicts() if row["state"] != "ended"]
    silent = len(states) - states.count("fresh")
    majors = facts.major_incidents(page.snapshot, page.period)
    line = sparkline([row["score"] for row in months], page.text("overview.months_alt"))
    teams_line = sparkline([float(row["met"]) for row in months], page.text("overview.met_alt"), span=6)
    majors_line = sparkline([float(count) for count in majors], page.text("overview.majors_alt"), span=6)
    # The usual range: all but the lowest and the highest of the twelve periods before.
    normal = sorted(majors[:-1])
    usual = page.text("overview.usual", low=normal[1], high=normal[-2]) if len(normal) > 3 else ""
    key = "overview.sources_silent" if silent else "overview.sources_fresh"
    sources = link(page.url("datakvalitet"), page.text(key, count=silent, all=len(states)))
    show(
        f'<p class="lead">{rich(words)}</p>'
        + strip(
            [
                (
                    page.text("overview.strip_median"),
                    fmt.number(language, middle),
                    f"{escape(page.text('word.out_of_100'))} {line}",
                ),
                (
                    page.text("overview.strip_met"),
                    str(met),
                    f"{escape(page.text('overview.of', all=len(found.scores)))} {teams_line}",
                ),
                (page.text("overview.strip_majors"), str(majors[-1]), f"{escape(usual)} {majors_line}"),
                (
                    page.text("overview.strip_coverage"),
                    fmt.percent(language, statistics.median(coverage) if coverage else None),
                    sources,
                ),
            ]
        )
    )


def changed(page: Page, found: Board, shown: int = SHOWN_ITEMS) -> None:
    """Show what left its natural variation, for better and for worse, and what must be settled."""
    names = by(catalogue.teams(page.snapshot), "team_id")
    moves: dict[bool, list[str]] = {True: [], False: []}
    for row in scores.signals(page.snapshot, page.period).to_dicts():
        title = f"{page.label(names[row['team_id']])}: {page.label(row, 'title')}"
        words = page.text(
            "overview.signal",
            value=fmt.metric_value(page.language, row["unit"], row["value"]),
            mean=fmt.metric_value(page.language, row["unit"], row["centre"]),
            signal=page.text(f"metric.signal_{row['signal']}").lower(),
        )
        item = page.link("maling", title, team=row["team_id"], metric=row["metric_id"]) + small(words)
        moves[bool(row["is_better"])].append(item)
    columns = (
        ("better", "▲", moves[True]),
        ("worse", "▼", moves[False]),
        ("settle", "?", to_settle(page, found)),
    )
    body = "".join(_column(page, name, mark, items, shown) for name, mark, items in columns)
    title, note = page.text("overview.changed"), page.text("overview.changed_note")
    show(f'{heading(title, note)}<div class="three">{body}</div>')


def _column(page: Page, name: str, mark: str, items: list[str], shown: int) -> str:
    rest = len(items) - shown
    more = ""
    if rest > 0:
        target = "endring" if name != "settle" else "unntak"
        more = f'<p class="hint">{page.link(target, page.text("overview.more", count=rest))}</p>'
    none = f'<p class="hint">{escape(page.text(f"overview.{name}_none"))}</p>'
    title = f'<h3 class="{name}"><span aria-hidden="true">{mark}</span> {escape(page.text(f"overview.{name}"))}</h3>'
    return f"<section>{title}{points(items[:shown]) if items else none}{more}</section>"


def to_settle(page: Page, found: Board) -> list[str]:
    """Return what a meeting must settle, most pressing first: sources, overdue goals, gates, exemptions that end."""
    items: list[str] = []
    for row in quality.sources(page.snapshot).to_dicts():
        if row["state"] in {"failed", "late"}:
            name = page.text("overview.decide_source", source=page.text(f"stream.{row['stream']}"))
            items.append(page.link("datakvalitet", name) + small(page.text("overview.decide_source_detail")))
    teams, metrics = by(catalogue.teams(page.snapshot), "team_id"), by(catalogue.metrics(page.snapshot), "metric_id")
    for goal in scores.goals(page.snapshot).to_dicts():
        metric = metrics.get(goal["metric_id"])
        if goal["days_left"] >= 0 or metric is None:
            continue
        title = page.text(
            "overview.decide_goal", team=page.label(teams[goal["team_id"]]), metric=page.label(metric, "title")
        )
        why = page.text(
            "overview.decide_goal_detail",
            days=-goal["days_left"],
            role=page.text(f"role.{goal['owner_role']}").lower(),
        )
        items.append(page.link("maling", title, team=goal["team_id"], metric=goal["metric_id"]) + small(why))
    for team in found.teams:
        for area in found.areas:
            row = found.cells.get((team["team_id"], area["area_id"]))
            if row is None or not holds_down(row, found.edges):
                continue
            label = page.text("overview.decide_gate", team=page.label(team), area=page.label(area), level=row["level"])
            why = f"{row['gate']}: {gate_reason(page, row)}"
            items.append(page.link("team", label, team=team["team_id"]) + small(why))
    for row in quality.due_exemptions(page.snapshot, SOON_DAYS).to_dicts():
        metric = metrics.get(row["subject"])
        what = page.label(metric, "title") if metric else row["subject"]
        title = page.text("overview.decide_exemption", team=page.label(teams[row["team_id"]]), what=what)
        items.append(
            page.link("unntak", title) + small(page.text("overview.decide_exemption_detail", days=row["days_left"]))
        )
    return items


def holds_down(row: Row, edges: list[float]) -> bool:
    """Whether a gate makes the level lower than the score alone would."""
    return row["gate"] is not None and row["level"] is not None and band(row["score"], edges) > row["level"]


def gate_reason(page: Page, row: Row) -> str:
    """Return why a gate holds a level, with the number of findings."""
    return str(row[f"reason_{page.language}"]).replace("{}", str(row["gate_findings"]))


def matrix(page: Page, found: Board, *, is_paper: bool = False) -> None:
    """Show teams against areas."""
    order = "lowest" if st.query_params.get("sort") == "lowest" and not is_paper else "group"
    number = st.query_params.get("side", "1")
    side = int(number) if number.isdigit() else 1
    teams = found.teams
    if order == "lowest":
        teams = sorted(teams, key=lambda team: _total(found, team))
    pages = max(1, -(-len(teams) // SHOWN_TEAMS))
    side = min(max(1, side), pages)
    shown = teams if is_paper else teams[(side - 1) * SHOWN_TEAMS : side * SHOWN_TEAMS]
    groups = [("", shown)]
    if order == "group":
        groups = [(kind, [team for team in shown if team["type"] == kind]) for kind in ("product", "platform")]
    marks = by(scores.marks(page.snapshot, page.period), "team_id", "area_id")
    moves = {}
    if page.period["grain"] == "latest":
        moves = {key: row["change"] for key, row in by(scores.verdicts(page.snapshot), "team_id", "area_id").items()}
    history: dict[str, list[float | None]] = {}
    for row in scores.team_months(page.snapshot).select("team_id", "as_of", "score").iter_rows():
        if row[1] <= page.period["as_of"]:
            history.setdefault(row[0], []).append(row[2])
    body = ""
    for kind, members in groups:
        if kind and members:
            label = escape(page.text(f"word.{kind}"))
            body += (
                f'<tr role="row"><th role="rowheader" class="group" colspan="{len(found.areas) + 5}">{label}</th></tr>'
            )
        for team in members:
            body += _team_row(page, found, team, marks, moves, history.get(team["team_id"], [])[-12:])
    body += _median_row(page, found)
    keys = ("word.total", "word.coverage", "word.level", "overview.year")
    names = [escape(page.text("word.team"))]
    names += [page.link("omrade", page.label(area), area=area["area_id"]) for area in found.areas]
    names += [escape(page.text(key)) for key in keys]
    head_row = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in names)
    choices = "" if is_paper else _choices(page, order, side, pages)
    show(
        f"{heading(page.text('overview.matrix'))}"
        f'<div class="row"><p class="hint">{escape(page.text("overview.matrix_hint"))}</p>{choices}</div>'
        f'<table role="table" class="matrix"><caption>{escape(page.text("overview.matrix_caption"))}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head_row}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
        f"{legend(page.language, found.edges)}{page.downloads('area-scores')}"
    )


def _total(found: Board, team: Row) -> tuple[bool, float]:
    row = found.scores.get(team["team_id"])
    return (row is None or row["score"] is None, row["score"] if row and row["score"] is not None else 0.0)


def _choices(page: Page, order: str, side: int, pages: int) -> str:
    """Return the choice of order, and of page where there are more teams than fit."""
    orders = "".join(
        f'<li><a href="{escape(page.here(sort=None if name == "group" else name, side=None))}" target="_self"'
        f"{' aria-current=true' if name == order else ''}>{escape(page.text(f'overview.sort_{name}'))}</a></li>"
        for name in ("group", "lowest")
    )
    found = f'<nav aria-label="{escape(page.text("overview.sort"))}"><ul class="choice">{orders}</ul></nav>'
    if pages > 1:
        sides = "".join(
            f'<li><a href="{escape(page.here(side=str(number)))}" target="_self"'
            f"{' aria-current=page' if number == side else ''}>{number}</a></li>"
            for number in range(1, pages + 1)
        )
        found += f'<nav aria-label="{escape(page.text("app.sides"))}"><ul class="choice">{sides}</ul></nav>'
    return found


def _team_row(
    page: Page, found: Board, team: Row, marks: dict[Any, Row], moves: dict[Any, float], history: list[float | None]
) -> str:
    language, name, team_id = page.language, page.label(team), team["team_id"]
    row = f'<tr role="row"><th scope="row" role="rowheader">{page.link("team", name, team=team_id)}</th>'
    for area in found.areas:
        key = (team_id, area["area_id"])
        cell = cell_html(language, _cell(page, found, team, area, marks.get(key, {}), moves.get(key)))
        row += f'<td role="cell" data-l="{escape(page.label(area, "short"))}">{cell}</td>'
    score = found.scores.get(team_id)
    total = score["score"] if score else None
    provisional = score is not None and score["status"] == "provisional"
    figure = f"<strong>{fmt.number(language, total)}</strong>" + change_mark(language, moves.get((team_id, "")))
    if provisional:
        figure += small(page.text("status.provisional"))
    level = page.text(f"level.{score['level']}") if score and score["level"] is not None else page.text("level.none")
    seen = [value for value in history if value is not None]
    first, last = (fmt.number(language, seen[i] if seen else None) for i in (0, -1))
    spark = sparkline(history, page.text("overview.trend_alt", team=name, first=first, last=last))
    coverage = fmt.percent(language, score["coverage"] if score else None)
    cells = (
        ("word.total", figure),
        ("word.coverage", coverage),
        ("word.level", escape(level)),
        ("overview.year", spark),
    )
    return (
        row
        + "".join(f'<td role="cell" class="plain" data-l="{escape(page.text(k))}">{v}</td>' for k, v in cells)
        + "</tr>"
    )


def _median_row(page: Page, found: Board) -> str:
    medians, values = found.medians(), found.found()
    name = escape(page.text("overview.median_row"))
    row = f'<tr role="row" class="median"><th scope="row" role="rowheader">{name}</th>'
    for area in found.areas:
        value = medians.get(area["area_id"])
        kind = f"cell l{band(value, found.edges)}" if value is not None else "na"
        figure = f'<span class="{kind}"><span class="figure">{fmt.number(page.language, value)}</span></span>'
        row += f'<td role="cell" data-l="{escape(page.label(area, "short"))}">{figure}</td>'
    total = fmt.number(page.language, statistics.median(values) if values else None)
    label = escape(page.text("word.total"))
    return (
        row
        + f'<td role="cell" class="plain" data-l="{label}"><strong>{total}</strong></td>'
        + "<td role=cell></td>" * 3
    )


def _cell(page: Page, found: Board, team: Row, area: Row, marks: Row, change: float | None) -> Cell:
    row = found.cells.get((team["team_id"], area["area_id"]))
    names = {"team": page.label(team), "area": page.label(area)}
    if row is None or row["status"] == "not_applicable":
        return Cell("", page.text("overview.cell_na", **names), None, None, "not_applicable")
    language, href = page.language, page.url("team", team=team["team_id"], area=area["area_id"])
    low, high = (fmt.number(language, row[key]) for key in ("low", "high"))
    coverage = fmt.percent(language, row["coverage"])
    bounds = page.text("overview.cell_bounds", coverage=coverage, low=low, high=high)
    if row["score"] is None:
        label = f"{page.text('overview.cell_no_score', **names)}. {bounds}"
        return Cell(href, label, None, row["coverage"], row["status"])
    held = holds_down(row, found.edges)
    label = page.text(
        "overview.cell",
        **names,
        score=fmt.number(language, row["score"]),
        level=page.text(f"level.{band(row['score'], found.edges)}").lower(),
    )
    extra = [bounds]
    if row["status"] == "provisional":
        extra.append(page.text("status.provisional").lower())
    if change is not None:
        key = "overview.cell_up" if change > 0 else "overview.cell_down"
        extra.append(page.text(key, points=fmt.number(language, abs(change))))
    if held:
        extra.append(page.text("overview.cell_gate", level=page.text(f"level.{row['level']}").lower()))
    stale, waived = marks.get("stale", 0), marks.get("waived", 0)
    extra += [page.text("overview.cell_stale", count=stale)] if stale else []
    extra += [page.text("overview.cell_waived", count=waived)] if waived else []
    return Cell(
        href,
        f"{label}. {'; '.join(extra)}",
        row["score"],
        row["coverage"],
        row["status"],
        level=band(row["score"], found.edges),
        change=change,
        gate=row["gate"] if held else None,
        stale=stale,
        waived=waived,
    )


def _facts(page: Page) -> None:
    """What no single team answers for."""
    items = [
        (
            page.label(row, "title"),
            fmt.percent(page.language, row["value"]),
            escape(
                page.text(
                    "overview.fact",
                    numerator=fmt.number(page.language, row["numerator"]),
                    denominator=fmt.number(page.language, row["denominator"]),
                )
            ),
        )
        for row in scores.organisation_facts(page.snapshot, page.period).to_dicts()
    ]
    if items:
        show(heading(page.text("overview.facts")) + strip(items))
