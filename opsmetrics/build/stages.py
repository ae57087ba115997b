"""What each stage of the plan does, on an open working file.

Does not belong here: which stages there are (``build.plan``), who executes them (``build.execute``) and how a stage
works inside (``warehouse``, ``snapshots``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from opsmetrics.build.context import Context
from opsmetrics.build.plan import Kind, Plan, Repair, Stage
from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.version import source_digest
from opsmetrics.landing import streams_of
from opsmetrics.landing.backup_copies import repair_loads
from opsmetrics.snapshots import publications, store
from opsmetrics.sources.notes import read_notes
from opsmetrics.streams import PUBLISHED_SCORES
from opsmetrics.warehouse import build_table, ingest, unchanged, write_reference, write_scores
from opsmetrics.warehouse.connection import finished_build, transaction
from opsmetrics.warehouse.declared import frame_of, write_table
from opsmetrics.warehouse.external_views import layout
from opsmetrics.warehouse.reference.build import BUILD, KNOWN, ORGANISATION, build_row, known_row, organisation_row

PullAgain = Callable[[list[str]], None]
"""Pulls some streams once more, because loads of theirs were damaged."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage did.

    Attributes:
        rows: Rows per table afterwards; of an ingest, rows brought in per stream.
        days: Days rebuilt of an incremental table, or None where all of it was built.
        is_unchanged: Whether the table was left as it stands, because nothing that it rests on is another.
        damaged: One text per load that was found damaged and moved away, by stream.
        build_id: The build that the working file holds or is to hold, where the stage knows it.
        is_current: Whether the working file holds that build already, so that nothing need be built.
        snapshot: The published snapshot.
        is_new: Whether that snapshot was not there before.
    """

    rows: dict[str, int] = field(default_factory=dict[str, int])
    days: int | None = None
    is_unchanged: bool = False
    damaged: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    build_id: str | None = None
    is_current: bool = False
    snapshot: store.Snapshot | None = None
    is_new: bool = False


def perform(
    con: duckdb.DuckDBPyConnection, context: Context, stage: Stage, pull_again: PullAgain | None = None
) -> StageResult:
    """Do what a stage does.

    Args:
        con: The working file.
        context: What the run works with.
        stage: Any stage but a pull, which needs no working file.
        pull_again: How damaged loads are asked for again, where the run may ask its sources.

    Raises:
        SqlFileError: A SQL file's result breaks its contract.
        SnapshotError: There is no finished build to publish.
        ValueError: The stage is a pull.
    """
    match stage.kind:
        case Kind.INGEST:
            result = _ingest(con, context, stage, pull_again)
        case Kind.COMPARE:
            identity = build_id(con, context)
            result = StageResult(build_id=identity, is_current=finished_build(con) == identity)
        case Kind.REFERENCE:
            _write_reference(con, context)
            result = StageResult()
        case Kind.SQL:
            file = context.files[stage.name]
            built = build_table(con, file, context.catalogue, context.files, context.engine)
            result = StageResult({built.table: built.rows}, built.days, built.is_unchanged)
        case Kind.SCORES:
            rows = write_scores(con, context.catalogue, context.files)
            result = StageResult({f"scores.{name}": count for name, count in rows.items()})
        case Kind.FINISH:
            result = StageResult(build_id=_finish(con, context))
        case Kind.PUBLISH:
            result = _publish(con, context)
        case Kind.PULL:
            raise ValueError(f"{stage.name}: a pull does not work in the working file")
    return result


def perform_all(con: duckdb.DuckDBPyConnection, context: Context, plan: Plan) -> None:
    """Do what every stage of a plan without pulls does, without skipping or repair: for scratch files."""
    for stage in plan.stages:
        perform(con, context, stage)


def _ingest(
    con: duckdb.DuckDBPyConnection, context: Context, stage: Stage, pull_again: PullAgain | None
) -> StageResult:
    """Bring new loads in; damaged ones are restored or pulled again, and then what is missing of them comes in."""
    landing, external = context.settings.landing, context.engine.external_streams
    # What was set aside and reads whole by now comes back first: rights were corrected, a disk was mounted again.
    repair_loads(context.settings, streams_of(landing))
    done = ingest(con, landing, external)
    if done.damaged and Repair.LOADS in stage.repairs:
        repair_loads(context.settings, done.damaged)
        if pull_again is not None:
            pull_again(list(done.damaged))
        done.merge(ingest(con, landing, external, only=frozenset(done.damaged)))
    return StageResult(done.rows, damaged=done.damaged)


def build_id(con: duckdb.DuckDBPyConnection, context: Context) -> str:
    """Digest of everything that decides the content: loads, configuration, SQL, code, the day, failed pulls."""
    loads = con.execute(
        "select stream, load_id from meta.loads where loaded_at <= $1 and stream <> $2 order by all",
        [context.horizon, PUBLISHED_SCORES.name],
    ).fetchall()
    notes = read_notes(context.settings.home / "pulls")
    content = {
        "loads": loads,
        "organisation": context.organisation.digest,
        "sql": {name: file.digest for name, file in context.files.items()},
        "ruleset": context.catalogue.digest,
        "day": context.now.astimezone(context.organisation.zone).date().isoformat(),
        "errors": {f"{stream}.{origin}": note.error for (stream, origin), note in notes.items()},
        "code": source_digest(),
        "views": layout(context.settings.landing, context.engine.external_streams),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write_reference(con: duckdb.DuckDBPyConnection, context: Context) -> None:
    """Write reference tables and choose the winning loads; from here on the working file is unfinished."""
    con.execute("drop table if exists meta.build")
    unchanged.forget_given(con)
    write_table(con, KNOWN, frame_of(KNOWN, known_row(context.catalogue, context.known_at)))
    write_table(con, ORGANISATION, frame_of(ORGANISATION, organisation_row(context.organisation)))
    write_reference(
        con,
        context.organisation,
        context.catalogue,
        now=context.now,
        horizon=context.horizon,
        pulls=context.settings.home / "pulls",
    )
    with unchanged.transaction(con):
        unchanged.remember_reference(con, context.files)


def _finish(con: duckdb.DuckDBPyConnection, context: Context) -> str:
    """Mark the build as whole: only now may it be published.

    Returns:
        The build's id.
    """
    identity = build_id(con, context)
    row = build_row(identity, context.organisation, context.catalogue, built_at=context.now, known_at=context.known_at)
    with transaction(con):
        write_table(con, BUILD, frame_of(BUILD, row))
    return identity


def _publish(con: duckdb.DuckDBPyConnection, context: Context) -> StageResult:
    """Publish the finished build, the same one only once, and land what it says as published."""
    identity = finished_build(con)
    if identity is None:
        raise SnapshotError("there is no finished build; run `opsmetrics build` first")
    settings = context.settings
    before = store.published(settings.snapshots, identity)
    if before is not None:
        store.finish(before)
    found = before or store.publish(con, settings.warehouse, settings.snapshots, build_id=identity, now=context.now)
    # A process that was killed just after it published may not have landed this.
    at = datetime.fromisoformat(found.published_at)
    day = at.astimezone(context.organisation.zone).date()
    publications.land_publication(settings.landing, publications.Publication(found.path, identity, at, day))
    return StageResult(build_id=identity, snapshot=found, is_new=before is None)
