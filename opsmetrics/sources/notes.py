"""What a pull remembers beside the landing: its outcome, which local day was last seen how, and files as they were.

A note can be lost: what it knew of days is read back from the loads themselves, and files are read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from opsmetrics.core.atomic import write_whole_text
from opsmetrics.core.json_text import json_value
from opsmetrics.landing import Load, read_loads
from opsmetrics.organisation import Delivery
from opsmetrics.sources.open_rows import ends_in_load
from opsmetrics.streams import STREAMS


class Mark(NamedTuple):
    """How a local day was last seen at its source.

    Attributes:
        sequence: Number of the load that holds it.
        at: Instant at which the source last said the same.
        ends: When the last of its rows ended, ``open`` while one has not; empty where none outlived the day.
    """

    sequence: int
    at: str
    ends: str = ""


class FileMark(NamedTuple):
    """A file as it was when it was last looked at.

    Attributes:
        stat: What the file system said of it; empty where it was too young to be told from a later writing.
        rules: Digest of the settings and the contract that it was read with.
        marker: Digest of its bytes and of the rules.
        sequence: Number of the load that came of it.
        judged_on: Local day on which rows of it were set aside: what had not happened on that day may count on
            another. Empty where every row counts.
        content: Digest of its rows then.
    """

    stat: list[int]
    rules: str
    marker: str
    sequence: int
    judged_on: str = ""
    content: str = ""


class DayMark(NamedTuple):
    """A day of a whole file as it was landed.

    Attributes:
        sequence: Number of the load that holds it.
        digest: Digest of its rows, in whatever order they stand.
    """

    sequence: int
    digest: str


# Local day -> how it was last seen.
Seen = dict[str, Mark]
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
        seen: What was landed for each local day, and when it was last seen to be so (connectors).
        files: Each file as it was last looked at, by its path below the root.
        days: What was landed for each local day of a whole file.
        told: What the last pull left open, and why.
        kept: What the connector asked to be told again.
        knows_ends: Whether it says of each day when the last of its rows ended; an earlier version did not.
    """

    stream: str
    origin: str
    attempted_at: str
    succeeded_at: str | None
    error: str | None
    seen: Seen
    files: dict[str, FileMark] = field(default_factory=dict[str, FileMark])
    days: dict[str, DayMark] = field(default_factory=dict[str, DayMark])
    told: tuple[str, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict[str, Any])
    knows_ends: bool = True

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> PullNote:
        """Return a note as it was written; what an earlier version did not write is empty.

        Raises:
            TypeError, ValueError: It is no note.
        """
        marks: dict[str, Any] = {
            "seen": {day: Mark(*mark) for day, mark in content["seen"].items()},
            "files": {path: FileMark(*mark) for path, mark in content.get("files", {}).items()},
            "days": {day: DayMark(*mark) for day, mark in content.get("days", {}).items()},
            "told": tuple(content.get("told", ())),
            "kept": dict(content.get("kept", {})),
            "knows_ends": content.get("knows_ends", False),
        }
        return _NOTE.validate_python({**content, **marks})


# What it holds is looked at too: a number where a text belongs would end the pull later.
_NOTE = TypeAdapter(PullNote)


def write_note(folder: Path, note: PullNote) -> None:
    """Write a note whole: a pull that is killed leaves the one before, and of two at once the last one stays."""
    write_whole_text(folder / f"{note.stream}.{note.origin}.json", json.dumps(asdict(note)))


def read_notes(folder: Path) -> dict[tuple[str, str], PullNote]:
    """Return the last outcome of every (stream, source); a note cut off by a crash counts as none."""
    notes: dict[tuple[str, str], PullNote] = {}
    for path in sorted(folder.glob("*.json")):
        if not path.is_file():
            continue
        try:
            note = PullNote.read(json_value(path.read_bytes()))
            notes[note.stream, note.origin] = note
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return notes


def seen_in_loads(landing: Path, delivery: Delivery) -> Seen:
    """Read from the loads themselves what a lost note would have told; needed once."""
    stream, newest = STREAMS[delivery.stream], dict[date, Load]()
    for load in read_loads(landing, delivery.stream, delivery.origin):
        if load.is_complete:
            newest |= dict.fromkeys(days_of((load.window_start, load.window_end)), load)
    found: Seen = {}
    ends = {
        load.sequence: ends_in_load(load, stream) for load in {load.sequence: load for load in newest.values()}.values()
    }
    for day, load in newest.items():
        text = day.isoformat()
        found[text] = Mark(load.sequence, load.loaded_at.isoformat(), ends[load.sequence].get(text, ""))
    return found
