"""Status of a metric for a team and instant (section 3.3) and the effect of waivers (section 3.7)."""

from __future__ import annotations

import polars as pl

from opsmetrics.catalogue import Ruleset

MEASURED = ("ok", "low_evidence")
DROPPED = ("no_opportunity", "not_applicable", "waived")
# What a stale cell shows is that of the week its points come from, or nothing.
_CARRIED = (
    *("points", "evidence_weight", "value", "numerator", "denominator", "sample_size", "standard_error", "units"),
)
_NUMBERS = ("value", "numerator", "denominator", "sample_size", "standard_error", "units")
STATUSES = (*MEASURED, *DROPPED, "stale", "not_measured", "not_measured_overdue", "invalid")
CELL = ["team_id", "metric_id", "as_of", "grain"]


def assign_status(grid: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Give every cell its status, leaving waivers aside.

    Args:
        grid: One row per team, metric, as_of and grain, with columns ``applies`` (bool), ``missing_streams``
            (text or null), ``connected_on``, ``grace_from``, ``on`` (dates), ``completeness`` (0..1),
            ``window_completeness`` (0..1: what the sources delivered, whatever they can tell), ``untold`` and
            ``weaker`` (columns that a source cannot tell, text or null), ``least_stream``, ``value``, ``numerator``,
            ``denominator``, ``sample_size``, ``when_empty``, ``unit``, ``evidence_weight``, ``points`` (null where
            there is no value), ``points_low`` and ``points_high``.
        ruleset: For the stale limit and the grace days.

    Returns:
        The grid with ``status`` and ``reason``; points and evidence weight are null unless measured, values and counts
        where nobody measures. An obligation whose grace is used up has the ruleset's ``overdue_points`` where it names
        some.
    """
    overdue = pl.col("on") >= pl.col("grace_from") + pl.duration(days=ruleset.grace_days)
    unconnected = pl.col("missing_streams").is_not_null() | (pl.col("on") < pl.col("connected_on"))
    stale = pl.col("completeness") < ruleset.stale_below
    # Delivered, but not what the metric rests on: no last value stands for it, because none can come.
    untold = stale & pl.col("untold").is_not_null() & (pl.col("window_completeness") >= ruleset.stale_below)
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
        .when(untold)
        .then(pl.lit("not_measured"))
        .when(stale | (empty & (pl.col("completeness") < ruleset.quiet_from)))
        .then(pl.lit("stale"))
        .when(empty)
        .then(pl.col("when_empty"))
        .when((pl.col("evidence_weight") < 1.0) | (pl.col("completeness") < 1.0) | pl.col("weaker").is_not_null())
        .then(pl.lit("low_evidence"))
        .otherwise(pl.lit("ok"))
    )
    measured = pl.col("status").is_in(MEASURED)
    is_overdue = (pl.col("status") == "not_measured_overdue") & (ruleset.overdue_points is not None)
    return grid.with_columns(status=status).with_columns(
        reason=_reason(),
        points=pl.when(is_overdue).then(ruleset.overdue_points).when(measured).then(pl.col("points")),
        evidence_weight=pl.when(is_overdue).then(1.0).when(measured).then(pl.col("evidence_weight")),
        **{
            name: pl.when(is_overdue).then(ruleset.overdue_points).when(measured).then(pl.col(name))
            for name in ("points_low", "points_high")
        },
        # Where nothing is connected, a count of 0 is no finding of none.
        **{name: pl.when(~_is_of_nothing(stale)).then(name) for name in _NUMBERS},
    )


def _is_of_nothing(stale: pl.Expr) -> pl.Expr:
    """Whether nobody measured what the numbers of a cell are about."""
    status = pl.col("status")
    return status.is_in(["not_measured", "not_measured_overdue"]) | ((status == "not_applicable") & stale)


def _is_invalid() -> pl.Expr:
    value, numerator, denominator = pl.col("value"), pl.col("numerator"), pl.col("denominator")
    finite = value.is_finite() & numerator.is_finite() & denominator.is_finite()
    negative = (value < 0) | (numerator < 0) | (denominator < 0)
    share = (pl.col("unit") == "share") & ((value > 1 + 1e-9) | (numerator > denominator * (1 + 1e-9)))
    wrong = (denominator > 0) & (value.is_null() | ~finite | negative | share)
    return (wrong | (denominator < 0)).fill_null(value=False)


def _reason() -> pl.Expr:
    # Never rounded up to the whole: 99.7 % is 99.
    percent = (pl.col("completeness") * 100).floor().cast(pl.Int64).cast(pl.String)
    is_partly_known = pl.col("completeness") < pl.col("window_completeness") - 1e-9
    # What was delivered and says nothing (an empty flag) is no delivery that failed.
    incomplete = pl.format(
        "{}:{}{}",
        pl.when(is_partly_known).then(pl.lit("known")).otherwise(pl.lit("incomplete")),
        percent,
        _silent_stream(),
    )
    is_partly_untold = pl.col("untold").is_not_null() & is_partly_known
    thin = pl.format("thin:{}/{}", pl.col("sample_size"), pl.col("n_full"))
    return (
        pl.when(pl.col("status") == "not_applicable")
        .then(pl.coalesce("applies_reason", pl.lit("nothing_of_this_kind")))
        .when(pl.col("status").is_in(["not_measured", "not_measured_overdue"]))
        .then(
            pl.when(pl.col("missing_streams").is_not_null())
            .then(pl.format("not_connected:{}", "missing_streams"))
            .when(pl.col("on") < pl.col("connected_on"))
            .then(pl.lit("connected_later"))
            .otherwise(pl.format("not_told:{}", "untold"))
        )
        .when((pl.col("status") == "stale") & is_partly_untold)
        .then(pl.format("not_told:{}", "untold"))
        .when(pl.col("status") == "stale")
        .then(incomplete)
        .when(pl.col("status") == "invalid")
        .then(pl.lit("failed_check"))
        .when(pl.col("status") == "no_opportunity")
        .then(pl.lit("no_events"))
        .when((pl.col("status") == "low_evidence") & is_partly_untold)
        .then(pl.format("not_told:{}", "untold"))
        .when((pl.col("status") == "low_evidence") & (pl.col("completeness") < 1))
        .then(incomplete)
        .when((pl.col("status") == "low_evidence") & pl.col("weaker").is_not_null())
        .then(pl.format("weaker:{}", "weaker"))
        .when(pl.col("status") == "low_evidence")
        .then(thin)
    )


def _silent_stream() -> pl.Expr:
    """The stream that delivers least, behind a stroke, or nothing."""
    return pl.when(pl.col("least_stream").is_not_null()).then(pl.format("/{}", "least_stream")).otherwise(pl.lit(""))


def carry_last_value(grid: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Give stale cells the newest measured weekly points of the last ``carry_days`` days.

    The carried points enter the score but neither coverage nor bounds (ADR 0005). Older than that: dropped. What
    little was delivered since is shown by nobody: the value beside carried points is the one that they were given for.

    Args:
        grid: As :func:`assign_status` returns it.
        ruleset: For ``carry_days``.
    """
    weekly = (
        grid.filter((pl.col("grain") == "week") & pl.col("status").is_in(MEASURED))
        .select("team_id", "metric_id", "as_of", *(pl.col(name).alias(f"carried_{name}") for name in _CARRIED))
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
        *(pl.when(is_stale).then(f"carried_{name}").otherwise(name).alias(name) for name in _CARRIED),
        reason=pl.when(carried)
        .then(pl.format("carried_from:{}{}", pl.col("carried_at").dt.strftime("%Y-%m-%d"), _silent_stream()))
        .otherwise(pl.col("reason")),
        measured_at=pl.when(carried).then("carried_at").when(pl.col("status").is_in(MEASURED)).then("as_of"),
    ).drop("carried_at", *(f"carried_{name}" for name in _CARRIED))


def apply_waivers(grid: pl.DataFrame, waivers: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Set cells under a valid waiver to ``waived``, oldest waivers first, as far as the area's share has room for each.

    Args:
        grid: With statuses; columns ``area_id``, ``weight``, ``on``.
        waivers: ``team_id, metric_id, waiver_id, valid_from, valid_to`` (dates, half-open).
        ruleset: For the largest share of an area's weight that may be waived.

    Returns:
        The grid; the series of quarters, which lack the metrics with short windows, have the waivers of their month.
        Waived cells keep their numbers in ``value`` but have neither points nor evidence weight. What
        they had stands in ``unwaived_status``, ``unwaived_points`` and ``unwaived_evidence``.
    """
    group = ["team_id", "as_of", "grain", "area_id"]
    total = grid.filter(pl.col("status") != "not_applicable").group_by(group).agg(area_weight=pl.col("weight").sum())
    quarter = pl.col("grain") == "series_quarter"
    active = (
        grid.filter(pl.col("status") != "not_applicable", ~quarter)
        .join(waivers, on=["team_id", "metric_id"])
        .filter(pl.col("valid_from") <= pl.col("on"), pl.col("on") < pl.col("valid_to"))
        .sort("valid_from", "waiver_id")
        .unique([*group, "metric_id"], keep="first", maintain_order=True)
        .join(total, on=group)
        .sort("valid_from", "waiver_id", "metric_id")
    )
    active = _within_share(active, group, ruleset.waived_share_at_most).select(*CELL, "waiver_id")
    of_month = active.filter(pl.col("grain") == "month").with_columns(
        grain=pl.lit("series_quarter").cast(active.schema["grain"], strict=False)
    )
    active = pl.concat([active, of_month.drop_nulls("grain")])
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


def _within_share(active: pl.DataFrame, group: list[str], share: float) -> pl.DataFrame:
    """Leave out what an area's share has no room for; what is left out takes no room of those after it."""
    while True:
        is_over = pl.col("weight").cum_sum().over(group) > share * pl.col("area_weight") + 1e-9
        marked = active.with_columns(is_first_over=is_over & (is_over.cum_sum().over(group) == 1))
        if not marked["is_first_over"].any():
            return active
        active = marked.filter(~pl.col("is_first_over")).drop("is_first_over")
