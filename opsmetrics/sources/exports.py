"""Whole files as exports: when each was made, which days it is about, and of several whose word counts (ADR 0006).

A file that says when it was made proves the days before that day; the day itself is partial. Of several files that are
about a day the newest has the word on it, so that a record that a later export no longer has is gone. Does not belong
here: reading a file into rows (``opsmetrics.sources.files``), and what a delivery proves by its rows (``claims``).
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.places import pattern_of
from opsmetrics.landing import PARTIAL, SILENT
from opsmetrics.organisation import StreamSource
from opsmetrics.organisation.file_sources import MANIFEST, MODIFIED, PLACES
from opsmetrics.sources.claims import DAY
from opsmetrics.sources.notes import Window, days_of

# A folder of exports is a year of daily ones, not an archive.
MOST_FILES = 2000
# Read beside `incidents.csv`: `incidents.csv.manifest.json`.
SUFFIX = ".manifest.json"
_FORMS = {
    "exported": r"\d{4}-?\d{2}-?\d{2}(?:[T_ -]?\d{2}[-:.]?\d{2}(?:[-:.]?\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?",
    "month": r"\d{4}-?\d{2}",
    "from": r"\d{4}-?\d{2}-?\d{2}",
    "to": r"\d{4}-?\d{2}-?\d{2}",
}


@dataclass(frozen=True, slots=True)
class Export:
    """One file, and what is known of it before it is read.

    Attributes:
        path: The file.
        at: When it was made; None where nobody says.
        days: Half-open days that its name or its manifest says it is about, or None.
        written_at: When it was last written.
    """

    path: Path
    at: datetime | None = None
    days: Window | None = None
    written_at: datetime | None = None

    @property
    def age(self) -> tuple[datetime, str]:
        """What orders exports: when they were made, else written, else their names."""
        return self.at or self.written_at or datetime.min.replace(tzinfo=UTC), self.path.name

    def made_on(self, zone: ZoneInfo) -> date | None:
        """Return the last day that it can tell anything of: on which it was made.

        A file about given days that was last written before their end was written half-way through them.
        """
        if self.at is not None:
            return self.at.astimezone(zone).date()
        if self.days is None or self.written_at is None:
            return None
        written = self.written_at.astimezone(zone).date()
        return written if written < self.days[1] else None


def matching(source: StreamSource, bases: Iterable[Path], zone: ZoneInfo) -> list[Export]:
    """Return the files that a path with places or signs means, oldest first.

    Raises:
        SourceError: There are too many, or a name or manifest says what cannot be.
    """
    pattern = _pattern(source.path)
    found: dict[Path, Export] = {}
    for base in bases:
        root = base.resolve()
        for path in sorted(root.glob(_glob(source.path))):
            named = pattern.fullmatch(path.relative_to(root).as_posix())
            if named is None or path.name.startswith((".", "~$")) or not path.is_file() or path.name.endswith(SUFFIX):
                continue
            if path.resolve().is_relative_to(root):
                found.setdefault(path.resolve(), export_of(path, source, zone, named.groupdict()))
            if len(found) > MOST_FILES:
                message = f"more than {MOST_FILES} files have such a name"
                fix = "move old ones away (with remembers_days what they said stays), or deliver one file a day"
                raise SourceError(Problem(str(root / source.path), None, message, fix))
    return sorted(found.values(), key=lambda export: export.age)


def _glob(path: str) -> str:
    return pattern_of(re.sub(r"\{\w+\}", "*", path))


def _pattern(path: str) -> re.Pattern[str]:
    parts: list[str] = []
    said: set[str] = set()
    # A folder may say the month that the file says too: the file's own name has the word.
    for part in reversed(re.split(r"(\{\w+\}|\*|\?)", PurePosixPath(path).as_posix())):
        name = part.strip("{}")
        if part in {"*", "?"}:
            parts.append("[^/]*" if part == "*" else "[^/]")
        elif name in PLACES and part.startswith("{"):
            parts.append(f"(?:{_FORMS[name]})" if name in said else f"(?P<{name}_>{_FORMS[name]})")
            said.add(name)
        else:
            parts.append(re.escape(part))
    return re.compile("".join(reversed(parts)))


def export_of(path: Path, source: StreamSource, zone: ZoneInfo, named: dict[str, str] | None = None) -> Export:
    """Return what is known of a file before it is read.

    Raises:
        SourceError: Its name, or its manifest, says what cannot be.
    """
    named = named or {}
    naive = ZoneInfo(source.naive_time) if source.naive_time else zone
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    except OSError:
        return Export(path)
    try:
        days = _days_of_name(named)
        if "exported_" in named:
            return Export(path, _instant(named["exported_"], naive), days, written)
    except ValueError as error:
        message = f"the name says a day that does not exist ({error})"
        raise SourceError(Problem(str(path), None, message, "write days as 2026-01-31")) from error
    if source.exported == MODIFIED:
        return Export(path, written, days, written)
    if source.exported == MANIFEST:
        at, said = _manifest(path, naive)
        return Export(path, at, said or days, written)
    return Export(path, None, days, written)


def _days_of_name(named: dict[str, str]) -> Window | None:
    if "month_" in named:
        digits = named["month_"].replace("-", "")
        year, month = int(digits[:4]), int(digits[4:])
        if not 1 <= month <= 12:
            raise ValueError(named["month_"])
        return date(year, month, 1), date(year, month, monthrange(year, month)[1]) + DAY
    if "from_" in named and "to_" in named:
        first, last = (datetime.strptime(named[key].replace("-", ""), "%Y%m%d") for key in ("from_", "to_"))  # noqa: DTZ007
        if last < first:
            raise ValueError(f"{named['from_']} to {named['to_']}")
        return first.date(), last.date() + DAY
    return None


def _instant(text: str, naive: ZoneInfo) -> datetime:
    """Return the instant that a name or a manifest writes; without offset it is local to the source."""
    digits = re.sub(r"[^0-9]", "", text.partition("+")[0].removesuffix("Z"))
    if len(text) > 10 and ("T" in text or " " in text) and ":" in text:
        found = datetime.fromisoformat(text)
    else:
        # Later digits of a name are its time; a day alone is the midnight that it begins with.
        found = datetime.strptime(digits.ljust(14, "0")[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007
        found = found.replace(tzinfo=UTC) if text.endswith("Z") else found
    return found if found.tzinfo else found.replace(tzinfo=naive)


def manifest_of(path: Path) -> Path:
    """Return where the manifest of a file lies."""
    return path.with_name(path.name + SUFFIX)


def _manifest(path: Path, naive: ZoneInfo) -> tuple[datetime, Window | None]:
    """Read when a file was made, and the days that it is complete for, from the manifest beside it."""
    beside = manifest_of(path)
    fix = f'write {beside.name} beside it: {{"exported_at": "2026-11-23T06:00:00+01:00"}}'
    try:
        said: Any = json.loads(beside.read_text(encoding="utf-8-sig"))
        at = _instant(str(said["exported_at"]), naive)
        covers = said.get("covers")
        days = (date.fromisoformat(covers[0]), date.fromisoformat(covers[1]) + DAY) if covers else None
    except FileNotFoundError as error:
        raise SourceError(
            Problem(str(path), None, "it has no manifest, so nobody says when it was made", fix)
        ) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        message = "the manifest does not say when the file was made"
        raise SourceError(Problem(str(beside), None, message, fix)) from error
    if days is not None and days[1] <= days[0]:
        raise SourceError(Problem(str(beside), None, "covers ends before it begins", fix))
    return at, days


def claim(
    export: Export, source: StreamSource, rows: pl.DataFrame, zone: ZoneInfo, today: date, *, is_oldest: bool
) -> Window | None:
    """Return the days that an export is about by its own word; None where only its rows tell.

    Args:
        export: The file.
        source: How it is written.
        rows: Its rows.
        zone: The organisation's zone.
        today: Local day.
        is_oldest: Whether no older file is read with it: all of them together are complete from a day on.

    Raises:
        SourceError: It has no rows, and nobody says from which day it is complete.
    """
    made = export.made_on(zone)
    end = min(made or today, today) + DAY
    if export.days is not None:
        first, last = export.days
        return min(first, end - DAY), min(last, end)
    if made is None:
        return None
    days = rows.filter(pl.col("_reason").is_null())["_day"]
    newest_only = source.remembers_days if source.is_several else None
    told = (
        days.min(),
        source.complete_from if is_oldest else None,
        end - timedelta(days=newest_only) if newest_only else None,
    )
    starts = [day for day in told if isinstance(day, date)]
    if not starts:
        message = "the file has no rows, and nothing says from which day on it is complete"
        fix = "write complete_from = 2026-01-01 with the first day that the export goes back to"
        if not is_oldest:
            fix = "name its days ({from} and {to} in the path), or how far each goes back: remembers_days = 30"
        raise SourceError(Problem(str(export.path), None, message, fix))
    return min(*starts, end - DAY), end


def half_told(export: Export, covered: Window, zone: ZoneInfo, today: date) -> dict[date, str]:
    """Return the day on which an export was made: its rows until then are known, and no more."""
    made = export.made_on(zone)
    made = min(made, today) if made else None
    return {made: PARTIAL} if made is not None and covered[0] <= made < covered[1] else {}


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one export, the half-open days that it is about, and which of them it does not prove."""

    frame: pl.DataFrame
    covered: Window
    states: dict[date, str]


def merged(parts: Sequence[Part]) -> Part:
    """Join exports, the oldest first: each day is told by the newest that is about it; days of none are silent."""
    if len(parts) == 1:
        return parts[0]
    teller: dict[date, int] = {}
    states: dict[date, str] = {}
    for number, part in enumerate(parts):
        for day in days_of(part.covered):
            state = part.states.get(day, "")
            if state != SILENT or day not in teller:
                teller[day], states[day] = number, state
    frames = []
    for number, part in enumerate(parts):
        own = [day for day, who in teller.items() if who == number]
        frames.append(part.frame.filter(pl.col("_day").is_null() | pl.col("_day").is_in(own)))
    covered = (min(teller), max(teller) + DAY)
    gaps = {day: SILENT for day in days_of(covered) if day not in teller}
    told = {day: state for day, state in states.items() if state}
    return Part(pl.concat(frames, how="diagonal_relaxed"), covered, gaps | told)


def zone_days(day: date, cut: ZoneInfo, zone: ZoneInfo) -> list[date]:
    """Return the days of another zone that a local day has a part in: what a daily exporter cuts elsewhere."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + DAY
    end = datetime(following.year, following.month, following.day, tzinfo=zone) - timedelta(microseconds=1)
    first, last = start.astimezone(cut).date(), end.astimezone(cut).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def first_local_day(day: date, cut: ZoneInfo, zone: ZoneInfo) -> date:
    """Return the local day on which a day of another zone begins."""
    return datetime(day.year, day.month, day.day, tzinfo=cut).astimezone(zone).date()
