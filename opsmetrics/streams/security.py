"""Security: vulnerabilities, controls, assessments and their findings."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, deadline, flag, id_, or_none, text
from opsmetrics.streams.model import SERVICE, Stream, in_order

STREAMS: tuple[Stream, ...] = (
    Stream(
        "vulnerabilities",
        "One tier state of one vulnerability; ids are opaque, details stay at the scanner",
        (
            id_("vulnerability_id", "Opaque id"),
            SERVICE,
            at("detected_at", "When it was first detected", required=True),
            at("effective_at", "When this tier state began", required=True),
            flag("is_exposed", "Reachable from outside"),
            flag("is_exploited", "In the list of known exploited vulnerabilities"),
            flag("is_automatable", "Exploitation can be automated"),
            flag("is_total_impact", "Total technical impact"),
            or_none(at("fixed_at", "When it was fixed, mitigated or found to be none; set aside is not fixed")),
            Column("epss_ratio", "number", "Predicted probability of exploitation (EPSS)", low=0, high=1),
        ),
        ("vulnerability_id", "effective_at"),
        "effective_at",
        repull_days=180,
        ends=("fixed_at",),
        rules=(*in_order("detected_at", "effective_at"), *in_order("detected_at", "fixed_at")),
    ),
    Stream(
        "control_results",
        "Result of one security control for one asset of a service on one day; never the finding itself",
        (
            id_("control_id", "Control"),
            id_("asset_id", "Asset"),
            SERVICE,
            Column("observed_on", "date", "Day of the observation", required=True),
            text(
                "status",
                "Outcome",
                required=True,
                one_of=("passed", "failed", "inconclusive", "not_applicable"),
            ),
            text("risk", "Risk class", required=True, one_of=("critical", "high", "medium", "low")),
        ),
        ("control_id", "asset_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
    ),
    Stream(
        "security_alerts",
        "One code-scanning or secret-scanning alert; ids are opaque, what was found stays at the scanner",
        (
            id_("alert_id", "Opaque id"),
            SERVICE,
            text("kind", "Scanner", required=True, one_of=("code_scanning", "secret_scanning")),
            text("severity", "Severity", one_of=("critical", "high", "medium", "low")),
            at("opened_at", "When it was found", required=True),
            or_none(at("closed_at", "When it was fixed, revoked or found to be none; set aside is not closed")),
        ),
        ("alert_id",),
        "opened_at",
        repull_days=180,
        ends=("closed_at",),
        rules=in_order("opened_at", "closed_at"),
    ),
    Stream(
        "expiries",
        "One secret or certificate on one day, and when it expires; ids are opaque",
        (
            id_("expiry_id", "Opaque id"),
            SERVICE,
            text("kind", "Kind", required=True, one_of=("secret", "certificate")),
            Column("observed_on", "date", "Day of the observation", required=True),
            at("expires_at", "When it expires", required=True, is_plan=True),
        ),
        ("expiry_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
    ),
    Stream(
        "secure_scores",
        "Secure score of one cloud subscription on one day; shown, never scored",
        (
            id_("subscription_id", "Subscription"),
            Column("observed_on", "date", "Day of the observation", required=True),
            Column("score_ratio", "number", "Score / its maximum", required=True, low=0, high=1),
            Column("weight", "integer", "Weight among subscriptions", low=0),
        ),
        ("subscription_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
    ),
    Stream(
        "assessments",
        "One security assessment of a service (risk assessment, threat model or test)",
        (
            id_("assessment_id", "Id"),
            SERVICE,
            text(
                "kind",
                "Kind of assessment",
                required=True,
                one_of=("risk", "threat_model", "penetration_test"),
            ),
            at("approved_at", "When it was approved", required=True),
        ),
        ("assessment_id",),
        None,
        expected_hours=24 * 31,
    ),
    Stream(
        "findings",
        "One finding of an assessment, audit or test; its content stays at the source",
        (
            id_("finding_id", "Opaque id"),
            SERVICE,
            text("severity", "Severity", required=True, one_of=("critical", "high", "medium", "low")),
            at("found_at", "When it was found", required=True),
            or_none(deadline("first_due_at", "First due instant; at most 30, 90 or 180 days after it was found")),
            or_none(at("closed_at", "When it was closed")),
        ),
        ("finding_id",),
        None,
        expected_hours=24 * 31,
        rules=in_order("found_at", "closed_at"),
    ),
)
