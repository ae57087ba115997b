"""The answer in a few sentences: how many meet the requirement, against when, who fell most, what is weakest."""

from __future__ import annotations

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.language.texts import text
from opsmetrics.reports.standing import Board, a_year_ago, since
from opsmetrics.reports.weakest import weakest
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries import facts, quality
from opsmetrics.snapshots.queries.comparison import ScoreMove

TOLD_FALL = 1.0  # points of the team score below which a fall is not worth a sentence
NAMED_TEAMS = 3


def lead(board: Board, language: str, *, with_year: bool = True) -> str:
    """Return the answer; ``*this*`` is meant strong.

    Args:
        board: How it stands.
        language: nb or en.
        with_year: Say how it was a year ago; not where a figure beside it does.
    """
    medians = board.medians()
    if not board.found() or not medians:
        return text(language, "overview.lead_no_scores")
    median, lowest = fmt.score(language, board.median()), fmt.score(language, min(medians.values()))
    key = "lead.weakest_one" if len(board.scores) == 1 else "lead.weakest"
    which = weakest(language, medians, board.area_names(language))
    said = text(language, key, median=median, area_median=lowest, **which)
    year = _year(board, language) if with_year else ""
    return " ".join(filter(None, (_state(board, language), _fall(board, language), year, said)))


def _state(board: Board, language: str) -> str:
    """How many meet the requirement now, how many did at the last month end, and how many of those are doubted."""
    met, teams, then = board.met() or 0, len(board.scores), board.before
    words = {"met": met, "teams": teams}
    if teams == 1 and (then is None or then.teams == 1):
        said = _state_of_one(board, language, is_met=met == 1)
        return " ".join(filter(None, (said, _unsure(board, language), _doubted(board, language))))
    if then is None:
        said = text(language, "lead.state_alone", **words)
    else:
        words |= {"before": then.met, "teams_before": then.teams, "since": since(board, language)}
        key = "same" if (then.met, then.teams) == (met, teams) else "before" if then.teams == teams else "other_teams"
        said = text(language, f"lead.state_{key}", **words)
    return " ".join(
        filter(None, (said, _crossed(board, language), _unsure(board, language), _doubted(board, language)))
    )


def _unsure(board: Board, language: str) -> str:
    """How many of the teams have no score, and how many a provisional one: what is not known is no "does not meet"."""
    states = [row.status for row in board.scores.values()]
    unscored, provisional = states.count("too_little_data"), states.count("provisional")
    said = [text(language, "lead.unscored", count=unscored)] if unscored else []
    if provisional:
        which = "some" if provisional < len(board.found()) else "one" if provisional == 1 else "all"
        said.append(text(language, f"lead.provisional_{which}", count=provisional))
    return " ".join(said)


def _state_of_one(board: Board, language: str, *, is_met: bool) -> str:
    """Whether the only team meets the requirement, and whether it did at the last month end: nobody counts to one."""
    key = f"lead.one_{'met' if is_met else 'unmet'}"
    if board.before is None:
        return text(language, key)
    way = "same" if (board.before.met == 1) == is_met else "other"
    return text(language, f"{key}_{way}", since=since(board, language))


def _crossed(board: Board, language: str) -> str:
    """Who came to meet the requirement, and who no longer does."""
    names = board.team_names(language)
    own = [row for (_, area_id), row in board.moves.items() if not area_id]
    sides: tuple[tuple[str, list[ScoreMove]], ...] = (
        ("lost", [row for row in own if _has(row.level_before) and row.level is not None and not _has(row.level)]),
        (
            "won",
            [row for row in own if _has(row.level) and row.level_before is not None and not _has(row.level_before)],
        ),
    )
    return " ".join(
        text(
            language,
            f"lead.{side}",
            teams=listed(language, [fmt.unmarked(names[row.team_id]) for row in rows], NAMED_TEAMS),
        )
        for side, rows in sides
        if rows
    )


def _has(level: int | None) -> bool:
    return level is not None and level >= MET_LEVEL


def _doubted(board: Board, language: str) -> str:
    """How many of those that meet the requirement have numbers that raise questions."""
    own = [row for (_, area_id), row in board.moves.items() if not area_id and _has(row.level) and row.signs]
    return text(language, "lead.doubted", count=len(own)) if own else ""


def _year(board: Board, language: str) -> str:
    then = board.year
    if then is None:
        return ""
    key = "lead.year_one" if len(board.scores) == then.teams == 1 else "lead.year"
    return text(language, key, met=then.met, teams=then.teams, year=a_year_ago(board, language))


def _fall(board: Board, language: str) -> str:
    """Whose score fell most since the last month end; that none did is said too."""
    falls = [row for (_, area_id), row in board.moves.items() if not area_id and row.change is not None]
    if not falls:
        return ""
    most = min(falls, key=lambda row: row.change or 0)
    one = "_one" if len(board.scores) == 1 else ""
    if (most.change or 0) > -TOLD_FALL:
        points = fmt.number(language, TOLD_FALL)
        return text(language, f"lead.no_fall{one}", points=points, since=since(board, language))
    names, points = board.team_names(language), fmt.signed(language, most.change)
    tied = [fmt.unmarked(names[row.team_id]) for row in falls if fmt.signed(language, row.change) == points]
    words = {"team": listed(language, tied, NAMED_TEAMS), "count": len(tied), "points": points}
    return text(language, f"lead.fall{one}", since=since(board, language), **words)


def usual(board: Board, language: str) -> tuple[int | None, str]:
    """Return the major incidents of the last 28 days, and how many there usually are; None where nobody tells them."""
    if not quality.is_connected(board.snapshot, "incidents"):
        return None, text(language, "overview.not_connected")
    majors = facts.major_incidents(board.snapshot, board.period)
    if majors[-1] is None:
        return None, text(language, "outcomes.not_told")
    normal = usual_range(majors[:-1])
    return majors[-1], usual_words(language, normal)


def usual_range(before: list[int | None]) -> tuple[int, int] | None:
    """Return the usual range of counts: all known ones but the lowest and the highest; None of too few."""
    known = sorted(value for value in before if value is not None)
    return (known[1], known[-2]) if len(known) >= facts.FEWEST_PERIODS else None


def usual_words(language: str, normal: tuple[int, int] | None) -> str:
    """Say what counts are usual; nothing where too few are known."""
    return text(language, "overview.usual", span=fmt.span(*map(str, normal))) if normal else ""


def carried(board: Board, language: str) -> list[str]:
    """Return a sentence for each stream whose last known values stand in for newer ones: whose numbers it touches."""
    areas = board.area_names(language)
    return [
        text(
            language,
            "overview.stale_source",
            source=text(language, f"stream.{row.stream}").lower(),
            areas=", ".join(areas[area] for area in row.areas),
            teams=row.teams,
        )
        for row in area_queries.carried(board.snapshot, board.period)
    ]


def delivering(board: Board, language: str) -> str:
    """Return how many systems deliver as they should; of a period that is past, that their state is not kept."""
    if board.period.is_past:
        return text(language, "overview.sources_now")
    states = [row.state for row in quality.systems(board.snapshot)]
    if not states:
        return text(language, "overview.sources_none")
    fine = states.count("fresh")
    if fine == len(states):
        return text(language, "overview.sources_fresh", all=fine)
    key = "overview.source_silent" if len(states) == 1 else "overview.sources_silent"
    return text(language, key, fine=fine, all=len(states))
