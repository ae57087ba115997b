"""What a meeting is told first: the answer, what moved, what must be decided.

The overview and the brief say the same, because both ask here. Words come with the numbers; how they look does not.
"""

from __future__ import annotations

from opsmetrics.reports.agenda import MOST_LINES, SOON_DAYS, for_decision, matters
from opsmetrics.reports.lead import delivering, lead, usual
from opsmetrics.reports.moves import Moves, direction, doubt, find_moves, moves, say_moves
from opsmetrics.reports.standing import (
    MATERIAL_POINTS,
    Board,
    Item,
    Place,
    a_year_ago,
    band,
    forecast,
    gate_reason,
    is_held_down,
    read_board,
    shown_value,
    since,
    when,
)

__all__ = [
    "MATERIAL_POINTS",
    "MOST_LINES",
    "SOON_DAYS",
    "Board",
    "Item",
    "Moves",
    "Place",
    "a_year_ago",
    "band",
    "delivering",
    "direction",
    "doubt",
    "find_moves",
    "for_decision",
    "forecast",
    "gate_reason",
    "is_held_down",
    "lead",
    "matters",
    "moves",
    "read_board",
    "say_moves",
    "shown_value",
    "since",
    "usual",
    "when",
]
