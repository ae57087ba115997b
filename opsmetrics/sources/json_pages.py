"""Whether an answer of an API that somebody stored says itself that it is one page of several.

Each API has its own word for it; those of common ones are known here. What is beyond the page would be silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# In small letters without ``_`` and what stands before a full stop: ``@odata.nextLink`` is ``nextlink``.
_MORE = {"more", "hasmore", "hasnext", "hasnextpage", "moreavailable", "istruncated", "truncated"}
_LAST = {"islast", "islastpage"}
_NEXT = {"next", "nextlink", "nextpage", "nexturl", "nextpagetoken", "nextcursor", "nexttoken", "nextrecordsurl"}
# Objects beside the records that hold such words.
_BESIDE = {"links", "paging", "pagination", "pageinfo", "meta", "metadata", "page", "responsemetadata"}
_START, _TOTAL = ("startat", "offset", "start"), ("total", "totalcount", "totalresults")


def says_more(value: Any, records: list[Any]) -> bool:
    """Return whether an object that holds a list of records says that there are more.

    Args:
        value: The object.
        records: The list.
    """
    if not isinstance(value, dict):
        return False
    said = dict(_words(value))
    if any(said.get(word) is True for word in _MORE) or any(said.get(word) is False for word in _LAST):
        return True
    if any(said.get(word) for word in _NEXT):
        return True
    start = next((_count(said[word]) for word in _START if word in said), None)
    total = next((_count(said[word]) for word in _TOTAL if word in said), None)
    return start is not None and total is not None and start + len(records) < total


def _words(value: dict[str, Any], *, is_beside: bool = False) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        word = key.rpartition(".")[2].replace("_", "").replace("-", "").lower()
        if word in _BESIDE and isinstance(inner, dict) and not is_beside:
            yield from _words(inner, is_beside=True)
        yield word, inner


def _count(value: Any) -> int | None:
    """Return a number, which is spelled as text here; None of what is none."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 12 else None
