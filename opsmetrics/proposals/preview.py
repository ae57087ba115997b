"""What other rules or another configuration would do to the scores: built in a scratch copy of the snapshot.

Belongs here: ``opsmetrics backtest`` (rules over the whole history) and ``opsmetrics preview`` (configuration, today).
Nothing of it touches the working file, landing or the snapshots.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from opsmetrics.build import Kind, load_context, perform_all
from opsmetrics.core.settings import Settings
from opsmetrics.snapshots import store
from opsmetrics.warehouse import connect

_EPSILON = 0.005
_SCORES = (
    "select team_id, as_of, grain, score, coverage, level, status from scores.team where grain in ('month', 'latest')"
)
_METRICS = """
    select s.team_id, s.metric_id, m.title_en as metric, s.points, s.value, s.status
    from scores.metric as s join meta.metrics as m on m.metric_id = s.metric_id where s.grain = 'latest'
"""
_AREAS = """
    select s.team_id, s.area_id, a.name_en as area, s.score, s.level, s.coverage, s.status, s.gate
    from scores.area as s join meta.areas as a on a.area_id = s.area_id where s.grain = 'latest'
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """Today's scores under two configurations, a row each; columns of the second end with ``_after``.

    Attributes:
        teams: ``team_id, score, level, coverage, status``.
        areas: ``team_id, area_id, area, score, level, coverage, status, gate``.
        metrics: ``team_id, metric_id, metric, points, value, status``.
    """

    teams: pl.DataFrame
    areas: pl.DataFrame
    metrics: pl.DataFrame

    @property
    def moved_areas(self) -> pl.DataFrame:
        """The areas of teams that are another."""
        return self.areas.filter(_differs(("score", "coverage"), ("level", "gate", "status")))

    @property
    def moved_metrics(self) -> pl.DataFrame:
        """The metrics of teams that are another."""
        return self.metrics.filter(_differs(("points", "value"), ("status",)))

    @property
    def moved_teams(self) -> pl.DataFrame:
        """The teams that are another, themselves or in an area or metric; a young team has those without a score."""
        touched = sorted({*self.moved_areas["team_id"], *self.moved_metrics["team_id"]})
        return self.teams.filter(
            _differs(("score", "coverage"), ("level", "status")) | pl.col("team_id").is_in(touched)
        )


def is_of_snapshot(settings: Settings) -> bool:
    """Whether configuration and rules are those that the current snapshot was made with.

    Raises:
        SnapshotError: Nothing was published yet.
        ConfigurationError: The configuration is wrong.
        SqlFileError: The rules are wrong.
    """
    with store.open_current(settings.snapshots) as con:
        (known,) = con.execute("select organisation_digest, ruleset_version, known_at from meta.build").fetchall()
    context = load_context(settings, known[2])
    # The version stands for all that can change a score (method 3.15); words of a metric may be others.
    return known[:2] == (context.organisation.digest, context.catalogue.version)


def has_rules_of_snapshot(settings: Settings, rules: Path | None = None) -> bool:
    """Whether rules are those of the current snapshot, so that a replay of them can move nothing.

    Args:
        settings: Where the snapshot is; the rules are those of today with the ``rules.toml`` of its organisation.
        rules: A folder of SQL files instead.

    Raises:
        SnapshotError: Nothing was published yet.
        ConfigurationError: The configuration is wrong.
        SqlFileError: The rules are wrong.
    """
    with store.open_current(settings.snapshots) as con:
        ((known, known_at),) = con.execute("select ruleset_version, known_at from meta.build").fetchall()
    return load_context(replace(settings, sql=rules or settings.sql), known_at).catalogue.version == known


@contextmanager
def _rebuilt(settings: Settings) -> Generator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    """The current snapshot, and a scratch copy of it built again under other settings; removed afterwards.

    Raises:
        SnapshotError: Nothing was published yet.
        ConfigurationError: The other configuration is wrong.
        SqlFileError: The other rules are wrong.
    """
    current = store.current(settings.snapshots)
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as folder:
        scratch = Path(folder) / "scratch.duckdb"
        shutil.copyfile(current.path, scratch)
        scratch.chmod(0o600)
        with connect(scratch) as con:
            ((known_at,),) = con.execute("select known_at from meta.known").fetchall()
            # The clock of the snapshot, and every load that it holds.
            context = replace(load_context(settings, known_at), is_replay=False)
            perform_all(con, context, context.plan.part(Kind.REFERENCE, Kind.SCORES))
            with store.open_current(settings.snapshots) as before:
                yield before, con


def _compared(
    before: duckdb.DuckDBPyConnection, after: duckdb.DuckDBPyConnection, query: str, by: list[str]
) -> pl.DataFrame:
    return (
        before.sql(query).pl().join(after.sql(query).pl(), on=by, how="full", coalesce=True, suffix="_after").sort(by)
    )


def backtest(settings: Settings, rules: Path | None = None) -> pl.DataFrame:
    """Replay other rules over the history.

    Args:
        settings: Where the snapshot is.
        rules: A folder of SQL files like ``sql/``, with another ruleset version; default: those of today, with the
            ``rules.toml`` of the settings' organisation.

    Returns:
        ``team_id, as_of, grain, score, score_after, level, level_after``: every month end and the latest day at
        which a team would have stood on another level, oldest first.
    """
    with _rebuilt(replace(settings, sql=rules or settings.sql)) as (before, after):
        found = _compared(before, after, _SCORES, ["team_id", "as_of", "grain"])
    moved = found.filter(pl.col("level").ne_missing(pl.col("level_after")))
    return moved.select("team_id", "as_of", "grain", "score", "score_after", "level", "level_after").sort(
        "as_of", "grain", "team_id"
    )


def preview(settings: Settings, organisation: Path) -> str:
    """Say what a configuration would do to today's scores, as Markdown fit for a pull request (:func:`effect`)."""
    return effect_text(effect(settings, organisation))


def effect(settings: Settings, organisation: Path, rules: Path | None = None) -> Effect:
    """Return what a configuration would do to today's scores.

    Args:
        settings: Where the snapshot is.
        organisation: Folder with the changed configuration.
        rules: Folder with changed SQL files; default those of today.
    """
    with _rebuilt(replace(settings, org=organisation, sql=rules or settings.sql)) as (before, after):
        teams = _compared(before, after, f"{_SCORES} and grain = 'latest'", ["team_id", "as_of", "grain"])
        areas = _compared(before, after, _AREAS, ["team_id", "area_id"])
        metrics = _compared(before, after, _METRICS, ["team_id", "metric_id"])
    return Effect(teams, areas, metrics)


def effect_text(found: Effect) -> str:
    """Say what differs between two builds, as Markdown."""
    teams, changed, moved_areas, moved_metrics = found.teams, found.moved_teams, found.moved_areas, found.moved_metrics
    lines = ["### Effect on the scores", ""]
    if changed.is_empty():
        kept = "keep score, level and coverage, in every area and metric"
        return "\n".join([*lines, f"None: all {teams.height} teams {kept}.", ""])
    lines += ["| Team | Score | Level | Coverage | Areas |", "| --- | --- | --- | --- | --- |"]
    lines += [_team_line(row, moved_areas) for row in changed.iter_rows(named=True)]
    lines += ["", f"{teams.height - changed.height} of {teams.height} teams are not affected."]
    if not moved_metrics.is_empty():
        lines += ["", "| Team | Metric | Points | Status |", "| --- | --- | --- | --- |"]
        lines += [_metric_line(row) for row in moved_metrics.iter_rows(named=True)]
    return "\n".join([*lines, ""])


def _differs(numbers: tuple[str, ...], words: tuple[str, ...]) -> pl.Expr:
    """Whether a number moved, came or went, or a word is another."""
    moved = [(pl.col(f"{name}_after") - pl.col(name)).abs().fill_null(0.0) >= _EPSILON for name in numbers] + [
        pl.col(name).is_null().ne(pl.col(f"{name}_after").is_null()) for name in numbers
    ]
    return pl.any_horizontal(*moved, *(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in words))


def _team_line(row: dict[str, Any], moved: pl.DataFrame) -> str:
    own = moved.filter(pl.col("team_id") == row["team_id"])
    cells = (
        f"{_number(row['score'])} → {_number(row['score_after'])}",
        f"{_whole(row['level'])} → {_whole(row['level_after'])}",
        f"{_percent(row['coverage'])} → {_percent(row['coverage_after'])}",
    )
    moves = ", ".join(_area_move(area) for area in own.iter_rows(named=True))
    return f"| {row['team_id']} | {' | '.join(cells)} | {moves or '–'} |"


def _area_move(area: dict[str, Any]) -> str:
    """An area's score; where that stays, what else became another."""
    name = area["area"] or area["area_after"]
    scores = _number(area["score"]), _number(area["score_after"])
    if scores[0] != scores[1]:
        return f"{name} {scores[0]} → {scores[1]}"
    for key, show in (("level", _whole), ("coverage", _percent), ("gate", _word), ("status", _word)):
        before, after = show(area[key]), show(area[f"{key}_after"])
        if before != after:
            return f"{name} {key} {before} → {after}"
    return f"{name} {scores[0]}"


def _metric_line(row: dict[str, Any]) -> str:
    points = f"{_number(row['points'])} → {_number(row['points_after'])}"
    status = _word(row["status"]), _word(row["status_after"])
    said = status[0] if status[0] == status[1] else f"{status[0]} → {status[1]}"
    return f"| {row['team_id']} | {row['metric'] or row['metric_after']} | {points} | {said} |"


def _word(value: str | None) -> str:
    return value or "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _whole(value: int | None) -> str:
    return "–" if value is None else str(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"
