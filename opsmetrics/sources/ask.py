"""The question to a connector and its answer: ``fetch(Ask) -> Answer`` (architecture D10).

Rows of an answer name contract columns; typing and quarantine are those of the files source. Columns that the
contract does not name never leave the connector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl

from opsmetrics.landing import Parcel
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors import Connector
from opsmetrics.settings import Settings
from opsmetrics.sources.contract import apply_contract
from opsmetrics.sources.tables import BROKEN
from opsmetrics.streams import Stream

ConnectorT = TypeVar("ConnectorT", bound=Connector)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ask(Generic[ConnectorT]):
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
    """

    settings: Settings
    organisation: Organisation
    connector: ConnectorT
    stream: str
    days: tuple[date, date]
    starts_at: datetime
    ends_at: datetime
    now: datetime

    @classmethod
    def make(
        cls,
        settings: Settings,
        organisation: Organisation,
        connector: ConnectorT,
        stream: str,
        days: tuple[date, date],
        now: datetime,
    ) -> Ask[ConnectorT]:
        """Return the question with the instants of its days."""
        start, end = (midnight(day, organisation) for day in days)
        return cls(settings, organisation, connector, stream, days, start, end, now)

    @property
    def today(self) -> date:
        """Local day of the pull, the day of observation of a state."""
        return self.days[0]

    def covers(self, instant: datetime | None) -> bool:
        """Whether an instant lies in the asked days."""
        return instant is not None and self.starts_at <= instant < self.ends_at

    def path(self, name: str) -> Path:
        """Return a file or folder of the configuration; relative names start at the organisation's folder."""
        return (self.organisation.folder / name).resolve()


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of the asked days.

    Attributes:
        rows: Contract column -> value (text, number, bool, date or aware datetime), or None.
        is_complete: Whether the source answered in full.
        source: Where the rows came from, without secrets.
    """

    rows: Sequence[Row]
    is_complete: bool = True
    source: str = ""
    notes: tuple[str, ...] = field(default=())


def midnight(day: date, organisation: Organisation) -> datetime:
    """Return the instant at which a local day begins, UTC."""
    return datetime.combine(day, time(), organisation.zone).astimezone(UTC)


def parcel_of(ask: Ask[Any], stream: Stream, answer: Answer, *, accumulates: bool) -> Parcel:
    """Hold an answer's rows against the contract and cut them to the asked days.

    Rows of other days are left out without a word: sources answer in their own units of time.
    """
    names = [column.name for column in stream.columns]
    texts = [[_text(row.get(name)) for name in names] for row in answer.rows]
    digest = hashlib.sha256(json.dumps([stream.name, names, sorted(texts, key=str)]).encode()).hexdigest()
    columns = {name: pl.Series(name, [row[i] for row in texts], dtype=pl.String) for i, name in enumerate(names)}
    frame = pl.DataFrame(columns).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_line"), pl.lit(None, pl.String).alias(BROKEN)
    )
    source = answer.source or ask.connector.name
    typed, dropped = apply_contract(
        frame,
        stream,
        columns={},
        naive_time=None,
        zone=ask.organisation.settings.timezone,
        file=Path(source),
    )
    if not stream.is_register:
        typed = typed.filter(pl.col("_day").is_null() | pl.col("_day").is_between(*ask.days, closed="left"))
    return Parcel(
        typed,
        ask.days,
        source,
        digest,
        is_complete=answer.is_complete,
        dropped_columns=dropped,
        origin=ask.connector.name,
        accumulates=accumulates,
    )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a connector gave a time without zone")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    # JSON may hold half a surrogate pair, which is no text.
    return str(value).encode("utf-8", "replace").decode()
