"""What a meeting is told first: the answer, what moved, what must be decided.

The overview and the brief say the same, because both ask here. Words come with the numbers; how they look does not.
"""

from __future__ import annotations

from opsmetrics.reports.agenda import MOST_LINES, SHOWN_PLACES, SOON_DAYS, for_decision, matters, nothing_to_decide
from opsmetrics.reports.lead import carried, delivering, lead, usual
from opsmetrics.reports.moves import Moves, direction, doubt, find_moves, moves, none_moved, say_moves
from opsmetrics.reports.standing import (
    MATERIAL_POINTS,
    Board,
    Item,
    Place,
    a_year_ago,
    band,
    forecast,
    gate_reason,
    held_against,
    is_held_down,
    legend,
    median_changes,
    ranges,
    read_board,
    shown_value,
    since,
    when,
)

__all__ = [
    "MATERIAL_POINTS",
    "MOST_LINES",
    "SHOWN_PLACES",
    "SOON_DAYS",
    "Board",
    "Item",
    "Moves",
    "Place",
    "a_year_ago",
    "band",
    "carried",
    "delivering",
    "direction",
    "doubt",
    "find_moves",
    "for_decision",
    "forecast",
    "gate_reason",
    "held_against",
    "is_held_down",
    "lead",
    "legend",
    "matters",
    "median_changes",
    "moves",
    "none_moved",
    "nothing_to_decide",
    "ranges",
    "read_board",
    "say_moves",
    "shown_value",
    "since",
    "usual",
    "when",
]
