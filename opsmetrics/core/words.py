"""What is wrong with a value, in the product's own words: allowed values, and one sentence for one cause.

Belongs here: the errors of pydantic and tomllib as people can act on them. Does not belong here: where a value stands
(``load``), and rules of our own, which are written in plain words where they are checked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

from pydantic_core import ErrorDetails

Words = tuple[str, str]
Place = tuple[int | str, ...]

_DAY = "write it as 2026-01-31"
_NUMBER = "write a number such as 20 or 0.995: no quotes, no %, and a point for decimals"
_QUOTES = 'write text in quotes, days as 2026-01-31, lists as ["a", "b"], yes and no as true and false'
# Kind of error, or how its kind begins -> what is wrong, and what to write instead.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("date_", "it is not a day", _DAY),
    ("datetime_", "it is no instant", "write it as 2026-01-31T06:00:00Z or with +01:00"),
    ("timezone_", "it is no instant", "write it as 2026-01-31T06:00:00Z or with +01:00"),
    ("time_", "it is no time of day", 'write it as "08:30"'),
    ("bool_", "it is neither true nor false", "write true or false, without quotes"),
    ("int_", "it is no whole number", "write a whole number, without quotes"),
    ("float_", "it is not a number", _NUMBER),
    ("finite_number", "it is not a number", _NUMBER),
    ("string_type", "it is no text", 'write text in quotes: "..."'),
    ("string_sub_type", "it is no text", 'write text in quotes: "..."'),
    ("list_type", "it is no list", "write a list in brackets: [...]"),
    ("tuple_type", "it is no list", "write a list in brackets: [...]"),
    ("dict_type", "it is no table", "write a table in braces: { key = value }"),
    ("mapping_type", "it is no table", "write a table in braces: { key = value }"),
    ("model_", "it is no table", "write a table in braces: { key = value }"),
)
_CORRECT = "correct the value"
_LIMITS: Mapping[str, Words] = {
    "greater_than": ("it must be more than {gt:g}", _CORRECT),
    "greater_than_equal": ("it must be {ge:g} or more", _CORRECT),
    "less_than": ("it must be less than {lt:g}", _CORRECT),
    "less_than_equal": ("it must be {le:g} or less", _CORRECT),
    "multiple_of": ("it must be a multiple of {multiple_of:g}", _CORRECT),
    "string_too_short": ("it is shorter than {min_length} signs", "say more"),
    "string_too_long": ("it is longer than {max_length} signs", "say it shorter"),
    "too_short": ("it has fewer items than {min_length}", "write more of them"),
    "too_long": ("it has more items than {max_length}", "write fewer of them"),
}
_ID = ("it is no id", "write small letters, digits, '-', '_' and '.' only, a letter or digit first")
# What the patterns of the models ask for, in words.
_PATTERNS: Mapping[str, Words] = {
    r"^[a-z0-9][a-z0-9_.-]*$": _ID,
    r"^[A-Z][A-Z0-9_]*$": (
        "it is not a name of an environment variable",
        "write the name of the variable that holds the secret, such as GITHUB_TOKEN, never the secret",
    ),
    r"^\d\d-\d\d$": ("it is not a day of the year", "write month and day as 12-24"),
    r"^(now|[1-9]\d*d)$": ("it is no window", 'write days such as "90d"'),
    r"\S": ("it is empty", "write it"),
    r"^[^,]+$": ("it names more than one metric", "name one metric; write one table for each"),
}
# How a sentence of the TOML parser begins -> ours.
_TOML: tuple[tuple[str, str, str], ...] = (
    ("Invalid value", "the value of this line cannot be read", _QUOTES),
    ("Expected newline or end of document", "the value of this line ends, and more follows", _QUOTES),
    ("Expected '=' after a key", "the line has no =", "write key = value; a name of several words goes in quotes"),
    ("Invalid statement", "the line is neither key = value nor a [table]", "write key = value, or begin it with #"),
    ("Unterminated string", "the quote that is opened is not closed", "close it with the sign that opened it"),
    ("Expected", "the line ends too early or a sign is missing", "look at its quotes, brackets and equals sign"),
    ("Unclosed array", "the list that is opened is not closed", "close it with ], and put commas between its items"),
    ("Unclosed inline", "the table that is opened is not closed", "close it with }, and put commas between its keys"),
    ("Cannot overwrite a value", "the key stands there twice", "keep one of them"),
    ("Cannot declare", "the table stands there twice", "write [[name]] with two brackets, or keep one of them"),
    ("Cannot mutate", "the table stands there twice", "write it in one place"),
    ("Duplicate", "the key stands there twice", "keep one of them"),
    ("Found invalid character", "the text holds a sign that may not stand there", 'write \\\\ for \\ and \\" for "'),
    ("Illegal character", "the line holds a sign that may not stand there", "delete it and write it again"),
    ("Unescaped", "a \\ stands in the text", "write / in paths, or '...' around the text in place of quotes"),
    ("Invalid hex", "a \\ stands in the text", "write / in paths, or '...' around the text in place of quotes"),
    ("Invalid date", "there is no such day", _DAY),
)
# What pydantic puts into a place for each type of a value that may be of several.
_TYPE = re.compile(r"str|int|float|bool|date|none|(list|dict|function|constrained|nullable|union)\b.*")
# What a word processor, a chat or a web page writes in place of the signs that TOML knows.
_TYPESET_QUOTES = re.compile("=\\s*[\\[{\\s]*[\u201c-\u201f\u2018-\u201b\u00ab\u00bb]")
_ODD_BLANKS = re.compile("[\u00a0\u2000-\u200d\u202f\u2060\u3000\ufeff]")
_OLD_ENDS = "its lines end as those of very old programs", "save it with the line ends of Unix or Windows"
_NORWEGIAN_DAY = re.compile(r"=\s*[\"']?\d{1,2}\.\d{1,2}\.\d{4}")

_NORWEGIAN_DECIMAL = re.compile(r"=\s*\d+,\d+\s*(#.*)?$")


def of_toml(said: str, text: str) -> tuple[int | None, str, str]:
    """Return line, what is wrong and what to do of a text that is no TOML.

    Args:
        said: The parser's sentence.
        text: What it read.
    """
    at = re.search(r"at line (\d+)", said)
    lines = text.splitlines()
    line = int(at[1]) if at else len(lines) or 1
    # Where the text ends before it should, the parser names no line; the last one with a sign is where it ends.
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    found: Words | None = _signs(shown) if "\r" not in text.replace("\r\n", "") else _OLD_ENDS
    if found is None and shown.lstrip().startswith("[[") and said.startswith("Cannot overwrite"):
        found = "the table stands above with one bracket", "write [[name]] with two brackets each time"
    if found is None:
        begun = ((message, fix) for begins, message, fix in _TOML if said.startswith(begins))
        found = next(begun, ("the line cannot be read", _QUOTES))
    return line, found[0], found[1]


def _signs(shown: str) -> Words | None:
    """Signs of a line that look right to people and are none of TOML's."""
    if _TYPESET_QUOTES.search(shown):
        return "its quotes are those of a word processor", 'write straight ones: "..."'
    if _ODD_BLANKS.search(re.sub("\"[^\"]*\"|'[^']*'", "", shown)):
        return "it holds a blank that is none of the keyboard's", "delete the blanks of the line and type them"
    if _NORWEGIAN_DAY.search(shown):
        return "the day is written in another way than this file takes", _DAY
    if _NORWEGIAN_DECIMAL.search(shown):
        return "the number is written with a comma", _NUMBER
    return None


def of_value(item: ErrorDetails) -> Words:
    """Return what is wrong with a value and what to write instead, without the words of a library."""
    kind, limits = item["type"], item.get("ctx", {})
    match kind:
        case "value_error":
            found = _own(item["msg"].removeprefix("Value error, "))
        case "literal_error" | "enum":
            found = _none_of(item["input"], _quoted(limits.get("expected")))
        case "union_tag_invalid":
            found = _none_of(item["input"], _quoted(limits.get("expected_tags")), "kind")
        case "union_tag_not_found":
            found = "its 'kind' is missing", 'add kind = "...": docs/connectors.md lists them'
        case "string_pattern_mismatch":
            found = _PATTERNS.get(str(limits.get("pattern")), ("it has not the form that is asked for", _QUOTES))
        case _ if kind.startswith("model_") and item["loc"][-1:] == ("name",):
            found = "it is no name", 'write name = "...", or { nb = "...", en = "..." }'
        case _:
            found = _limit(kind, limits) or _kind(kind) or (item["msg"], _CORRECT)
    return found


def _own(said: str) -> Words:
    """A sentence of ours: what follows its last semicolon says what to do, where it begins so."""
    message, separator, fix = said.rpartition("; ")
    is_fix = separator and fix.startswith(("write", "set", "name", "let", "add", "leave"))
    return (message, fix) if is_fix else (said, _CORRECT)


def _quoted(text: object) -> list[str]:
    return re.findall(r"'([^']*)'", str(text))


def _none_of(value: object, allowed: Sequence[str], key: str = "") -> Words:
    written = value.get(key) if isinstance(value, dict) else value
    near = difflib.get_close_matches(str(written), allowed, n=1)
    message = f"{str(written)[:40]!r} is no {key or 'value'} that is allowed here"
    meant = f"did you mean {near[0]!r}? " if near else ""
    return message, f"{meant}allowed are {', '.join(allowed)}"


def _limit(kind: str, limits: Mapping[str, Any]) -> Words | None:
    """A value that is too small, too large, too short or too long."""
    if (kind == "string_too_short" and limits["min_length"] == 1) or limits.get("actual_length") == 0:
        return "it is empty", "write it" if kind == "string_too_short" else "write at least one"
    if kind == "less_than" and limits["lt"] == 1:
        return "it must be less than 1", "write a share such as 0.995"
    found = _LIMITS.get(kind)
    return (found[0].format(**limits), found[1]) if found else None


def _kind(kind: str) -> Words | None:
    return next(((message, fix) for begins, message, fix in _KINDS if kind.startswith(begins)), None)


def causes(errors: Iterable[ErrorDetails], known: Callable[[Place], Sequence[str]]) -> list[ErrorDetails]:
    """Return the errors that are causes: a key written wrong is not also missing, and a value is wrong once.

    Args:
        errors: All errors of one table.
        known: Keys that the table of a place may have.
    """
    found = list(errors)
    meant = {
        (*item["loc"][:-1], near)
        for item in found
        if item["type"] == "extra_forbidden"
        for near in difflib.get_close_matches(str(item["loc"][-1]), known(item["loc"]), n=1)
    }
    kept: dict[Place, ErrorDetails] = {}
    for item in found:
        if item["type"] == "missing" and item["loc"] in meant:
            continue
        # Of a value that may be of several types the deepest error says most.
        value = _value_of(item["loc"])
        if value not in kept or len(item["loc"]) > len(kept[value]["loc"]):
            kept[value] = item
    return list(kept.values())


def _value_of(place: Place) -> Place:
    """The place of the value of which several types were tried; any other place is itself."""
    for number, part in enumerate(place):
        if isinstance(part, str) and _TYPE.fullmatch(part):
            return place[:number]
    return place


def key_of(place: Place) -> str:
    """Return a place as people write it: the keys of its own table, without numbers and names of types."""
    inner = _value_of(place)
    tables = [number for number, part in enumerate(inner) if isinstance(part, int)]
    start = tables[0] + 1 if tables and tables[0] == 1 and inner[0] in {"stream", "connector"} else 0
    names = [part for part in inner[start:] if isinstance(part, str)]
    return ".".join(names[1:] if inner[:1] == ("connector",) and len(names) > 1 else names)


def shown(item: ErrorDetails) -> str:
    """Return a wrong value as it may be shown: never one that may hold a secret, and not twice."""
    value, key = item["input"], key_of(item["loc"])
    written = value.isoformat() if isinstance(value, date | time) else repr(value)
    if item["type"] == "literal_error":
        return ""
    is_secret = key.endswith("_env") or "url" in key or "://" in written or "@" in written
    return "" if is_secret or isinstance(value, dict | list) else f" (found {written[:60]})"
