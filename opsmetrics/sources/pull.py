"""Pull one stream: plan, read, land what is new, and note the outcome beside the landing.

Each stream writes only its own files, so pulls run side by side (architecture D8).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from opsmetrics.errors import Problem, SourceError
from opsmetrics.landing import Load, LoadName, land, load_paths, short_digest
from opsmetrics.organisation import Organisation
from opsmetrics.settings import Settings
from opsmetrics.sources import files
from opsmetrics.streams import STREAMS


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one pull of one stream did.

    Attributes:
        stream: Name of the stream.
        loads: Loads that were landed; empty when nothing had changed.
        unchanged: Files that had been landed before, byte for byte.
        error: Why the source could not be read, or None.
    """

    stream: str
    loads: tuple[Load, ...]
    unchanged: int
    error: str | None

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(load.rows for load in self.loads)

    @property
    def quarantined(self) -> int:
        """Rows set aside."""
        return sum(load.quarantined for load in self.loads)


def pull_stream(
    settings: Settings, organisation: Organisation, name: str, window: tuple[date, date] | None = None
) -> PullResult:
    """Pull one configured stream, for all days its files cover or for ``window`` (half-open, local days).

    Files are landed one by one; one that cannot be read is reported and the others still land.
    """
    now = settings.clock(organisation.settings.now)
    today = now.astimezone(organisation.zone).date()
    source, stream = organisation.streams[name], STREAMS[name]
    root = files.files_root(organisation, settings.data)
    loads: list[Load] = []
    errors: list[str] = []
    unchanged = seen = 0
    known = [LoadName.parse(path) for path in load_paths(settings.landing, name)]
    try:
        for path, day in files.planned(organisation, source, root, today, window):
            seen += 1
            digest = files.digest(path, source, stream)
            marker = f"{digest}|{window}"
            if _landed_before(known, marker):
                unchanged += 1
                continue
            try:
                parcel = files.read_parcel(
                    organisation,
                    source,
                    stream,
                    path,
                    day=day,
                    window=window,
                    today=today,
                    source_digest=marker,
                )
            except SourceError as error:
                errors.append(str(error))
                continue
            if parcel.window[0] < parcel.window[1]:
                loads.append(land(settings.landing, name, parcel, loaded_at=now))
        if seen == 0:
            problem = Problem(
                str(root / source.path), None, "no file of these days exists", "check path in sources.toml"
            )
            errors.append(str(SourceError(problem)))
    except SourceError as error:
        errors.append(str(error))
    result = PullResult(name, tuple(loads), unchanged, "\n".join(errors) or None)
    _note(settings.home / "pulls", result, now)
    return result


def _landed_before(names: list[LoadName], marker: str) -> bool:
    """Whether the newest load of this input is still the last word on its days."""
    digest = short_digest(marker)
    same = [name for name in names if name.digest == digest]
    if not same:
        return False
    last = max(same, key=lambda name: name.sequence)
    start, end = last.window
    return not any(name.sequence > last.sequence and name.window[0] < end and start < name.window[1] for name in names)


@dataclass(frozen=True, slots=True)
class PullNote:
    """Last outcome of pulling one stream, as data health shows it."""

    stream: str
    attempted_at: str
    succeeded_at: str | None
    error: str | None


def _note(folder: Path, result: PullResult, now: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.stream}.json"
    before = read_notes(folder).get(result.stream)
    succeeded = now.isoformat() if result.error is None else (before.succeeded_at if before else None)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(PullNote(result.stream, now.isoformat(), succeeded, result.error))))
    temporary.replace(path)


def read_notes(folder: Path) -> dict[str, PullNote]:
    """Return the last outcome of every stream; a note cut off by a crash counts as none."""
    notes: dict[str, PullNote] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            note = PullNote(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            continue
        notes[note.stream] = note
    return notes
