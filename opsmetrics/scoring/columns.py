"""Columns of the ``scores`` tables, in order, with what they mean: stated once, for the frames and for analysts.

Names and order are a promise to other programs; new columns come at the end.
"""

from __future__ import annotations

COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "metric": (
        "Points and status of every metric for every team and instant (method 3.1 to 3.3)",
        {
            "team_id": "Team",
            "metric_id": "Metric, see meta.metrics",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "numerator": "Items or time that keep the obligation (lower-is-better: that break it)",
            "denominator": "Items or time that the obligation is about",
            "value": "The metric in its unit; entity metrics: pooled over entities, for display",
            "sample_size": "Items behind the value",
            "completeness": "Share of the window that the sources delivered, 0..1",
            "points": "0..100; null = no points, never 0 for unknown",
            "weight": "Weight in the area",
            "evidence_weight": "Z, 0..1 (method 3.2)",
            "status": "One of the nine statuses of method 3.3",
            "reason": "Why the status is not ok, as code:detail",
            "metric_version": "Version of the definition",
        },
    ),
    "entity": (
        "Points of each SLO, resource or datastore of entity metrics",
        {
            "team_id": "Team",
            "metric_id": "Metric",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "entity_id": "SLO, resource or datastore",
            "entity_weight": "Criticality weight",
            "numerator": "Numerator",
            "denominator": "Denominator",
            "value": "Value in the metric's unit",
            "points": "0..100",
        },
    ),
    "area": (
        "Score, coverage, bounds and level of each area (method 3.4, 3.6)",
        {
            "team_id": "Team",
            "area_id": "Area",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "score": "0..100; null where there is too little data",
            "coverage": "Share of applicable weight that is measured, 0..1",
            "low": "Score if everything unknown were 0",
            "high": "Score if everything unknown were 100",
            "level": "0 to 4, capped by gates; null without score",
            "gate": "Strictest tripped gate, or null",
            "status": "ok, provisional, too_little_data or not_applicable",
            "gate_findings": "Findings behind the gate",
            "score_without_waivers": "Score as if no waiver existed",
        },
    ),
    "team": (
        "Score, coverage, bounds and level of each team (method 3.5, 3.6)",
        {
            "team_id": "Team",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "score": "0..100; null where there is too little data",
            "coverage": "Weighted mean of area coverage, 0..1",
            "low": "Score if everything unknown were 0",
            "high": "Score if everything unknown were 100",
            "level": "0 to 4; at most one above the lowest published area",
            "status": "ok, provisional, too_little_data or not_applicable",
            "score_without_waivers": "Score as if no waiver existed",
        },
    ),
    "gap": (
        "Points of the team score lost per metric, and gained by mending it (method 3.12)",
        {
            "team_id": "Team",
            "area_id": "Area",
            "metric_id": "Metric",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "points_lost": "Share of 100 - T; sums to it per team",
            "gain_if_met": "T with this metric at its target (100 points), minus T",
            "gain_to_krav": "T with this metric at the requirement (60 points), minus T",
        },
    ),
}
