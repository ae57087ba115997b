"""Whether a state folder is in the middle of a restore: then nothing may be pulled, built or served from it.

A restore that was cut off looks like a whole, smaller past. Its marker is written before its first file and removed
after its last. Does not belong here: what a restore brings back (``opsmetrics.operations.restoring``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote

from opsmetrics.core.atomic import remove_durably, write_whole_text
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.json_text import read_note

MARKER = "restore-under-way.json"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A restore that has begun.

    Attributes:
        name: Name of the backup.
        source: Folder of the backups.
        home: State folder that it writes to.
        org: Folder of the configuration that it writes to.
        began_at: ISO instant, UTC.
    """

    name: str
    source: str
    home: str
    org: str
    began_at: str

    @property
    def said(self) -> str:
        """What is so, and how it goes on."""
        return (
            f"{self.home}: a restore of backup {self.name} began here at {self.began_at} and has not ended: what lies"
            " here is only a part"
            f"\n    fix: run `opsmetrics restore --from {quote(str(self.source))} --home {quote(str(self.home))}"
            f" --org {quote(str(self.org))}` again;"
            " it goes on where it stopped"
        )


class HalfRestoredError(OpsMetricsError):
    """The state folder holds a part of a backup."""


def under_way(home: Path) -> UnderWay | None:
    """Return the restore that has begun in a state folder and has not ended, or None."""
    path = home / MARKER
    try:
        content = read_note(path)
        return None if content is None else UnderWay(**content)
    except (ValueError, TypeError):
        # That it lies here says enough.
        return UnderWay("?", "BACKUPS", str(home), "ORGANISATION", "?")


def refuse_half_restored(home: Path) -> None:
    """Stop whoever would work in a state folder that holds only a part.

    Raises:
        HalfRestoredError: A restore has begun there and has not ended.
    """
    found = under_way(home)
    if found is not None:
        raise HalfRestoredError(found.said)


def begin(home: Path, restore: UnderWay) -> None:
    """Mark a state folder before the first file is brought back."""
    write_whole_text(home / MARKER, json.dumps(asdict(restore), indent=1) + "\n", durable=True)


def end(home: Path) -> None:
    """Take the mark away after the last file."""
    remove_durably(home / MARKER)
