"""The parts of the plan that people ask for: build, publish, or all of it with the pulls."""

from __future__ import annotations

import time
from dataclasses import dataclass

from opsmetrics.build.context import Context, load_context
from opsmetrics.build.executor import SILENT, Outcome, Progress, execute
from opsmetrics.build.plan import Kind
from opsmetrics.core.settings import Settings
from opsmetrics.snapshots.notices import Sentence, read_notices, sentences
from opsmetrics.snapshots.store import Snapshot, current, open_current

_AT_RISK = """
    select stream, origin, starts_on, ends_on, lost_on from marts.missing_days where state = 'at_risk'
    order by lost_on, stream, origin
"""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """Outcome of a build.

    Attributes:
        build_id: Digest of what it holds.
        changed: Whether anything had to be done.
        damaged: One text per load that was found damaged and moved away, by stream.
    """

    build_id: str
    changed: bool
    damaged: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class RunReport:
    """Outcome of a run; its fields are the keys of ``opsmetrics run --json``.

    Attributes:
        ok: Whether every source could be read and every stream that came can be used.
        path: Path of the current snapshot.
        build_id: Build that it holds.
        changed: Whether it is new.
        errors: One text per stream that could not be read from all its sources; the others are published all the same.
        set_aside: One text per load that was found damaged.
        at_risk: One text per gap that a source will soon have forgotten.
        told: What pulls took back or left open, and why.
        warnings: What makes the data say less than they seem to, the worst first.
        seconds: How long it took.
    """

    ok: bool
    path: str
    build_id: str
    changed: bool
    errors: list[str]
    set_aside: list[str]
    at_risk: list[str]
    told: list[str]
    warnings: list[Sentence]
    seconds: float


def build(context: Context, progress: Progress = SILENT) -> BuildResult:
    """Bring the working file up to date with landing, configuration and SQL; nothing is pulled or published."""
    outcome = execute(context.plan.part(Kind.INGEST, Kind.FINISH), context, progress)
    done = outcome.results["compare" if outcome.is_current else "finish"]
    return BuildResult(str(done.build_id), not outcome.is_current, outcome.damaged)


def publish(context: Context) -> tuple[Snapshot, bool]:
    """Publish the build that the working file holds; the same build is not published twice.

    Returns:
        The current snapshot and whether it is new.

    Raises:
        SnapshotError: There is no finished build.
    """
    return _published(execute(context.plan.part(Kind.PUBLISH, Kind.PUBLISH), context))


def build_and_publish(context: Context, progress: Progress = SILENT) -> tuple[Snapshot, bool]:
    """Build what changed in landing, configuration or SQL, and publish it; nothing is pulled.

    Returns:
        The current snapshot and whether it is new.
    """
    return _published(execute(context.plan.part(Kind.INGEST, Kind.PUBLISH), context, progress))


def _published(outcome: Outcome) -> tuple[Snapshot, bool]:
    done = outcome.results["publish"]
    if done.snapshot is None:
        raise TypeError("a publication names its snapshot")
    return done.snapshot, done.is_new


def run(settings: Settings, progress: Progress = SILENT) -> RunReport:
    """Pull every configured stream, build what changed, publish.

    Raises:
        ConfigurationError: The configuration is wrong.
        OpsMetricsError: A stage failed; what was published before stays.
    """
    started = time.monotonic()
    context = load_context(settings)
    outcome = execute(context.plan, context, progress)
    _, is_new = _published(outcome)
    snapshot = current(settings.snapshots)
    errors, warnings = _errors(outcome), said_by(settings)
    return RunReport(
        ok=not errors and not any(warning.is_error for warning in warnings),
        path=str(snapshot.path),
        build_id=snapshot.build_id,
        changed=is_new,
        errors=errors,
        set_aside=[text for texts in outcome.damaged.values() for text in texts],
        at_risk=_at_risk(settings),
        told=[f"{result.stream}: {text}" for result in outcome.pulled for text in result.told],
        warnings=warnings,
        seconds=round(time.monotonic() - started, 1),
    )


def said_by(settings: Settings) -> list[Sentence]:
    """Return what makes the data of the current snapshot say less than they seem to, the worst first.

    Raises:
        SnapshotError: Nothing was published yet.
    """
    with open_current(settings.snapshots) as con:
        return sentences(read_notices(con))


def _errors(outcome: Outcome) -> list[str]:
    """One text per stream, each once, though damaged streams were pulled twice."""
    by_stream: dict[str, list[str]] = {}
    for result in outcome.pulled:
        if result.error:
            by_stream.setdefault(result.stream, []).append(result.error)
    return ["\n".join(dict.fromkeys(texts)) for texts in by_stream.values()]


def _at_risk(settings: Settings) -> list[str]:
    """Say which gaps become permanent within a week; after that they are named in ``marts.missing_days``."""
    with open_current(settings.snapshots) as con:
        rows = con.execute(_AT_RISK).fetchall()
    return [
        f"{stream} from {origin}: {first} to {last} are missing, and the source forgets them from {lost} on"
        for stream, origin, first, last, lost in rows
    ]
