"""What a line of a manifest says of a package, and how patterns read it.

Patterns, and no parsers: a diff holds pieces of files, which no parser of whole files reads (ADR 30).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version, as a manifest writes it."""

    ecosystem: str
    package: str
    version: str | None
    digest: str | None = None


class Line(NamedTuple):
    """A line of one side of a diff.

    Attributes:
        text: Without its sign.
        is_changed: Whether the commit put it in or took it out; the others are its neighbours.
    """

    text: str
    is_changed: bool


# Stands between pieces of a diff: what stands before it is not what stands above the next line.
GAP = Line("\0", False)
Reader: TypeAlias = Callable[[Sequence[Line]], Iterator[Pin]]
# No line that somebody wrote is longer, and none is indented as far: patterns would take their time over it.
_LONGEST, _WIDEST = 2_000, 100
_WIDE = re.compile(rf"\s{{{_WIDEST},}}")
# What a manifest writes before a number: a range's sign, or the v of a tag.
_SIGNS = "~^<>=![( "
NUMBER = r"v?\d[\w.+-]*"
IMAGE = (
    r"(?P<package>[\w.-]+(?::\d+)?(?:/[\w.-]+)+|[\w.-]+)(?::(?P<version>[\w.-]+))?"
    r"(?:@sha256:(?P<digest>[0-9a-f]{12})[0-9a-f]*)?(?=[\s\"']|$)"
)


def bounded(line: Line) -> Line:
    """Return a line as it is; of one that is too long nothing, because a part of it may say something else."""
    if len(line.text) <= _WIDEST:
        return line
    return Line("" if len(line.text) > _LONGEST else _WIDE.sub(" " * _WIDEST, line.text), line.is_changed)


def patterns(ecosystem: str, *expressions: str, but: Iterable[str] = (), package: str = "") -> Reader:
    """Return a reader of lines: all matches of the first pattern that fits tell ``version`` or ``digest``, or both.

    Args:
        ecosystem: What the packages belong to.
        expressions: Patterns with named groups.
        but: Names that look like packages and are none.
        package: The package of a pattern without the group.
    """
    compiled = [re.compile(expression) for expression in expressions]
    refused = frozenset(but)

    def read(lines: Sequence[Line]) -> Iterator[Pin]:
        for line in lines:
            if not line.is_changed:
                continue
            # A list may stand in one line.
            every = next((found for pattern in compiled if (found := list(pattern.finditer(line.text)))), [])
            for parts in (match.groupdict() for match in every):
                name = parts.get("package") or package
                version, digest = parts.get("version"), parts.get("digest")
                if name not in refused and (version or digest):
                    yield Pin(ecosystem, name, version and version.lstrip(_SIGNS).rstrip("]) "), digest)

    return read


def all_of(*readers: Reader) -> Reader:
    """Return a reader of what any of several reads."""

    def read(lines: Sequence[Line]) -> Iterator[Pin]:
        for reader in readers:
            yield from reader(lines)

    return read


def image_of(text: str) -> tuple[str, str | None, str | None] | None:
    """Return name, tag and first twelve of the digest of a container image, or None for what is none."""
    match = re.fullmatch(IMAGE, text.strip("\"' "))
    return (match["package"], match["version"], match["digest"]) if match else None
