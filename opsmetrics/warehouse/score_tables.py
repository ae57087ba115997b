"""Read values out of ``metrics`` and ``gates``, compute scores, write ``scores.*``.

Only instants whose inputs changed since the last build are computed, some at a time, so that neither a daily run nor
the memory of a rebuild grows with history; the rows are those of a computation of everything at once.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import duckdb
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.core.version import source_digest
from opsmetrics.scoring.compute import (
    InstantScores,
    compute_changes,
    compute_charts,
    compute_instants,
    compute_trends,
)
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.levels import with_levels
from opsmetrics.scoring.plan import compute_plans
from opsmetrics.scoring.steps import steps_of
from opsmetrics.scoring.tables import TABLES
from opsmetrics.warehouse import unchanged
from opsmetrics.warehouse.changed_instants import INSTANT, Changed, changed, remember
from opsmetrics.warehouse.connection import kind_of
from opsmetrics.warehouse.counterfactual import counterfactual_values
from opsmetrics.warehouse.declared import append_rows, check_table, comment_table, replace_rows
from opsmetrics.warehouse.goal_effects import read_goal_effects
from opsmetrics.warehouse.validity import read_validity
from opsmetrics.warehouse.window_items import DUE_SELECT, items_select

# Values that one part of the computation works on: some hundred megabytes.
VALUES_AT_ONCE = 150_000
STEPS_AT_ONCE = 6
_BY_INSTANT = ("metric", "entity", "area", "team", "gap")
_BY_INSTANT_INPUTS = ("values", "windows", "weaker", "late", "gates", "frozen", "items", "due")
_BY_STEP = ("change", "change_metric")
_LATEST = ("robustness", "peer", "plan")
INPUTS = {
    "teams": "select team_id, type, onboarded_on from ref.teams",
    "connections": "select team_id, stream, connected_on from ref.team_streams",
    "waivers": "select waiver_id, team_id, metric_id, valid_from, valid_to from ref.waivers",
    "efforts": "select team_id, metric_id, effort_days from ref.efforts",
    "windows": """
        select w.metric_id, w.as_of, w.grain, w."on", w.completeness, w.least_stream,
            nullif(concat_ws(',', u.rests_on, d.rests_on), '') as untold
        from facts.measured_windows as w
        left join ref.untold_columns as u
            on u.metric_id = w.metric_id and u.as_of = w.as_of and u.grain = w.grain
        left join facts.undated_windows as d
            on d.metric_id = w.metric_id and d.as_of = w.as_of and d.grain = w.grain
    """,
    "outcomes": "select *, 'series_quarter' as grain from facts.outcome_quarters",
    "weaker": "select team_id, metric_id, as_of, grain, better_with as weaker from facts.weaker_metrics",
    "late": """
        with late as (
            -- Of events: whatever counts days, hours or services knows of each of them whether it was told. A register
            -- tells what was before, too.
            select
                c.team_id, n.metric_id, w.as_of, w.grain, c.stream,
                (w."on" - c.connected_on + 1) / (w."on" - w.starts_on + 1) as told_share
            from (
                select metric_id, window_days, unnest(needs) as stream from meta.metrics
                where kind = 'sample' and window_days > 0
            ) as n
            join meta.streams as s on s.stream = n.stream and not s.is_register
            join ref.team_streams as c on c.stream = n.stream
            -- A source that was there when the team came into the scorecard tells of the time before too.
            join ref.teams as t on t.team_id = c.team_id and t.onboarded_on < c.connected_on
            join ref.windows as w
                on w.window_days = n.window_days and c.connected_on > w.starts_on and c.connected_on <= w."on"
        ),

        told as (
            select team_id, metric_id, as_of, grain, stream, told_share from late
            union all
            select team_id, metric_id, as_of, grain, stream, told_share from facts.hidden_windows
        )

        select
            team_id, metric_id, as_of, grain, min(told_share) as told_share,
            arg_max(stream, (-told_share, stream)) as late_stream
        from told
        group by all
    """,
}


def values_select(catalogue: Catalogue) -> str:
    """The query that reads the values of all metrics."""
    none = "cast(null as varchar) as entity_id, cast(null as double) as entity_weight"
    return " union all ".join(
        f"select team_id, '{metric.id}' as metric_id, as_of, grain, "
        f"{'entity_id, entity_weight' if metric.header.entity else none}, cast(numerator as double) as numerator, "
        "cast(denominator as double) as denominator, cast(value as double) as value, "
        "cast(sample_size as bigint) as sample_size, cast(completeness as double) as completeness, "
        f"{'standard_error' if metric.has_standard_error else 'cast(null as double) as standard_error'}, "
        f"{'worst_value' if metric.header.worst_value else 'cast(null as double) as worst_value'} "
        f"from {metric.file.table}"
        for metric in catalogue.metrics
    )


def applicability_select(catalogue: Catalogue) -> str:
    """The query that reads when a metric does not apply to a team: by the register, or for want of any duty."""
    select = "select team_id, metric_id, valid_from, valid_to, 'register' as reason from ref.applicability"
    of_duty = [f"('{metric.id}', {metric.window_days})" for metric in catalogue.metrics if metric.header.of_oncall_duty]
    if not of_duty:
        return select
    # Whoever had no duty on any day of a window needs no rota, and is not behind with connecting one.
    return f"""
        {select} union all
        select d.team_id, m.metric_id, cast(timezone(o.timezone, d.valid_from_at) as date) + m.days - 1,
            cast(timezone(o.timezone, d.valid_to_at) as date), 'nothing_of_this_kind'
        from ref.oncall_duties as d
        cross join meta.organisation as o
        cross join (values {", ".join(of_duty)}) as m(metric_id, days)
        where d.coverage = 'none'
    """


def gates_select(catalogue: Catalogue) -> str:
    """The query that reads the tripped gates."""
    selects: list[str] = []
    for gate in catalogue.gates:
        lifted_by = f"'{gate.header.lifted_by}'" if gate.header.lifted_by else "cast(null as varchar)"
        selects.append(
            f"select '{gate.id}' as gate_id, team_id, as_of, grain, '{gate.header.area}' as area_id, "
            f"{gate.header.cap} as cap, finding_count, {lifted_by} as lifted_by "
            f"from {gate.file.table} where finding_count > 0"
        )
    return " union all ".join(selects)


@contextmanager
def score_inputs(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile]) -> Generator[None]:
    """Make the inputs of scores readable as the temporary tables ``score_*``, as long as the block lasts."""
    values = values_select(catalogue)
    frozen = counterfactual_values(con, catalogue, files, values)
    con.register("frozen_rows", frozen)
    selects = INPUTS | {
        "applicability": applicability_select(catalogue),
        "gates": gates_select(catalogue),
        "values": values,
        "frozen": "select * from frozen_rows",
        "items": items_select(catalogue),
        "due": DUE_SELECT,
    }
    try:
        for name, select in selects.items():
            con.execute(f"create or replace temp table score_{name} as {select}")
        yield
    finally:
        con.unregister("frozen_rows")
        for name in selects:
            con.execute(f"drop table if exists temp.score_{name}")


def read_inputs(con: duckdb.DuckDBPyConnection, instants: pl.DataFrame, carry: timedelta) -> ScoreInputs:
    """Read everything that decides the scores of some instants.

    Args:
        con: With the tables of :func:`score_inputs`.
        instants: ``as_of, grain``.
        carry: Weeks as long before an instant are read too.
    """
    weeks = con.sql("select distinct as_of, grain from score_windows where grain = 'week'").pl()
    near = weeks.join_where(
        instants.select(at="as_of"), pl.col("as_of") <= pl.col("at"), pl.col("as_of") >= pl.col("at") - carry
    ).select(INSTANT)
    con.register("wanted_instants", pl.concat([instants.select(INSTANT), near]).unique())
    try:

        def some(name: str) -> pl.DataFrame:
            return con.sql(f"select s.* from score_{name} as s semi join wanted_instants using (as_of, grain)").pl()

        whole = {
            name: con.sql(f"select * from score_{name}").pl()
            for name in ("teams", "connections", "waivers", "applicability", "efforts")
        }
        return ScoreInputs(**{name: some(name) for name in _BY_INSTANT_INPUTS}, **whole)
    finally:
        con.unregister("wanted_instants")


def write_scores(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile]) -> dict[str, int]:
    """Bring the ``scores`` tables up to date in one transaction.

    Returns:
        Rows per table.

    Raises:
        ContractError: A table breaks its declaration; all of them stay as they were.
    """
    carry = timedelta(days=catalogue.ruleset.carry_days)
    rules = f"{catalogue.digest}|{source_digest()}"
    with score_inputs(con, catalogue, files), unchanged.transaction(con):
        steps = steps_of(con.sql("select distinct as_of, grain from score_windows").pl())
        force_full = any(kind_of(con, f"scores.{name}") is None for name in TABLES)
        todo = changed(con, steps, rules, carry, force_full=force_full)
        writer = _Writer(con, catalogue, todo)
        for instants in _parts(con, todo.instants):
            writer.write_instants(instants, carry)
        if writer.write_levels():
            writer.read_latest(carry)
        writer.write_plans()
        writer.write_changes(carry)
        writer.write_series()
        replace_rows(con, TABLES["goal_effect"], read_goal_effects(con))
        remember(con, steps, rules, carry)
        for table in TABLES.values():
            check_table(con, table)
            comment_table(con, table)
        unchanged.remember_given(con, [table.name for table in TABLES.values()])
    return {name: con.execute(f"select count(*) from scores.{name}").fetchall()[0][0] for name in TABLES}


def _parts(con: duckdb.DuckDBPyConnection, instants: pl.DataFrame) -> list[pl.DataFrame]:
    """Cut instants into parts of bounded size in time order; the latest days come last, by themselves."""
    counts = con.sql("select as_of, grain, count(*) as size from score_values group by all").pl()
    sized = instants.join(counts, on=INSTANT, how="left").sort(pl.col("grain") == "latest", "as_of", "grain")
    part = (pl.col("size").fill_null(0).cum_sum() // VALUES_AT_ONCE).cast(pl.Int64)
    cut = sized.with_columns(part=pl.when(pl.col("grain") == "latest").then(-1).otherwise(part))
    # Without any instant one empty part makes the tables.
    return cut.partition_by("part", maintain_order=True, include_key=False) or [cut.drop("part")]


class _Writer:
    """Replaces the rows of what changed."""

    def __init__(self, con: duckdb.DuckDBPyConnection, catalogue: Catalogue, todo: Changed) -> None:
        self._con, self._catalogue, self._todo = con, catalogue, todo
        self._is_new = todo.everything
        self._made: set[str] = set()
        self._latest: tuple[InstantScores, ScoreInputs] | None = None
        if not self._is_new:
            for names, gone in (((*_BY_INSTANT, *_LATEST), todo.gone), (_BY_STEP, todo.gone_steps)):
                self._remove(names, gone)

    def _remove(self, names: tuple[str, ...], gone: pl.DataFrame) -> None:
        self._con.register("gone", gone)
        for name in names:
            grain = "s.grain = g.grain" if "grain" in TABLES[name].names else "g.grain = 'latest'"
            self._con.execute(
                f"delete from scores.{name} as s where exists (from gone as g where g.as_of = s.as_of and {grain})"
            )
        self._con.unregister("gone")

    def _add(self, name: str, frame: pl.DataFrame) -> None:
        if self._is_new and name not in self._made:
            replace_rows(self._con, TABLES[name], frame)
            self._made.add(name)
        elif not frame.is_empty():
            append_rows(self._con, TABLES[name], frame)

    def write_instants(self, instants: pl.DataFrame, carry: timedelta) -> None:
        """Compute and write what rests on single instants."""
        inputs = read_inputs(self._con, instants, carry)
        scores = compute_instants(self._catalogue, inputs, instants.select(INSTANT))
        for name in (*_BY_INSTANT, "robustness", "peer"):
            self._add(name, getattr(scores, name))
        # The latest days stand in one part, the last one.
        self._latest = (scores, inputs)

    def write_levels(self) -> bool:
        """Give every evaluation its level: each rests on those before it, which may have changed or be the same.

        Returns:
            Whether a level of the newest day, which was not computed now, is another one because of the days before it.
        """
        moved_today = False
        tables = {name: self._con.sql(f"select * from scores.{name}").pl() for name in ("area", "team")}
        found = with_levels(tables["area"], tables["team"], self._catalogue.caps(), self._catalogue.ruleset)
        for (name, before), after in zip(tables.items(), found, strict=True):
            keys = TABLES[name].key
            moved = after.filter(after["level"].ne_missing(before["level"])).select(*keys, "level")
            self._con.register("moved_levels", moved)
            same = " and ".join(f"s.{key} = m.{key}" for key in keys)
            self._con.execute(f"update scores.{name} as s set level = m.level from moved_levels as m where {same}")
            self._con.unregister("moved_levels")
            moved_today = moved_today or not moved.filter(pl.col("grain").cast(pl.String) == "latest").is_empty()
        return moved_today and self._todo.instants.filter(pl.col("grain").cast(pl.String) == "latest").is_empty()

    def read_latest(self, carry: timedelta) -> None:
        """Compute the newest day for plans, whose target its level is, and take the former plans away."""
        latest = self._con.sql("select distinct as_of, grain from score_windows where grain = 'latest'").pl()
        inputs = read_inputs(self._con, latest, carry)
        self._latest = (compute_instants(self._catalogue, inputs, latest), inputs)
        self._con.execute("delete from scores.plan")

    def write_plans(self) -> None:
        """Compute and write the way to the next level, from the levels as they stand now."""
        if self._latest is None:
            return
        scores, inputs = self._latest
        keys = TABLES["area"].key, TABLES["team"].key
        level = {
            name: frame.drop("level").join(
                self._con.sql(f"select {', '.join(key)}, level from scores.{name} where grain = 'latest'").pl(),
                on=list(key),
                how="left",
            )
            for name, frame, key in zip(("area", "team"), (scores.area, scores.team), keys, strict=True)
        }
        self._add("plan", compute_plans(self._catalogue, replace(scores, **level), inputs))

    def write_changes(self, carry: timedelta) -> None:
        """Compute and write the steps from month to month."""
        steps = self._todo.steps
        for start in range(0, max(1, len(steps)), STEPS_AT_ONCE):
            part = steps[start : start + STEPS_AT_ONCE]
            ends = [part.select(as_of=f"{end}_as_of", grain=f"{end}_grain") for end in ("from", "to")]
            inputs = read_inputs(self._con, pl.concat(ends).unique(), carry)
            for name, frame in zip(_BY_STEP, compute_changes(self._catalogue, inputs, part), strict=True):
                self._add(name, frame)

    def write_series(self) -> None:
        """Compute and write trends and validity, if a series moved, and charts: they carry the value of today."""
        metric = self._con.sql("select * from scores.metric where grain not in ('week', 'tertial')").pl()
        if self._is_new or self._todo.series:
            replace_rows(self._con, TABLES["trend"], compute_trends(self._catalogue, metric))
            replace_rows(self._con, TABLES["validity"], read_validity(self._con, self._catalogue))
        replace_rows(self._con, TABLES["control_chart"], compute_charts(self._catalogue, metric))
