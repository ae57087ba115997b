"""What a change of version is: major, minor, patch, prerelease, suffix, pin or digest (realdata, altinn_patching)."""

from __future__ import annotations

import re
from collections.abc import Iterable

ORDER = ("major", "minor", "patch", "prerelease", "suffix", "digest", "pin", "unpin", "other", "unknown")
_NUMBERS = re.compile(r"^[~^<>=v\s]*(\d+(?:\.\d+)*)(.*)$")
_DIGEST = re.compile(r"^(sha256:)?[0-9a-f]{7,64}$")
_UPDATE_TITLE = re.compile(
    r"^(?:\w+(?:\([^)]*\))?!?:\s*)?\[?(update|bump|pin|replace|upgrade|downgrade|lock file maintenance)\b",
    re.IGNORECASE,
)


def is_update_title(title: str) -> bool:
    """Whether a commit's or pull request's title announces an update."""
    return _UPDATE_TITLE.match(title) is not None


def _parts(version: str) -> tuple[tuple[int, ...], str] | None:
    match = _NUMBERS.match(version)
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


def highest(kinds: Iterable[str]) -> str:
    """Return the weightiest kind of a group of changes."""
    return min(kinds, key=ORDER.index, default="unknown")
