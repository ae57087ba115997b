"""How are we doing, what must be settled, where are the gaps, can the numbers be trusted?"""

from __future__ import annotations

import statistics
from html import escape
from typing import Any

from opsmetrics.scoring.points import KRAV_POINTS
from scorecard_app import data, fmt
from scorecard_app.markup import legend, score_cell, sparkline, strip
from scorecard_app.page import Page, begin, by, controls, foot, head, show


def render() -> None:
    """Show the overview."""
    page = begin()
    if page is None:
        return
    teams = data.teams(page.snapshot).to_dicts()
    areas = data.areas(page.snapshot).to_dicts()
    scores = by(data.team_scores(page.snapshot, page.period), "team_id")
    cells = by(data.area_scores(page.snapshot, page.period), "team_id", "area_id")
    metrics = data.metrics(page.snapshot)
    meta = page.text("overview.meta", teams=len(teams), areas=len(areas), metrics=metrics.height)
    head(page, page.text("overview.title"), escape(meta), crumb=False)
    controls(page)
    _lead(page, areas, scores, cells)
    _decide(page, teams, areas, cells)
    _facts(page)
    _matrix(page, teams, areas, scores, cells)
    foot(page)


def _facts(page: Page) -> None:
    """What no single team answers for."""
    items = [
        (
            page.name(row, "title"),
            fmt.percent(page.language, row["value"]),
            page.text(
                "overview.fact",
                numerator=fmt.number(page.language, row["numerator"]),
                denominator=fmt.number(page.language, row["denominator"]),
            ),
        )
        for row in data.organisation_facts(page.snapshot, page.period).to_dicts()
    ]
    if items:
        show(f"<h2>{escape(page.text('overview.facts'))}</h2>" + strip(items))


def median(values: list[float]) -> float | None:
    """Return the median for display, or None of nothing."""
    return statistics.median(values) if values else None


def _scores_of(rows: dict[Any, dict[str, Any]]) -> list[float]:
    return [row["score"] for row in rows.values() if row["score"] is not None]


def _area_medians(areas: list[dict[str, Any]], cells: dict[Any, dict[str, Any]]) -> dict[str, float | None]:
    return {
        area["area_id"]: median(
            [row["score"] for key, row in cells.items() if key[1] == area["area_id"] and row["score"] is not None]
        )
        for area in areas
    }


def _lead(
    page: Page,
    areas: list[dict[str, Any]],
    scores: dict[Any, dict[str, Any]],
    cells: dict[Any, dict[str, Any]],
) -> None:
    language, found = page.language, _scores_of(scores)
    medians = {key: value for key, value in _area_medians(areas, cells).items() if value is not None}
    met = sum(score >= KRAV_POINTS for score in found)
    if found and medians:
        weakest = min(medians, key=lambda key: medians[key])
        lead = page.text(
            "overview.lead",
            met=met,
            teams=len(scores),
            median=fmt.number(language, median(found)),
            area=page.name(by(data.areas(page.snapshot), "area_id")[weakest]).lower(),
            area_median=fmt.number(language, medians[weakest]),
        )
    else:
        lead = page.text("overview.lead_no_scores")
    coverage = [row["coverage"] for row in scores.values() if row["coverage"] is not None]
    sources = data.sources(page.snapshot)
    fresh = sources.filter(sources["state"] == "fresh").height
    items = [
        (
            page.text("overview.strip_median"),
            fmt.number(language, median(found)),
            page.text("word.out_of_100"),
        ),
        (page.text("overview.strip_met"), str(met), f"/ {len(scores)}"),
        (
            page.text("overview.strip_coverage"),
            fmt.percent(language, median(coverage)),
            page.text("word.median").lower(),
        ),
        (page.text("overview.strip_sources"), str(fresh), f"/ {sources.height}"),
    ]
    show(f'<p class="lead">{escape(lead)}</p>{strip(items)}')


def gate_reason(page: Page, row: dict[str, Any]) -> str:
    """Return why a gate holds a level, with the number of findings."""
    return str(row[f"reason_{page.language}"]).replace("{}", str(row["gate_findings"]))


def _decide(
    page: Page, teams: list[dict[str, Any]], areas: list[dict[str, Any]], cells: dict[Any, dict[str, Any]]
) -> None:
    items: list[str] = []
    for source in data.sources(page.snapshot).to_dicts():
        if source["state"] != "fresh":
            title = page.link(
                "datakvalitet",
                page.text("overview.decide_source", source=page.text(f"stream.{source['stream']}")),
            )
            items.append(f'{title}<span class="small">{escape(page.text("overview.decide_source_detail"))}</span>')
    for team in teams:
        for area in areas:
            row = cells.get((team["team_id"], area["area_id"]))
            if row is None or row["gate"] is None or row["level"] is None:
                continue
            label = page.text("overview.decide_gate", team=page.name(team), area=page.name(area), level=row["level"])
            why = f"{row['gate']}: {gate_reason(page, row)}"
            items.append(f'{page.link("team", label, team=team["team_id"])}<span class="small">{escape(why)}</span>')
    body = "".join(f"<li>{item}</li>" for item in items) or f"<li>{escape(page.text('overview.decide_none'))}</li>"
    show(f'<h2>{escape(page.text("overview.decide"))}</h2><ul class="plain">{body}</ul>')


def _matrix(
    page: Page,
    teams: list[dict[str, Any]],
    areas: list[dict[str, Any]],
    scores: dict[Any, dict[str, Any]],
    cells: dict[Any, dict[str, Any]],
) -> None:
    months = data.team_months(page.snapshot)
    labels = [
        page.text("word.total"),
        page.text("word.coverage"),
        page.text("word.level"),
        page.text("word.trend"),
    ]
    head_row = "".join(f'<th scope="col">{escape(page.name(area))}</th>' for area in areas)
    head_row += "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    body = ""
    for kind in ("product", "platform"):
        members = [team for team in teams if team["type"] == kind]
        if not members:
            continue
        group = escape(page.text(f"word.{kind}"))
        body += f'<tr><th class="group" scope="colgroup" colspan="{len(areas) + 5}">{group}</th></tr>'
        for team in members:
            history = months.filter(months["team_id"] == team["team_id"])["score"].to_list()[-12:]
            body += _team_row(page, team, areas, scores.get(team["team_id"]), cells, history)
    medians = _area_medians(areas, cells)
    body += f'<tr><th scope="row">{escape(page.text("word.median"))}</th>'
    for area in areas:
        figure = fmt.number(page.language, medians[area["area_id"]])
        body += f'<td class="plain" data-l="{escape(page.name(area, "short"))}">{figure}</td>'
    total = fmt.number(page.language, median(_scores_of(scores)))
    body += f'<td class="plain"><strong>{total}</strong></td><td></td><td></td><td></td></tr>'
    caption = escape(page.text("overview.matrix_caption"))
    hint = escape(page.text("overview.matrix_hint"))
    show(
        f'<h2>{escape(page.text("overview.matrix"))}</h2><p class="hint">{hint}</p>'
        f'<div class="scroll"><table class="matrix"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">{escape(page.text("word.team"))}</th>{head_row}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{legend(page.language)}"
    )


def _team_row(
    page: Page,
    team: dict[str, Any],
    areas: list[dict[str, Any]],
    score: dict[str, Any] | None,
    cells: dict[Any, dict[str, Any]],
    history: list[float | None],
) -> str:
    language, name = page.language, page.name(team)
    row = f'<tr><th scope="row">{page.link("team", name, team=team["team_id"])}</th>'
    for area in areas:
        cell = cells.get((team["team_id"], area["area_id"]))
        short = escape(page.name(area, "short"))
        row += f'<td data-l="{short}">{_cell(page, team, area, cell)}</td>'
    total = score["score"] if score else None
    provisional = score is not None and score["status"] == "provisional"
    shown = fmt.number(language, total) + (" *" if provisional else "")
    level = page.text(f"level.{score['level']}") if score and score["level"] is not None else page.text("level.none")
    known = [value for value in history if value is not None]
    alt = page.text(
        "overview.trend_alt",
        team=name,
        first=fmt.number(language, known[0] if known else None),
        last=fmt.number(language, known[-1] if known else None),
    )
    coverage = fmt.percent(language, score["coverage"] if score else None)
    return row + (
        f'<td class="plain" data-l="{escape(page.text("word.total"))}"><strong>{shown}</strong></td>'
        f'<td class="plain" data-l="{escape(page.text("word.coverage"))}">{coverage}</td>'
        f'<td class="plain" data-l="{escape(page.text("word.level"))}">{escape(level)}</td>'
        f'<td class="plain" data-l="{escape(page.text("word.trend"))}">{sparkline(history, alt)}</td></tr>'
    )


def _cell(page: Page, team: dict[str, Any], area: dict[str, Any], cell: dict[str, Any] | None) -> str:
    names = {"team": page.name(team), "area": page.name(area)}
    if cell is None or cell["status"] == "not_applicable":
        label = page.text("overview.cell_na", **names)
        return score_cell(
            page.language, href="", label=label, score=None, coverage=None, status="not_applicable", gate=None
        )
    if cell["score"] is None:
        label = page.text("overview.cell_no_score", **names)
    else:
        score = fmt.number(page.language, cell["score"])
        label = page.text("overview.cell", **names, score=score, level=page.text(f"level.{cell['level']}").lower())
    return score_cell(
        page.language,
        href=page.url("team", team=team["team_id"]),
        label=label,
        score=cell["score"],
        coverage=cell["coverage"],
        status=cell["status"],
        gate=f"{cell['gate']}: {gate_reason(page, cell)}" if cell["gate"] else None,
    )
