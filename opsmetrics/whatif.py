"""What other rules or another configuration would do to the scores: built in a scratch copy of the snapshot.

Belongs here: ``opsmetrics backtest`` (rules over the whole history) and ``opsmetrics preview`` (configuration, today).
Nothing of it touches the working file, landing or the snapshots.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics import pipeline, snapshot
from opsmetrics.settings import Settings
from opsmetrics.warehouse import build_table, connect, write_scores

_EPSILON = 0.005
_SCORES = (
    "select team_id, as_of, grain, score, coverage, level, status from scores.team where grain in ('month', 'latest')"
)
_AREAS = """
    select s.team_id, s.area_id, a.name_nb as area, s.score, s.level, s.gate
    from scores.area as s join meta.areas as a on a.area_id = s.area_id where s.grain = 'latest'
"""


@contextmanager
def _rebuilt(settings: Settings) -> Generator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    """The current snapshot, and a scratch copy of it built again under other settings; removed afterwards.

    Raises:
        SnapshotError: Nothing was published yet.
        ConfigurationError: The other configuration is wrong.
        SqlFileError: The other rules are wrong.
    """
    current = snapshot.current(settings.snapshots)
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as folder:
        scratch = Path(folder) / "scratch.duckdb"
        shutil.copyfile(current.path, scratch)
        scratch.chmod(0o600)
        with connect(scratch) as con:
            ((known_at,),) = con.execute("select known_at from meta.known").fetchall()
            # The clock of the snapshot, and every load that it holds.
            context = replace(pipeline.load_context(settings, known_at), is_replay=False)
            pipeline.refresh(con, context)
            for file in context.models():
                build_table(con, file, context.catalogue, context.files, context.organisation.digest, context.engine)
            write_scores(con, context.catalogue, context.files)
            with snapshot.open_current(settings.snapshots) as before:
                yield before, con


def _compared(
    before: duckdb.DuckDBPyConnection, after: duckdb.DuckDBPyConnection, query: str, by: list[str]
) -> pl.DataFrame:
    return (
        before.sql(query).pl().join(after.sql(query).pl(), on=by, how="full", coalesce=True, suffix="_after").sort(by)
    )


def backtest(settings: Settings, rules: Path) -> pl.DataFrame:
    """Replay other rules over the history.

    Args:
        settings: Where the snapshot is.
        rules: A folder of SQL files like ``sql/``, with another ruleset version.

    Returns:
        ``team_id, as_of, grain, score, score_after, level, level_after``: every month end and the latest day at
        which a team would have stood on another level, oldest first.
    """
    with _rebuilt(replace(settings, sql=rules)) as (before, after):
        found = _compared(before, after, _SCORES, ["team_id", "as_of", "grain"])
    moved = found.filter(pl.col("level").ne_missing(pl.col("level_after")))
    return moved.select("team_id", "as_of", "grain", "score", "score_after", "level", "level_after").sort(
        "as_of", "grain", "team_id"
    )


def preview(settings: Settings, organisation: Path, rules: Path | None = None) -> str:
    """Say what a configuration would do to today's scores, as Markdown fit for a pull request.

    Args:
        settings: Where the snapshot is.
        organisation: Folder with the changed configuration.
        rules: Folder with changed SQL files; default those of today.
    """
    with _rebuilt(replace(settings, org=organisation, sql=rules or settings.sql)) as (before, after):
        teams = _compared(before, after, f"{_SCORES} and grain = 'latest'", ["team_id", "as_of", "grain"])
        areas = _compared(before, after, _AREAS, ["team_id", "area_id"])
    changed = teams.filter(
        ((pl.col("score_after") - pl.col("score")).abs() >= _EPSILON)
        | pl.col("score").is_null().ne(pl.col("score_after").is_null())
        | pl.col("level").ne_missing(pl.col("level_after"))
        | ((pl.col("coverage_after") - pl.col("coverage")).abs() >= _EPSILON)
    )
    lines = ["### Effect on the scores", ""]
    if changed.is_empty():
        return "\n".join([*lines, f"None: all {teams.height} teams keep score, level and coverage.", ""])
    lines += ["| Team | Score | Level | Coverage | Areas |", "| --- | --- | --- | --- | --- |"]
    for row in changed.iter_rows(named=True):
        own = areas.filter(
            (pl.col("team_id") == row["team_id"])
            & (
                ((pl.col("score_after") - pl.col("score")).abs() >= _EPSILON)
                | pl.col("level").ne_missing(pl.col("level_after"))
            )
        )
        moves = ", ".join(
            f"{area['area'] or area['area_after']} {_number(area['score'])} → {_number(area['score_after'])}"
            for area in own.iter_rows(named=True)
        )
        cells = (
            f"{_number(row['score'])} → {_number(row['score_after'])}",
            f"{_whole(row['level'])} → {_whole(row['level_after'])}",
            f"{_percent(row['coverage'])} → {_percent(row['coverage_after'])}",
        )
        lines.append(f"| {row['team_id']} | {' | '.join(cells)} | {moves or '–'} |")
    same = teams.height - changed.height
    return "\n".join([*lines, "", f"{same} of {teams.height} teams are not affected.", ""])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _whole(value: int | None) -> str:
    return "–" if value is None else str(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
