"""What an answer of Prometheus says about itself beside its data: a part of it may be missing, with status 200.

``warnings`` come with data. Those of the query language are about the query; every other one (a store of Thanos or
Mimir that did not answer, a series that was cut off) says that data are missing, and so does ``isPartial``, the word of
VictoriaMetrics. ``infos`` say nothing of either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from opsmetrics.sources.fetching import FetchResult

_OF_THE_QUERY = "PromQL "
INCOMPLETE = "answers with a warning that data are missing"
ABOUT_QUERY = "answers with a warning about the query: look at it in Prometheus"
NO_DATA = "days left open, of which Prometheus has no data at all: it was away, or has lost or forgotten them"


class Notes:
    """Gathers what the answers to one question say about themselves."""

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()

    def read(self, answer: Mapping[str, Any]) -> list[Any]:
        """Return the series of an answer, and keep its warnings; their texts may quote anything, and are left there."""
        warnings = answer.get("warnings") or []
        if answer.get("isPartial") is True or any(not str(text).startswith(_OF_THE_QUERY) for text in warnings):
            self._said[INCOMPLETE] += 1
        elif warnings:
            self._said[ABOUT_QUERY] += 1
        found: list[Any] = answer["data"]["result"]
        return found

    def count(self, what: str, number: int) -> None:
        """Count what was left out."""
        if number:
            self._counted[what] += number

    def result(
        self, rows: Sequence[Mapping[str, Any]], source: str, unseen: frozenset[date] = frozenset()
    ) -> FetchResult:
        """Return the rows with what is to be said of them; days of which data are missing are not complete.

        Args:
            rows: Rows.
            source: Where they came from.
            unseen: Days of which the source has no data at all.
        """
        self.count(NO_DATA, len(unseen))
        notes = tuple(f"{number} {what}" for what, number in sorted(self._said.items()))
        return FetchResult(rows, INCOMPLETE not in self._said, source, notes, unseen, self._counted)
