"""Pieces that several pages show: the table of gaps, the status of a metric, the waterfall of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import catalogue
from opsmetrics.reading.board import Item
from opsmetrics.scoring.change import PARTS
from scorecard_app.marks import gain
from scorecard_app.markup import points, small, table, tag
from scorecard_app.page import Page, by

NEARLY_FULL = 0.95
_FEWEST = 0.05  # points that show with one decimal
_TAGS = {
    "ok": ("good", "✓"),
    "low_evidence": ("plain", "~"),
    "stale": ("warn", "↺"),
    "invalid": ("bad", "✕"),
    "not_measured": ("warn", "?"),
    "not_measured_overdue": ("bad", "✕"),
    "waived": ("warn", "◌"),
}
_GOALS = {"planned": ("plain", "○"), "in_progress": ("good", "◐"), "done": ("good", "✓")}


def shown_value(row: Mapping[str, Any]) -> float | None:
    """Return a metric's value where it is one: not of a metric without points, nor of one that only counts as zero."""
    return None if row["points"] is None or row["status"] == "not_measured_overdue" else row["value"]


def status_tag(page: Page, row: Mapping[str, Any]) -> str:
    """Return a metric's status as a tag with mark and word; a few missing probes are not called thin evidence."""
    status = row["status"]
    if status == "low_evidence" and min(row["evidence_weight"], row["completeness"]) >= NEARLY_FULL:
        status = "ok"
    kind, mark = _TAGS.get(status, ("plain", "–"))
    return tag(kind, mark, page.text(f"status.{status}"))


def goal_tag(page: Page, gap: Mapping[str, Any]) -> str:
    """Return how far a goal has come; a gap without one says so."""
    if gap["goal_status"] is None:
        return tag("warn", "!", page.text("goal.none"))
    if gap["is_overdue"]:
        return tag("bad", "!", page.text("goal.overdue"))
    return tag(*_GOALS[gap["goal_status"]], page.text(f"goal.{gap['goal_status']}"))


def gaps_table(page: Page, gaps: Sequence[Mapping[str, Any]], *, below: str) -> str:
    """Return the table of gaps.

    Args:
        page: The page.
        gaps: Rows of :func:`opsmetrics.reading.scores.gaps`.
        below: What stands below the metric's name: ``area``, ``team`` or ``both``.
    """
    language = page.language
    metrics = by(catalogue.metrics(page.snapshot), "metric_id")
    areas = by(catalogue.areas(page.snapshot), "area_id")
    teams = by(catalogue.teams(page.snapshot), "team_id")
    largest = max((gap["gain_if_met"] for gap in gaps), default=0.0)
    rows: list[list[str]] = []
    for gap in gaps:
        metric = metrics[gap["metric_id"]]
        title = page.link("maling", page.label(metric, "title"), team=gap["team_id"], metric=gap["metric_id"])
        where = {"area": page.label(areas[gap["area_id"]]), "team": page.label(teams[gap["team_id"]])}
        words = " · ".join((where["team"], where["area"])) if below == "both" else where[below]
        krav = metric["krav"] if metric["krav"] is not None else metric["mal"]
        who = ""
        if gap["owner_role"] is not None:
            day = fmt.long_date(language, gap["due_on"])
            who = page.text("goal.who", role=page.text(f"role.{gap['owner_role']}"), day=day)
        rows.append(
            [
                title + small(words),
                gain(language, gap["gain_if_met"], largest),
                fmt.metric_value(language, metric["unit"], shown_value(gap)),
                fmt.metric_value(language, metric["unit"], krav),
                escape(page.label(metric, "remedy")) + small(who),
                escape(page.text(f"effort.{metric['effort']}"))
                + small(page.text("gaps.days", days=fmt.number(language, gap["effort_days"], 1))),
                goal_tag(page, gap),
            ]
        )
    header = [
        (page.text("word.metric"), False),
        (page.text("gaps.gain"), True),
        (page.text("word.now"), True),
        (page.text("word.krav"), True),
        (page.text("word.next_step"), False),
        (page.text("word.effort"), False),
        (page.text("word.status"), False),
    ]
    return table(page.text("gaps.caption"), header, rows, kind="gaps")


def item_list(page: Page, items: Sequence[Item]) -> str:
    """Return what the board says as a list with links; nothing where there is nothing."""
    return (
        points(page.link(item.page, item.title, **item.parameters) + small(item.detail) for item in items)
        if items
        else ""
    )


def changes_table(page: Page, rows: Sequence[Mapping[str, Any]], *, first: str) -> str:
    """Return what changes are made of, a row each.

    Args:
        page: The page.
        rows: Rows of ``scores.change`` with ``on``.
        first: What the first column names: ``until`` or ``team``.
    """
    language = page.language
    teams = by(catalogue.teams(page.snapshot), "team_id")
    shown = [
        [
            fmt.short_date(language, row["on"])
            if first == "until"
            else page.link("endring", page.label(teams[row["team_id"]]), team=row["team_id"]),
            fmt.number(language, row["score_before"], 1),
            *(fmt.signed(language, row[part]) if abs(row[part]) >= _FEWEST else fmt.MISSING for part in PARTS),
            f"<strong>{fmt.number(language, row['score_after'], 1)}</strong>",
        ]
        for row in rows
    ]
    header = [
        (page.text("explain.until" if first == "until" else "word.team"), False),
        (page.text("explain.before"), True),
    ]
    header += [(page.text(f"explain.part_{part}"), True) for part in PARTS]
    header.append((page.text("explain.after"), True))
    return table(page.text("explain.change_caption"), header, shown)
