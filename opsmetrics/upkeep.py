"""Look after landing: pack months that are over, read every byte of it, mend what is damaged from the backup."""

from __future__ import annotations

from dataclasses import dataclass

from opsmetrics import landing, published
from opsmetrics.backup import has_spare, mend
from opsmetrics.pipeline import Context
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse import connect


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found and done.

    Attributes:
        packed: Loads that lie in a pack now.
        packs: Packs written.
        forgotten: Loads that were replaced long ago and are gone.
        mended: One text per damaged file that is back from the backup.
        damaged: Damaged files of which the backup holds no whole copy; the working file still has their rows.
    """

    packed: int
    packs: int
    forgotten: int
    mended: tuple[str, ...]
    damaged: tuple[str, ...]


def look_after(context: Context) -> Looked:
    """Compact every stream; the working file is held meanwhile, so that nobody ingests."""
    settings = context.settings
    streams = (*STREAMS, published.STREAM.name)
    with connect(settings.warehouse):
        done = [landing.compact(settings.landing, name, context.now, settings.keep_replaced) for name in streams]
        damaged = [path for item in done for path in item.damaged]
        for path in damaged:
            # Without a copy it stays: moved away, its rows would leave the working file too.
            if has_spare(settings, path):
                landing.set_aside(path)
        mended = mend(settings, streams)
    return Looked(
        sum(item.packed for item in done),
        sum(item.packs for item in done),
        sum(item.forgotten for item in done),
        tuple(mended),
        tuple(str(path) for path in damaged if not has_spare(settings, path)),
    )
