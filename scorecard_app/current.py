"""Which snapshot the app shows: the one that is current in the state folder of this process."""

from __future__ import annotations

from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.settings import Settings
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.store import Snapshot, current


def current_snapshot() -> Snapshot:
    """Return the snapshot that the pointer names now.

    Raises:
        SnapshotError: Nothing was published yet.
    """
    return current(Settings.from_env().snapshots)


def default_language() -> str:
    """Return the organisation's language, in which pages are where nobody chose another."""
    try:
        return catalogue.organisation(current_snapshot()).language
    except SnapshotError:
        return LANGUAGES[0]
