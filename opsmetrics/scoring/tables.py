"""The ``scores`` tables that Python computes: stated once, for frames, checks and readers.

Names and order are a promise to other programs; new columns come at the end.
"""

from __future__ import annotations

from opsmetrics.core.declare import Column, Table, at, count, day, flag, id_, number, share, text, texts
from opsmetrics.scoring.chart_names import KINDS, REASONS, SIGNALS
from opsmetrics.scoring.status import STATUSES

# A spread among fewer teams of one type would tell of single ones (method 3.13).
FEWEST_TEAMS = 5
VALIDITY_KINDS = ("between", "within")
VALIDITY_VERDICTS = ("goes_with", "goes_against", "cannot_tell", "too_few")
_PERIODS = ("month", "tertial", "week", "latest")
_SERIES = ("series_month", "series_quarter")
# Of a metric's own series: a long census keeps its window, at ends of months.
_OWN_SERIES = ("month", *_SERIES)
_OWN_GRAIN_DOC = (
    "series_month or series_quarter: the period; month: whole windows that end with a month, a window apart"
)
_GRAIN_DOC = "month, tertial, week, latest; series_month and series_quarter for trends"
_STATUSES = ("ok", "provisional", "too_little_data", "not_applicable")

_TEAM = id_("team_id", "Team")
_AREA = id_("area_id", "Area")
_METRIC = id_("metric_id", "Metric")
_AS_OF = at("as_of", "Instant of evaluation, UTC", required=True)
_GRAIN = text("grain", _GRAIN_DOC, required=True, one_of=(*_PERIODS, *_SERIES))
_STATUS = text("status", "ok, provisional, too_little_data or not_applicable", required=True, one_of=_STATUSES)
_BASES = ("work", "items", "due_dates", "window")
_SHOWS_DOC = "First local day on which it can show in full: 100 points; null at other instants than the latest day"
_BASIS_DOC = """\
work: the newest state counts; items: days of the items in the window, new ones at the usual rate; due_dates: also \
what is known to come; window: when the window has rolled over; null where shows_on is"""


def _points(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, "number", doc, required=required, low=0, high=100)


def _any(name: str, doc: str) -> Column:
    """A number that may be negative."""
    return number(name, doc, low=None)


def _level(name: str, doc: str) -> Column:
    return Column(name, "integer32", doc, low=0, high=4)


_INTERVAL = (
    _points(
        "interval_low", "Next month's score lies above with 95 %, if only chance changes (method 3.10); null = no score"
    ),
    _points("interval_high", "Next month's score lies below with 95 %, if only chance changes; null = no score"),
)
_EDGE = (
    _level(
        "level_by_score",
        "Level whose edge the score reaches today, whatever the history and gates say; null = no score",
    ),
    _level("level_sure", "Highest level that next month's score reaches with at least 80 %; null = no score"),
    flag(
        "is_on_edge", "A level is neither sure nor out of reach: its chance lies between 20 and 80 %; null = no score"
    ),
)
_CHANCES = (*_INTERVAL, *_EDGE)
_METRIC_TABLE = Table(
    "scores.metric",
    "Points and status of every metric for every team and instant (method 3.1 to 3.3)",
    (
        _TEAM,
        id_("metric_id", "Metric, see meta.metrics"),
        _AS_OF,
        _GRAIN,
        _any(
            "numerator", "Items or time that keep the obligation (lower-is-better: that break it); null = not measured"
        ),
        _any("denominator", "Items or time that the obligation is about; null = not measured"),
        _any(
            "value",
            "The metric in its unit; entity metrics: pooled over entities, for display; null = unknown, or of nothing",
        ),
        count("sample_size", "Items behind the value; null = not measured"),
        share("completeness", "Share of the window that the sources delivered, 0..1"),
        _points("points", "0..100; null = no points, never 0 for unknown"),
        number("weight", "Weight in the area"),
        share("evidence_weight", "Z, 0..1, from the sample size alone (method 3.2, ADR 0010); null = no points"),
        text(
            "status",
            "One of the nine statuses of method 3.3",
            required=True,
            one_of=STATUSES,
        ),
        text("reason", "Why the status is not ok, as code:detail; null = it is"),
        count("metric_version", "Version of the definition", required=True, low=1),
        _any(
            "interval_low",
            "Lower end of the 95 % interval of the practice behind the value (method 3.10); null = none is known",
        ),
        _any("interval_high", "Upper end; null where interval_low is"),
        _points("points_low", "Points if everything undelivered or untold had gone badly; null = not measured"),
        _points("points_high", "Points if everything undelivered or untold had gone well; null = not measured"),
        share("stated_share", "The metric's weight of all that applies to the team in its area; null = does not apply"),
        share("effective_share", "What it weighs in the area's score, after evidence and gaps; null = no points"),
        at(
            "measured_at", "When the value was measured: as_of, or the week's end that a carried value is from; or null"
        ),
    ),
    ("team_id", "metric_id", "as_of", "grain"),
)
_ENTITY_TABLE = Table(
    "scores.entity",
    "Points of each SLO, resource or datastore of entity metrics",
    (
        _TEAM,
        _METRIC,
        _AS_OF,
        _GRAIN,
        id_("entity_id", "SLO, resource or datastore"),
        number("entity_weight", "Criticality weight"),
        _any("numerator", "Numerator; null = not measured"),
        _any("denominator", "Denominator; null = not measured"),
        _any("value", "Value in the metric's unit; null = not measured, or of nothing"),
        _points("points", "0..100; null = no points, never 0 for unknown"),
    ),
    ("team_id", "metric_id", "as_of", "grain", "entity_id"),
)
_AREA_TABLE = Table(
    "scores.area",
    "Score, coverage, bounds and level of each area (method 3.4, 3.6)",
    (
        _TEAM,
        _AREA,
        _AS_OF,
        _GRAIN,
        _points("score", "0..100; null where there is too little data"),
        share("coverage", "Share of applicable weight that is measured, 0..1"),
        _points("low", "Score if everything unknown were 0"),
        _points("high", "Score if everything unknown were 100"),
        _level(
            "level",
            "0 to 4: rises when it has been sure for 28 days, falls with the score; capped by gates; null = no score",
        ),
        text("gate", "Strictest tripped gate, or null"),
        _STATUS,
        count("gate_findings", "Findings behind the gate; null = none tripped"),
        _points("score_without_waivers", "Score as if no waiver existed; null = too little data for one"),
        *_CHANCES,
    ),
    ("team_id", "area_id", "as_of", "grain"),
)
_TEAM_TABLE = Table(
    "scores.team",
    "Score, coverage, bounds and level of each team (method 3.5, 3.6)",
    (
        _TEAM,
        _AS_OF,
        _GRAIN,
        _points("score", "0..100; null where there is too little data"),
        share("coverage", "Weighted mean of area coverage, 0..1"),
        _points("low", "Score if everything unknown were 0"),
        _points("high", "Score if everything unknown were 100"),
        _level("level", "0 to 4, as in scores.area; at most one above the lowest published area; null = no score"),
        _STATUS,
        _points("score_without_waivers", "Score as if no waiver existed; null = too little data for one"),
        *_INTERVAL,
        share(
            "krav_probability",
            "Chance that the requirement is met: share of draws with a score of at least 60; null = no score",
        ),
        text("confidence", "high, medium or low (method 3.8); null = no score", one_of=("high", "medium", "low")),
        *_EDGE,
    ),
    ("team_id", "as_of", "grain"),
)
_GAP_TABLE = Table(
    "scores.gap",
    "Points of the team score lost per metric, and gained by mending it (method 3.12)",
    (
        _TEAM,
        _AREA,
        _METRIC,
        _AS_OF,
        _GRAIN,
        _any("points_lost", "Share of 100 - T; sums to it per team"),
        _any("gain_if_met", "T with this metric at its target (100 points), minus T"),
        _any(
            "gain_to_krav",
            "T with this metric at its requirement (60 points; 100 where only the target meets it), minus T",
        ),
        number("effort_days", "Team-days of the remedy, from the register or the catalogue's default"),
        _any("gain_per_day", "gain_if_met / effort_days"),
        day("shows_on", _SHOWS_DOC),
        day("krav_on", "First local day on which it can be at the requirement; null where it is, or not latest"),
        count(
            "waits_for", "Missed items that must leave the window between the work and shows_on; null where shows_on is"
        ),
        text("dates_rest_on", _BASIS_DOC, one_of=_BASES),
        _any(
            "gain_this_quarter",
            "Points of the team score that the work can give by the end of this quarter; null but on the latest day",
        ),
        _any("gain_next_quarter", "The same by the end of the next quarter; null but on the latest day"),
        _any(
            "quarter_gain_per_day",
            "What its remedy can give this quarter, with all that it mends, per team-day: what to fix first; null but"
            " on the latest day",
        ),
        text("remedy_id", "Action that mends other metrics too (sql/metrics/remedies.toml); null = one of its own"),
        flag("is_for_gate", "Its target lifts a tripped gate; null at other instants than the latest day"),
    ),
    ("team_id", "metric_id", "as_of", "grain"),
)
_PLAN_TABLE = Table(
    "scores.plan",
    "The cheapest set of metrics to bring to their target for the next level, in order (method 3.12, ADR 0009)",
    (
        _TEAM,
        _AS_OF,
        text("grain", "latest", required=True, one_of=("latest",)),
        _level("target_level", "Level that all rows together reach"),
        count("position", "1 = first: gates, then what shows first", required=True, low=1),
        id_("metric_id", "Metric to bring to its target"),
        number("effort_days", "Team-days beyond those of rows before it with the same remedy"),
        _points("points_before", "Points now"),
        flag("is_for_gate", "Needed to lift a gate", required=True),
        _points("score_after", "Team score once this row and all before it show in full"),
        day("starts_on", "Local day on which its work begins, where the rows are done one after the other"),
        day("shows_on", _SHOWS_DOC),
        count(
            "waits_for", "Missed items that must leave the window between the work and shows_on; null where shows_on is"
        ),
        text("dates_rest_on", _BASIS_DOC, one_of=_BASES),
        text("remedy_id", "Action that mends other metrics too (sql/metrics/remedies.toml); null = one of its own"),
        day("level_on", "First local day on which the score can have the level; the same on all rows of a team"),
        flag("is_within_year", "shows_on lies within a year", required=True),
        _any("gain_next_quarter", "Points of the team score that it alone can give by the end of the next quarter"),
    ),
    ("team_id", "as_of", "grain", "position"),
)
_CHANGE_TABLE = Table(
    "scores.change",
    "Why a team's score changed since the month end before; parts sum to the difference (ADR 0009)",
    (
        _TEAM,
        at("from_as_of", "Month end before, UTC", required=True),
        at("as_of", "Month end or latest day, UTC", required=True),
        text("grain", "month or latest", required=True, one_of=("month", "latest")),
        _points("score_before", "Team score then"),
        _points("score_after", "Team score now"),
        _any("performance", "Points due to other values of what was measured at both"),
        _any("coverage", "Points due to more or fewer metrics measured, or more or less evidence"),
        _any("scope", "Points due to metrics that came into or went out of scope"),
        _any("waivers", "Points due to waivers that began or ended"),
        _any("rules", "Points due to another ruleset; 0 within one snapshot"),
        _any("ownership", "Points due to services that changed hands"),
    ),
    ("team_id", "as_of", "grain"),
)
_CHANGE_METRIC_TABLE = Table(
    "scores.change_metric",
    "What each metric gave or took of a change's part performance; sums to it, 0 for what did not move (ADR 0036)",
    (
        _TEAM,
        _METRIC,
        at("from_as_of", "Month end before, UTC", required=True),
        at("as_of", "Month end or latest day, UTC", required=True),
        text("grain", "month or latest", required=True, one_of=("month", "latest")),
        _points("points_before", "Points of the metric then"),
        _points("points_after", "Points now, under the rules of then"),
        _any("performance", "Points of the team score, with everything else held as it was"),
    ),
    ("team_id", "metric_id", "as_of", "grain"),
)
_TREND_TABLE = Table(
    "scores.trend",
    "Trend of every team, area and metric over periods that do not overlap (method 3.11)",
    (
        _TEAM,
        text("area_id", "Area, or null for the team score"),
        text("metric_id", "Metric, or null for a score"),
        text("grain", _OWN_GRAIN_DOC, required=True, one_of=_OWN_SERIES),
        count("n", "Points", required=True),
        _any("slope", "Theil-Sen slope, points a period; null = a fact, or too few points"),
        _any("slope_low", "Lower end of its 90 % interval; null where slope is"),
        _any("slope_high", "Upper end; null where slope is"),
        _any(
            "change",
            "Points over the whole series: slope times steps; of a census last minus first; null = too few points",
        ),
        share("p", "Mann-Kendall p; null for census metrics, whose change is a fact"),
        share("q", "p after Benjamini-Hochberg over everything shown on the page; null where p is"),
        text(
            "verdict",
            "better, worse or no_certain_change (with _preliminary below 12 points), too_few_points, fact",
            required=True,
        ),
        share("weight_share", "Of an area or team: share of its weight that the series follows; null for metrics"),
    ),
    ("team_id", "area_id", "metric_id", "grain"),
)
_CHART_TABLE = Table(
    "scores.control_chart",
    "The control chart that fits each metric of each team: limits, signals, or why one cannot tell yet (method 3.11)",
    (
        _TEAM,
        _METRIC,
        at("as_of", "End of the period, UTC", required=True),
        text("grain", _OWN_GRAIN_DOC, required=True, one_of=_OWN_SERIES),
        _any("value", "The metric in its unit, of this period alone"),
        _any(
            "centre", "Of the first 12 points: mean (xmr, t), share of all items (p, g), median (run); null for others"
        ),
        _any("low", "Lower limit of this point; null where no value can lie below it, or the chart has none"),
        _any("high", "Upper limit of this point; null where no value can lie above it, or the chart has none"),
        flag("is_trial", "Fewer than 12 points: limits still move", required=True),
        text(
            "signal",
            "Empty, outside, seven_on_one_side, seven_rising_or_falling, two_of_three_near_limit; long_without_miss"
            " (g, t), changed (steps)",
            one_of=SIGNALS,
        ),
        text(
            "chart",
            "xmr, p (shares of counted items, Laney), g (items between misses), t (days between periods with a miss),"
            " steps (a full count that stands still: each change is a fact), run (only seven on one side tell), none",
            required=True,
            one_of=KINDS,
        ),
        text(
            "reason",
            "Why one cannot tell yet: too_few_points (8), too_few_misses (3), has_not_moved; else empty",
            one_of=REASONS,
        ),
        _any("krav", "The requirement, in the metric's unit; the target where it has none of its own"),
        _any("today", "The value of today, over the metric's own window; null where it is not measured"),
        number(
            "since_miss",
            "Items kept (g) or days (t) since the last miss, to the end of the period; null = another chart",
        ),
        number(
            "since_limit", "More than this without a miss is no chance: a change for the better; null = another chart"
        ),
    ),
    ("team_id", "metric_id", "as_of", "grain"),
)
_GOAL_EFFECT_TABLE = Table(
    "scores.goal_effect",
    "Whether a metric really shifted after the action of a goal, on the chart that fits it (method 3.11, ADR 0017)",
    (
        _TEAM,
        _METRIC,
        Column("decided_on", "date", "Day of the decision", required=True),
        at("as_of", "Instant of the review, UTC", required=True),
        text("grain", "month or latest", required=True, one_of=("month", "latest")),
        count("before_count", "Periods that ended before the action, at most the newest 12"),
        count("after_count", "Periods that began after it, up to the review; the one in which it fell is neither"),
        _any("before_mean", "Mean of the periods before, in the metric's unit; null = none"),
        _any("low", "Lower limit that the periods before set; null = none, or the chart has none"),
        _any("high", "Upper limit; null = none, or the chart has none"),
        _any("after_mean", "Mean of the periods after; null = none"),
        text(
            "effect",
            "better, worse or no_certain_shift; or why one cannot tell: not_acted, too_few_before (8),"
            " too_few_after (3), moved_before",
            required=True,
        ),
        flag(
            "can_show_better",
            "A change for the better could have been told: the two-thirds line on that side lies within the scale, or"
            " seven periods have begun since, or the chart tells otherwise (g, t, steps). Where false, no_certain_shift"
            " says nothing against the action",
            required=True,
        ),
    ),
    ("team_id", "metric_id", "decided_on", "as_of", "grain"),
)
_ROBUSTNESS_TABLE = Table(
    "scores.robustness",
    "Annex: how far scores, ranks and levels depend on weights and lambda (method 3.14). Not a list of teams",
    (
        _TEAM,
        _AS_OF,
        _points("score_low", "5 % of the scores under other weights"),
        _points("score_median", "Median"),
        _points("score_high", "95 %"),
        number("rank_low", "5 % of the ranks, 1 = best; wide intervals show that ranks say little", low=1),
        number("rank_high", "95 %", low=1),
        share("level_change_ratio", "Share of draws with another level"),
        flag("is_on_edge", "More than 20 % of draws give another level", required=True),
    ),
    ("team_id", "as_of"),
)
_PEER_TABLE = Table(
    "scores.peer",
    "Anonymous spread of a metric among teams of the same type, at least five of them (method 3.13)",
    (
        _METRIC,
        text("team_type", "product or platform", required=True, one_of=("product", "platform")),
        _AS_OF,
        Column("team_count", "unsigned32", "Teams measured", required=True, low=FEWEST_TEAMS),
        _any("quartile_low", "First quartile of the values"),
        _any("median", "Median"),
        _any("quartile_high", "Third quartile"),
        share("pooled", "Share over all their items; sample shares only; null for others"),
        number(
            "prior_weight",
            "Items that the common value weighs when a single team's share is shown shrunk (k); null = not known",
        ),
    ),
    ("metric_id", "team_type", "as_of"),
)
_VALIDITY_TABLE = Table(
    "scores.validity",
    "Whether practice scores of a quarter go with outcomes of the next, between teams and within them (method 3.19)",
    (
        text("area_id", "Area, or null for the team score"),
        id_("outcome", "As in facts.outcome_quarters"),
        text(
            "kind",
            "between (each team's mean beside those of the others) or within (a team's quarters beside its own mean)",
            required=True,
            one_of=VALIDITY_KINDS,
        ),
        count("team_count", "Teams that tell something; within: with two known quarters or more", required=True),
        count("quarter_count", "Their quarters, each with the outcome of the next", required=True),
        count("left_out_count", "Quarters of any team whose score or next outcome is not known", required=True),
        number("correlation", "Rank correlation; +1: the better the practice, the better the outcome", low=-1, high=1),
        number("low", "Lower end of its 90 % interval, drawing whole teams", low=-1, high=1),
        number("high", "Upper end", low=-1, high=1),
        share("p", "Two-sided p, exchanging whole teams"),
        share("q", "p after Benjamini-Hochberg over all rows"),
        text(
            "verdict",
            "goes_with (better practice, better outcome), goes_against, cannot_tell or too_few (teams)",
            required=True,
            one_of=VALIDITY_VERDICTS,
        ),
        texts("left_out", "Metrics of the area that the practice score does without: they rest on the outcome itself"),
    ),
    ("area_id", "outcome", "kind"),
)
# By name within the schema.
TABLES: dict[str, Table] = {
    table.name.removeprefix("scores."): table
    for table in (
        *(_METRIC_TABLE, _ENTITY_TABLE, _AREA_TABLE, _TEAM_TABLE, _GAP_TABLE, _PLAN_TABLE, _CHANGE_TABLE),
        *(_CHANGE_METRIC_TABLE, _TREND_TABLE, _CHART_TABLE, _GOAL_EFFECT_TABLE, _ROBUSTNESS_TABLE, _PEER_TABLE),
        _VALIDITY_TABLE,
    )
}
