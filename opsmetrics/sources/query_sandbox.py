"""The process that a query runs in: a DuckDB that sees the query's inputs and nothing else, within memory and time.

Started as a script of its own by ``query_run``, with the path of a job as its argument; it imports nothing of ours. It
has a process of its own because memory of a single value (``repeat``, ``range``) is outside DuckDB's own limit, and
because such a value cannot be interrupted: the kernel bounds both.
"""

from __future__ import annotations

import glob
import json
import re
import resource
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

# What the process needs beside DuckDB's own memory.
_OTHER_MB = 512
_THREADS = 2
# Errors whose text names columns, functions and places of the select, never what a row holds.
_OF_THE_SELECT = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
# In an error of a value: the value itself, the column it was cast from, and that it should have been JSON.
_VALUE = re.compile(
    r"""(?:string|format:|Input:) (['"])(?P<value>.*?)\1(?: to | according | when |,|$)""", re.DOTALL | re.MULTILINE
)
_CAST_FROM = re.compile(r"when casting from source column (?P<column>.+?)$", re.MULTILINE)
_NO_JSON = "Malformed JSON"
# Longest list of formats of instant().
_MOST_FORMATS = 16
# An offset that some place of the world has, at the end of a time.
_OFFSET = r"(\+(0[0-9]|1[0-3])(:?[0-5][0-9])?|\+14(:?00)?|-(0[0-9]|1[01])(:?[0-5][0-9])?|-12(:?00)?)$"
_EACH_FORMAT = ", ".join(
    f"try_strptime(case when not ends_with(formats[{place}], '%z') or regexp_matches(text, '{_OFFSET}') then text end,"
    f" formats[{place}])"
    for place in range(1, _MOST_FORMATS + 1)
)
# Texts in, texts out. What cannot be read stays as it is written, so that the contract sets its row aside and names it:
# a query never turns a value that is there into nothing.
_MACROS = """
-- Blanks that do not break a line, as pages in HTML fill an empty cell with, are blanks.
create macro _seen(value) as nullif(trim(value::varchar, ' \u00a0\u2007\u202f'), '');
-- Z, UTC and GMT are an offset as any other.
create macro _spaced(value) as nullif(trim(
    regexp_replace(
        regexp_replace(
            regexp_replace(value::varchar, '[\\x{a0}\\x{2009}\\x{202f}]', ' ', 'g'), '(?i)\\b([ap])\\. ?m\\.', '\\1m'
        ),
        '(?i)([0-9]|[ap]m)( ?)(Z|UTC|GMT)( |$)', '\\1\\2+0000\\4'
    )
), '');
-- A format or a list of formats, as a list. In brackets and out again: so it is typed where the macro is used. Of
-- names of zones only those are read that mean the same everywhere and all the year.
create macro _formats(format) as string_split(regexp_replace(
    replace(concat_ws(chr(1), [format][1]), '%Z', '%z'), '(%[a-zA-Z] ?)(Z|UTC|GMT)( |\\x01|$)', '\\1%z\\3', 'g'
), chr(1));
-- Of a year with two digits %Y makes one of antiquity, which no record is of. A format must be a constant: so all are
-- written out. What is used more than once is bound by a lambda, and worked out once. What was read with its offset is
-- UTC and says so: without it naive_time would move it once more.
create macro _read(value, formats) as list_transform(
    list_transform([_spaced(value)], lambda text: [{_EACH_FORMAT}])[1],
    lambda found, place: case when found >= timestamp '1900-01-01' then
        strftime(found, '%Y-%m-%d %H:%M:%S.%f') || case when contains(formats[place], '%z') then 'Z' else '' end
    end
);
-- Bits of the formats that read a value; none where none does.
create macro _readable(found) as nullif(list_sum(list_transform(
    found, lambda time, place: case when time is not null then 1 << (place - 1) else 0 end
))::bigint, 0);
create macro _chosen(places) as
    list_reverse(string_split(lpad(bin(places), {_MOST_FORMATS}, '0'), ''))::boolean[];
create macro _only(value, found) as list_transform([list_distinct(found)], lambda different: case len(different)
    when 1 then different[1]
    when 0 then nullif(value::varchar, '')
    else value::varchar || ': day or month first?'
end)[1];
create macro _instant(value, formats) as
    case when _seen(value) is not null then _only(value, _read(value, formats)) end;
-- A time with an offset is of one day here and of another there, unless it is midnight in UTC, as programs write days.
create macro _day(value, formats) as regexp_replace(
    _instant(value, formats), '^([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9:.]+|00:00:00[.]000000Z)$', '\\1'
);
-- A spreadsheet that expects months first makes days of what it can, and turns them: what it leaves as text is of days
-- above twelve.
create macro _iso_day(value) as
    try_cast(regexp_extract(_seen(value), '^[0-9]{4}-(?:0[1-9]|1[0-2])-([0-9]{2})(?:[ T]|$)', 1) as tinyint);
create macro _first_number(value) as
    try_cast(regexp_extract(_seen(value), '^([0-9]{1,2})[./-][0-9]{1,2}[./-](?:19|20)[0-9]{2}', 1) as tinyint);
create macro instant
    (value, format) as _instant(value, _formats(format)),
    (value, format, same) as list_transform(
        [{
            'found': _read(value, _formats(format)),
            'places': bit_and(_readable(_read(value, _formats(format)))) over (partition by same),
            'is_turned': max(_iso_day(value)) over (partition by same) <= 12
                and min(_first_number(value)) over (partition by same) > 12
        }],
        lambda one: case
            when one.is_turned and _iso_day(value) <> try_cast(substr(_seen(value), 6, 2) as tinyint)
                then value::varchar || ': day or month first?'
            when _seen(value) is not null then _only(
                value, case when one.places > 0 then list_where(one.found, _chosen(one.places)) else one.found end
            )
        end
    )[1];
create macro day_of(value, format) as _day(value, _formats(format));
create macro english_months(value) as regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(lower(value::varchar), '\\b([a-z]{3,4})[.]([/-])', '\\1\\2'),
    '\\bma[ij]\\b', 'may'), '\\bokt(ober)?\\b', 'oct'), '\\bde[sz](ember)?\\b', 'dec'), '\\bm(är|rz|ars)\\b', 'mar'),
    '\\b(?:(jan|feb)uar|(ju[nl])i|(sep)t)\\b', '\\1\\2\\3');
create macro unknown_word(value) as coalesce(value::varchar, '') || ': a word that nobody knows';
-- A number; null of what is none. What a spreadsheet wrote as 1.78554E+12 has lost all but six of its digits.
create macro _number(value) as case when not regexp_matches(value::varchar, '^-?[0-9](\\.[0-9]{0,5})?E\\+[0-9]+$')
    then try_cast(value as decimal(38, 6)) end;
create macro instant_of_ms(value) as
    case when _seen(value) is not null then coalesce(
        strftime(make_timestamp(try_cast(_number(_seen(value)) * 1000 as bigint)),
            '%Y-%m-%dT%H:%M:%S.%fZ'),
        '"' || value || '" as milliseconds'
    ) end;
create macro instant_of_seconds(value) as
    case when _seen(value) is not null then coalesce(
        strftime(make_timestamp(try_cast(_number(_seen(value)) * 1000000 as bigint)),
            '%Y-%m-%dT%H:%M:%S.%fZ'),
        '"' || value || '" as seconds'
    ) end;
-- In the zone of times without an offset, where the query names it: on two days a year clocks do not show how much time
-- has gone by. What the clock shows twice says in UTC which of both it is.
create macro _after(local, length) as list_transform(
    [timezone(_zone(), local) + length],
    lambda instant: case
        when timezone(_zone(), instant) in
            (timezone(_zone(), instant - interval 1 hour), timezone(_zone(), instant + interval 1 hour))
            then strftime(timezone('UTC', instant), '%Y-%m-%dT%H:%M:%S.%fZ')
        else strftime(timezone(_zone(), instant), '%Y-%m-%dT%H:%M:%S.%f')
    end
)[1];
create macro later(value, seconds) as
    case when _seen(value) is not null and _seen(seconds) is not null then list_transform(
        [{
            'time': case when contains(_seen(value), ':')
                then try_cast(regexp_replace(_seen(value), ' ?(Z|z|UTC|GMT)$', '') as timestamp) end,
            'length': to_microseconds(try_cast(_number(_seen(seconds)) * 1000000 as bigint)),
            'offset': regexp_extract(_seen(value), ':[0-9.]+ ?(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$', 1)
        }],
        lambda one: coalesce(
            case when one.offset = '' and _zone() is not null then _after(one.time, one.length)
                else strftime(one.time + one.length, '%Y-%m-%dT%H:%M:%S.%f') || one.offset end,
            value::varchar || ' and ' || seconds::varchar || ' seconds'
        )
    )[1] end;
create macro thousandth(value) as
    case when _seen(value) is not null
        then coalesce((_number(_seen(value)) / 1000)::varchar, value::varchar) end;
create macro mapped(value, words) as
    case when _seen(value) is not null then coalesce(
        list_first(map_values(map_from_entries(list_filter(
            map_entries(words), lambda entry: lower(entry.key) = lower(_seen(value))
        )))), value::varchar
    ) end;
create macro matched(value, pattern) as
    case when _seen(value) is not null then
        case when regexp_matches(value::varchar, pattern)
            then nullif(regexp_extract(value::varchar, pattern, 1), '') else value::varchar end
    end;
create macro items(value) as cast(
    case when json_type(value::json) = 'ARRAY' then json_extract(value::json, '$[*]') else [] end as json[]
);
-- A time with an offset as text whose order is that of the instants; what is none stays as it is.
create macro utc(value) as
    case when _seen(value) is not null then coalesce(
        case when regexp_matches(_seen(value), ':[0-9.]+ ?(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$') then strftime(
            try_cast(regexp_replace(
                regexp_replace(_seen(value), ' ?(Z|z|UTC|GMT)$', 'Z'), ' ([+-][0-9:]+)$', '\\1'
            ) as timestamptz)::timestamp, '%Y-%m-%dT%H:%M:%S.%fZ'
        ) end,
        value::varchar
    ) end;
create macro opaque(value) as left(sha256(value::varchar), 16);
""".replace("{_EACH_FORMAT}", _EACH_FORMAT).replace("{_MOST_FORMATS}", str(_MOST_FORMATS))


def _made_at(names: dict[str, list[str]]) -> str:
    """SQL of the word that tells when a file was made.

    By the day in its name; of files of one day that which was written last is the newest, and then the last copy.
    """
    said = ", ".join(f"{_text(name)}: [{_text(day)}, {_text(copy)}]" for name, (day, copy) in names.items())
    return f"""create macro made_at(file, written) as list_transform(
        [map {{{said or "'': ['']"}}}[file]],
        lambda said: concat_ws(' ', nullif(said[1], ''), written, nullif(said[2], ''))
    )[1]"""


def _bound(memory_mb: int, seconds: int) -> None:
    memory = (memory_mb + _OTHER_MB) << 20
    _limit(resource.RLIMIT_DATA, memory, memory)
    # Should the process that waits for this one die, this one ends too.
    # The first of the two tells why: at the second the kernel kills without a word.
    _limit(resource.RLIMIT_CPU, seconds * _THREADS + 5, seconds * _THREADS + 6)
    _limit(resource.RLIMIT_CORE, 0, 0)


def _limit(kind: int, told: int, killed: int) -> None:
    """Set a limit, or what whoever started us left of it: that cannot be raised."""
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        told, killed = min(told, most), min(killed, most)
    resource.setrlimit(kind, (told, killed))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _connected(job: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Return a database with the query's inputs that can reach nothing else any more."""
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{job['memory_mb']}MiB",
            "threads": _THREADS,
            "temp_directory": "",
            "python_enable_replacements": False,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    con.execute("set timezone = 'UTC'")
    zone = job["naive_time"]
    con.execute(f"create macro _zone() as {'null::varchar' if zone is None else _text(zone)}")
    con.execute(_MACROS)
    con.execute(_made_at(job["names"]))
    found = [part["path"] for parts in job["inputs"].values() for part in parts]
    reach = [job["out"], *found, *map(glob.escape, found)]
    con.execute(f"set allowed_paths = [{', '.join(map(_text, reach))}]")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def _views(con: duckdb.DuckDBPyConnection, inputs: dict[str, list[dict[str, Any]]]) -> str | None:
    """Make a view of each input; return the name of one whose files are of no readable form."""
    for name, parts in inputs.items():
        selects = [_part(part) for part in parts]
        try:
            con.execute(f'create view "{name}" as {" union all by name ".join(selects)}')
        except duckdb.Error:
            return name
    return None


def _part(part: dict[str, Any]) -> str:
    """SQL of one file of an input; files that the caller prepared tell their places themselves."""
    # A name with signs of a pattern is meant as it stands.
    path = _text(glob.escape(part["path"]))
    if "name" not in part:
        return f"select * from read_parquet({path})"
    return (
        f"select * exclude (file_row_number), {_text(part['name'])} as _file, file_row_number + 1 as _line,"
        f" {_text(part['written'])} as _modified_at from read_parquet({path}, file_row_number = true)"
    )


def _said(error: duckdb.Error) -> dict[str, Any]:
    """Return what may be told of an error: its place in the select, and its text where no row can stand in it."""
    text = str(error)
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    told = text.partition("\nLINE ")[0].partition(": ")[2].strip() if isinstance(error, _OF_THE_SELECT) else ""
    message = "; ".join(part.strip() for part in told.splitlines() if part.strip())
    return {"kind": type(error).__name__, "line": int(line[1]) if line else None, "message": message}


def _place(con: duckdb.DuckDBPyConnection, inputs: Iterable[str], error: duckdb.Error) -> dict[str, Any]:
    """Return where a value stands that an expression could not read: column, file and line, never the value."""
    text = str(error)
    value, cast_from = _VALUE.search(text), _CAST_FROM.search(text)
    if value is None:
        return {}
    for name in inputs:
        for column, kind, *_ in con.execute(f'describe "{name}"').fetchall():
            if kind == "VARCHAR" and (cast_from is None or column == cast_from["column"]):
                quoted = '"' + column.replace('"', '""') + '"'
                found = con.execute(
                    f'select _file, _line from "{name}" where {quoted} = ? order by all limit 1', [value["value"]]
                ).fetchone()
                if found is not None:
                    return {"column": column, "place": f"{found[0]}:{found[1]}", "is_json": _NO_JSON in text}
    return {}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Carry out a job and return what became of it."""
    try:
        with _connected(job) as con:
            unreadable = _views(con, job["inputs"])
            if unreadable is not None:
                return {"kind": "input", "line": None, "message": unreadable}
            try:
                # On the first line, so that errors name the lines of the query's file.
                con.execute(f"create temp table result as {job['sql']}")
            except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
                with suppress(duckdb.Error):
                    return _said(error) | _place(con, job["inputs"], error)
                raise
            con.execute(f"copy result to {_text(job['out'])} (format parquet)")
    except duckdb.Error as error:
        return _said(error)
    except MemoryError:
        return {"kind": "OutOfMemoryException", "line": None, "message": ""}
    return {"kind": "ok"}


def main(path: str) -> None:
    """Carry out the job in a file within its bounds and write what became of it to standard output."""
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    _bound(given["memory_mb"], given["seconds"])
    sys.stdout.write(json.dumps(run(given)))


if __name__ == "__main__":
    main(sys.argv[1])
