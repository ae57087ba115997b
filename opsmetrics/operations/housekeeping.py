"""Housekeeping of landing: pack months that are over, read every byte, repair what is damaged from the backup."""

from __future__ import annotations

from dataclasses import dataclass

from opsmetrics import landing
from opsmetrics.build import Context
from opsmetrics.landing.backup_copies import has_backup_copy, repair_loads
from opsmetrics.operations import housekeeping_records
from opsmetrics.streams import PUBLISHED_SCORES, STREAMS
from opsmetrics.warehouse import connect


@dataclass(frozen=True, slots=True)
class HousekeepingReport:
    """What was found and done.

    Attributes:
        packed: Loads that lie in a pack now.
        packs: Packs written.
        forgotten: Loads that were replaced long ago and are deleted.
        repaired: One text per file that was set aside and is back: whole after all, or from the backup.
        damaged: Damaged files of which the backup holds no whole copy; the working file still has their rows.
    """

    packed: int
    packs: int
    forgotten: int
    repaired: tuple[str, ...]
    damaged: tuple[str, ...]


def housekeeping(context: Context) -> HousekeepingReport:
    """Compact every stream; the working file is held meanwhile, so that nobody ingests.

    Raises:
        UnreadableError: The system does not let us read a file; it stays where it is.
    """
    settings = context.settings
    streams = (*STREAMS, PUBLISHED_SCORES.name)
    wait = settings.busy_seconds
    with (
        housekeeping_records.recorded(settings.home, housekeeping_records.COMPACTION, wait) as record,
        connect(settings.warehouse, wait),
    ):
        repaired = repair_loads(settings, streams)
        keep = settings.keep_replaced
        landed_at = None if keep is None else landing.landing_instants(settings.landing)
        done = [landing.compact(settings.landing, name, context.now, keep, landed_at) for name in streams]
        damaged = [path for item in done for path in item.damaged]
        for path in damaged:
            # Without a copy it stays: moved away, its rows would leave the working file too.
            if has_backup_copy(settings, path):
                landing.quarantine(path)
        repaired += repair_loads(settings, streams)
        lost = tuple(str(path) for path in damaged if path.exists() and not has_backup_copy(settings, path))
        record.said += [f"{path}: damaged, and not in the backup" for path in lost]
    return HousekeepingReport(
        sum(item.packed for item in done),
        sum(item.packs for item in done),
        sum(item.forgotten for item in done),
        tuple(repaired),
        lost,
    )
