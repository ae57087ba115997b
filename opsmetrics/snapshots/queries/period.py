"""An instant at which everything is evaluated, as readers choose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Period:
    """What can be chosen: the latest day, or a month.

    Attributes:
        as_of: Its end, UTC, exclusive.
        grain: latest or month.
        label: Its name in addresses: ``2026-10`` for a month.
        on: Its last day.
    """

    as_of: datetime
    grain: str
    label: str
    on: date

    @property
    def is_past(self) -> bool:
        """Whether it ended before the newest day: what is told of it must be what stood then."""
        return self.grain != "latest"

    def instant(self, **more: Any) -> dict[str, Any]:
        """Return the parameters that name the instant in a query, with others beside them."""
        return {"as_of": self.as_of, "grain": self.grain, **more}
