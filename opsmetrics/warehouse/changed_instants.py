"""Which instants must be scored again: those whose values, windows or gates are others than at the last build.

A month that is over changes only when a late load, a register or a rule does. What an instant rests on is held against
the last build by content (two 64-bit sums over all rows), never by guessing from loads or dates: a wrong "nothing
changed" would be a wrong score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import duckdb
import polars as pl

from opsmetrics.core.declare import Table, at, id_, text
from opsmetrics.warehouse.connection import kind_of
from opsmetrics.warehouse.declared import schema_of, sums, write_table

BUILT_SCORES = Table(
    "meta.built_scores",
    "What the scores of each instant rest on, by content: only those of other instants are computed again",
    (
        at("as_of", "Instant of evaluation, UTC", required=True),
        id_("grain", "Grain"),
        id_("own", "Digest of its values, windows, gates and items, and of the weeks that it carries points from"),
        text("step", "Digest of both ends of the change that ends here; null where none does"),
        id_("shared", "Digest of rules, code and what every instant rests on"),
    ),
    ("as_of", "grain"),
)
INSTANT = ["as_of", "grain"]
# What every instant rests on, beside rules and code.
_SHARED = ("score_teams", "score_connections", "score_waivers", "score_applicability", "score_efforts")
# Outcomes are no part of a score: they decide, as a series does, what is said of scores.
_OWN = (
    *("score_values", "score_windows", "score_weaker", "score_late", "score_gates", "score_outcomes"),
    *("score_items", "score_due"),
)


@dataclass(frozen=True, slots=True)
class Changed:
    """What must be computed again.

    Attributes:
        everything: Rules, code or something shared is another: nothing of the last build counts.
        instants: ``as_of, grain`` to compute.
        gone: ``as_of, grain`` whose rows the last build made and that are computed again, or exist no more.
        steps: Some rows of ``steps_of``, to compute.
        gone_steps: ``as_of, grain`` of steps whose rows go.
        series: Whether a period of a series, or the end of a month, is among the instants.
    """

    everything: bool
    instants: pl.DataFrame
    gone: pl.DataFrame
    steps: pl.DataFrame
    gone_steps: pl.DataFrame
    series: bool


def changed(
    con: duckdb.DuckDBPyConnection, steps: pl.DataFrame, rules: str, carry: timedelta, *, force_full: bool
) -> Changed:
    """Hold the inputs of scores (the views ``score_*``) against those of the last build.

    Args:
        con: The working file.
        steps: All steps from month end to month end.
        rules: Digest of rules and code.
        carry: How far back a stale cell looks for a week to carry its points from.
        force_full: A table of the last build is missing.
    """
    now = _digests(con, steps, rules, carry)
    before = _before(con)
    before = before.clear() if force_full else before
    both = now.join(before, on=INSTANT, how="full", coalesce=True, suffix="_before")
    everything = before.is_empty() or before["shared"][0] != now["shared"][0]

    def other(name: str) -> pl.Expr:
        return pl.lit(everything) | pl.col(name).ne_missing(pl.col(f"{name}_before"))

    there, was = pl.col("shared").is_not_null(), pl.col("shared_before").is_not_null()
    instants = both.filter(other("own") & there).select(INSTANT)
    ends = both.filter(other("step")).select(INSTANT)
    return Changed(
        everything,
        instants,
        both.filter(other("own") & was).select(INSTANT),
        steps.join(ends, left_on=["to_as_of", "to_grain"], right_on=INSTANT, how="semi"),
        ends,
        both.filter(other("own") & pl.col("grain").str.contains("^(series_.*|month)$")).height > 0,
    )


def remember(con: duckdb.DuckDBPyConnection, steps: pl.DataFrame, rules: str, carry: timedelta) -> None:
    """Write down what the scores of this build rest on; in the transaction that writes the scores."""
    write_table(con, BUILT_SCORES, _digests(con, steps, rules, carry))


def _before(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    if kind_of(con, BUILT_SCORES.name) is None:
        return pl.DataFrame(schema=schema_of(BUILT_SCORES))
    return con.sql(f"select * from {BUILT_SCORES.name}").pl()


def _digests(con: duckdb.DuckDBPyConnection, steps: pl.DataFrame, rules: str, carry: timedelta) -> pl.DataFrame:
    """Return ``as_of, grain, own, step, shared`` of every instant."""
    parts = [con.execute(f"select {sums(name)} from {name}").fetchall()[0][0] for name in _SHARED]
    shared = "|".join([rules, duckdb.__version__, pl.__version__, *parts])
    found = con.sql(
        f"select as_of, grain, {sums('score_windows')} as score_windows from score_windows group by all"
    ).pl()
    for name in (*_OWN, "score_frozen"):
        if name != "score_windows":
            found_sums = con.sql(f"select as_of, grain, {sums(name)} as {name} from {name} group by all").pl()
            found = found.join(found_sums, on=INSTANT, how="left")
    plain = pl.concat_str([pl.col(name).fill_null("") for name in _OWN], separator="|")
    found = found.with_columns(plain=plain).sort(INSTANT)
    # A stale cell carries the points of a week before it: that week is a part of what the instant rests on.
    weeks = found.filter(pl.col("grain") == "week").select(week_at="as_of", week="plain")
    near = (
        found.select(INSTANT)
        .join_where(weeks, pl.col("week_at") <= pl.col("as_of"), pl.col("week_at") >= pl.col("as_of") - carry)
        .sort([*INSTANT, "week_at"])
        .group_by(INSTANT)
        .agg(weeks=pl.col("week").str.join("+"))
    )
    own = found.join(near, on=INSTANT, how="left").with_columns(
        own=pl.concat_str(["plain", pl.col("weeks").fill_null("")], separator="|")
    )
    ends = own.select(*INSTANT, "own", frozen=pl.col("score_frozen").fill_null(""))
    linked = (
        steps.join(ends, left_on=["to_as_of", "to_grain"], right_on=INSTANT)
        .join(ends.drop("frozen"), left_on=["from_as_of", "from_grain"], right_on=INSTANT, suffix="_from")
        .select(
            as_of="to_as_of",
            grain="to_grain",
            step=pl.concat_str(["own", "own_from", "frozen", pl.col("from_as_of").cast(pl.String)], separator="|"),
        )
    )
    return own.join(linked, on=INSTANT, how="left").select(*INSTANT, "own", "step", shared=pl.lit(shared))
