"""End-of-test summaries of k6: the load that a test reached, and whether its limits held (contracts, I).

Three forms: ``--summary-export`` (flat; a threshold is *true where it was crossed*), ``handleSummary`` (values apart; a
threshold has ``ok``), and the machine-readable one of k6 1.5 and later (a list of metrics, no thresholds, a time).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from opsmetrics.organisation.connectors.result_files import K6Summaries
from opsmetrics.sources import json_files
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
_HOUR = 3600


def probe(request: FetchRequest[K6Summaries]) -> str:
    """Count the summaries."""
    rows, broken = _rows(request)
    return f"{len(rows)} summaries, {len(broken)} unreadable"


def load_tests(request: FetchRequest[K6Summaries]) -> FetchResult:
    """Return the tests of all summaries; a file that is none, or does not say when and of what, makes it a part."""
    rows, broken = _rows(request)
    notes = (f"no summaries with service and time: {', '.join(broken[:5])}",) if broken else ()
    return FetchResult(rows, is_complete=not broken, source=f"k6 {request.connector.folder}", notes=notes)


def _rows(request: FetchRequest[K6Summaries]) -> tuple[list[Row], list[str]]:
    settings = request.connector
    rows: list[Row] = []
    broken: list[str] = []
    for path in json_files.found(request, settings.folder, settings.files):
        try:
            rows.append(_row(settings, path, json_files.content(path)))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            broken.append(path.name)
    return rows, broken


def _row(settings: K6Summaries, path: Path, summary: Any) -> Row:
    named = re.fullmatch(settings.names, path.name)
    told = named.groupdict() if named else {}
    service = settings.service(told.get("service")) or settings.of_service
    # When a file was written says nothing: copies and checkouts are new.
    text = summary["metadata"]["generatedAt"] if _is_machine_readable(summary) else told.get("at")
    if service is None or text is None:
        raise ValueError("neither the name nor the content says of what service and when")
    tested_at = datetime.fromisoformat(text)
    if tested_at.tzinfo is None:
        raise ValueError("a time without zone")
    metrics = _metrics(summary)
    per_hour = metrics["http_reqs"]["rate"] * _HOUR
    peak = settings.peaks.get(service)
    return {
        "test_id": f"{service}-{tested_at:%Y%m%dT%H%M%S%z}",
        "service_id": service,
        "tested_at": tested_at,
        "reached_ratio": per_hour / peak if peak else None,
        "is_slo_met": _held(settings, metrics) if settings.limits else _passed(summary),
    }


def _is_machine_readable(summary: Mapping[str, Any]) -> bool:
    return "results" in summary


def _metrics(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return metric -> its values, whatever the form; a counter's rate is per second."""
    if not _is_machine_readable(summary):
        return {name: metric.get("values", metric) for name, metric in summary["metrics"].items()}
    seconds = summary["config"]["duration"]
    return {
        metric["name"]: {**metric["values"], "rate": metric["values"]["count"] / seconds}
        if metric["type"] == "counter"
        else metric["values"]
        for metric in summary["results"]["metrics"]
    }


def _held(settings: K6Summaries, metrics: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Whether the configured limits held; a value that is not there tells nothing."""
    values = [(metrics.get(limit.metric, {}).get(limit.value), limit.at_most) for limit in settings.limits]
    return _all(None if value is None else value <= at_most for value, at_most in values)


def _passed(summary: Mapping[str, Any]) -> bool | None:
    """Whether the test's own thresholds held, None where it has none."""
    found = list(_thresholds(summary))
    return _all(found) if found else None


def _thresholds(summary: Mapping[str, Any]) -> Iterator[bool]:
    if _is_machine_readable(summary):
        return
    for metric in summary["metrics"].values():
        for outcome in (metric.get("thresholds") or {}).values():
            # The flat form tells whether the threshold was crossed.
            yield outcome["ok"] if isinstance(outcome, dict) else not outcome


def _all(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return False if False in found else None if None in found else True
