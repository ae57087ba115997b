"""The contract of every stream: its columns, key, time column and kind. ``STREAMS`` lists them all.

Belongs here: what a landed row may look like, whoever delivers it. Does not belong here: how a source is
asked (``opsmetrics.sources``) or what a row means for a team (``sql/``).

Streams never hold names of people, mail addresses, incident texts or vulnerability details (architecture D13):
there is no column for them, and columns that the contract does not name are dropped before landing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "number", "boolean", "timestamp", "date"]
DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stream.

    Attributes:
        name: Column name in landing, raw and staging.
        type: Logical type; timestamps are UTC instants.
        doc: Meaning and unit, shown to analysts.
        required: A row without it is quarantined.
        one_of: Allowed values of a text column.
        low: Smallest allowed number.
        high: Largest allowed number.
    """

    name: str
    type: ColumnType
    doc: str
    required: bool = False
    one_of: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows.

    Attributes:
        name: Name in landing, in ``raw`` and ``staging``, and of the Dagster asset.
        doc: What a row is.
        columns: The contract.
        key: Columns that identify a row.
        time: Column whose local day decides which daily window a row belongs to; None for a register,
            of which every load is the whole state.
        expected_hours: How often new data are expected; older than twice this is late.
        repull_days: Days before the asked one that a scheduled pull reads again, because rows still change
            (source contracts, section 0.2): telemetry settles in three days, an incident is closed weeks later.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None
    expected_hours: int = 24
    repull_days: int = 3

    @property
    def is_register(self) -> bool:
        """Whether a load is the whole state rather than a window of events."""
        return self.time is None

    def column(self, name: str) -> Column:
        """Return a column of the contract."""
        return next(column for column in self.columns if column.name == name)


def _text(name: str, doc: str, *, required: bool = False, one_of: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", doc, required=required, one_of=one_of)


def _id(name: str, doc: str) -> Column:
    return Column(name, "text", doc, required=True)


def _at(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, "timestamp", doc, required=required)


def _flag(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, "boolean", doc, required=required)


def _count(name: str, doc: str, *, low: float | None = 0, high: float | None = None) -> Column:
    return Column(name, "integer", doc, low=low, high=high)


def _number(name: str, doc: str, *, required: bool = False, low: float | None = 0) -> Column:
    return Column(name, "number", doc, required=required, low=low)


_SERVICE = _id("service_id", "Service, by id or alias of services.toml")
_REPOSITORY = _id("repository", "Repository as owner/name")

_ALL: tuple[Stream, ...] = (
    Stream(
        "availability_checks",
        "One result of one availability probe",
        (
            _text("provider", "System or status page that ran the check"),
            _id("monitor_id", "Monitor, as in services.toml"),
            _at("checked_at", "When the check ran", required=True),
            _at("recorded_at", "When the source wrote it down"),
            _text("status", "Outcome", required=True, one_of=("up", "down", "degraded", "unknown")),
            _count("http_status", "HTTP status, 0 = no answer"),
            _number("response_ms", "Response time, milliseconds", low=None),
            _count("sequence", "Order at the source; breaks ties"),
        ),
        ("provider", "monitor_id", "checked_at", "sequence"),
        "checked_at",
    ),
    Stream(
        "alerts",
        "One page sent to a person on duty",
        (
            _id("alert_id", "Id at the source"),
            _SERVICE,
            _id("rule_id", "Normalised alert rule"),
            _count("severity", "1 = most severe", low=0, high=5),
            _at("fired_at", "When the page was sent", required=True),
            _at("acknowledged_at", "When it was acknowledged"),
            _text("acknowledged_by_kind", "Who acknowledged", one_of=("human", "bot")),
            _at("closed_at", "When it was closed"),
            _text("label", "Verdict of the duty", one_of=("actionable", "noise")),
            _text("incident_id", "Incident it belongs to"),
            _flag("is_test", "A test page"),
        ),
        ("alert_id",),
        "fired_at",
        repull_days=14,
    ),
    Stream(
        "incidents",
        "One incident, as it stands now",
        (
            _id("incident_id", "Id at the source"),
            _SERVICE,
            Column("severity", "integer", "1 (critical) to 4", required=True, low=1, high=4),
            _at("declared_at", "When it was declared", required=True),
            _at("first_alert_at", "First alert that belongs to it"),
            _at("first_report_at", "First report by a person"),
            _at("resolved_at", "When it was resolved"),
            _at("manager_assigned_at", "When the incident manager role was filled (system time)"),
            _flag("is_escalated", "A severity 3 incident that needed the incident routine"),
            _flag("is_exercise", "Planned test or exercise"),
            _flag("is_data_loss", "Data were lost"),
            _at("postmortem_published_at", "When the post mortem was published"),
            _flag("is_postmortem_reviewed", "Somebody other than the author reviewed it"),
            _text("caused_by_deployment_id", "Deployment that caused it"),
        ),
        ("incident_id",),
        "declared_at",
        repull_days=180,
    ),
    Stream(
        "oncall_shifts",
        "One period with somebody on duty; head counts only, never names",
        (
            _id("shift_id", "Id at the source"),
            _id("team_id", "Team on duty"),
            _at("starts_at", "Start", required=True),
            _at("ends_at", "End", required=True),
            _count("responder_count", "People on duty with an active contact method"),
        ),
        ("shift_id",),
        "starts_at",
        repull_days=35,
    ),
    Stream(
        "deployments",
        "One change of a production service",
        (
            _id("deployment_id", "Id at the source"),
            _SERVICE,
            _text("environment", "Environment as the source writes it", required=True),
            _at("deployed_at", "When it was rolled out", required=True),
            _text("actor_kind", "What rolled it out", required=True, one_of=("pipeline", "human")),
            _flag("has_manual_step", "A manual step after approval"),
            _at("rolled_back_at", "When it was rolled back"),
            _at("hotfixed_at", "When a hotfix for it was rolled out"),
        ),
        ("deployment_id",),
        "deployed_at",
        repull_days=14,
    ),
    Stream(
        "vulnerabilities",
        "One tier state of one vulnerability; ids are opaque, details stay at the scanner",
        (
            _id("vulnerability_id", "Opaque id"),
            _SERVICE,
            _at("detected_at", "When it was first detected", required=True),
            _at("effective_at", "When this tier state began", required=True),
            _flag("is_exposed", "Reachable from outside", required=True),
            _flag("is_exploited", "In the list of known exploited vulnerabilities", required=True),
            _flag("is_automatable", "Exploitation can be automated (missing: no)"),
            _flag("is_total_impact", "Total technical impact (missing: yes)"),
            _at("fixed_at", "When it was fixed or mitigated"),
        ),
        ("vulnerability_id", "effective_at"),
        "effective_at",
        repull_days=180,
    ),
    Stream(
        "capacity_samples",
        "One sample of the binding dimension of a capacity-critical resource",
        (
            _id("resource_id", "Resource"),
            _SERVICE,
            _at("sampled_at", "When", required=True),
            _number("utilisation_ratio", "Usage / limit", required=True),
            _flag("is_at_ceiling", "At maximum replicas with demand above target, or throttled"),
        ),
        ("resource_id", "sampled_at"),
        "sampled_at",
    ),
    Stream(
        "recovery_points",
        "One recovery point of a datastore",
        (
            _id("datastore_id", "Datastore, as in datastores.toml"),
            _at("taken_at", "When it was taken", required=True),
            _flag("is_usable", "Complete and, for class A, verified", required=True),
        ),
        ("datastore_id", "taken_at"),
        "taken_at",
    ),
    Stream(
        "restore_tests",
        "One restore test (source contracts, section F)",
        (
            _id("test_id", "Id"),
            _id("datastore_id", "Datastore, as in datastores.toml"),
            _at("requested_at", "When the restore was asked for", required=True),
            _at("restored_at", "When the data were back"),
            _at("verified_at", "When they were verified usable"),
            _flag("is_successful", "The test succeeded", required=True),
            _number("data_gb", "Size, gigabytes"),
        ),
        ("test_id",),
        None,
        expected_hours=24 * 31,
    ),
    Stream(
        "update_merges",
        "One merged change by a dependency update bot",
        (
            _REPOSITORY,
            _id("commit_id", "Commit on the default branch"),
            _at("merged_at", "When it was merged", required=True),
            _text("bot", "Update bot", required=True),
            _flag(
                "is_dependency_update",
                "It changes versions (not a deploy under the bot's name)",
                required=True,
            ),
            _flag("is_security", "Marked as a security update"),
            _count("package_count", "Distinct packages changed"),
            _text("highest_update_type", "major > minor > patch > ..."),
            _count("human_coauthor_count", "People who also committed to it"),
            _flag("is_offhours", "Merged outside working hours"),
        ),
        ("repository", "commit_id"),
        "merged_at",
    ),
    Stream(
        "dependency_updates",
        "One package version change in one commit, by bots and people",
        (
            _REPOSITORY,
            _id("commit_id", "Commit on the default branch"),
            _at("merged_at", "When it was merged", required=True),
            _text("actor_kind", "renovate, dependabot, ci_bot, other_bot, ai_agent or human", required=True),
            _text("ecosystem", "Package ecosystem"),
            _text("package", "Package"),
            _text("from_version", "Version before"),
            _text("to_version", "Version after"),
            _text("from_digest", "Digest before"),
            _text("to_digest", "Digest after"),
            _text("update_type", "major, minor, patch, prerelease, digest, pin, ..."),
            _text("direction", "up, down, same or unknown"),
            _at("released_at", "When the new version was released, where known"),
            Column("lag_days", "number", "Release to merge, days, where known"),
        ),
        (
            "repository",
            "commit_id",
            "ecosystem",
            "package",
            "from_version",
            "to_version",
            "from_digest",
            "to_digest",
        ),
        "merged_at",
    ),
    Stream(
        "commits_daily",
        "Commits of one repository, day and kind of actor",
        (
            _REPOSITORY,
            Column("committed_on", "date", "UTC day of the commits", required=True),
            _text("actor_kind", "renovate, dependabot, ci_bot, other_bot, ai_agent or human", required=True),
            _count("commits_first_parent", "Commits on the default branch's first-parent line"),
            _count("commits_all", "All commits reachable from the default branch"),
        ),
        ("repository", "committed_on", "actor_kind"),
        "committed_on",
    ),
    Stream(
        "update_episodes",
        "One lag episode: from a newer version being available until the repository is on the newest",
        (
            _id("episode_id", "Id"),
            _REPOSITORY,
            _text("package", "Package"),
            _at("available_at", "Release time plus the repository's minimum release age", required=True),
            _at("applied_at", "When the repository was on the newest version of that line"),
            _at("dismissed_at", "When it was dismissed with reason and approver"),
        ),
        ("episode_id",),
        "available_at",
        repull_days=180,
    ),
    Stream(
        "repository_states",
        "State of one repository on one day",
        (
            _REPOSITORY,
            Column("observed_on", "date", "Day of the observation", required=True),
            Column("last_activity_on", "date", "Last commit or deploy"),
            _flag("is_bot_enabled", "An update bot is enabled", required=True),
            _flag("is_bot_config_valid", "Its configuration is valid"),
            _at("last_bot_success_at", "Last successful run of the bot"),
            _count("unmanaged_count", "Detected package managers that the bot ignores"),
        ),
        ("repository", "observed_on"),
        "observed_on",
    ),
    Stream(
        "maintenance_tasks",
        "One planned maintenance task",
        (
            _id("task_id", "Id"),
            _id("team_id", "Team that does it"),
            _at("first_due_at", "First due instant; later ones change nothing", required=True),
            _at("completed_at", "When it was done"),
            _flag("is_cancelled_with_approval", "Cancelled, with approver"),
        ),
        ("task_id",),
        None,
        expected_hours=24 * 31,
    ),
    Stream(
        "load_tests",
        "One load test of a service",
        (
            _id("test_id", "Id"),
            _SERVICE,
            _at("tested_at", "When", required=True),
            _number("reached_ratio", "Load reached / highest hourly load of the last 12 months", required=True),
            _flag("is_slo_met", "The SLO held under that load", required=True),
        ),
        ("test_id",),
        None,
        expected_hours=24 * 31,
    ),
    Stream(
        "assessments",
        "One security assessment of a service (risk assessment, threat model or test)",
        (
            _id("assessment_id", "Id"),
            _SERVICE,
            _text(
                "kind",
                "Kind of assessment",
                required=True,
                one_of=("risk", "threat_model", "penetration_test"),
            ),
            _at("approved_at", "When it was approved", required=True),
        ),
        ("assessment_id",),
        None,
        expected_hours=24 * 31,
    ),
    Stream(
        "incident_reports",
        "One report of a public status page",
        (
            _text("provider", "Status page", required=True),
            _id("report_id", "Id at the source"),
            _text("kind", "Kind", required=True, one_of=("incident", "maintenance")),
            _text("severity", "Severity as the page writes it"),
            _at("started_at", "Start as stated, null if missing or impossible"),
            _at("resolved_at", "End as stated, null if missing or impossible"),
            _at("announced_at", "First publication"),
        ),
        ("provider", "report_id"),
        None,
        expected_hours=24 * 31,
    ),
)

STREAMS: dict[str, Stream] = {stream.name: stream for stream in _ALL}
