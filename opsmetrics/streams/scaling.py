"""Scaling: capacity, response times, workloads and load tests."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, count, flag, id_, number, or_none
from opsmetrics.streams.model import HIGHEST_RATIO, SERVICE, Stream, part_of

STREAMS: tuple[Stream, ...] = (
    Stream(
        "capacity_samples",
        "One sample of the binding dimension of a capacity-critical resource",
        (
            id_("resource_id", "Resource"),
            SERVICE,
            at("sampled_at", "When", required=True),
            number("utilisation_ratio", "Usage / limit", required=True, high=HIGHEST_RATIO),
            flag("is_at_ceiling", "At maximum replicas with demand above target, or throttled"),
        ),
        ("resource_id", "sampled_at"),
        "sampled_at",
    ),
    Stream(
        "latency_daily",
        "Requests of one service on one local day, and how many were answered within the SLO's threshold",
        (
            SERVICE,
            Column("observed_on", "date", "Local day", required=True),
            Column("valid_count", "integer", "Requests that count", required=True, low=0),
            Column("fast_count", "integer", "Of them within the threshold", required=True, low=0),
            number("threshold_ms", "Threshold, milliseconds"),
        ),
        ("service_id", "observed_on"),
        "observed_on",
        rules=part_of("fast_count", "valid_count"),
    ),
    Stream(
        "workload_states",
        "State of one production workload on one day",
        (
            id_("workload_id", "Workload"),
            SERVICE,
            Column("observed_on", "date", "Day of the observation", required=True),
            count("replica_count", "Replicas running"),
            count("zone_count", "Zones they run in"),
            flag("has_resource_requests", "Resource requests are set"),
            or_none(count("autoscaler_min", "Smallest replica count of its autoscaler; null = no autoscaler")),
            or_none(count("autoscaler_max", "Largest replica count of its autoscaler")),
            or_none(Column("fixed_size_approved_on", "date", "Approval of a fixed size, with reason")),
        ),
        ("workload_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
        rules=(*part_of("zone_count", "replica_count"), *part_of("autoscaler_min", "autoscaler_max")),
    ),
    Stream(
        "load_tests",
        "One load test of a service",
        (
            id_("test_id", "Id"),
            SERVICE,
            at("tested_at", "When", required=True),
            number(
                "reached_ratio",
                "Load reached / highest hourly load of the last 12 months",
                required=True,
                high=HIGHEST_RATIO,
            ),
            flag("is_slo_met", "The SLO held under that load", required=True),
        ),
        ("test_id",),
        None,
        expected_hours=24 * 31,
    ),
)
