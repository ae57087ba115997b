"""What listed gaps give together, as a sentence: whoever reads single gains in a list adds them, falsely."""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.snapshots.queries import gains
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot

LEAST_GAIN = 0.05  # points that show with one decimal
_SEVERAL = 2


def together(language: str, snapshot: Snapshot, period: Period, listed: Sequence[Gap]) -> str:
    """Say what listed gaps give when all of them are closed: a team's score, or the mean of all teams.

    Nothing of a single gap, and where no score would move.
    """
    if len(listed) < _SEVERAL:
        return ""
    found = gains.joint_gains(snapshot, period, listed)
    teams = {gap.team_id for gap in listed}
    points = sum(found.values()) if len(teams) == 1 else gains.mean_of_teams(snapshot, period, found)
    if points is None or points < LEAST_GAIN:
        return ""
    return text(
        language,
        "gains.team" if len(teams) == 1 else "gains.all_teams",
        count=len(listed),
        points=fmt.number(language, points, 1),
    )
