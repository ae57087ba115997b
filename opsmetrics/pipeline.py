"""The stages of a run as plain functions: prepare, build, finish, publish. Dagster and the command line share them.

Does not belong here: how a stage works (``warehouse``, ``sources``, ``snapshot``) or when it runs (``pipelines``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import duckdb
import polars as pl

from opsmetrics import published, snapshot
from opsmetrics.catalogue import Catalogue, load_catalogue
from opsmetrics.code import code_digest
from opsmetrics.errors import ConfigurationError, Problem, SnapshotError, WarehouseDamagedError
from opsmetrics.landing import CODE_VERSION
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.settings import Settings
from opsmetrics.sources.notes import read_notes
from opsmetrics.sqlfile import SqlFile, load_all
from opsmetrics.warehouse import Ingested, build_table, connect, ingest, write_reference, write_scores
from opsmetrics.warehouse.connection import comment, finished_build, replace_table, transaction
from opsmetrics.warehouse.engine import Engine, engine_of
from opsmetrics.warehouse.landed import layout

Progress = Callable[[str], None]

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

_BUILD_COMMENTS = {
    "build_id": "Digest of everything that decides the content",
    "built_at": "Clock of the build, UTC",
    "known_at": "Loads landed later are left out, UTC",
    "code_version": "Version of the code",
    "ruleset_version": "Version of the ruleset",
    "ruleset_digest": "SHA-256 of the ruleset",
    "organisation_digest": "SHA-256 of the configuration",
}
_KNOWN_COMMENTS = {
    "known_at": "Loads landed later are left out, UTC",
    "ruleset_version": "Version of the ruleset",
    "ruleset_digest": "SHA-256 of the ruleset",
    "weakest_share": "Lambda: share of the weakest area in the team score (method 3.5)",
    "level_edges": "Scores at which levels 1 to 4 begin (method 3.6)",
}
_ORGANISATION_COMMENTS = {
    "organisation_id": "Id",
    "name_nb": "Name, Norwegian",
    "name_en": "Name, English",
    "timezone": "Zone whose midnights cut days",
    "is_fictional": "True: the data are invented and every page says so",
}


@dataclass(frozen=True)
class Context:
    """What one run works with, read once."""

    settings: Settings
    organisation: Organisation
    files: dict[str, SqlFile]
    catalogue: Catalogue
    now: datetime
    known_at: datetime
    is_replay: bool = False

    @cached_property
    def engine(self) -> Engine:
        """Who makes the heavy daily tables.

        Raises:
            ConfigurationError: The settings name no engine that is there.
        """
        return engine_of(self.settings, self.files)

    @property
    def horizon(self) -> datetime:
        """Loads landed later than this are left out.

        Today's build takes all there is: a load that was landed while the clock stood wrong is not lost for that.
        """
        return self.known_at if self.is_replay else _END_OF_TIME

    def models(self) -> list[SqlFile]:
        """SQL files that the scores rest on, in order."""
        return [file for file in self.files.values() if not self.reads_scores(file)]

    def after_scores(self) -> list[SqlFile]:
        """SQL files that read ``scores``, in order."""
        return [file for file in self.files.values() if self.reads_scores(file)]

    def reads_scores(self, file: SqlFile) -> bool:
        """Whether a file reads ``scores``, directly or through others."""
        return any(
            name.startswith("scores.") or (name in self.files and self.reads_scores(self.files[name]))
            for name in file.dependencies
        )


@dataclass(frozen=True, slots=True)
class Built:
    """Outcome of a build.

    Attributes:
        build_id: Digest of what it holds.
        changed: Whether anything had to be done.
        damaged: One text per load that was found damaged and set aside, by stream.
    """

    build_id: str
    changed: bool
    damaged: dict[str, list[str]]


def load_context(settings: Settings, known_at: datetime | None = None) -> Context:
    """Read and validate configuration and SQL files.

    Raises:
        ConfigurationError: The organisation's folder is wrong, or names metrics that do not exist.
        SqlFileError: A SQL file is wrong.
    """
    organisation = load_organisation(settings.org)
    files = load_all(settings.sql)
    catalogue = load_catalogue(settings.sql, files)
    _check_metrics(organisation, catalogue)
    # Asked for what was known at an instant, the clock stands at that instant too: later periods had not ended.
    now = known_at or settings.clock(organisation.settings.now)
    return Context(settings, organisation, files, catalogue, now, now, is_replay=known_at is not None)


def _check_metrics(organisation: Organisation, catalogue: Catalogue) -> None:
    known = {metric.id for metric in catalogue.metrics}
    problems = [
        Problem(
            str(organisation.folder / "registers" / file),
            None,
            f"metric {row.metric_id!r} of team {row.team_id!r} does not exist",
            'see `opsmetrics sql "select metric_id from meta.metrics"` for the ids',
        )
        for file, rows in (
            ("waivers.csv", organisation.waivers),
            ("goals.csv", organisation.goals),
            ("applicability.csv", organisation.applicability),
            ("efforts.csv", organisation.efforts),
        )
        for row in rows
        if row.metric_id not in known
    ]
    if problems:
        raise ConfigurationError(problems)


def build_id(con: duckdb.DuckDBPyConnection, context: Context) -> str:
    """Digest of everything that decides the content: loads, configuration, SQL, code, the day, failed pulls."""
    loads = con.execute(
        "select stream, load_id from meta.loads where loaded_at <= $1 and stream <> $2 order by all",
        [context.horizon, published.STREAM.name],
    ).fetchall()
    notes = read_notes(context.settings.home / "pulls")
    content = {
        "loads": loads,
        "organisation": context.organisation.digest,
        "sql": {name: file.digest for name, file in context.files.items()},
        "ruleset": context.catalogue.digest,
        "day": context.now.astimezone(context.organisation.zone).date().isoformat(),
        "errors": {f"{stream}.{origin}": note.error for (stream, origin), note in notes.items()},
        "code": code_digest(),
        "views": layout(context.settings.landing, context.engine.landed),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prepare(con: duckdb.DuckDBPyConnection, context: Context) -> Ingested:
    """Ingest new loads, write reference tables, and mark the working file as unfinished."""
    done = ingest(con, context.settings.landing, context.engine.landed)
    refresh(con, context)
    return done


def refresh(con: duckdb.DuckDBPyConnection, context: Context) -> None:
    """Write reference tables and choose the winning loads; from here on the working file is unfinished."""
    settings = context.organisation.settings
    organisation = pl.DataFrame(
        [(settings.id, settings.name.nb, settings.name.en, settings.timezone, settings.fictional)],
        schema=list(_ORGANISATION_COMMENTS),
        orient="row",
    )
    ruleset = context.catalogue.ruleset
    con.execute("drop table if exists meta.build")
    known = pl.DataFrame(
        [(context.known_at, ruleset.version, context.catalogue.digest, ruleset.weakest_share, ruleset.level_edges)],
        schema={
            "known_at": pl.Datetime("us", "UTC"),
            "ruleset_version": pl.String,
            "ruleset_digest": pl.String,
            "weakest_share": pl.Float64,
            "level_edges": pl.List(pl.Float64),
        },
        orient="row",
    )
    replace_table(con, "meta.known", known)
    comment(con, "meta.known", "What this build may know, and under which rules", _KNOWN_COMMENTS)
    replace_table(con, "meta.organisation", organisation)
    comment(con, "meta.organisation", "The organisation of this snapshot", _ORGANISATION_COMMENTS)
    write_reference(
        con,
        context.organisation,
        context.catalogue,
        now=context.now,
        horizon=context.horizon,
        pulls=context.settings.home / "pulls",
    )


def finish(con: duckdb.DuckDBPyConnection, context: Context) -> str:
    """Mark the build as whole: only now may it be published.

    Returns:
        The build's id.
    """
    identity = build_id(con, context)
    ruleset = context.catalogue.ruleset
    row = (
        identity,
        context.now,
        context.known_at,
        CODE_VERSION,
        ruleset.version,
        context.catalogue.digest,
        context.organisation.digest,
    )
    instant = pl.Datetime("us", "UTC")
    frame = pl.DataFrame(
        [row],
        schema=list(_BUILD_COMMENTS),
        orient="row",
        schema_overrides={"built_at": instant, "known_at": instant},
    )
    with transaction(con):
        replace_table(con, "meta.build", frame)
        comment(
            con,
            "meta.build",
            "The build behind this file; absent while a build is under way",
            _BUILD_COMMENTS,
        )
    return identity


def publish(context: Context, identity: str) -> tuple[snapshot.Snapshot, bool]:
    """Publish the finished build and land what it says as published.

    Returns:
        The current snapshot and whether it is new (the same build is not published twice).

    Raises:
        WarehouseBusyError: Another process holds the working file.
        SnapshotError: The working file holds another build: somebody built after the caller did.
    """
    settings = context.settings
    found = snapshot.published(settings.snapshots, identity)
    changed = found is None
    if found is None:
        with connect(settings.warehouse) as con:
            if finished_build(con) != identity:
                message = f"{settings.warehouse}: another run has built meanwhile; let it publish, or run again"
                raise SnapshotError(message)
            found = snapshot.publish(con, settings.warehouse, settings.snapshots, build_id=identity, now=context.now)
    at = datetime.fromisoformat(found.published_at)
    day = at.astimezone(context.organisation.zone).date()
    published.land_publication(settings.landing, published.Publication(found.path, identity, at, day))
    return found, changed


def build(context: Context, progress: Progress = lambda _: None) -> Built:
    """Bring the working file up to date with landing, configuration and SQL.

    A working file that turns out damaged on the way is built anew.
    """
    try:
        return _build(context, progress)
    except WarehouseDamagedError:
        return _build(context, progress)


def _build(context: Context, progress: Progress) -> Built:
    with connect(context.settings.warehouse) as con:
        progress("ingest")
        damaged = ingest(con, context.settings.landing, context.engine.landed).damaged
        identity = build_id(con, context)
        if finished_build(con) == identity:
            return Built(identity, False, damaged)
        refresh(con, context)
        for file in context.models():
            progress(file.table)
            build_table(con, file, context.catalogue, context.files, context.organisation.digest, context.engine)
        progress("scores")
        write_scores(con, context.catalogue, context.files)
        for file in context.after_scores():
            progress(file.table)
            build_table(con, file, context.catalogue, context.files, context.organisation.digest, context.engine)
        return Built(finish(con, context), True, damaged)
