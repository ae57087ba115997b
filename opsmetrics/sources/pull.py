"""Pull: decide what is missing, ask the source, land each answer before the next is asked for, note the outcome.

Each source of a stream writes only its own files, so pulls run side by side (architecture D8). Landing each chunk
at once is what makes a pull resume: after a crash the days that were landed are not asked for again.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl

from opsmetrics.core.errors import ConfigurationError, OpsMetricsError, Problem, SourceError, is_out_of_memory
from opsmetrics.core.half_restored import refuse_half_restored
from opsmetrics.core.settings import Settings
from opsmetrics.landing import Batch, Load, LoadName, land, names, read_named, read_numbered, short_digest
from opsmetrics.organisation import Delivery, Organisation, StreamSource
from opsmetrics.organisation.connectors.base import STATE
from opsmetrics.sources.allowance import allowed
from opsmetrics.sources.border import too_large
from opsmetrics.sources.claims import runs, within
from opsmetrics.sources.fetching import FetchRequest, FetchResult, batch_of, parts_of
from opsmetrics.sources.file_pulls import FilePull
from opsmetrics.sources.isolation import apart
from opsmetrics.sources.looks import gone, looks_at
from opsmetrics.sources.notes import (
    DayMark,
    FileMark,
    Mark,
    PullNote,
    Seen,
    Window,
    days_of,
    read_notes,
    seen_in_loads,
    write_note,
)
from opsmetrics.sources.open_rows import ends_by_day
from opsmetrics.sources.registry import fetch_function, modules_of
from opsmetrics.sources.windows import question_of
from opsmetrics.streams import STREAMS, Stream

T = TypeVar("T")
Progress = Callable[[int, int], None]
# Loads that are looked back at for rows that can be used: a month of daily ones.
_LOOKED_BACK = 31


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one pull of one source of a stream did.

    Attributes:
        stream: Name of the stream.
        origin: Name of the source.
        loads: Loads that were landed; empty when nothing had changed.
        unchanged: Files or windows that had been landed before, byte for byte.
        error: Why the source could not be read, or None.
        told: What was taken back or left open, and why: not an error, but nothing to keep silent about.
        useless: Loads that stand where nothing was landed and none of their rows can be used; else empty.
    """

    stream: str
    origin: str
    loads: tuple[Load, ...]
    unchanged: int
    error: str | None
    told: tuple[str, ...] = ()
    useless: tuple[Load, ...] = ()

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(load.rows for load in self.loads)

    @property
    def quarantined(self) -> int:
        """Rows set aside: of what was landed, or where nothing was, of what stands and cannot be used."""
        return sum(load.quarantined for load in self.loads or self.useless)


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

    Raises:
        HalfRestoredError: The state folder holds a part of a backup.
        OpsMetricsError: The system does not let us read or write landing.
    """
    refuse_half_restored(settings.home)
    return [
        _within_bounds(settings, organisation, delivery, window, progress, fill_gaps=fill_gaps)
        for delivery in organisation.deliveries_of(name)
        if not origins or delivery.origin in origins
    ]


def _within_bounds(
    settings: Settings,
    organisation: Organisation,
    delivery: Delivery,
    window: Window | None,
    progress: Progress,
    *,
    fill_gaps: bool,
) -> PullResult:
    """Pull in a process of its own where the settings say so; where it ends early, that is an error of its source."""
    given = (settings, organisation, delivery, window, fill_gaps)
    if not settings.reads_apart:
        return _pull(*given, progress)
    kinds = dict.fromkeys(connector.kind for connector in organisation.sources.connector)
    warm = [__name__, "pyarrow.compute", "pyarrow.parquet", *(module for kind in kinds for module in modules_of(kind))]
    bounds = delivery.source.bounds
    name = f"{delivery.stream} from {delivery.origin}"
    try:
        return apart(_pull, given, name=name, bounds=bounds, progress=progress, warm=warm)
    except Exception as error:
        # Short of memory is the process that reads, by a bound of its own: the other sources go on.
        refusal = error if isinstance(error, SourceError) else too_large(name) if is_out_of_memory(error) else None
        if refusal is None:
            raise
        now = settings.clock(organisation.settings.now).isoformat()
        folder, key = settings.home / "pulls", (delivery.stream, delivery.origin)
        # What it had noted of the days that it landed stays.
        noted = read_notes(folder).get(key) or PullNote(*key, now, None, None, {})
        write_note(folder, replace(noted, attempted_at=now, error=str(refusal)))
        return PullResult(*key, (), 0, str(refusal))


def _pull(
    settings: Settings,
    organisation: Organisation,
    delivery: Delivery,
    window: Window | None,
    fill_gaps: bool,  # noqa: FBT001 - called in another process, by place
    progress: Progress,
) -> PullResult:
    now = settings.clock(organisation.settings.now)
    outcome = _Outcome()
    folder = settings.home / "pulls"
    note = read_notes(folder).get((delivery.stream, delivery.origin))
    try:
        with allowed(delivery.source.bounds) as left:
            outcome.of_source = left.said
            if isinstance(delivery.source, StreamSource):
                pull = FilePull(settings, organisation, delivery.source, now, note)
                _pull_files(pull, window, outcome, fill_gaps=fill_gaps)
            else:
                outcome.seen = _seen_before(settings, delivery, note)
                outcome.kept = dict(note.kept) if note else {}

                def checkpoint(seen: Seen) -> None:
                    before = note or PullNote(delivery.stream, delivery.origin, now.isoformat(), None, None, {})
                    write_note(folder, replace(before, seen=seen, kept=outcome.kept, knows_ends=True))

                asked = None if fill_gaps else window
                _pull_connector(settings, organisation, delivery, asked, now, outcome, progress, checkpoint)
    except (SourceError, ConfigurationError) as error:
        outcome.errors.append(str(error))
    result = PullResult(
        delivery.stream,
        delivery.origin,
        tuple(outcome.loads),
        outcome.unchanged,
        "\n".join(outcome.errors) or None,
        outcome.says,
        () if outcome.loads or not outcome.unchanged else _useless(settings.landing, delivery, outcome.known),
    )
    succeeded = now.isoformat() if result.error is None else (note.succeeded_at if note else None)
    write_note(
        folder,
        PullNote(
            result.stream,
            result.origin,
            now.isoformat(),
            succeeded,
            result.error,
            outcome.seen,
            outcome.files,
            outcome.days,
            result.told,
            outcome.kept,
        ),
    )
    return result


def _useless(landing: Path, delivery: Delivery, known: list[LoadName]) -> tuple[Load, ...]:
    """Return the newest loads of a source that hold rows set aside, where none of those that stand holds any other."""
    newest = sorted(known, key=lambda name: name.sequence, reverse=True)[:_LOOKED_BACK]
    found: list[Load] = []
    for name in newest:
        if _replaced(known, name.sequence, name.window):
            continue
        load = read_named(landing, delivery.stream, name)
        if load is not None and load.rows:
            return ()  # nearly always the newest: no other is opened
        if load is not None and load.quarantined:
            found.append(load)
    return tuple(found)


def _seen_before(settings: Settings, delivery: Delivery, note: PullNote | None) -> Seen:
    """How each day was last seen: as noted, and read back from the loads where a note is lost or says less."""
    if note is None:
        return seen_in_loads(settings.landing, delivery)
    if note.knows_ends or not STREAMS[delivery.stream].ends:
        return dict(note.seen)
    landed = seen_in_loads(settings.landing, delivery)
    return {day: mark._replace(ends=landed[day].ends if day in landed else "") for day, mark in note.seen.items()}


class _Outcome:
    """What a pull has done so far; kept when it fails half-way."""

    def __init__(self) -> None:
        self.known: list[LoadName] = []
        self.loads: list[Load] = []
        self.errors: list[str] = []
        self.told: list[str] = []
        self.notes: dict[str, None] = {}
        self.of_source: dict[str, None] = {}
        self.counted: Counter[str] = Counter()
        self.unchanged = 0
        self.seen: Seen = {}
        self.files: dict[str, FileMark] = {}
        self.days: dict[str, DayMark] = {}
        self.kept: dict[str, Any] = {}

    def count(self, source: str, counted: Mapping[str, int]) -> None:
        """Add what a source counted in one answer."""
        self.counted.update({f"{source}: {what}": count for what, count in counted.items()})

    @property
    def says(self) -> tuple[str, ...]:
        """What is to be told: what was left open, what sources said of whole answers, and sums over all answers."""
        return (
            *self.told,
            *self.notes,
            *self.of_source,
            *(f"{what}: {count}" for what, count in sorted(self.counted.items())),
        )


def _pull_files(pull: FilePull, window: Window | None, outcome: _Outcome, *, fill_gaps: bool) -> None:
    """Land what is new in files; what was landed counts also where a later file ends the pull."""
    outcome.known = list(pull.known.values())
    try:
        pull.run(window, fill_gaps=fill_gaps)
    finally:
        outcome.loads, outcome.errors, outcome.told = pull.loads, pull.errors, pull.told
        outcome.unchanged, outcome.files, outcome.days = pull.unchanged, pull.files, pull.days


def _replaced(known: list[LoadName], sequence: int, window: Window) -> bool:
    """Whether a load of the same source with a higher number covers a part of ``window``."""
    start, end = window
    return any(name.sequence > sequence and name.window[0] < end and start < name.window[1] for name in known)


def _landed_already(known: list[LoadName], window: Window, digest: str) -> LoadName | None:
    """Return the newest load of a window, if it says the same."""
    newest = max((name for name in known if name.window == window), key=lambda name: name.sequence, default=None)
    return newest if newest is not None and newest.digest == digest else None


def _landed_unnoted(landing: Path, stream: str, known: list[LoadName], batch: Batch) -> int | None:
    """Return the load that an answer came in already, where a pull died before it noted that; it is the last word."""
    found = _landed_already(known, batch.window, short_digest(batch.source_digest))
    if found is None or not batch.is_complete or _replaced(known, found.sequence, batch.window):
        return None
    load = read_named(landing, stream, found)
    is_same = load is not None and load.is_complete and _beside(load) == _beside(batch)
    return found.sequence if is_same else None


def _beside(said: Load | Batch) -> tuple[object, ...]:
    """Return what a load or batch says beside its rows."""
    return said.unproven, said.untold, said.hidden


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
    known = outcome.known = [n for n in names(settings.landing, stream.name) if n.origin == delivery.origin]
    digests = {name.sequence: name.digest for name in known}
    # A load that somebody took out of the landing folder was not seen.
    outcome.seen = {day: mark for day, mark in outcome.seen.items() if mark.sequence in digests}
    question = question_of(organisation, delivery, stream, window, now, outcome.seen)
    outcome.told, windows = list(question.told), question.windows
    told: dict[str, Any] = {}
    for number, days in enumerate(windows):
        progress(number, len(windows))
        request = replace(
            FetchRequest.make(settings, organisation, source, delivery.stream, days, now, told),
            kept=outcome.kept,
            # Who asks for certain days wants them read anew.
            looks=partial(looks_at, settings.landing, stream, days, outcome.seen) if window is None else dict,
            asked_before=max((datetime.fromisoformat(mark.at) for mark in outcome.seen.values()), default=None),
        )
        answer = explained_shape(request, fetch)
        if not answer.rows and _had_rows(settings.landing, delivery, stream, outcome.seen):
            message = f"{stream.name}: the source shows nothing at all, where it showed rows before"
            fix = "check role and scope; if all of it is gone for good, take the stream out of this connector"
            raise SourceError(Problem(source.name, None, message, fix))
        outcome.count(source.name, answer.counted)
        if answer.hidden and answer.is_complete:
            outcome.errors.append(_is_a_part(source.name, days, answer.notes))
        elif answer.hidden_on and answer.is_complete:
            outcome.notes |= dict.fromkeys(f"{source.name}: {note}" for note in answer.notes)
        for asked_for, part in parts_of(request, answer):
            batch = batch_of(asked_for, stream, part, accumulates=delivery.accumulates)
            if batch.hidden and batch.is_complete:
                _land_without(settings.landing, stream, batch, known, now, outcome)
            else:
                _land_whole(settings.landing, stream, batch, part, digests, now, outcome)
                checkpoint(outcome.seen)
    progress(len(windows), len(windows))


def _land_whole(
    landing: Path,
    stream: Stream,
    batch: Batch,
    answer: FetchResult,
    digests: dict[int, str],
    now: datetime,
    outcome: _Outcome,
) -> None:
    """Land an answer about all services, unless it says what was landed before, and note its days as seen."""
    known, days, origin = outcome.known, batch.window, batch.origin
    told_days = [day for day in days_of(days) if day not in answer.unseen]
    marks = [outcome.seen.get(day.isoformat()) for day in told_days]
    same = {digests[mark.sequence] for mark in marks if mark} == {short_digest(batch.source_digest)}
    sequences = [mark.sequence for mark in marks if mark]
    # Of two pulls at once, one note remains: the load it names may not be the last word on these days.
    newest = bool(marks) and all(marks) and not _replaced(known, min(sequences), days)
    if not told_days:
        # Nothing that it says proves a day: what it said the last time is not landed once more.
        landed = _landed_already(known, days, short_digest(batch.source_digest))
        same = newest = landed is not None or not answer.rows
    if batch.is_complete and same and newest:
        outcome.unchanged += 1
    elif told_days and (unnoted := _landed_unnoted(landing, stream.name, known, batch)):
        outcome.unchanged += 1
        sequences = [unnoted] * len(marks)
    else:
        if batch.is_complete:
            outcome.count(origin, gone(landing, stream, days, outcome.seen, batch.frame))
        load = land(landing, stream.name, batch, loaded_at=now)
        outcome.loads.append(load)
        digests[load.sequence] = short_digest(batch.source_digest)
        sequences = [load.sequence] * len(marks)
    if batch.is_complete:
        outcome.notes |= dict.fromkeys(f"{origin}: {note}" for note in answer.notes)
        at, ends = now.isoformat(), ends_by_day(batch.frame, stream, batch.untold)
        outcome.seen |= {
            day.isoformat(): Mark(sequence, at, ends.get(day.isoformat(), ""))
            for day, sequence in zip(told_days, sequences, strict=True)
        }
    else:
        outcome.errors.append(_is_a_part(origin, days, answer.notes))


def _is_a_part(origin: str, window: Window, notes: Sequence[str]) -> str:
    """Say that an answer lacks something."""
    first, end = window
    message = f"{origin}: the answer for {first} to {end - timedelta(days=1)} is only a part"
    said = f" ({'; '.join(notes)})" if notes else ""
    return f"{message}{said}\n    fix: it is landed as partial and asked for again; narrow the scope if it stays so"


def _land_without(
    landing: Path,
    stream: Stream,
    batch: Batch,
    known: list[LoadName],
    now: datetime,
    outcome: _Outcome,
) -> None:
    """Land an answer that lacks services: it counts for all others on the days that were never seen whole.

    None of its days is noted as seen: they are asked for again. What was seen whole before keeps what is known of the
    services that the source no longer shows.
    """
    unseen = [day for day in days_of(batch.window) if day.isoformat() not in outcome.seen]
    for start, end, _ in runs(dict.fromkeys(unseen, "")):
        day = pl.col("_day")
        rows = batch.frame.filter(day.is_null() | day.is_between(start, end, closed="left"))
        part = replace(batch, frame=rows, window=(start, end), unproven=within(batch.unproven, (start, end)))
        if _landed_unnoted(landing, stream.name, known, part) is None:
            outcome.loads.append(land(landing, stream.name, part, loaded_at=now))
        else:
            outcome.unchanged += 1


def _had_rows(landing: Path, delivery: Delivery, stream: Stream, seen: Seen) -> bool:
    """Whether the newest load of a state or register had rows: an inventory does not vanish overnight, access does."""
    if not (stream.is_register or delivery.remembers_days == STATE) or not seen:
        return False
    last = max(mark.sequence for mark in seen.values())
    load = read_numbered(landing, stream.name, last)
    return load is not None and load.rows > 0


def explained_shape(request: FetchRequest[Any], function: Callable[[FetchRequest[Any]], T]) -> T:
    """Ask; an answer of another shape than the contract's is named by the field, never by its content.

    Raises:
        SourceError: The source refuses, fails, or answers in another shape.
    """
    try:
        return function(request)
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError) as error:
        name = _literal(error) if isinstance(error, KeyError) else None
        field = type(error).__name__ if name is None else f"field {name!r} is missing"
        message = f"{request.stream}: the answer has another shape than expected ({field})"
        fix = "the service may have changed its API: see docs/sources.md, and update opsmetrics"
        raise SourceError(Problem(request.connector.name, None, message, fix)) from error
    except (OpsMetricsError, OSError, MemoryError, duckdb.Error):
        # Of ours, of the disk, or of memory: told where they are met.
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        # Of a library that nobody expected it of: its text may hold an address, a header or what was answered.
        message = f"{request.stream}: asking it broke off ({type(error).__name__} {_place(error)})"
        fix = "update opsmetrics; if it stays so, please report it with this line"
        raise SourceError(Problem(request.connector.name, None, message, fix)) from error


def _place(error: Exception) -> str:
    """Return where in our code an error came from."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "opsmetrics" in Path(frame.filename).parts]
    return f"in {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "elsewhere"


def _literal(error: KeyError) -> str | None:
    """Return the missing key where it stands in the code that asked for it; else it may be a part of the answer."""
    trace = error.__traceback__
    constants: set[object] = set()
    while trace is not None:
        constants |= {constant for constant in trace.tb_frame.f_code.co_consts if isinstance(constant, str)}
        trace = trace.tb_next
    found = error.args[0] if error.args else None
    return found if isinstance(found, str) and found in constants else None
