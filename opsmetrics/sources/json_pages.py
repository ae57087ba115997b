"""Whether an answer of an API that somebody stored says itself that it is one page of several.

Each API has its own word for it; those of common ones are known here. What is beyond the page would be silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# In small letters without ``_``, ``-``, ``$`` and what stands before a full stop: ``@odata.nextLink`` is ``nextlink``.
_MORE = {"more", "hasmore", "hasnext", "hasnextpage", "moreavailable", "istruncated", "truncated", "resulttruncated"}
_LAST = {"islast", "islastpage", "last", "lastpage", "endofstream"}
_NEXT = {"next", "nextlink", "nextpage", "nexturl", "nextpageurl", "nextpagetoken", "nextcursor", "nexttoken"}
_NEXT |= {"nextrecordsurl", "nextmarker", "skiptoken", "continue", "continuationtoken"}
# Objects beside the records that hold such words.
_BESIDE = {"links", "paging", "pagination", "pageinfo", "meta", "metadata", "page", "responsemetadata", "counts"}
_START = ("startat", "offset", "start")
_TOTAL = ("total", "totalcount", "totalresults", "totalrecords", "totalelements", "totalitems", "totalresources")
_TOTAL += ("totalhits", "recordcount")


_SIGNS = str.maketrans("", "", "_-$")


def says_more(value: Any, records: list[Any]) -> bool:
    """Return whether an object that holds a list of records says that there are more.

    Args:
        value: The object.
        records: The list.
    """
    if not isinstance(value, dict):
        return False
    said = dict(_words(value))
    if any(_is(said.get(word), True) for word in _MORE) or any(_is(said.get(word), False) for word in _LAST):
        return True
    if any(_is(said.get(word), False) for word in _MORE) or any(_is(said.get(word), True) for word in _LAST):
        return False
    if any(said.get(word) for word in _NEXT):
        return True
    # Where it does not say at which record it begins, it is whole or one of several.
    start = next((_count(said[word]) for word in _START if word in said), None) or 0
    total = next((_count(said[word]) for word in _TOTAL if word in said), None)
    return total is not None and start + len(records) < total


def _is(value: Any, flag: object) -> bool:
    return value is flag or (isinstance(value, str) and value.lower() == str(flag).lower())


def _words(value: dict[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        word = key.rpartition(".")[2].translate(_SIGNS).lower()
        if word in _BESIDE and isinstance(inner, dict) and parent in {"", "meta", "metadata"}:
            yield from _words(inner, word)
        yield ("nextcursor" if parent == "page" and word == "after" else word), inner


def _count(value: Any) -> int | None:
    """Return a number, which is spelled as text here, or stands in an object with how sure it is; None of others."""
    value = value.get("value") if isinstance(value, dict) else value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 12 else None
