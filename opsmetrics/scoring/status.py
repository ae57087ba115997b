"""Status of a metric for a team and instant (section 3.3) and the effect of waivers (section 3.7)."""

from __future__ import annotations

import polars as pl

from opsmetrics.catalogue import Ruleset

MEASURED = ("ok", "low_evidence")
DROPPED = ("no_opportunity", "not_applicable", "waived")
STATUSES = (*MEASURED, *DROPPED, "stale", "not_measured", "not_measured_overdue", "invalid")
CELL = ["team_id", "metric_id", "as_of", "grain"]


def assign_status(grid: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Give every cell its status, leaving waivers aside.

    Args:
        grid: One row per team, metric, as_of and grain, with columns ``applies`` (bool), ``missing_streams``
            (text or null), ``connected_on``, ``grace_from``, ``on`` (dates), ``completeness`` (0..1),
            ``value``, ``numerator``, ``denominator``, ``sample_size``, ``when_empty``, ``unit``,
            ``evidence_weight``, ``points`` (null where there is no value).
        ruleset: For the stale limit and the grace days.

    Returns:
        The grid with ``status`` and ``reason``; points and evidence weight are null unless measured, 0 and 1
        for an obligation whose grace is used up.
    """
    overdue = pl.col("on") >= pl.col("grace_from") + pl.duration(days=ruleset.grace_days)
    unconnected = pl.col("missing_streams").is_not_null() | (pl.col("on") < pl.col("connected_on"))
    stale = pl.col("completeness") < ruleset.stale_below
    empty = pl.col("denominator").is_null() | (pl.col("denominator") == 0)
    status = (
        pl.when(~pl.col("applies"))
        .then(pl.lit("not_applicable"))
        .when(unconnected & overdue)
        .then(pl.lit("not_measured_overdue"))
        .when(unconnected)
        .then(pl.lit("not_measured"))
        .when(_is_invalid())
        .then(pl.lit("invalid"))
        .when(stale)
        .then(pl.lit("stale"))
        .when(empty)
        .then(pl.col("when_empty"))
        .when((pl.col("evidence_weight") < 1.0) | (pl.col("completeness") < 1.0))
        .then(pl.lit("low_evidence"))
        .otherwise(pl.lit("ok"))
    )
    measured = pl.col("status").is_in(MEASURED)
    is_overdue = pl.col("status") == "not_measured_overdue"
    return grid.with_columns(status=status).with_columns(
        reason=_reason(),
        points=pl.when(is_overdue).then(0.0).when(measured).then(pl.col("points")),
        evidence_weight=pl.when(is_overdue).then(1.0).when(measured).then(pl.col("evidence_weight")),
    )


def _is_invalid() -> pl.Expr:
    value, numerator, denominator = pl.col("value"), pl.col("numerator"), pl.col("denominator")
    finite = value.is_finite() & numerator.is_finite() & denominator.is_finite()
    negative = (value < 0) | (numerator < 0) | (denominator < 0)
    share = (pl.col("unit") == "share") & ((value > 1 + 1e-9) | (numerator > denominator * (1 + 1e-9)))
    wrong = (denominator > 0) & (value.is_null() | ~finite | negative | share)
    return (wrong | (denominator < 0)).fill_null(value=False)


def _reason() -> pl.Expr:
    percent = (pl.col("completeness") * 100).round(0).cast(pl.Int64).cast(pl.String)
    thin = pl.format("thin:{}/{}", pl.col("sample_size"), pl.col("n_full"))
    return (
        pl.when(pl.col("status") == "not_applicable")
        .then(pl.coalesce("applies_reason", pl.lit("nothing_of_this_kind")))
        .when(pl.col("status").is_in(["not_measured", "not_measured_overdue"]))
        .then(
            pl.when(pl.col("missing_streams").is_null())
            .then(pl.lit("connected_later"))
            .otherwise(pl.format("not_connected:{}", "missing_streams"))
        )
        .when(pl.col("status") == "stale")
        .then(pl.format("incomplete:{}", percent))
        .when(pl.col("status") == "invalid")
        .then(pl.lit("failed_check"))
        .when(pl.col("status") == "no_opportunity")
        .then(pl.lit("no_events"))
        .when((pl.col("status") == "low_evidence") & (pl.col("completeness") < 1))
        .then(pl.format("incomplete:{}", percent))
        .when(pl.col("status") == "low_evidence")
        .then(thin)
    )


def carry_last_value(grid: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Give stale cells the newest measured weekly points of the last ``carry_days`` days.

    The carried points enter the score but neither coverage nor bounds (ADR 0005). Older than that: dropped.

    Args:
        grid: As :func:`assign_status` returns it.
        ruleset: For ``carry_days``.
    """
    weekly = (
        grid.filter((pl.col("grain") == "week") & pl.col("status").is_in(MEASURED))
        .select("team_id", "metric_id", "as_of", carried_points="points", carried_weight="evidence_weight")
        .with_columns(carried_at=pl.col("as_of"))
        .sort("as_of")
    )
    joined = grid.sort("as_of").join_asof(
        weekly,
        on="as_of",
        by=["team_id", "metric_id"],
        strategy="backward",
        tolerance=f"{ruleset.carry_days}d",
        check_sortedness=False,
    )
    is_stale = pl.col("status") == "stale"
    carried = is_stale & pl.col("carried_points").is_not_null()
    return joined.with_columns(
        points=pl.when(is_stale).then(pl.col("carried_points")).otherwise(pl.col("points")),
        evidence_weight=pl.when(is_stale).then(pl.col("carried_weight")).otherwise(pl.col("evidence_weight")),
        reason=pl.when(carried)
        .then(pl.format("carried_from:{}", pl.col("carried_at").dt.strftime("%Y-%m-%d")))
        .otherwise(pl.col("reason")),
    ).drop("carried_points", "carried_weight", "carried_at")


def apply_waivers(grid: pl.DataFrame, waivers: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Set cells under a valid waiver to ``waived``, oldest waivers first, up to the area's share.

    Args:
        grid: With statuses; columns ``area_id``, ``weight``, ``on``.
        waivers: ``team_id, metric_id, waiver_id, valid_from, valid_to`` (dates, half-open).
        ruleset: For the largest share of an area's weight that may be waived.

    Returns:
        The grid; waived cells keep their numbers in ``value`` but have neither points nor evidence weight. What
        they had stands in ``unwaived_status``, ``unwaived_points`` and ``unwaived_evidence``.
    """
    group = ["team_id", "as_of", "grain", "area_id"]
    total = grid.filter(pl.col("status") != "not_applicable").group_by(group).agg(area_weight=pl.col("weight").sum())
    active = (
        grid.filter(pl.col("status") != "not_applicable")
        .join(waivers, on=["team_id", "metric_id"])
        .filter(pl.col("valid_from") <= pl.col("on"), pl.col("on") < pl.col("valid_to"))
        .sort("valid_from", "waiver_id")
        .unique([*group, "metric_id"], keep="first", maintain_order=True)
        .join(total, on=group)
        .sort("valid_from", "waiver_id", "metric_id")
        .with_columns(used=pl.col("weight").cum_sum().over(group))
        .filter(pl.col("used") <= ruleset.waived_share_at_most * pl.col("area_weight") + 1e-9)
        .select(*CELL, "waiver_id")
    )
    waived = pl.col("waiver_id").is_not_null()
    return (
        grid.join(active, on=CELL, how="left")
        .with_columns(
            status=pl.when(waived).then(pl.lit("waived")).otherwise(pl.col("status")),
            reason=pl.when(waived).then(pl.format("waiver:{}", pl.col("waiver_id"))).otherwise(pl.col("reason")),
            unwaived_status=pl.col("status"),
            unwaived_points=pl.col("points"),
            unwaived_evidence=pl.col("evidence_weight"),
            points=pl.when(~waived).then(pl.col("points")),
            evidence_weight=pl.when(~waived).then(pl.col("evidence_weight")),
        )
        .drop("waiver_id")
    )
