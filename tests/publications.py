"""Publications for tests of what readers see: a new snapshot is a copy of the working file, whatever made that."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from opsmetrics.core.settings import Settings
from opsmetrics.snapshots import store
from opsmetrics.warehouse import connect


def published_as(settings: Settings, name: str, *, keep: int = store.KEEP) -> store.Snapshot:
    """Publish the working file with another name of the organisation, as a build would that found nothing else changed."""
    with connect(settings.warehouse) as con:
        con.execute("update meta.organisation set name_nb = $1", [name])
        build_id = hashlib.sha256(name.encode()).hexdigest()
        now = datetime.now(tz=UTC)
        return store.publish(con, settings.warehouse, settings.snapshots, build_id=build_id, now=now, keep=keep)
