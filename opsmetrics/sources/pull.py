"""Pull: decide what is missing, ask the source, land each answer before the next is asked for, note the outcome.

Each source of a stream writes only its own files, so pulls run side by side (architecture D8). Landing each chunk
at once is what makes a pull resume: after a crash the days that were landed are not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from opsmetrics.errors import Problem, SourceError
from opsmetrics.landing import Load, LoadName, land, names, read_numbered, short_digest
from opsmetrics.organisation import Delivery, Organisation, StreamSource
from opsmetrics.organisation.connectors import STATE
from opsmetrics.settings import Settings
from opsmetrics.sources import files
from opsmetrics.sources.ask import Ask, parcel_of
from opsmetrics.sources.notes import PullNote, Seen, Window, days_of, read_notes, seen_in_loads, write_note
from opsmetrics.sources.registry import fetch_function
from opsmetrics.sources.windows import scheduled_files, windows_of
from opsmetrics.streams import STREAMS, Stream

T = TypeVar("T")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one pull of one source of a stream did.

    Attributes:
        stream: Name of the stream.
        origin: Name of the source.
        loads: Loads that were landed; empty when nothing had changed.
        unchanged: Files or windows that had been landed before, byte for byte.
        error: Why the source could not be read, or None.
    """

    stream: str
    origin: str
    loads: tuple[Load, ...]
    unchanged: int
    error: str | None

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(load.rows for load in self.loads)

    @property
    def quarantined(self) -> int:
        """Rows set aside."""
        return sum(load.quarantined for load in self.loads)


def pull_stream(
    settings: Settings,
    organisation: Organisation,
    name: str,
    window: Window | None = None,
    *,
    origins: tuple[str, ...] = (),
    progress: Progress = lambda _done, _total: None,
    fill_gaps: bool = False,
) -> list[PullResult]:
    """Pull one configured stream from all its sources, or from ``origins``.

    Args:
        settings: Where landing is.
        organisation: Whose sources.
        name: Stream.
        window: Half-open local days; default: for files all days they cover, for connectors every day that is
            not settled (landed later than its rows still change) and that the source still remembers.
        origins: Only these sources.
        progress: Called with windows done and windows in all.
        fill_gaps: Beside ``window``, bring every earlier day that is open: what a schedule wants. Files that came
            late or were mended since are open too.
    """
    return [
        _pull(settings, organisation, delivery, window, progress, fill_gaps=fill_gaps)
        for delivery in organisation.deliveries_of(name)
        if not origins or delivery.origin in origins
    ]


def _pull(
    settings: Settings,
    organisation: Organisation,
    delivery: Delivery,
    window: Window | None,
    progress: Progress,
    *,
    fill_gaps: bool,
) -> PullResult:
    now = settings.clock(organisation.settings.now)
    outcome = _Outcome()
    folder = settings.home / "pulls"
    note = read_notes(folder).get((delivery.stream, delivery.origin))
    try:
        if isinstance(delivery.source, StreamSource):
            _pull_files(settings, organisation, delivery.source, window, now, outcome, fill_gaps=fill_gaps)
        else:
            outcome.seen = dict(note.seen) if note else seen_in_loads(settings.landing, delivery)

            def checkpoint(seen: Seen) -> None:
                before = note or PullNote(delivery.stream, delivery.origin, now.isoformat(), None, None, {})
                write_note(folder, replace(before, seen=seen))

            asked = None if fill_gaps else window
            _pull_connector(settings, organisation, delivery, asked, now, outcome, progress, checkpoint)
    except SourceError as error:
        outcome.errors.append(str(error))
    result = PullResult(
        delivery.stream,
        delivery.origin,
        tuple(outcome.loads),
        outcome.unchanged,
        "\n".join(outcome.errors) or None,
    )
    succeeded = now.isoformat() if result.error is None else (note.succeeded_at if note else None)
    write_note(
        folder,
        PullNote(result.stream, result.origin, now.isoformat(), succeeded, result.error, outcome.seen),
    )
    return result


class _Outcome:
    """What a pull has done so far; kept when it fails half-way."""

    def __init__(self) -> None:
        self.loads: list[Load] = []
        self.errors: list[str] = []
        self.unchanged = 0
        self.seen: Seen = {}


def _pull_files(
    settings: Settings,
    organisation: Organisation,
    source: StreamSource,
    window: Window | None,
    now: datetime,
    outcome: _Outcome,
    *,
    fill_gaps: bool,
) -> None:
    """Land files one by one; one that cannot be read is reported and the others still land."""
    stream = STREAMS[source.name]
    today = now.astimezone(organisation.zone).date()
    root = files.files_root(organisation, settings.data)
    known = [name for name in names(settings.landing, source.name) if name.origin == source.origin]
    planned, cut = window, window
    if fill_gaps and window is not None:
        planned, cut = scheduled_files(organisation, source, window, known)
    newest = {day: name for name in known for day in days_of(name.window)} if source.is_daily else {}
    seen = 0
    for path, day in files.planned(organisation, source, root, today, planned):
        seen += 1
        if day and window and day[0] < window[0] and not _is_open(path, newest.get(day[0])):
            outcome.unchanged += 1
            continue
        marker = f"{files.digest(path, source, stream)}|{None if source.is_daily else cut}"
        if _landed_before(known, marker):
            outcome.unchanged += 1
            continue
        try:
            parcel = files.read_parcel(
                organisation, source, stream, path, day=day, window=cut, today=today, source_digest=marker
            )
        except SourceError as error:
            outcome.errors.append(str(error))
            continue
        if parcel.window[0] < parcel.window[1]:
            outcome.loads.append(land(settings.landing, source.name, parcel, loaded_at=now))
    if seen == 0:
        message = "no file of these days exists"
        raise SourceError(Problem(str(root / source.path), None, message, "check path in sources.toml"))


def _is_open(path: Path, newest: LoadName | None) -> bool:
    """Whether a daily file was not landed yet or was written since; reading it decides, this only saves the reading."""
    return newest is None or path.stat().st_mtime >= newest.loaded_at.timestamp()


def _landed_before(known: list[LoadName], marker: str) -> bool:
    """Whether the newest load of this input is still the last word on its days."""
    digest = short_digest(marker)
    same = [name for name in known if name.digest == digest]
    if not same:
        return False
    last = max(same, key=lambda name: name.sequence)
    return not _replaced(known, last.sequence, last.window)


def _replaced(known: list[LoadName], sequence: int, window: Window) -> bool:
    """Whether a load of the same source with a higher number covers a part of ``window``."""
    start, end = window
    return any(name.sequence > sequence and name.window[0] < end and start < name.window[1] for name in known)


def _pull_connector(
    settings: Settings,
    organisation: Organisation,
    delivery: Delivery,
    window: Window | None,
    now: datetime,
    outcome: _Outcome,
    progress: Progress,
    checkpoint: Callable[[Seen], None],
) -> None:
    source, stream = delivery.source, STREAMS[delivery.stream]
    if isinstance(source, StreamSource):
        raise TypeError("files are pulled by _pull_files")
    fetch = fetch_function(source.kind, delivery.stream)
    known = [name for name in names(settings.landing, stream.name) if name.origin == delivery.origin]
    digests = {name.sequence: name.digest for name in known}
    # A load that somebody took out of the landing folder was not seen.
    outcome.seen = {day: mark for day, mark in outcome.seen.items() if mark[0] in digests}
    windows = list(windows_of(organisation, delivery, stream, window, now, outcome.seen))
    for number, days in enumerate(windows):
        progress(number, len(windows))
        ask = Ask.make(settings, organisation, source, delivery.stream, days, now)
        answer = explained_shape(ask, fetch)
        if not answer.rows and _had_rows(settings.landing, delivery, stream, outcome.seen):
            message = f"{stream.name}: the source shows nothing at all, where it showed rows before"
            fix = "check role and scope; if all of it is gone for good, take the stream out of this connector"
            raise SourceError(Problem(source.name, None, message, fix))
        parcel = parcel_of(ask, stream, answer, accumulates=delivery.accumulates)
        marks = [outcome.seen.get(day.isoformat()) for day in days_of(days)]
        same = {digests[mark[0]] for mark in marks if mark} == {short_digest(parcel.source_digest)}
        sequences = [mark[0] for mark in marks if mark]
        # Of two pulls at once, one note remains: the load it names may not be the last word on these days.
        newest = all(marks) and not _replaced(known, min(sequences), days)
        if parcel.is_complete and same and newest:
            outcome.unchanged += 1
        else:
            load = land(settings.landing, delivery.stream, parcel, loaded_at=now)
            outcome.loads.append(load)
            digests[load.sequence] = short_digest(parcel.source_digest)
            sequences = [load.sequence] * len(marks)
        if parcel.is_complete:
            at = now.isoformat()
            outcome.seen |= {day.isoformat(): (n, at) for day, n in zip(days_of(days), sequences, strict=True)}
            checkpoint(outcome.seen)
        else:
            message = f"{source.name}: the answer for {days[0]} to {days[1] - timedelta(days=1)} is only a part"
            notes = f" ({'; '.join(answer.notes)})" if answer.notes else ""
            fix = "it is landed as partial and asked for again; narrow the scope if it stays so"
            outcome.errors.append(f"{message}{notes}\n    fix: {fix}")
    progress(len(windows), len(windows))


def _had_rows(landing: Path, delivery: Delivery, stream: Stream, seen: Seen) -> bool:
    """Whether the newest load of a state or register had rows: an inventory does not vanish overnight, access does."""
    if not (stream.is_register or delivery.remembers_days == STATE) or not seen:
        return False
    last = max(sequence for sequence, _ in seen.values())
    load = read_numbered(landing, stream.name, last)
    return load is not None and load.rows > 0


def explained_shape(ask: Ask[Any], function: Callable[[Ask[Any]], T]) -> T:
    """Ask; an answer of another shape than the contract's is named by the field, never by its content.

    Raises:
        SourceError: The source refuses, fails, or answers in another shape.
    """
    try:
        return function(ask)
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError) as error:
        field = f"field {error.args[0]!r} is missing" if isinstance(error, KeyError) else type(error).__name__
        message = f"{ask.stream}: the answer has another shape than expected ({field})"
        fix = "the service may have changed its API: see docs/sources.md, and update opsmetrics"
        raise SourceError(Problem(ask.connector.name, None, message, fix)) from error
