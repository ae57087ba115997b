"""What a brief says: the board, what moved and why, decisions, duties that are not met, gaps, and a page a team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports import board
from opsmetrics.reports.brief import parts
from opsmetrics.reports.brief.document import Block, Columns, Document, Figures, Paragraph, Points, Section
from opsmetrics.reports.brief.words import Words
from opsmetrics.snapshots.queries import catalogue, gaps, movement
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.store import Snapshot

SHOWN_MOVES, SHOWN_MATTERS, SHOWN_CHANGES, SHOWN_GAPS, SHOWN_TEAM_GAPS = 3, 5, 4, 10, 5


def period_of(snapshot: Snapshot, wanted: str | None) -> Period:
    """Return the period that a brief is about.

    Args:
        snapshot: Where the periods stand.
        wanted: A month (``2026-10``), ``latest``, or None for the newest month that has ended.

    Raises:
        ConfigurationError: There is no such period.
    """
    periods = list(catalogue.periods(snapshot))
    months = [period for period in periods if period.grain == "month"]
    if wanted is None:
        return (months or periods)[0]
    for period in periods:
        if wanted == period.label or (wanted == "latest" and period.grain == "latest"):
            return period
    names = ", ".join(period.label for period in months[:12])
    raise ConfigurationError([Problem("--as-of", None, f"no period {wanted!r}", f"write latest or one of {names}")])


def compose(snapshot: Snapshot, period: Period, language: str) -> Document:
    """Return the brief of a period in a language."""
    organisation = catalogue.organisation(snapshot)
    words = Words(board.read_board(snapshot, period), language)
    foot = (
        words.text("app.ruleset", version=organisation.ruleset_version),
        words.text("app.snapshot", id=snapshot.build_id[:12]),
    )
    return Document(
        title=f"{words.text('report.title')}, {_when(period, language)}",
        subtitle=f"{organisation.name.get(language)} · {words.text('report.meta')}",
        language=language,
        banner=words.text("app.not_real") if organisation.is_fictional else "",
        foot=" · ".join(foot),
        at=period.as_of,
        sections=_sections(words),
    )


def _when(period: Period, language: str) -> str:
    if period.grain == "month":
        return fmt.month(language, period.on)
    return text(language, "word.latest", day=fmt.long_date(language, period.on))


def _sections(words: Words) -> tuple[Section, ...]:
    snapshot, period = words.board.snapshot, words.board.period
    found = list(gaps.gaps(snapshot, period))
    goals = list(gaps.goal_reviews(snapshot, period))
    changes = index_by(movement.all_changes(snapshot, period), lambda row: row.team_id)
    return (
        _first(words, changes),
        Section(words.text("overview.matrix"), (parts.matrix(words),)),
        Section(words.text("brief.decisions"), (parts.decisions(words, goals, "decisions"),)),
        Section(words.text("brief.duties"), (parts.duties(words),)),
        Section(words.text("report.gaps"), (parts.gaps(words, found[:SHOWN_GAPS], "gaps", with_team=True),)),
        *(_team(words, team, found, goals, changes.get(team.team_id)) for team in words.board.teams),
    )


def _first(words: Words, changes: Mapping[str, Change]) -> Section:
    """The one page: the answer, four numbers, what moved, what must be settled, and why scores changed."""
    found, language = words.board, words.language
    moves = board.moves(found, language)
    lists = (
        ("better", "▲", moves[True], SHOWN_MOVES),
        ("worse", "▼", moves[False], SHOWN_MOVES),
        ("settle", "?", board.matters(found, language), SHOWN_MATTERS),
    )
    return Section(
        words.text("brief.first"),
        (
            Paragraph(board.lead(found, language), is_lead=True),
            _figures(words),
            Columns(tuple(_points(words, *items) for items in lists)),
            parts.changes(words, list(changes.values())[:SHOWN_CHANGES]),
        ),
    )


def _figures(words: Words) -> Figures:
    """The four numbers of the overview."""
    found, language = words.board, words.language
    majors, usual = board.usual(found, language)
    median, met, coverage = found.median(), found.met(), found.coverage()
    teams = words.text("overview.of", all=len(found.scores))
    return Figures(
        (
            (words.text("overview.strip_median"), fmt.score(language, median), words.text("word.out_of_100"), median),
            (words.text("overview.strip_met"), fmt.number(language, met), teams, met),
            (words.text("overview.strip_majors"), fmt.number(language, majors), usual, majors),
            (
                words.text("overview.strip_coverage"),
                fmt.percent(language, coverage),
                board.delivering(found, language),
                coverage,
            ),
        )
    )


def _points(words: Words, name: str, mark: str, items: Sequence[board.Item], shown: int) -> Points:
    lines = [(item.title, item.detail) for item in items[:shown]]
    if len(items) > shown:
        lines.append((words.text("overview.more", count=len(items) - shown), ""))
    return Points(words.text(f"overview.{name}"), mark, tuple(lines), words.text(f"overview.{name}_none"))


def _team(
    words: Words, team: Team, found: Sequence[Gap], goals: Sequence[GoalReview], change: Change | None
) -> Section:
    """One page of the annex."""
    blocks: list[Block] = [_team_lead(words, team)]
    if change is not None:
        delta = words.cells.signed(change.score_after - change.score_before).text
        said = words.text("brief.team_change", change=delta, why=parts.why(words, change))
        blocks.append(Paragraph(said))
    blocks.append(parts.areas(words, team.team_id))
    mine = [gap for gap in found if gap.team_id == team.team_id]
    blocks.append(parts.gaps(words, mine[:SHOWN_TEAM_GAPS], "team_gaps", with_team=False))
    own_goals = [goal for goal in goals if goal.team_id == team.team_id]
    if own_goals:
        blocks.append(parts.decisions(words, own_goals, "team_decisions", with_team=False))
    return Section(words.teams[team.team_id], tuple(blocks), is_annex=True)


def _team_lead(words: Words, team: Team) -> Paragraph:
    own = words.board.scores.get(team.team_id)
    key = "brief.team_lead" if own and own.score is not None else "brief.team_no_score"
    said = words.text(
        key,
        score=fmt.score(words.language, own.score if own else None),
        level=words.level(own.level if own else None).lower(),
        coverage=fmt.percent(words.language, own.coverage if own else None),
    )
    return Paragraph(said, is_lead=True)
