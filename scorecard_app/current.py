"""Which snapshot the app shows: the one that is current in the state folder of this process."""

from __future__ import annotations

from opsmetrics.core.settings import Settings
from opsmetrics.snapshots.store import Snapshot, current


def current_snapshot() -> Snapshot:
    """Return the snapshot that the pointer names now.

    Raises:
        SnapshotError: Nothing was published yet.
    """
    return current(Settings.from_env().snapshots)
