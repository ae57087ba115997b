"""The copies in a backup: read again on every backup, the longest unread first, up to a bound of bytes.

A copy that was read and found whole is noted with the instant; the note can be lost: then everything is read again.
Does not belong here: what is copied (``operations.backup``), and the manifests (``operations.manifests``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from opsmetrics.core.atomic import digest_of, write_whole_text
from opsmetrics.core.errors import DamagedLoadError, NoFileError, UnreadableError, VanishedError
from opsmetrics.landing import PACKS, streams_of, verify_file
from opsmetrics.landing.backup_copies import LANDING
from opsmetrics.landing.listing import parquet_files
from opsmetrics.operations.manifests import read_json

TEXTS = "texts"
NOTE = "checked.json"
# Three years of hourly pulls are 2 GB, which a core reads in seconds. What is beyond waits for the next backup.
BYTES_AT_ONCE = 4 << 30


class Copies:
    """What a folder of backups holds of loads and texts.

    Attributes:
        target: The folder.
        due: Copies to be read this time, by path within it.
        damaged: Copies that were found damaged and could not be written again.
    """

    def __init__(self, target: Path, now: datetime, bytes_at_once: int = BYTES_AT_ONCE) -> None:
        self.target, self._now = target, now.isoformat()
        self._checked = self._noted()
        self._sizes = {path.relative_to(target).as_posix(): path.lstat().st_size for path in self._all()}
        self.due = self._chosen(bytes_at_once)
        self.damaged: list[str] = []

    def has(self, inside: str, size: int) -> bool:
        """Whether there is a copy of this size."""
        return self._sizes.get(inside) == size

    def is_whole(self, inside: str) -> bool:
        """Read a copy from the disk, and note it where it is whole.

        Raises:
            UnreadableError: The system does not let us read it; a sector that the disk cannot read is damage.
        """
        self.due.discard(inside)
        is_whole = self._is_as_named(inside)
        if is_whole:
            self._checked[inside] = self._now
        else:
            self._checked.pop(inside, None)
        return is_whole

    def _is_as_named(self, inside: str) -> bool:
        path = self.target / inside
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # What lies elsewhere is no copy, whatever it holds; a pipe would never be read to its end.
            return False
        try:
            if not inside.startswith(f"{LANDING}/"):
                return digest_of(path, from_disk=True) == path.name
            verify_file(path, from_disk=True)
        except DamagedLoadError:
            return False
        except UnreadableError as error:
            if not error.is_of_the_disk:
                raise
            return False
        return True

    def note(self) -> None:
        """Write down when each copy was last found whole."""
        kept = {inside: at for inside, at in sorted(self._checked.items()) if (self.target / inside).exists()}
        write_whole_text(self.target / NOTE, json.dumps(kept, indent=0) + "\n", durable=True)

    def check_rest(self) -> None:
        """Read the due copies of what is no longer here: loads that were packed since, and older configurations."""
        for inside in sorted(self.due):
            if not self.is_whole(inside):
                self.damaged.append(inside)

    def _all(self) -> Iterator[Path]:
        landing = self.target / LANDING
        for stream in streams_of(landing):
            yield from parquet_files(landing / stream)
            yield from parquet_files(landing / stream / PACKS)
        yield from (path for path in (self.target / TEXTS).glob("*/*") if not path.name.startswith("."))

    def _noted(self) -> dict[str, str]:
        try:
            found = read_json(self.target / NOTE)
        except (VanishedError, NoFileError, ValueError, RecursionError):
            return {}
        return {str(name): str(at) for name, at in found.items()} if isinstance(found, dict) else {}

    def _chosen(self, bytes_at_once: int) -> set[str]:
        chosen, total = set[str](), 0
        for inside in sorted(self._sizes, key=lambda inside: (self._checked.get(inside, ""), inside)):
            total += self._sizes[inside]
            # One at least, however large: or it would never be read.
            if chosen and total > bytes_at_once:
                break
            chosen.add(inside)
        return chosen
