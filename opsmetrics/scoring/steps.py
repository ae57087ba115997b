"""The steps of the waterfall: from month end to month end, and from the newest month end to the latest day."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.aggregate import TEAM
from opsmetrics.scoring.cells import area_weights, score_cells
from opsmetrics.scoring.change import State, waterfall
from opsmetrics.scoring.change_metric import metric_parts
from opsmetrics.scoring.inputs import ScoreInputs


def changes(
    catalogue: Catalogue, inputs: ScoreInputs, cells: pl.DataFrame, steps: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split every step of ``steps`` (:func:`steps_of`); the cells of both its ends must be there.

    Returns:
        The parts of every step, and what each metric gave to its part performance.
    """
    frozen = _frozen_cells(catalogue, inputs)
    weights = area_weights(catalogue)

    def state(frame: pl.DataFrame, end: str) -> State:
        """Cells at one end of every step, filed under the instant at which the step ends."""
        keys = [f"{end}_as_of", f"{end}_grain"]
        chosen = frame.join(steps, left_on=["as_of", "grain"], right_on=keys, coalesce=False).join(
            weights, on="area_id"
        )
        return State(
            chosen.select(
                "team_id",
                "metric_id",
                *("area_id", "area_weight", "value", "is_entity", "weight", "floor", "krav", "mal"),
                as_of="to_as_of",
                grain="to_grain",
                status=pl.col("unwaived_status"),
                points=pl.col("unwaived_points"),
                evidence_weight=pl.col("unwaived_evidence"),
                completeness="completeness",
                is_waived=pl.col("status") == "waived",
            ),
            catalogue.ruleset,
        )

    kept = None if frozen is None else state(_instead(cells, frozen), "to")
    before, after = state(cells, "from"), state(cells, "to")
    parts = waterfall(before, after, kept)
    metrics = metric_parts(before, kept or after).join(parts.select(TEAM), on=TEAM, how="semi")
    starts = steps.select("from_as_of", as_of="to_as_of", grain="to_grain")
    return parts.join(starts, on=["as_of", "grain"]), metrics.join(starts, on=["as_of", "grain"])


def steps_of(windows: pl.DataFrame) -> pl.DataFrame:
    """Return ``from_as_of, from_grain, to_as_of, to_grain`` of every step, oldest first.

    A latest day that is the last of a month is held against the month before, as that month is.

    Args:
        windows: ``as_of, grain`` of all instants.
    """
    instants = windows.filter(pl.col("grain").is_in(["month", "latest"])).select("as_of", "grain").unique()
    months = instants.filter(pl.col("grain") == "month").select(from_as_of="as_of", from_grain="grain")
    return (
        instants.select(to_as_of="as_of", to_grain="grain")
        .sort("to_as_of", pl.col("to_grain") == "latest")
        .join_asof(
            months.sort("from_as_of"),
            left_on="to_as_of",
            right_on="from_as_of",
            strategy="backward",
            allow_exact_matches=False,
            coalesce=False,
        )
        .select("from_as_of", "from_grain", "to_as_of", "to_grain")
        .filter(pl.col("from_as_of").is_not_null())
    )


def _frozen_cells(catalogue: Catalogue, inputs: ScoreInputs) -> pl.DataFrame | None:
    if inputs.frozen.is_empty():
        return None
    instants = inputs.frozen.select("as_of", "grain").unique()
    rest = inputs.values.join(instants, on=["as_of", "grain"], how="anti")
    values = pl.concat([rest, inputs.frozen.select(rest.columns)])
    weekly = inputs.windows.filter(pl.col("grain") == "week")
    windows = pl.concat([inputs.windows.join(instants, on=["as_of", "grain"], how="semi"), weekly])
    cells = score_cells(catalogue, replace(inputs, values=values, windows=windows)).waived
    return cells.join(instants, on=["as_of", "grain"], how="semi")


def _instead(cells: pl.DataFrame, frozen: pl.DataFrame) -> pl.DataFrame:
    instants = frozen.select("as_of", "grain").unique()
    return pl.concat([cells.join(instants, on=["as_of", "grain"], how="anti"), frozen.select(cells.columns)])
