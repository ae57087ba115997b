"""What a pull remembers beside the landing: its outcome, and which local day was last seen how.

A note can be lost: what it knew of days is read back from the loads themselves.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from opsmetrics.landing import read_loads
from opsmetrics.organisation import Delivery
from opsmetrics.whole import write_whole_text

# Local day -> (sequence of the load that holds it, instant at which the source last said the same).
Seen = dict[str, tuple[int, str]]
Window = tuple[date, date]


def days_of(window: Window) -> list[date]:
    """Return the local days of a half-open window."""
    return [window[0] + timedelta(days=number) for number in range((window[1] - window[0]).days)]


@dataclass(frozen=True, slots=True)
class PullNote:
    """Last outcome of pulling one source of a stream, as data health shows it.

    Attributes:
        stream: Stream.
        origin: Source.
        attempted_at: Last pull.
        succeeded_at: Last pull without error.
        error: What went wrong last.
        seen: What was landed for each local day, and when it was last seen to be so.
    """

    stream: str
    origin: str
    attempted_at: str
    succeeded_at: str | None
    error: str | None
    seen: Seen


def write_note(folder: Path, note: PullNote) -> None:
    """Write a note whole: a pull that is killed leaves the one before, and of two at once the last one stays."""
    write_whole_text(folder / f"{note.stream}.{note.origin}.json", json.dumps(asdict(note)))


def read_notes(folder: Path) -> dict[tuple[str, str], PullNote]:
    """Return the last outcome of every (stream, source); a note cut off by a crash counts as none."""
    notes: dict[tuple[str, str], PullNote] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            note = PullNote(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            continue
        notes[note.stream, note.origin] = note
    return notes


def seen_in_loads(landing: Path, delivery: Delivery) -> Seen:
    """Read from the loads themselves what a lost note would have told; needed once."""
    found: Seen = {}
    for load in read_loads(landing, delivery.stream, delivery.origin):
        if load.is_complete:
            mark = (load.sequence, load.loaded_at.isoformat())
            found |= {day.isoformat(): mark for day in days_of((load.window_start, load.window_end))}
    return found
