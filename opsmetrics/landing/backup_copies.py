"""Whole copies of loads in the backup: whether there is one, and how it replaces a load that was damaged.

Does not belong here: how a backup is written and restored as a whole (``opsmetrics.operations.backup``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opsmetrics.core.atomic import copy_whole
from opsmetrics.core.errors import DamagedLoadError
from opsmetrics.core.settings import Settings
from opsmetrics.landing.reading import PACKS, Pack, damaged_paths, is_pack, verify_load, verify_pack

LANDING = "landing"
"""Folder of the loads within a backup."""


def verify_copy(path: Path) -> None:
    """Read a load or a pack and hold it against its checksum.

    Raises:
        DamagedLoadError: It is missing or differs.
    """
    if is_pack(path):
        verify_pack(Pack.parse(path))
    else:
        verify_load(path)


def has_backup_copy(settings: Settings, path: Path) -> bool:
    """Whether the backup holds a whole copy of a file of landing."""
    if settings.backup is None:
        return False
    try:
        verify_copy(settings.backup / LANDING / path.relative_to(settings.landing))
    except DamagedLoadError:
        return False
    return True


def repair_loads(settings: Settings, streams: Iterable[str]) -> list[str]:
    """Restore loads that were moved away as damaged, where a backup is configured and holds them whole.

    Returns:
        One text per load that is back.
    """
    repaired: list[str] = []
    for path in (path for stream in streams for path in damaged_paths(settings.landing, stream)):
        target = path.parent.parent / (PACKS if is_pack(path) else "") / path.name
        if settings.backup is not None and not target.exists() and has_backup_copy(settings, target):
            copy_whole(settings.backup / LANDING / target.relative_to(settings.landing), target)
            repaired.append(f"{target}: brought back from the backup")
    return repaired
