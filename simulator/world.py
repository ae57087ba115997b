"""The clock, the random numbers and the characters of the simulated organisation.

Dice are ``random.Random`` seeded by text: its stream is stable across versions and machines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Oslo")
FIRST_DAY = date(2025, 8, 1)
END_DAY = date(2026, 11, 23)  # exclusive: the morning of the demo's frozen clock
BOT_SILENT_FROM = date(2026, 11, 1)


@dataclass(frozen=True, slots=True)
class Character:
    """How well a team keeps its duties, 0..1, and how that changed over the history.

    Attributes:
        craft: General level.
        drift: Change of the level from the first to the last day.
        weak: Area in which the team is clearly worse.
        turns: Areas in which an action of the team really worked, from which day, and by how much.
    """

    craft: float
    drift: float
    weak: str | None
    turns: tuple[tuple[str, date, float], ...] = ()

    def level(self, area: str, when: datetime) -> float:
        """Return the level of an area at an instant, within 0.02..0.98."""
        start = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
        span = (END_DAY - FIRST_DAY).days
        passed = min(1.0, max(0.0, (when - start).days / span))
        level = self.craft + self.drift * (passed - 0.5) - (0.35 if area == self.weak else 0.0)
        level += sum(lift for turned, day, lift in self.turns if turned == area and when >= local(day, 0))
        return min(0.98, max(0.02, level))


# The characters of a scenario that is played instead of the demo's story; None: the story, with its script.
_PLAYED: ContextVar[Mapping[str, Character] | None] = ContextVar("played", default=None)


def is_scripted() -> bool:
    """Return whether the demo's story is told, with what happens in it on certain days."""
    return _PLAYED.get() is None


@contextmanager
def played(characters: Mapping[str, Character] | None) -> Generator[None]:
    """Let the teams be other ones, and nothing happen by script, as long as the block lasts.

    Args:
        characters: By team; None tells the demo's story.
    """
    token = _PLAYED.set(characters)
    try:
        yield
    finally:
        _PLAYED.reset(token)


class _Characters(dict[str, Character]):
    """A copy of a team behaves like its original."""

    def __getitem__(self, team: str) -> Character:
        others = _PLAYED.get() or {}
        return others[team] if team in others else super().__getitem__(team)

    def __missing__(self, team: str) -> Character:
        return self[re.sub(r"-\d+$", "", team)]


CHARACTERS = _Characters(
    {
        "havneavgift": Character(0.93, 0.04, None),
        "losbestilling": Character(0.88, 0.02, "aut"),
        "farled": Character(0.80, 0.10, None),
        "batregister": Character(0.72, 0.00, "mnt"),
        "dykkerattest": Character(0.78, 0.05, "scl"),
        "ankerplass": Character(0.62, -0.05, "bck"),
        "tidevann": Character(0.82, 0.06, None),
        "sjokart": Character(0.90, 0.05, None),
        "slepebat": Character(0.70, 0.00, "bck"),
        "mannskap": Character(0.76, -0.15, "inc"),
        "fiskekvote": Character(0.66, 0.12, "sec"),
        "kaiplan": Character(0.84, 0.00, "scl"),
        "maskinrommet": Character(0.94, 0.03, None),
        "datakaia": Character(0.86, 0.20, None),
    }
)


def rng(seed: int, *names: str) -> random.Random:
    """Return a random generator of its own for a purpose, independent of the order in which purposes draw."""
    return random.Random("|".join((str(seed), *names)))


def local(day: date, hour: float) -> datetime:
    """Return the UTC instant of a local wall-clock hour of a day."""
    minutes = round(hour * 60)
    wall = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=ZONE)
    return wall.astimezone(UTC)


def hours_of(day: date) -> int:
    """Return the length of a local day in hours: 23 or 25 when the clocks change."""
    return round((local(day + timedelta(days=1), 0) - local(day, 0)).total_seconds() / 3600)


def days(first: date = FIRST_DAY, end: date = END_DAY) -> list[date]:
    """Return the local days from ``first`` up to, not including, ``end``."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def last_instant() -> datetime:
    """Return the instant after which nothing has happened yet."""
    return local(END_DAY, 0)


def before_end(instant: datetime | None) -> datetime | None:
    """Return the instant, or None if it lies in the future."""
    return instant if instant is not None and instant < last_instant() else None
