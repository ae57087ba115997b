"""The question to a connector and its answer: ``fetch(FetchRequest) -> FetchResult`` (architecture D10).

Rows of an answer name contract columns; typing and quarantine are those of the files source. Columns that the
contract does not name never leave the connector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import polars as pl

from opsmetrics.core.settings import Settings
from opsmetrics.core.web import without_secrets
from opsmetrics.landing import PARTIAL, Batch
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.sources.border import one_error
from opsmetrics.sources.claims import doubtful_days, happened_days, runs
from opsmetrics.sources.contract import apply_contract
from opsmetrics.sources.forms import FRACTION, Zones
from opsmetrics.sources.json_lines import json_cell
from opsmetrics.sources.looks import Look
from opsmetrics.sources.raw_table import RawTable
from opsmetrics.streams import Column, Stream

if TYPE_CHECKING:
    from opsmetrics.sources.http import Http, Waits

ConnectorT = TypeVar("ConnectorT", bound=Connector)
Row = Mapping[str, Any]
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class FetchRequest(Generic[ConnectorT]):
    """One question: a stream of a connector for half-open local days.

    Attributes:
        settings: For secrets, certificate file and patience.
        organisation: Whose services, environments and zone.
        connector: The connector's settings.
        stream: Stream.
        days: Half-open local days.
        starts_at: Midnight that begins them, UTC.
        ends_at: Midnight that ends them, UTC.
        now: Clock of the pull, UTC.
        known: What this pull was told already and asks no second time, the same for all its questions.
        kept: What the source told at earlier pulls and tells no more, by the connector's own names: JSON. What is put
            there is told at the next pull, unless its note is lost.
        looks: Reads how the asked days were last looked at, and which rows were landed of them.
        asked_before: When the source was last asked for anything of the stream, and answered in full; None: never.
    """

    settings: Settings
    organisation: Organisation
    connector: ConnectorT
    stream: str
    days: tuple[date, date]
    starts_at: datetime
    ends_at: datetime
    now: datetime
    known: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
    kept: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
    looks: Callable[[], Mapping[date, Look]] = field(default=dict, compare=False)
    asked_before: datetime | None = None

    @classmethod
    def make(
        cls,
        settings: Settings,
        organisation: Organisation,
        connector: ConnectorT,
        stream: str,
        days: tuple[date, date],
        now: datetime,
        known: dict[str, Any] | None = None,
    ) -> FetchRequest[ConnectorT]:
        """Return the question with the instants of its days."""
        start, end = (organisation.midnight(day) for day in days)
        told = {} if known is None else known
        return cls(settings, organisation, connector, stream, days, start, end, now, told)

    @property
    def today(self) -> date:
        """Local day of the pull, the day of observation of a state."""
        return self.days[0]

    def covers(self, instant: datetime | None) -> bool:
        """Whether an instant lies in the asked days."""
        return instant is not None and self.starts_at <= instant < self.ends_at

    def client(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        variable: str | None = None,
        waits: Waits | None = None,
    ) -> Http:
        """Return a client of the connector's source; the other arguments are those of :class:`Http`.

        Args:
            url: Base address.
            headers: Sent with every request.
            variable: Name of the variable that holds the secret, for messages.
            waits: Reads from an answer how long the source wants us to wait.
        """
        from opsmetrics.sources.http import Http  # noqa: PLC0415 - slow to import, and most commands ask no server

        name, kind = self.connector.name, str(self.connector.kind)
        return Http(name, url, self.settings, headers=headers, variable=variable, kind=kind, waits=waits)

    def path(self, name: str) -> Path:
        """Return a file or folder of the configuration; relative names start at the organisation's folder."""
        return (self.organisation.folder / name).resolve()


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Rows of the asked days.

    Attributes:
        rows: Contract column -> value (text, number, bool, date or aware datetime), or None.
        is_complete: Whether the source answered in full.
        source: Where the rows came from, without secrets.
        notes: What is to be said of the answer: what it lacks, and what nobody understood.
        unseen: Asked days of which the source cannot tell everything although it answered; they are asked for again.
        counted: What was left out or taken on trust -> how many; a pull says the sum of its answers.
        hidden: Services, as rows name them, of which the source shows nothing: the answer is whole for all others.
        hidden_on: Asked days -> services of which the source cannot tell that day; it is whole for all others.
    """

    rows: Sequence[Row]
    is_complete: bool = True
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    unseen: frozenset[date] = frozenset()
    counted: Mapping[str, int] = field(default_factory=dict[str, int])
    hidden: frozenset[str] = frozenset()
    hidden_on: Mapping[date, frozenset[str]] = field(default_factory=dict[date, frozenset[str]])


def parts_of(
    request: FetchRequest[ConnectorT], answer: FetchResult
) -> Iterator[tuple[FetchRequest[ConnectorT], FetchResult]]:
    """Yield an answer in runs of days on which it lacks the same services; nearly always it is one."""
    if not answer.hidden_on or not answer.is_complete:
        yield request, answer
        return
    first, end = request.days
    days = [first + timedelta(days=number) for number in range((end - first).days)]
    for lacking, run in groupby(days, lambda day: answer.hidden_on.get(day, frozenset[str]())):
        mine = list(run)
        window = (mine[0], mine[-1] + timedelta(days=1))
        unseen, hidden = answer.unseen.intersection(mine), answer.hidden | lacking
        yield replace(request, days=window), replace(answer, unseen=unseen, hidden=hidden, hidden_on={})


def midpoint(start: datetime, end: datetime, unit: timedelta) -> datetime:
    """Return the middle of a window, rounded down to whole units after its start."""
    return start + (end - start) // 2 // unit * unit


def halved(
    fetch: Callable[[datetime, datetime, bool], Iterable[RowT] | None],
    start: datetime,
    end: datetime,
    *,
    shortest: timedelta,
    unit: timedelta = timedelta(seconds=1),
) -> Iterator[RowT]:
    """Yield the rows of a window from a source that shows only so many at once: what is too much is asked in halves.

    Args:
        fetch: Called with start, end and whether the window can be halved; None says that it must be.
        start: Begin of the window.
        end: End of the window, exclusive.
        shortest: A window of this length or less is taken as it comes.
        unit: Windows are cut at whole units after their start.
    """
    rows = fetch(start, end, end - start > shortest)
    if rows is not None:
        yield from rows
        return
    middle = midpoint(start, end, unit)
    for half in ((start, middle), (middle, end)):
        yield from halved(fetch, *half, shortest=shortest, unit=unit)


def batch_of(request: FetchRequest[Any], stream: Stream, answer: FetchResult, *, accumulates: bool) -> Batch:
    """Hold an answer's rows against the contract and cut them to the asked days.

    Rows of other days are left out without a word: sources answer in their own units of time. Days of rows that were
    set aside are not complete.

    Raises:
        SourceError: The answer breaks something that no rule foresaw.
    """
    source = without_secrets(answer.source) or request.connector.name
    with one_error(source):
        assumed = request.connector.assume.get(stream.name, {})
        cells = [
            [cell_of(column, row.get(column.name, assumed.get(column.name))) for column in stream.columns]
            for row in answer.rows
        ]
        texts = [[text for text, _ in row] for row in cells]
        names = [column.name for column in stream.columns]
        untold = tuple(name for name in request.connector.untold(stream.name) if name not in assumed)
        said = [stream.name, names, untold, sorted(texts, key=str)]
        digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        judged = apply_contract(
            _table(names, cells),
            stream,
            columns={},
            zones=Zones(None, request.organisation.settings.timezone),
            happened=happened_days(request.organisation, request.now.astimezone(request.organisation.zone).date()),
            file=Path(source),
        )
        typed = judged.frame
        doubtful = doubtful_days(typed, request.days, stream, request.organisation.zone) | answer.unseen
        if not stream.is_register:
            typed = typed.filter(pl.col("_day").is_null() | pl.col("_day").is_between(*request.days, closed="left"))
        return Batch(
            typed,
            request.days,
            source,
            digest,
            is_complete=answer.is_complete,
            dropped_columns=judged.dropped,
            origin=request.connector.name,
            accumulates=accumulates,
            untold=untold,
            unproven=runs(dict.fromkeys(doubtful, PARTIAL)),
            hidden=tuple(sorted(answer.hidden)),
        )


def _table(names: Sequence[str], cells: Sequence[Sequence[tuple[str | None, str | None]]]) -> RawTable:
    """Return the cells of an answer, as (text, what it is instead of text), as a table of its own lines."""
    data = {
        name: pl.Series(name, [row[place][0] for row in cells], dtype=pl.String) for place, name in enumerate(names)
    }
    odd = {name: pl.Series(name, [row[place][1] for row in cells], dtype=pl.String) for place, name in enumerate(names)}
    lines = pl.int_range(1, len(cells) + 1, dtype=pl.Int64, eager=True)
    broken = pl.Series("broken", [None] * len(cells), dtype=pl.String)
    return RawTable(tuple(names), pl.DataFrame(data), lines, broken, odd)


def cell_of(column: Column, value: Any) -> tuple[str | None, str | None]:
    """Return a connector's value as text, and what it is where no column of this type can hold it."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return None, "a time without zone"
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z"), None
    if isinstance(value, date):
        return value.isoformat(), None
    if isinstance(value, float) and column.type == "text":
        return None, FRACTION
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value), None
    return json_cell(value)
