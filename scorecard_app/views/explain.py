"""Parts of the team page that explain: how certain the score is, the way to the next level, what to ask about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.details import detail
from opsmetrics.language.listing import listing
from opsmetrics.reports.addresses import METRIC, TEAM
from opsmetrics.reports.board import when
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import catalogue, evidence, gaps, movement, quality, scores
from opsmetrics.snapshots.queries.evidence import Diagnostic
from opsmetrics.snapshots.queries.gaps import PlanStep
from opsmetrics.snapshots.queries.quality import Alarm
from opsmetrics.snapshots.queries.rows import group_by
from opsmetrics.snapshots.queries.scores import ScorePart, TeamScore
from scorecard_app.later import later, later_table
from scorecard_app.markup import element, heading, hint, join, paragraph, small
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import areas_by_id, metrics_by_id, now_only, source, teams_by_id

SHOWN_SUBJECTS = 8
_LIKELY = 0.5
_SMALL = 0.1  # below it a number of one decimal says nothing


def certainty(page: Page, score: TeamScore | None) -> str:
    """Return the interval, the chance of meeting the requirement and the confidence as one sentence, or nothing."""
    if score is None or score.score is None or score.interval_low is None:
        return ""
    language = page.language
    values = {
        "low": fmt.number(language, score.interval_low),
        "high": fmt.number(language, score.interval_high),
        "chance": fmt.chance(language, score.krav_probability),
        "confidence": page.text(f"explain.confidence_{score.confidence}"),
    }
    # The chance is that of the score; a gate, a weak area or four weeks of waiting may hold the level below it.
    if score.level is not None and score.level < MET_LEVEL and (score.krav_probability or 0.0) >= _LIKELY:
        return page.text("explain.certainty_held", **values, level=page.text(f"level.{score.level}").lower())
    return page.text("explain.certainty", **values)


def trend_sentence(page: Page, team_id: str) -> str:
    """Return the verdict on the team's own trend, with its number of points and how much of the score it follows.

    The slope is left out: it follows a part of the weight, and would be another number than the change that stands in
    every other place.
    """
    own = movement.team_trend(page.snapshot, page.period, team_id)
    if own is None:
        return ""
    word = page.text(f"explain.verdict_{own.verdict.removesuffix('_preliminary')}")
    note = page.text("explain.preliminary") if own.verdict.endswith("_preliminary") else ""
    return page.text(
        "explain.trend",
        verdict=word,
        note=note,
        periods=page.text(f"explain.periods_{own.grain}", count=own.n),
        share=fmt.percent(page.language, own.weight_share),
    )


def alarm_sentence(page: Page, team_id: str) -> str:
    """Return how many signs there are to ask about, or nothing."""
    signs = {row.alarm for row in quality.alarms(page.snapshot, page.period, team_id)}
    return page.text("explain.alarm_count", count=len(signs)) if signs else ""


def plan(page: Page, team_id: str) -> None:
    """Show the cheapest way to the next level."""
    rows = list(gaps.plan(page.snapshot, page.period, team_id))
    if not rows:
        show(now_only(page, page.text("explain.plan_title")))
        return
    level = page.text(f"level.{rows[0].target_level}").lower()
    days = fmt.number(page.language, sum(row.effort_days for row in rows), 1)
    show(
        join(
            heading(page.text("explain.plan", level=level)),
            hint(" ".join((page.text("explain.plan_hint", days=days), *_level_dates(page, rows)))),
            table_html(page, plan_table(page, team_id, rows)),
        )
    )


def plan_table(page: Page, team_id: str, rows: Sequence[PlanStep]) -> Table:
    """Return the steps to the next level, a row each."""
    cells, metrics = page.cells, metrics_by_id(page)
    shown = tuple(
        (
            Cell(str(row.position), row.position),
            Cell(
                page.say(metrics[row.metric_id].title),
                detail=_step_detail(page, row),
                address=METRIC.at(team=team_id, metric=row.metric_id),
            ),
            *cells.points(row.points_before),
            cells.number(row.effort_days, 1),
            cells.score_in_tenths(row.score_after, is_strong=True),
        )
        for row in rows
    )
    columns = (
        Column(page.text("explain.step")),
        Column(page.text("word.metric"), "link"),
        Column(page.text("explain.points_now"), "number"),
        Column(page.text("explain.days"), "number"),
        Column(page.text("explain.score_then"), "number"),
    )
    return Table("plan", page.text("explain.plan_caption"), columns, shown, source=source("plan", team=team_id))


def _step_detail(page: Page, step: PlanStep) -> str:
    """When a step shows and why then, whether a gate asks for it, and whether its work is priced elsewhere."""
    return " ".join(
        filter(
            None,
            (
                when(step, page.language),
                "" if step.is_within_year else page.text("when.later"),
                page.text("when.shared") if step.effort_days == 0 else "",
                page.text("explain.for_gate") if step.is_for_gate else "",
            ),
        )
    )


def _level_dates(page: Page, steps: Sequence[PlanStep]) -> list[str]:
    """The day of the level, and a warning where a step can only show later than in a year."""
    said: list[str] = []
    if steps[0].level_on is not None:
        said.append(page.text("when.level", day=fmt.long_date(page.language, steps[0].level_on)))
    if not all(step.is_within_year for step in steps):
        said.append(page.text("when.beyond"))
    return said


def formula(page: Page, team_id: str, score: TeamScore | None) -> None:
    """Show how the team score and each area score are computed, with today's figures."""
    areas = group_by(scores.score_parts(page.snapshot, page.period, team_id), lambda part: part.area_id)
    if score is None or score.score is None or not areas:
        return
    names, total = areas_by_id(page), score.score

    def lines() -> Iterator[Markup]:
        yield paragraph(_team_formula(page, total, [parts[0] for parts in areas.values()]), kind="equation")
        for area_id, parts in areas.items():
            yield paragraph(_area_formula(page, page.say(names[area_id].name), parts), kind="equation")

    part = later(page, "formula", page.text("explain.formula_hint"), lines)
    show(join(heading(page.text("explain.formula")), part))


def _team_formula(page: Page, score: float, areas: Sequence[ScorePart]) -> str:
    """``Total: 0.80 x mean of the areas 61.20 + 0.20 x weakest area 40.00 = 56.96``, over the published areas."""
    language = page.language
    published = [row for row in areas if row.area_status == "ok"]
    mean = sum(row.area_weight * row.area_score for row in published) / sum(row.area_weight for row in published)
    share = catalogue.rules(page.snapshot).weakest_share
    return page.text(
        "explain.formula_team",
        rest=fmt.number(language, 1 - share, 2),
        mean=fmt.number(language, mean, 2),
        share=fmt.number(language, share, 2),
        least=fmt.number(language, min(row.area_score for row in published), 2),
        score=fmt.number(language, score, 2),
    )


def _area_formula(page: Page, name: str, parts: Sequence[ScorePart]) -> str:
    """``Area: (4 x 0.63 x 50 + ...) / (4 x 0.63 + ...) = 54.40``; the evidence weight stands only where it is not 1."""
    language = page.language

    def weight(part: ScorePart) -> str:
        evidence = "" if part.evidence_weight == 1 else f" × {fmt.number(language, part.evidence_weight, 3)}"
        return fmt.exact(language, part.weight) + evidence

    top = " + ".join(f"{weight(part)} × {fmt.number(language, part.points, 1)}" for part in parts)
    bottom = " + ".join(weight(part) for part in parts)
    return f"{name}: ({top}) / ({bottom}) = {fmt.number(language, parts[0].area_score, 2)}"


def alarms(page: Page, team_id: str | None = None) -> None:
    """Show signs that numbers are tended instead of operations, of one team or of all."""
    # One row a kind of sign: the explanation stands once, what it is about as a list.
    groups = group_by(quality.alarms(page.snapshot, page.period, team_id), lambda row: (row.team_id, row.alarm))
    if not groups:
        return
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("explain.sign")),
        Column(page.text("explain.subject")),
        Column(page.text("explain.findings"), "number"),
    )
    shown = tuple(_alarm_row(page, rows) for rows in groups.values())
    table = Table("alarms", page.text("explain.alarms_caption"), columns, shown, source=source("alarms", team=team_id))
    show(
        join(
            heading(page.text("explain.alarms")),
            hint(page.text("explain.alarms_hint")),
            table_html(page, table),
        )
    )


def _alarm_row(page: Page, rows: Sequence[Alarm]) -> tuple[Cell, ...]:
    first, found = rows[0], listing(page.language, [_subject(page, row) for row in rows], SHOWN_SUBJECTS)
    shown = rows[: len(found.before)]
    details = [join(_subject(page, row), small(detail(page.language, row.detail))) for row in shown]
    details += [join(found.more)] if found.more else []
    return (
        Cell(page.say(teams_by_id(page)[first.team_id].name), address=TEAM.at(team=first.team_id)),
        Cell(page.say(first.title), detail=page.say(first.explanation)),
        Cell(", ".join(_subject(page, row) for row in rows), drawing=join(element("div", line) for line in details)),
        page.cells.number(sum(row.finding_count for row in rows)),
    )


def _subject(page: Page, row: Alarm) -> str:
    """What a sign is about: metrics by their titles, and names as they are."""
    metrics = metrics_by_id(page)
    return " / ".join(page.say(metrics[name].title) if name in metrics else name for name in row.subject.split(" / "))


def diagnostics(page: Page, team_id: str) -> None:
    """Show what is measured but never scored, folded."""
    rows = evidence.diagnostics(page.snapshot, page.period, team_id)
    if not rows:
        return
    columns = (
        Column(page.text("explain.diagnostic")),
        Column(page.text("explain.statistic")),
        Column(page.text("word.value"), "number"),
        Column(page.text("explain.interval"), "number"),
        Column(page.text("explain.items"), "number"),
        Column(page.text("explain.not_known"), "number"),
    )
    caption, file = page.text("explain.diagnostics_caption"), source("diagnostics", team=team_id)

    def table() -> Table:
        return Table("diagnostics", caption, columns, tuple(_diagnostic_row(page, row) for row in rows), source=file)

    part = later_table(page, "diagnostics", page.text("explain.diagnostics_hint"), table, file)
    show(join(heading(page.text("explain.diagnostics")), part))


def _diagnostic_row(page: Page, row: Diagnostic) -> tuple[Cell, ...]:
    def shown(value: float | None) -> Cell:
        if row.unit == "share":
            return page.cells.percent(value, 2)
        is_whole = row.unit == "count" and value is not None and value == round(value)
        return page.cells.number(value, 0 if is_whole else 1 if value is None or value >= _SMALL else 2)

    value = shown(row.value)
    # A share has its sign; what is counted is told by the statistic.
    has_unit = row.value is not None and row.unit not in {None, "share", "count"}
    unit = f"{fmt.NBSP}{page.text(f'unit.{row.unit}')}" if has_unit else ""
    interval = f"{shown(row.low).text}–{shown(row.high).text}{unit}" if row.low is not None else ""
    return (
        Cell(page.say(row.title), detail=page.say(row.explanation)),
        Cell(" ".join(part for part in (row.entity_id, detail(page.language, row.statistic)) if part)),
        Cell(f"{value.text}{unit}", value.value),
        Cell(interval),
        page.cells.number(row.sample_size),
        page.cells.number(row.not_known),
    )
