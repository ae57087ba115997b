"""What a change of version is: major, minor, patch, prerelease, suffix, pin or digest (realdata, altinn_patching)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

ORDER = ("major", "minor", "patch", "prerelease", "suffix", "digest", "pin", "unpin", "other", "unknown")
# A number of more digits is none: nobody counts so far.
_NUMBERS = re.compile(r"^[~^<>=v\s]*(\d{1,40}(?:\.\d{1,40})*+)(?!\d)(.*)$")
_DIGEST = re.compile(r"^(sha256:)?[0-9a-f]{7,64}$")


# Of a range what it must not reach says nothing of where it stands.
_NOT_REACHED = re.compile(r"^\s*(?:(?:<=?|!=)\s*[\w.*+-]++(?:\s*,)?\s*)++(?=[>=~^])")


def _parts(version: str) -> tuple[tuple[int, ...], str] | None:
    match = _NUMBERS.match(_NOT_REACHED.sub("", version))
    return (tuple(int(part) for part in match[1].split(".")), match[2]) if match else None


def update_type(old: str | None, new: str | None) -> str:  # noqa: PLR0911 - one return per kind
    """Return the kind of change by the first differing number; a missing number counts as 0."""
    if old is None or new is None:
        return "unknown"
    if _is_digest(old) and _is_digest(new):
        return "digest"
    if _is_digest(old) or _is_digest(new):
        return "pin" if _is_digest(new) else "unpin"
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        return "other"
    (a, rest_a), (b, rest_b) = before, after
    width = max(len(a), len(b), 3)
    a, b = a + (0,) * (width - len(a)), b + (0,) * (width - len(b))
    for position, (x, y) in enumerate(zip(a, b, strict=True)):
        if x != y:
            return ("major", "minor", "patch")[min(position, 2)]
    if rest_a == rest_b:
        return "other"
    return "prerelease" if rest_a.startswith("-") and re.search(r"(alpha|beta|rc|preview|pre)", rest_a) else "suffix"


def _is_digest(version: str) -> bool:
    # A version of digits only is a number, not a digest.
    return _DIGEST.match(version) is not None and not version.isdigit()


def direction_of(old: str | None, new: str | None) -> str:
    """Return up, down, same or unknown."""
    before, after = _parts(old or ""), _parts(new or "")
    if before is None or after is None or _is_digest(old or "") or _is_digest(new or ""):
        return "unknown"
    width = max(len(before[0]), len(after[0]))
    a, b = (numbers + (0,) * (width - len(numbers)) for numbers in (before[0], after[0]))
    return "up" if b > a else "down" if b < a else "same"


def at_least(one: str | None, other: str | None) -> bool | None:
    """Whether a version is as new as another by its numbers; None where nobody can tell.

    A version of one number stands for all of its line: v5 is as new as 5.2.0.
    """
    mine, theirs = _parts(one or ""), _parts(other or "")
    if mine is None or theirs is None or _is_digest(one or "") or _is_digest(other or ""):
        return None
    width = min(len(mine[0]), len(theirs[0]))
    return mine[0][:width] >= theirs[0][:width]


def is_same_line(one: str | None, other: str | None) -> bool:
    """Whether two versions have the same first number; what cannot be read counts as the same."""
    mine, theirs = _parts(one or ""), _parts(other or "")
    return mine is None or theirs is None or mine[0][0] == theirs[0][0]


def highest(kinds: Iterable[str]) -> str:
    """Return the weightiest kind of a group of changes."""
    return min(kinds, key=ORDER.index, default="unknown")


# Words after the numbers that mean the release itself, and those that mean that it is not there yet.
_FINAL = {"", "final", "release", "ga", "stable"}
_NOT_YET = re.compile(
    r"a|alpha|b|beta|c|rc|cr|m|milestone|dev|pre|preview|snapshot|next|canary|nightly|ea|eap|insiders?|experimental|"
    r"(?:alpha|beta|rc|dev|pre|preview|canary|next)\W.*|.*[-.](?:alpha|beta|rc|dev|snapshot)"
)
# Python's releases that correct no more than the files of one.
_AFTER = re.compile(r"post(\d{1,40})")
_WIDTH = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a version stands among those of its package.

    Attributes:
        numbers: Its numbers, filled up with zeros: 8.0 is 8.0.0; the last is that of a post-release.
        word: What it says after them without its numbers: empty for a release, else a variant or what comes before one.
    """

    numbers: tuple[int, ...]
    word: str

    @property
    def line(self) -> int:
        """The first number: its line of versions."""
        return self.numbers[0]

    @property
    def is_early(self) -> bool:
        """Whether it comes before its release."""
        return _NOT_YET.fullmatch(self.word) is not None

    def supersedes(self, used: Place) -> bool:
        """Whether it is a release of the same line and variant that is newer than what is in use."""
        if self.line != used.line or self.is_early:
            return False
        if used.is_early:
            return self.word == "" and self.numbers >= used.numbers
        return self.word == used.word and self.numbers > used.numbers

    def reaches(self, offered: Place) -> bool:
        """Whether whoever uses it has what was offered, or something newer."""
        return self.numbers > offered.numbers or (self.numbers == offered.numbers and not self.is_early)


@lru_cache(maxsize=65_536)
def place_of(version: str) -> Place | None:
    """Return where a version stands; None for what has no numbers, a digest for one."""
    parts = _parts(version)
    if parts is None or _is_digest(version) or len(parts[0]) > _WIDTH:
        return None
    rest = parts[1].lower().partition("+")[0].strip("-._")
    numbers = parts[0] + (0,) * (_WIDTH - len(parts[0]))
    after = _AFTER.fullmatch(rest)
    if after is not None:
        return Place((*numbers, int(after[1])), "")
    word = re.sub(r"\d+(?:\.\d+)*$", "", rest).strip("-._")
    return Place((*numbers, 0), "" if word in _FINAL else word)
