"""What a contract says: columns, key, time column, freshness.

Streams never hold names of people, mail addresses, incident texts or vulnerability details (architecture D13):
there is no column for them, and columns that the contract does not name are dropped before landing.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsmetrics.core.declare import Column, id_


@dataclass(frozen=True, slots=True)
class Rule:
    """What two columns of one row are to each other: the first is not more than, or not after, the second.

    Attributes:
        least: Column of the part, or of the earlier time.
        most: Column of the whole, or of the later time.
        is_strict: Equal values break the rule too.
        reason: What a row that breaks it says of itself.
        within_days: The later time comes at most so many times 24 hours after the earlier one; instead of the order.
    """

    least: str
    most: str
    reason: str
    is_strict: bool = False
    within_days: int | None = None

    @property
    def broken(self) -> str:
        """SQL that is true where a row breaks the rule; a null on either side breaks nothing."""
        if self.within_days is not None:
            return f'"{self.most}" > "{self.least}" + interval {24 * self.within_days} hour'
        return f'"{self.least}" {">=" if self.is_strict else ">"} "{self.most}"'


def in_order(*columns: str) -> tuple[Rule, ...]:
    """Return the rules that times of a row follow each other; equal is allowed."""
    pairs = [(a, b) for place, a in enumerate(columns) for b in columns[place + 1 :]]
    return tuple(Rule(earlier, later, f"{later}: before {earlier}") for earlier, later in pairs)


def after(start: str, end: str) -> tuple[Rule, ...]:
    """Return the rule that an end comes after its start; equal is not allowed."""
    return (Rule(start, end, f"{end}: not after {start}", is_strict=True),)


def within_days(start: str, end: str, days: int) -> tuple[Rule, ...]:
    """Return the rule that an end comes at most so many days after its start; later is a mistyped year."""
    return (Rule(start, end, f"{end}: more than {days} days after {start}", within_days=days),)


def part_of(part: str, whole: str) -> tuple[Rule, ...]:
    """Return the rule that a part is not more than its whole."""
    return (Rule(part, whole, f"{part}: more than {whole}"),)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows.

    Attributes:
        name: Name in landing, in ``raw`` and ``staging``, and of the Dagster asset.
        doc: What a row is.
        columns: The contract.
        key: Columns that identify a row.
        time: Column whose local day decides which daily window a row belongs to; None for a register,
            of which every load is the whole state.
        expected_hours: How often new data are expected; older than twice this is late.
        repull_days: Days before the asked one that a scheduled pull reads again, because rows still change
            (source contracts, section 0.2): telemetry settles in three days, an incident is closed weeks later.
        ends: Columns that say when a row ended. While all of them are null the row is open and may still change, so
            that its day is asked for again, whatever its age (ADR 0028); none for what never ends.
        rules: What columns of one row are to each other; a row that breaks one is set aside.
        lasts_days: How long before its end a row usually began at most, in days; None where that says nothing.
        newest: Column that says which of several rows of one key is the newest; without it none of them is believed.

    Raises:
        ValueError: A rule or ``newest`` names a column that is not declared.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None
    expected_hours: int = 24
    repull_days: int = 3
    ends: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    lasts_days: int | None = None
    newest: str | None = None

    def __post_init__(self) -> None:
        named = {name for rule in self.rules for name in (rule.least, rule.most)} | {self.newest or self.key[0]}
        unknown = sorted(named - {column.name for column in self.columns})
        if unknown:
            raise ValueError(f"{self.name}: rules of columns that are not declared: {unknown}")

    @property
    def is_register(self) -> bool:
        """Whether a load is the whole state rather than a window of events."""
        return self.time is None

    @property
    def is_plan(self) -> bool:
        """Whether its rows may be of days to come: shifts that are planned."""
        return self.time is not None and self.column(self.time).is_plan

    @property
    def names(self) -> list[str]:
        """Names of the contract's columns, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return a column of the contract."""
        return next(column for column in self.columns if column.name == name)


# A share that may be more than one: above this it is a percentage, and 80 would be read as eighty times the limit.
HIGHEST_RATIO = 10
SERVICE = id_("service_id", "Service, by id or alias of services.toml")
REPOSITORY = id_("repository", "Repository as owner/name")
