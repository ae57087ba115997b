"""Parts of the team page that explain: why the score changed, the way to the next level, what to ask about."""

from __future__ import annotations

from html import escape
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import catalogue, quality, scores
from scorecard_app.markup import folded, heading, small, table
from scorecard_app.page import Page, by, show
from scorecard_app.views.parts import changes_table

SHOWN_SUBJECTS = 8


def certainty(page: Page, score: dict[str, Any] | None) -> str:
    """Return the interval, the chance of meeting the requirement and the confidence as one sentence, or nothing."""
    if score is None or score["score"] is None or score["interval_low"] is None:
        return ""
    language = page.language
    return page.text(
        "explain.certainty",
        low=fmt.number(language, score["interval_low"]),
        high=fmt.number(language, score["interval_high"]),
        chance=fmt.chance(language, score["krav_probability"]),
        confidence=page.text(f"explain.confidence_{score['confidence']}"),
    )


def trend_sentence(page: Page, team_id: str) -> str:
    """Return the verdict on the team's own trend, with slope and number of points."""
    rows = scores.trends(page.snapshot, team_id)
    own = rows.filter(rows["area_id"].is_null() & rows["metric_id"].is_null()).to_dicts()
    if not own:
        return ""
    row, language = own[0], page.language
    verdict = row["verdict"]
    word = page.text(f"explain.verdict_{verdict.removesuffix('_preliminary')}")
    note = page.text("explain.preliminary") if verdict.endswith("_preliminary") else ""
    return page.text(
        "explain.trend", verdict=word, note=note, points=row["n"], change=fmt.signed(language, row["change"])
    )


def change(page: Page, team_id: str) -> None:
    """Show what the newest changes of the score are made of."""
    rows = scores.changes(page.snapshot, team_id).to_dicts()
    if not rows:
        return
    more = page.link("endring", page.text("explain.change_more"), team=team_id)
    show(
        heading(page.text("explain.change"))
        + f'<p class="hint">{escape(page.text("explain.change_hint"))} {more}</p>'
        + folded(page.text("app.show_table"), changes_table(page, rows, first="until"))
        + page.downloads("changes", team=team_id)
    )


def plan(page: Page, team_id: str) -> None:
    """Show the cheapest way to the next level."""
    language = page.language
    rows = scores.plan(page.snapshot, team_id).to_dicts()
    if not rows:
        return
    metrics = by(catalogue.metrics(page.snapshot), "metric_id")
    shown = [
        [
            str(row["position"]),
            page.link("maling", page.label(metrics[row["metric_id"]], "title"), team=team_id, metric=row["metric_id"])
            + (f'<span class="small">{escape(page.text("explain.for_gate"))}</span>' if row["is_for_gate"] else ""),
            fmt.number(language, row["points_before"]),
            fmt.number(language, row["effort_days"], 1),
            f"<strong>{fmt.number(language, row['score_after'], 1)}</strong>",
        ]
        for row in rows
    ]
    header = [
        (page.text("explain.step"), False),
        (page.text("word.metric"), False),
        (page.text("explain.points_now"), True),
        (page.text("explain.days"), True),
        (page.text("explain.score_then"), True),
    ]
    level = page.text(f"level.{rows[0]['target_level']}").lower()
    days = fmt.number(language, sum(row["effort_days"] for row in rows), 1)
    show(
        heading(page.text("explain.plan", level=level))
        + f'<p class="hint">{escape(page.text("explain.plan_hint", days=days))}</p>'
        + table(page.text("explain.plan_caption"), header, shown)
        + page.downloads("plan", team=team_id)
    )


def formula(page: Page, team_id: str, score: dict[str, Any] | None) -> None:
    """Show how the team score and each area score are computed, with today's figures."""
    language = page.language
    parts = scores.score_parts(page.snapshot, page.period, team_id).to_dicts()
    if score is None or score["score"] is None or not parts:
        return
    names = by(catalogue.areas(page.snapshot), "area_id")
    areas: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        areas.setdefault(part["area_id"], []).append(part)
    published = [rows[0] for rows in areas.values() if rows[0]["area_status"] == "ok"]
    weights = sum(row["area_weight"] for row in published)
    mean = sum(row["area_weight"] * row["area_score"] for row in published) / weights
    least = min(row["area_score"] for row in published)
    share = catalogue.rules(page.snapshot)["weakest_share"]
    total = page.text(
        "explain.formula_team",
        rest=fmt.number(language, 1 - share, 2),
        mean=fmt.number(language, mean, 2),
        share=fmt.number(language, share, 2),
        least=fmt.number(language, least, 2),
        score=fmt.number(language, score["score"], 2),
    )
    lines = [_area_formula(page, page.label(names[area]), rows) for area, rows in areas.items()]
    body = "".join(f'<p class="equation">{escape(line)}</p>' for line in (total, *lines))
    show(heading(page.text("explain.formula")) + folded(page.text("explain.formula_hint"), body))


def _area_formula(page: Page, name: str, rows: list[dict[str, Any]]) -> str:
    """``Area: (4 x 0.63 x 50 + ...) / (4 x 0.63 + ...) = 54.40``; the evidence weight stands only where it is not 1."""
    language = page.language

    def weight(row: dict[str, Any]) -> str:
        evidence = "" if row["evidence_weight"] == 1 else f" × {fmt.number(language, row['evidence_weight'], 3)}"
        return fmt.number(language, row["weight"]) + evidence

    top = " + ".join(f"{weight(row)} × {fmt.number(language, row['points'], 1)}" for row in rows)
    bottom = " + ".join(weight(row) for row in rows)
    return f"{name}: ({top}) / ({bottom}) = {fmt.number(language, rows[0]['area_score'], 2)}"


def alarm_sentence(page: Page, team_id: str) -> str:
    """Return how many signs there are to ask about, or nothing."""
    signs = quality.alarms(page.snapshot, page.period, team_id)["alarm"].n_unique()
    return page.text("explain.alarm_count", count=signs) if signs else ""


def alarms(page: Page, team_id: str | None = None) -> None:
    """Show signs that numbers are tended instead of operations, of one team or of all."""
    found = quality.alarms(page.snapshot, page.period, team_id)
    if found.is_empty():
        return
    names = by(catalogue.teams(page.snapshot), "team_id")
    shown: list[list[str]] = []
    # One row a kind of sign: the explanation stands once, what it is about as a list.
    for group in found.partition_by("team_id", "alarm", maintain_order=True):
        rows = group.to_dicts()
        details = [
            escape(row["subject"]) + (small(row["detail"]) if row["detail"] else "") for row in rows[:SHOWN_SUBJECTS]
        ]
        if len(rows) > SHOWN_SUBJECTS:
            details.append(escape(page.text("explain.more_subjects", count=len(rows) - SHOWN_SUBJECTS)))
        shown.append(
            [
                page.link("team", page.label(names[rows[0]["team_id"]]), team=rows[0]["team_id"]),
                escape(page.label(rows[0], "title")) + small(page.label(rows[0], "explanation")),
                "".join(f"<div>{detail}</div>" for detail in details),
                fmt.number(page.language, sum(row["finding_count"] for row in rows)),
            ]
        )
    header = [
        (page.text("word.team"), False),
        (page.text("explain.sign"), False),
        (page.text("explain.subject"), False),
        (page.text("explain.findings"), True),
    ]
    show(
        heading(page.text("explain.alarms"))
        + f'<p class="hint">{escape(page.text("explain.alarms_hint"))}</p>'
        + table(page.text("explain.alarms_caption"), header, shown)
        + page.downloads("alarms", team=team_id)
    )


def diagnostics(page: Page, team_id: str) -> None:
    """Show what is measured but never scored, folded."""
    language = page.language
    rows = scores.diagnostics(page.snapshot, page.period, team_id).to_dicts()
    if not rows:
        return
    shown = [
        [
            f'{escape(page.label(row, "title"))}<span class="small">{escape(page.label(row, "explanation"))}</span>',
            escape(" ".join(part for part in (row["entity_id"], row["statistic"]) if part)),
            _diagnostic(language, row["unit"], row["value"]),
            f"{_diagnostic(language, row['unit'], row['low'])}–{_diagnostic(language, row['unit'], row['high'])}"
            if row["low"] is not None
            else "",
            fmt.number(language, row["sample_size"]),
        ]
        for row in rows
    ]
    header = [
        (page.text("explain.diagnostic"), False),
        (page.text("explain.statistic"), False),
        (page.text("word.value"), True),
        (page.text("explain.interval"), True),
        (page.text("explain.items"), True),
    ]
    show(
        heading(page.text("explain.diagnostics"))
        + folded(
            page.text("explain.diagnostics_hint"),
            table(page.text("explain.diagnostics_caption"), header, shown)
            + page.downloads("diagnostics", team=team_id),
        )
    )


def _diagnostic(language: str, unit: str, value: float | None) -> str:
    if unit == "share":
        return fmt.percent(language, value, 2)
    return fmt.number(language, value, 0 if unit == "count" else 1)


def restated(page: Page, team_id: str) -> None:
    """Show published scores that would be others today, with the cause."""
    language = page.language
    rows = scores.restated(page.snapshot, team_id).to_dicts()
    if not rows:
        return
    areas = by(catalogue.areas(page.snapshot), "area_id")
    shown = [
        [
            escape(row["label"]),
            escape(page.label(areas[row["area_id"]]) if row["area_id"] else page.text("word.total")),
            fmt.number(language, row["published_score"], 1),
            fmt.number(language, row["restated_score"], 1),
            fmt.signed(language, row["difference"]),
            escape(", ".join(page.text(f"explain.cause_{cause}") for cause in row["cause"].split(", "))),
        ]
        for row in rows
    ]
    header = [
        (page.text("word.period"), False),
        (page.text("word.area"), False),
        (page.text("explain.published"), True),
        (page.text("explain.today"), True),
        (page.text("explain.difference"), True),
        (page.text("explain.cause"), False),
    ]
    show(
        heading(page.text("explain.restated"))
        + f'<p class="hint">{escape(page.text("explain.restated_hint"))}</p>'
        + table(page.text("explain.restated_caption"), header, shown)
        + page.downloads("restated", team=team_id)
    )
