"""What an earlier look at a source said, where the source has forgotten since why (ADR 28).

A source tells for some days only what kept an alert from telling anybody: a silence that is over is forgotten, and so
is why nobody was called. An alert that was over when its day was last looked at was judged then, with what was known.
That judgement stands, unless somebody asks for just these days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.looks import Look

# For so long after an alert ended its silences are known for sure: Grafana and Alertmanager keep them for five days.
KNOWN = timedelta(days=4)
# An end may be told somewhat late.
LATE = timedelta(hours=1)


class Earlier:
    """What was said before of alerts that are told now.

    Args:
        request: The question.
        keys: Ids of all alerts that are told now, pages or not. Where none of those that were landed is among them they
            were made in another way, and say nothing.
    """

    def __init__(self, request: FetchRequest[Any], keys: Collection[str]) -> None:
        self._request, self._keys = request, frozenset(keys)

    @cached_property
    def _looks(self) -> Mapping[date, Look]:
        looks = self._request.looks()
        return looks if any(look.keys & self._keys for look in looks.values()) else {}

    def was_page(self, key: str, began: datetime, ended: datetime | None) -> bool | None:
        """Return whether an alert was a page when it was looked at after its end; None where that is not known.

        It is not asked while the source still knows, nor of one that was a page of another day.

        Args:
            key: Its id.
            began: When it began, which says whose day it is.
            ended: When it ended.
        """
        if ended is None or self._request.now - ended <= KNOWN:
            return None
        look = self._looks.get(began.astimezone(self._request.organisation.zone).date())
        if look is None or look.at < ended + LATE:
            return None
        is_elsewhere = key not in look.keys and any(key in other.keys for other in self._looks.values())
        return None if is_elsewhere else key in look.keys
