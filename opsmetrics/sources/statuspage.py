"""An Atlassian Statuspage: when people said what, with their local offsets (contracts, D)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors.monitors import StatusPage
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
FILES = {
    "incident": ("api/v2/incidents.json", "incidents"),
    "maintenance": ("api/v2/scheduled-maintenances.json", "scheduled_maintenances"),
}
# States of a report that is over; a post mortem comes after the end.
_OVER = frozenset({"resolved", "postmortem", "completed"})
_LASTING = frozenset({"investigating", "identified", "monitoring", "in_progress", "verifying"})
UNKNOWN_STATUS = "reports in a state that is not known: over only where the page says when they ended"
PLANNED = "planned maintenances left out, not begun"
WRITTEN_LATER = "reports written down afterwards, of which the page states a day and no end"
# As many reports of each kind as a page shows.
SHOWN = 50
CUT = (
    f"all {SHOWN} reports of {{kind}} that the page shows are newer than the last look at it: older ones are not known"
)
# People show an update at another time than they typed it, but not by much.
_TYPING = timedelta(hours=1)


def probe(request: FetchRequest[StatusPage]) -> str:
    """Count the newest reports."""
    with request.client(request.connector.url) as http:
        return f"{len(http.get(FILES['incident'][0])['incidents'])} newest incidents readable"


def incident_reports(request: FetchRequest[StatusPage]) -> FetchResult:
    """Return the 50 newest reports of each kind; older ones stay as landed before. Texts and titles are not kept.

    Planned work is maintenance in whichever list it stands; it is a report once it has begun.
    """
    rows: list[Row] = []
    counted: Counter[str] = Counter()
    notes: list[str] = []
    with request.client(request.connector.url) as http:
        for name, (path, key) in FILES.items():
            items: list[Row] = http.get(path)[key]
            if len(items) >= SHOWN and _are_all_new(request, items):
                notes.append(CUT.format(kind=name))
            for item in items:
                is_planned = name == "maintenance" or item.get("impact") == "maintenance" or item.get("scheduled_for")
                started = item.get("scheduled_for" if is_planned else "started_at") or item.get("started_at")
                begins = _instant(started)
                if item.get("status") == "scheduled" or (begins is not None and begins > request.now):
                    counted[PLANNED] += 1
                    continue
                is_known = item.get("status") in _OVER | _LASTING
                counted[UNKNOWN_STATUS] += not is_known
                written_at = _written_later(item)
                resolved = _ended(item)
                ended = _instant(resolved) if isinstance(resolved, str) else resolved
                if written_at is not None and ended in {_instant(item["created_at"]), begins}:
                    # Noon of the day is not when it ended.
                    resolved = None
                    counted[WRITTEN_LATER] += 1
                # The same report in both lists is one; of different ones with one id the contract believes none.
                rows.append(
                    {
                        "provider": request.connector.name,
                        "report_id": item["id"],
                        "kind": "maintenance" if is_planned else "incident",
                        "severity": item.get("impact"),
                        "started_at": started or item["created_at"],
                        "resolved_at": resolved,
                        "announced_at": written_at or item["created_at"],
                    }
                )
    return FetchResult(rows, source=request.connector.url, notes=tuple(notes), counted=+counted)


def _are_all_new(request: FetchRequest[StatusPage], items: list[Row]) -> bool:
    """Whether reports were written down between the last look and the oldest that is shown, for all that is known."""
    before = request.asked_before
    made = [_written_later(item) or _instant(item["created_at"]) for item in items]
    return before is not None and all(at is not None and at > before for at in made)


def _ended(item: Row) -> str | datetime | None:
    """When a report ended: its state decides, since one that was opened again may carry the time of its first end."""
    return None if item.get("status") in _LASTING else item.get("resolved_at") or _last_word(item)


def _last_word(item: Row) -> datetime | None:
    """When a report that is over was last said to be over; one that was written down afterwards has no other end."""
    if item.get("status") not in _OVER:
        return None
    said = [
        at
        for update in item.get("incident_updates") or ()
        if update.get("status") in _OVER - {"postmortem"} and (at := _instant(update.get("display_at"))) is not None
    ]
    return max(said, default=None)


def _written_later(item: Row) -> datetime | None:
    """When somebody wrote a report down that had not been one: its own times are all noon of the day it is about.

    Public pages do not mark such a report; its first update is shown at that noon and was made later.
    """
    created = _instant(item["created_at"])
    updates = [
        (shown, made)
        for update in item.get("incident_updates") or ()
        if (shown := _instant(update.get("display_at"))) is not None
        and (made := _instant(update.get("created_at"))) is not None
    ]
    shown, made = min(updates, default=(None, None))
    is_later = shown is not None and made is not None and shown == created and made - shown > _TYPING
    return made if is_later or (item.get("backfilled") is True and made is not None) else None


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else None
