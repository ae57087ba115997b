"""What makes the data say less than they seem to: rows of ``marts.warnings``, or of a pull, in sentences.

Belongs here: how such rows are read and said, in both languages. Does not belong here: how they are found
(``sql/marts/warnings.sql``, ``opsmetrics.operations.landed``) and where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

from opsmetrics.language.listing import listed
from opsmetrics.language.texts import text, texts

# In the order in which they are said; of the first ones nothing usable is left.
ERRORS = ("nothing_connected", "all_set_aside", "all_unmatched")
KINDS = (
    *ERRORS,
    *(
        "set_aside",
        "missing_days",
        "shared_id",
        "unknown_name",
        "unknown_reference",
        "before_owner",
        "no_owner",
        "future",
        "unread_update",
        "untold_column",
        "new_column",
    ),
    *("silent_monitor", "unseen_monitor", "clock", "not_connected"),
)
SHOWN_NAMES = 5
# What is named with its kind before it, as marts.warnings writes it: in English.
OF_NAMES = {"all_unmatched", "unknown_name", "unknown_reference", "before_owner", "no_owner"}
SELECT = "select kind, stream, origin, name, row_count, first_on, last_on from marts.warnings"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing: a row of ``marts.warnings``."""

    kind: str
    stream: str = ""
    origin: str = ""
    name: str = ""
    row_count: int | None = None
    first_on: date | None = None
    last_on: date | None = None

    @property
    def is_error(self) -> bool:
        """Whether nothing usable is left."""
        return self.kind in ERRORS


@dataclass(frozen=True, slots=True)
class Sentence:
    """All things of one kind and stream, said at once.

    Attributes:
        kind: What it is, as in ``marts.warnings``.
        stream: Stream, or empty.
        is_error: Whether nothing usable is left.
        count: Rows, or names where no rows are counted.
        text: What is so, with the count and the names that matter most.
        fix: What to do about it.
    """

    kind: str
    stream: str
    is_error: bool
    count: int
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'warning'}: {self.text}\n    fix: {self.fix}"


def read_notices(con: duckdb.DuckDBPyConnection) -> list[Notice]:
    """Return the rows of ``marts.warnings`` of a snapshot; one of an older version has none."""
    there = con.execute("select 1 from duckdb_tables() where schema_name = 'marts' and table_name = 'warnings'")
    if not there.fetchall():
        return []
    return [Notice(*row) for row in con.execute(SELECT).fetchall()]


@dataclass(frozen=True, slots=True)
class Voice:
    """How notices are said: in which language, and how streams and numbers are written there."""

    language: str = "en"
    stream: Callable[[str], str] = str
    number: Callable[[int], str] = str


def sentences(notices: Iterable[Notice], voice: Voice = Voice()) -> list[Sentence]:
    """Say notices, the worst first, one sentence a kind and stream.

    Args:
        notices: What there is.
        voice: How they are said where they are shown.
    """
    groups: dict[tuple[str, str], list[Notice]] = {}
    for notice in notices:
        groups.setdefault((notice.kind, notice.stream), []).append(notice)
    order = sorted(groups, key=lambda key: (KINDS.index(key[0]), key[1]))
    found = [_said(groups[key], voice) for key in order if key[0] != "not_connected"]
    missing = [notice for key in order if key[0] == "not_connected" for notice in groups[key]]
    return [*found, *([_not_connected(missing, voice)] if missing else [])]


def _not_connected(notices: list[Notice], voice: Voice) -> Sentence:
    """All streams in one sentence."""
    named = [Notice("not_connected", name=voice.stream(notice.stream)) for notice in notices]
    return _said(named, voice)


def _said(notices: list[Notice], voice: Voice) -> Sentence:
    first = notices[0]
    is_counted = first.kind not in {"silent_monitor", "unseen_monitor"} and first.row_count is not None
    count = sum(notice.row_count or 0 for notice in notices) if is_counted else len(notices)
    days = [notice.first_on for notice in notices if notice.first_on]
    ends = [notice.last_on for notice in notices if notice.last_on]
    values = {
        "stream": voice.stream(first.stream) if first.stream else "",
        "count": voice.number(count),
        "names": _names(notices, voice, is_counted=is_counted),
        "first": str(min(days)) if days else "–",
        "last": str(max(ends)) if ends else "–",
    }
    said = text(voice.language, f"warning.{first.kind}", **values)
    fix = text(voice.language, f"warning.{first.kind}_fix")
    return Sentence(first.kind, first.stream, first.is_error, count, said, fix)


def _with_kind(name: str, voice: Voice) -> str:
    """A name with what it is the name of, such as ``repository kyst/web``, in the language of the voice."""
    kind, blank, rest = name.partition(" ")
    known = texts(voice.language).get(f"health.kind_{kind}") if voice.language != "en" else None
    return f"{known.lower()}{blank}{rest}" if known else name


def _names(notices: list[Notice], voice: Voice, *, is_counted: bool) -> str:
    """The names that matter most, with their rows or with the last day that they were heard of."""
    ranked = sorted(notices, key=lambda notice: (-(notice.row_count or 0), notice.name))

    def one(notice: Notice) -> str:
        name = _with_kind(notice.name, voice) if notice.kind in OF_NAMES else notice.name
        if is_counted and notice.row_count is not None:
            return f"{name} ({voice.number(notice.row_count)})"
        if notice.kind == "silent_monitor" and notice.last_on is not None:
            return f"{name} ({notice.last_on})"
        return name

    return listed(voice.language, list(dict.fromkeys(one(notice) for notice in ranked)), SHOWN_NAMES)
