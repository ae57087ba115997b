"""What the label ``severity`` of an alert says, as rules of Prometheus and Grafana are written: there is no standard.

``none`` marks what is no alert at all: kube-prometheus' Watchdog fires always, so that its silence is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping

# Word -> 1 (most severe) to 4.
SEVERITIES: Mapping[str, int] = {
    "critical": 1,
    "page": 1,
    "high": 2,
    "error": 2,
    "major": 2,
    "warning": 3,
    "warn": 3,
    "medium": 3,
    "minor": 3,
    "info": 4,
    "information": 4,
    "low": 4,
}
_PAGING = frozenset({"critical", "page"})
# The word that says that nobody is to be told.
NOBODY = "none"
WATCHDOG = "Watchdog"


def severity_of(label: str | None) -> int | None:
    """Return 1 (most severe) to 4; None for a word that is not known, and for none at all."""
    return SEVERITIES.get((label or "").strip().casefold())


def is_paging(label: str | None) -> bool | None:
    """Whether an alert of this severity wakes somebody; None where the label is missing or not known."""
    word = (label or "").strip().casefold()
    return word in _PAGING if word in SEVERITIES or word == NOBODY else None


def is_no_page(name: str | None, label: str | None) -> bool:
    """Whether an alert is none that anybody is told of: severity ``none``, or a watchdog's heartbeat."""
    return (label or "").strip().casefold() == NOBODY or name == WATCHDOG
