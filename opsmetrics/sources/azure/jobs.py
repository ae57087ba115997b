"""What a backup job of Azure was and how it ended, in the words of both kinds of vault and of the logs.

Belongs here: the words of Data Protection (backup vaults), Recovery Services and their diagnostics. Does not belong
here: asking for jobs. Other words are not guessed at: such a job is neither a recovery point nor a failure.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["backup", "restore"]
# Data Protection tells a category; Recovery Services an operation, of databases with what was copied in brackets. Only
# these make a recovery point or bring one back: configuring, stopping and deleting a backup are jobs too.
_KINDS: dict[str, Kind] = {"backup": "backup", "restore": "restore", "crossregionrestore": "restore"}
_OPERATION = re.compile(r"(?P<name>\w+)(\s*\([^()]*\))?")
# Status -> whether it ended well; None = it is not over.
_OUTCOMES: dict[str, bool | None] = {
    **dict.fromkeys(("completed", "succeeded", "success"), True),
    **dict.fromkeys(
        ("completedwithwarnings", "completedwithwarning", "successwithwarning", "successwithwarnings"), True
    ),
    "failed": False,
    "cancelled": False,
    "canceled": False,
    **dict.fromkeys(("started", "inprogress", "cancelling", "paused"), None),
}
UNKNOWN_STATUS = "backup jobs left out, in a state that is not known"
CANCELLED = frozenset({"cancelled", "canceled"})


def kind_of(category: str | None, operation: str | None) -> Kind | None:
    """Return whether a job took a backup or restored one; None for every other job."""
    match = _OPERATION.fullmatch((category or operation or "").strip().lower())
    return _KINDS.get(match["name"]) if match else None


def word(status: str | None) -> str:
    """Return a status without case and blanks: *Completed with warnings* and *CompletedWithWarnings* are one."""
    return (status or "").lower().replace(" ", "")


def is_known(status: str | None) -> bool:
    """Whether the status is one that the services have."""
    return word(status) in _OUTCOMES


def outcome_of(status: str | None) -> bool | None:
    """Return whether a job ended well; None while it runs, and where the word is not known."""
    return _OUTCOMES.get(word(status))
