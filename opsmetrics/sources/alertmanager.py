"""Alertmanager beside a Prometheus: since when what fires now has fired, and what was silenced (contracts, C3).

It forgets an alert when it is over, and a silence some days after it ended (``--data.retention``). Prometheus adds its
``external_labels`` only to what it sends here: an alert is the same when it has all labels of the series, and more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors.telemetry import Prometheus
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import Http

# Samples are a minute apart, and a rule is evaluated somewhat before its sample is read.
NEAR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a silence, as the API tells it."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool

    def holds(self, labels: Mapping[str, str], *, is_all: bool) -> bool:
        """Whether labels fulfil it.

        Args:
            labels: Labels of an alert.
            is_all: Whether these are all that it has: a label that is not there is empty then, as Alertmanager has it.
                Of the others nobody knows the value, which fulfils nothing.
        """
        own = labels.get(self.name, "" if is_all else None)
        if own is None:
            return False
        if not self.is_regex:
            return (own == self.value) == self.is_equal
        try:
            return bool(re.fullmatch(self.value, own)) == self.is_equal
        except re.error:
            # Go knows expressions that Python does not: whether it holds is not known, and nothing is hidden.
            return False


@dataclass(frozen=True, slots=True)
class Silence:
    """One period in which alerts with some labels told nobody."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime

    def covers(self, labels: Mapping[str, str], first: datetime, last: datetime, *, is_all: bool) -> bool:
        """Whether it silenced an alert from its first to its last instant; see :meth:`Matcher.holds`."""
        is_during = self.starts_at <= first and last <= self.ends_at
        return is_during and all(matcher.holds(labels, is_all=is_all) for matcher in self.matchers)


class Alertmanager:
    """What an Alertmanager knows at the time of a pull; nothing where none is configured.

    Args:
        request: The question, for its connector's ``alertmanager_url``.
    """

    def __init__(self, request: FetchRequest[Prometheus]) -> None:
        self._active: list[tuple[dict[str, str], datetime]] = []
        self._silences: list[Silence] = []
        if request.connector.alertmanager_url is None:
            return
        with client(request) as http:
            for item in http.get("api/v2/alerts"):
                self._active.append((dict(item["labels"]), datetime.fromisoformat(item["startsAt"])))
            self._silences = [_silence(item) for item in http.get("api/v2/silences")]

    def fired(self, labels: Mapping[str, str], first: datetime) -> datetime:
        """Return since when an alert fires whose first sample is known, or the sample's instant."""
        starts = [at for known, at in self._active if labels.items() <= known.items() and abs(first - at) <= NEAR]
        return min(starts, key=lambda at: abs(first - at), default=first)

    def is_silenced(self, labels: Mapping[str, str], first: datetime, last: datetime) -> bool:
        """Whether nobody was told of an alert, from its first to its last instant."""
        # External labels are known of what is active; a silence may name them.
        active = [known for known, at in self._active if labels.items() <= known.items() and abs(first - at) <= NEAR]
        told = [(labels, False), *((known, True) for known in active)]
        return any(
            silence.covers(known, first, last, is_all=is_all) for silence in self._silences for known, is_all in told
        )


def client(request: FetchRequest[Prometheus]) -> Http:
    """Return a client of the configured Alertmanager."""
    settings = request.connector
    return Http(f"{settings.name} alertmanager", settings.alertmanager_url or "", request.settings)


def _silence(item: dict[str, Any]) -> Silence:
    matchers = tuple(
        # Older versions have no isEqual: all their matchers are.
        Matcher(matcher["name"], matcher["value"], matcher["isRegex"], matcher.get("isEqual", True))
        for matcher in item["matchers"]
    )
    return Silence(matchers, datetime.fromisoformat(item["startsAt"]), datetime.fromisoformat(item["endsAt"]))
