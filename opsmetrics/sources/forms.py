"""The forms that a cell is read in, as SQL: which value it has, and why it has none. Nothing is repaired or guessed.

A form is read in full or not at all: what follows a time is never dropped. ``docs/configuration.md`` lists the forms.
Does not belong here: which column of a file is meant, and rules between columns (``contract``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl

from opsmetrics.sources.raw_table import BLANKS, BOOLEAN
from opsmetrics.streams import DUCKDB_TYPES, Column

MAX_TEXT = 4_000
# Years whose changes of clocks count: from the oldest day that a contract can name on.
_CLOCKS_FROM, _CLOCKS_DAYS = (1990, 1, 1, 12), 366 * 60
FRACTION = "a number with a fraction (as a number, 3.10 is 3.1)"
# (condition, reason) in SQL; the reason holds no quotes.
Reason = tuple[str, str]
# (condition, what is said) in SQL: of a row that breaks a rule, what is said is the text of its reason.
Fault = tuple[str, str]

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
# The reason that names other days every day, for the same row.
BOUNDS = r"not between [0-9-]+ and [0-9-]+"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_NAIVE = f"{_DAY}[T ]{_CLOCK}"
# Offsets that are in use somewhere: -12:00 to +14:00.
_EAST = "[+](0[0-9]|1[0-3])(:?[0-5][0-9])?|[+]14(:?00)?"
_WEST = "-(0[0-9]|1[01])(:?[0-5][0-9])?|-12(:?00)?"
_AWARE = f"{_NAIVE} ?(Z|z|UTC|GMT|{_EAST}|{_WEST})"
# What exports write where there is nothing.
_NOTHING = ", ".join(
    f"'{word}'"
    for word in (
        *("null", "none", "nil", "nan", "na", "n/a", "undefined", r"\n", "(null)", "<null>", "-"),
        # Formulas of a spreadsheet without a value.
        *("#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!"),
    )
)
# Soft hyphens, blanks of no width, marks of direction: two names that look alike are not.
_UNSEEN = r"[\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{feff}]"
# What a spreadsheet or a data frame made of a long number: two ids that differ in their last digits are one then.
_ROUNDED = "[0-9]([.,][0-9]+)?[eE][+][0-9]{2,3}|[0-9][.,][0-9]+[eE][0-9]{2,3}"
_DECIMALS = "[0-9]{5,}[.,]0+"
_WHOLE = "[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
# A comma before the decimals, as Norwegian exports write it. Three digits after one to three may be thousands as well.
_COMMA = "[+-]?[0-9]+,[0-9]+"
_TWO_WAYS = "[+-]?[1-9][0-9]{0,2},[0-9]{3}"
# What the words of a query say of a value that they keep as it is.
_STRANGE = (".*: a word that nobody knows", "a word that the query does not know: write there what it means")
_IS_ROUNDED = "a number that a spreadsheet has rounded: use the export as the tool wrote it"
# What a text is that is no instant: the first that matches names it.
_SEEN = (
    _STRANGE,
    (".*: day or month first[?]", "a date that may be read in two ways: let the query name one format"),
    (r"[34][0-9]{4}([.,][0-9]+)?", "a day as a spreadsheet counts it: let its cells show dates, and save it again"),
    (r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", "a number; epochs are not read"),
    (_DAY, "a day without a time"),
    (r"(?i).*[0-9] ?[ap]\.?m\.?", "a clock of 12 hours"),
    (r".*[0-9]E\+[0-9].*", _IS_ROUNDED),
    (r".*, without a time", "it has happened, and nothing says when"),
    (f"{_NAIVE} ?[+-][0-9]{{2}}(:?[0-9]{{2}})?", "an offset that is not between -12:00 and +14:00"),
    (f"{_NAIVE}.*", "something after the time that is no offset; write +HH:MM or Z"),
    (r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}.*", "a day or time that is not written YYYY-MM-DD HH:MM"),
)
_NO_OFFSET = "no offset from UTC (set naive_time where the source is configured, if the zone is known)"
_ELSE = "no day and time as YYYY-MM-DD HH:MM with an offset"
_PLACES = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "date": "a day"}
_PLACES |= {"timestamp": "an instant", "text": "text"}
_LACKS = {"integer": "no whole number", "number": "no finite number", "boolean": "neither true nor false"}
_LACKS |= {"date": "no date as YYYY-MM-DD", "timestamp": "no instant", "text": "no text"}


@dataclass(frozen=True, slots=True)
class Zones:
    """Where local times are: ``naive`` of timestamps without offset (None: such are set aside), ``home`` of days."""

    naive: str | None
    home: str


@dataclass(frozen=True, slots=True)
class Form:
    """How a column of a file is read.

    Attributes:
        value: SQL of the typed value, null where the cell holds none.
        lacks: Why there is none, beyond that it is of another form; each only where something was given.
        breaks: Why a value that is there is none to be kept.
        blurs: Why a value that is there is not to be believed to the hour; its day is.
    """

    value: str
    lacks: tuple[Reason, ...] = ()
    breaks: tuple[Reason, ...] = ()
    blurs: tuple[Reason, ...] = ()


def quoted(name: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _trimmed(source: str) -> str:
    """SQL of a text without the blanks around it."""
    return f"trim({source}, '{BLANKS}')"


def given(source: str, dtype: pl.DataType) -> str:
    """SQL that says whether the source wrote anything."""
    return f"(nullif({_trimmed(source)}, '') is not null)" if dtype == pl.String else f"({source} is not null)"


def form_of(  # noqa: PLR0911 - one return per pair of types
    column: Column, source: str, dtype: pl.DataType, zones: Zones
) -> Form:
    """Return how cells of a type of file are read for a column of the contract."""
    if dtype == pl.String:
        return _text_form(column, _trimmed(source), zones)
    kind = column.type
    if kind == "boolean" and dtype == pl.Boolean:
        return Form(source)
    if kind == "boolean" and dtype.is_integer():
        return Form(f"case {source} when 1 then true when 0 then false end")
    if kind in {"integer", "number"} and dtype.is_numeric():
        return _number_form(kind, source, dtype)
    if kind == "text" and dtype.is_integer():
        return Form(f"cast({source} as varchar)")
    if kind == "date" and dtype == pl.Date:
        return Form(source)
    if column.ends_day and dtype == pl.Date:
        return Form(_last_second(source, zones))
    if kind == "date" and isinstance(dtype, pl.Datetime):
        return _midnight(source, dtype, zones)
    if kind == "timestamp" and isinstance(dtype, pl.Datetime):
        return Form(f"cast({source} as timestamptz)") if dtype.time_zone else _local(source, "true", zones)
    return Form(f"cast(null as {DUCKDB_TYPES[kind]})", ((f"{source} is not null", expected(column, _named(dtype))),))


def expected(column: Column, what: str) -> str:
    """Say that a cell is of another kind than the column."""
    return f"{what} where {_PLACES[column.type]} is expected"


def _named(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return BOOLEAN
    if dtype.is_float():
        return FRACTION
    if dtype.is_numeric():
        return "a number"
    return "a day" if dtype == pl.Date else "a day with a time"


def _number_form(kind: str, source: str, dtype: pl.DataType) -> Form:
    if kind == "number":
        return Form(f"case when isfinite(try_cast({source} as double)) then try_cast({source} as double) end")
    whole = "true" if dtype.is_integer() else f"{source} = trunc({source})"
    return Form(f"case when {whole} then try_cast({source} as bigint) end")


def _midnight(source: str, dtype: pl.Datetime, zones: Zones) -> Form:
    """A timestamp for a day: the local day of a midnight."""
    local = f"timezone('{zones.home}', cast({source} as timestamptz))" if dtype.time_zone else source
    where = f" in {zones.home}" if dtype.time_zone else ""
    is_day = f"date_trunc('day', {local}) = {local}"
    return Form(
        f"case when {is_day} then cast({local} as date) end",
        ((f"not ({is_day})", f"a time of day where a day is expected (no midnight{where})"),),
    )


def _text_form(column: Column, text: str, zones: Zones) -> Form:  # noqa: PLR0911 - one return per type
    kind = column.type
    if kind == "integer":
        return Form(f"case when regexp_full_match({text}, '{_WHOLE}') then try_cast({text} as bigint) end")
    if kind == "number":
        value = f"try_cast(replace({text}, ',', '.') as double)"
        in_two = f"regexp_full_match({text}, '{_TWO_WAYS}')"
        is_number = (
            f"(regexp_full_match({text}, '{_NUMBER}') or regexp_full_match({text}, '{_COMMA}') and not {in_two})"
        )
        lacks = (in_two, "a number that may be read in two ways: write the decimals after a point")
        return Form(f"case when {is_number} and isfinite({value}) then {value} end", (lacks,))
    if kind == "boolean":
        words = "when 'true' then true when '1' then true when 'false' then false when '0' then false"
        return Form(f"case lower({text}) {words} end", ((f"regexp_full_match({text}, '{_STRANGE[0]}')", _STRANGE[1]),))
    if kind == "date":
        return Form(f"case when regexp_full_match({text}, '{_DAY}') then try_cast({text} as date) end")
    if kind == "timestamp":
        return _or_last_second(text, _instant(text, zones), zones) if column.ends_day else _instant(text, zones)
    if column.one_of:
        # Words are matched without case; which ones there are, the contract says.
        return Form(f"nullif(lower({text}), '')")
    breaks = (
        (f"length({text}) > {MAX_TEXT}", f"longer than {MAX_TEXT} characters"),
        (rf"regexp_matches({text}, '[\x00-\x1f\x7f]')", "a line break or control character in it"),
        (f"regexp_matches({text}, '{_UNSEEN}')", "a sign in it that nobody sees, such as a soft hyphen"),
        (f"regexp_full_match({text}, '{_ROUNDED}')", _IS_ROUNDED),
    )
    if column.name.endswith("_id"):
        breaks += ((f"regexp_full_match({text}, '{_DECIMALS}')", f"{FRACTION}: write it without"),)
    if column.or_none:
        # Pages of an incident called NULL would all belong to one.
        breaks += (
            (f"lower({text}) in ({_NOTHING})", "a word for nothing: leave the cell empty, or write null in JSON"),
        )
    # One letter, one sign: some systems write å as a and a ring, which is the same text.
    return Form(f"nullif(nfc_normalize({text}), '')", breaks=breaks)


def _instant(text: str, zones: Zones) -> Form:
    is_aware, is_naive = f"regexp_full_match({text}, '{_AWARE}')", f"regexp_full_match({text}, '{_NAIVE}')"
    plain = f"regexp_replace(regexp_replace({text}, ' ?(Z|z|UTC|GMT)$', 'Z'), ' ([+-][0-9:]+)$', '\\1')"
    aware = f"case when {is_aware} then try_cast({plain} as timestamptz) end"
    seen = " ".join(f"when regexp_full_match({text}, '{form}') then '{said}'" for form, said in _SEEN)
    strange = (f"not {is_aware} and not {is_naive}", f"no instant (' || case {seen} else '{_ELSE}' end || ')")
    local = _local(f"try_cast({text} as timestamp)", is_naive, zones)
    if zones.naive is None:
        return Form(aware, (strange, *local.lacks))
    return Form(f"coalesce({aware}, {local.value})", (strange, *local.lacks), blurs=local.blurs)


def _last_second(day: str, zones: Zones) -> str:
    """The last second of a local day: what is due on a day is in time on all of it."""
    return f"timezone('{zones.home}', cast({day} + 1 as timestamp)) - interval 1 second"


def _or_last_second(text: str, form: Form, zones: Zones) -> Form:
    """An instant, or a day alone."""
    is_day = f"regexp_full_match({text}, '{_DAY}')"
    value = f"case when {is_day} then {_last_second(f'try_cast({text} as date)', zones)} else {form.value} end"
    return Form(value, tuple((f"not {is_day} and {condition}", said) for condition, said in form.lacks), (), form.blurs)


def _local(local: str, is_naive: str, zones: Zones) -> Form:
    """A time without offset: an instant where the zone is configured and the time happened once."""
    zone = zones.naive
    if zone is None:
        return Form("cast(null as timestamptz)", ((is_naive, _NO_OFFSET),))
    instant = f"timezone('{zone}', {local})"
    value = f"case when {is_naive} then {instant} end"
    if zone == "UTC":
        return Form(value)
    absent = (
        f"{is_naive} and timezone('{zone}', {instant}) <> {local}",
        f"this local time does not exist in {zone} (clocks went forward)",
    )
    shifts = [f"{sign} interval {minutes} minute" for minutes in went_back(zone) for sign in "+-"]
    if not shifts:
        return Form(value, blurs=(absent,))
    alike = " or ".join(f"timezone('{zone}', {instant} {shift}) = {local}" for shift in shifts)
    said = f"this local time happened twice in {zone} (clocks went back): write the offset"
    return Form(value, blurs=(absent, (f"{is_naive} and ({alike})", said)))


@cache
def went_back(zone: str) -> tuple[int, ...]:
    """Return by how many minutes the clocks of a zone ever went back: mostly 60, at Troll 120, on Lord Howe 30."""
    home = ZoneInfo(zone)
    noons = (datetime(*_CLOCKS_FROM, tzinfo=UTC) + timedelta(days=day) for day in range(_CLOCKS_DAYS))
    offsets = [noon.astimezone(home).utcoffset() or timedelta(0) for noon in noons]
    backwards = {(before - after) // timedelta(minutes=1) for before, after in pairwise(offsets) if after < before}
    return tuple(sorted(backwards))


def faults_of(column: Column, form: Form, plausible: tuple[date, date], home: str) -> list[Fault]:
    """Return what can be wrong with a value.

    Args:
        column: The column, typed as ``"name"``, with ``"given name"`` that says whether anything was written.
        form: How it was read.
        plausible: Days that it can name, half-open.
        home: Zone of days.
    """
    name, is_given = quoted(column.name), quoted("given " + column.name)
    why = [f"when {condition} then '{text}'" for condition, text in form.lacks]
    lacks = f"case {' '.join(why)} else '{_LACKS[column.type]}' end" if why else f"'{_LACKS[column.type]}'"
    found = [(f"{is_given} and {name} is null", f"'{column.name}: ' || {lacks}")]
    broken = [(f"{name} is not null and ({condition})", text) for condition, text in form.breaks]
    if column.one_of:
        allowed = ", ".join(f"'{value}'" for value in column.one_of)
        broken.append((f"{name} not in ({allowed})", f"not one of {', '.join(column.one_of)}"))
    percent = " (a share: 85 % is 0.85)" if column.name.endswith("_ratio") else ""
    for bound, sign, word in ((column.low, "<", "below"), (column.high, ">", "above")):
        if bound is not None:
            broken.append((f"{name} {sign} {bound}", f"{word} {bound:g}{percent if sign == '>' else ''}"))
    if column.type in {"timestamp", "date"}:
        low, high = (_start(column, day, home) for day in plausible)
        # Recognised by BOUNDS.
        text = f"not between {plausible[0]} and {plausible[1] - timedelta(days=1)}"
        broken.append((f"{name} < {low} or {name} >= {high}", text))
    return found + [_said(column, *reason) for reason in broken]


def blurs_of(column: Column, form: Form) -> list[Fault]:
    """Return what else can be wrong with a value; a row for which that is so has a day all the same."""
    name = quoted(column.name)
    return [_said(column, f"{name} is not null and ({condition})", text) for condition, text in form.blurs]


def _said(column: Column, condition: str, text: str) -> Fault:
    return condition, f"'{column.name}: {text}'"


def _start(column: Column, day: date, home: str) -> str:
    return f"timezone('{home}', timestamp '{day}')" if column.type == "timestamp" else f"date '{day}'"
