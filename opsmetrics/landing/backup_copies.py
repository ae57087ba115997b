"""Bring back loads that were set aside: they read whole again, or the backup holds a whole copy.

Does not belong here: how a backup is written and restored as a whole (``opsmetrics.operations.backup``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opsmetrics.core.atomic import copy_whole, make_folder, sync_folder
from opsmetrics.core.errors import DamagedLoadError, UnreadableError
from opsmetrics.core.settings import Settings
from opsmetrics.landing.reading import damaged_paths, is_pack, place_of, verify_file
from opsmetrics.landing.unpacking import MOST_IN_A_PACK, overfull
from opsmetrics.landing.writing import stream_lock

LANDING = "landing"
"""Folder of the loads within a backup."""


def has_backup_copy(settings: Settings, path: Path) -> bool:
    """Whether the backup holds a whole copy of a file of landing."""
    return settings.backup is not None and is_whole(settings.backup / LANDING / path.relative_to(settings.landing))


def is_whole(path: Path) -> bool:
    """Whether a load or a pack can be read and is what its name says."""
    try:
        verify_file(path)
    except (DamagedLoadError, UnreadableError):
        return False
    return True


def repair_loads(settings: Settings, streams: Iterable[str]) -> list[str]:
    """Bring back loads that were set aside: those that read whole after all, and those that the backup holds whole.

    Returns:
        One text per load that is back.
    """
    return [
        said
        for stream in streams
        for path in damaged_paths(settings.landing, stream)
        if (said := _brought_back(settings, path))
    ]


def _brought_back(settings: Settings, path: Path) -> str | None:
    target = place_of(path)
    with stream_lock(settings.landing / target.relative_to(settings.landing).parts[0]):
        if target.exists():
            return None
        if is_whole(path) and not list(overfull([path], MOST_IN_A_PACK if is_pack(path) else 1)):
            # It was moved by mistake, or somebody repaired it.
            make_folder(target.parent)
            path.replace(target)
            for folder in (target.parent, path.parent):
                sync_folder(folder)
            return f"{target}: it reads whole, and is back"
        if has_backup_copy(settings, target) and settings.backup is not None:
            copy_whole(settings.backup / LANDING / target.relative_to(settings.landing), target)
            return f"{target}: brought back from the backup"
    return None
