"""What decides scores, and ids as numbers while they are computed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import polars as pl

from opsmetrics.catalogue import Catalogue

LATE = {
    "team_id": pl.String,
    "metric_id": pl.String,
    "as_of": pl.Datetime("us", "UTC"),
    "grain": pl.String,
    "told_share": pl.Float64,
    "late_stream": pl.String,
}


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """Everything that decides scores.

    Attributes:
        values: ``team_id, metric_id, as_of, grain, entity_id, entity_weight, numerator, denominator, value,
            sample_size, completeness, standard_error, worst_value``; entity columns are null for metrics that are not
            scored per entity, the standard error where the items tell it, the worst value where no SQL tells it.
        windows: ``metric_id, as_of, grain, on, completeness, least_stream, untold``: every instant at which a metric
            is evaluated; ``on`` is the last local day of the period, ``least_stream`` the stream that delivered least
            of the window, or null, ``untold`` a text of each ``stream.column`` that a source of the window cannot tell,
            or null.
        weaker: ``team_id, metric_id, as_of, grain, weaker``: cells that did without a ``stream.column``.
        teams: ``team_id, type, onboarded_on``.
        connections: ``team_id, stream, connected_on``: who delivers to which stream since when.
        waivers: ``waiver_id, team_id, metric_id, valid_from, valid_to``.
        applicability: ``team_id, metric_id, valid_from, valid_to, reason``: when a metric does not apply.
        efforts: ``team_id, metric_id, effort_days``: what teams expect remedies to cost.
        gates: ``gate_id, team_id, as_of, grain, area_id, cap, finding_count, lifted_by`` of tripped gates.
        frozen: Values at the ends of periods in which services changed hands, as if they had not; columns as
            ``values``. Empty where nothing moved.
        items: Columns as ``outlook.ITEMS``: the items of the latest day's windows, in groups of a day.
        due: Columns as ``outlook.DUE``: known items that fall due after the latest day.
        late: Columns as ``LATE``: cells in whose window a team was connected to a needed stream. What the stream told
            before was about others, so that only the share from then on is known of the team.
    """

    values: pl.DataFrame
    windows: pl.DataFrame
    weaker: pl.DataFrame
    teams: pl.DataFrame
    connections: pl.DataFrame
    waivers: pl.DataFrame
    applicability: pl.DataFrame
    efforts: pl.DataFrame
    gates: pl.DataFrame
    frozen: pl.DataFrame
    items: pl.DataFrame
    due: pl.DataFrame
    late: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LATE))


def encoded(catalogue: Catalogue, inputs: ScoreInputs) -> ScoreInputs:
    """Give ids a number each while scores are computed: sorting and joining texts takes most of the time otherwise."""
    teams = inputs.teams["team_id"].unique().sort()
    enums = {
        "team_id": pl.Enum(teams),
        "metric_id": pl.Enum(sorted(metric.id for metric in catalogue.metrics)),
        "area_id": pl.Enum(sorted(area.id for area in catalogue.areas)),
        "grain": pl.Enum(inputs.windows["grain"].unique().sort()),
    }

    def encode(frame: pl.DataFrame) -> pl.DataFrame:
        present = [name for name in enums if name in frame.columns]
        coded = frame.with_columns(pl.col(name).cast(enums[name], strict=False) for name in present)
        # What belongs to no known team or metric has no row to be joined to.
        return coded.drop_nulls([name for name in present if name != "grain"])

    return ScoreInputs(**{each.name: encode(getattr(inputs, each.name)) for each in fields(inputs)})
