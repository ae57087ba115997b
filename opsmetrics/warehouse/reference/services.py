"""``ref`` tables of services: who owns them, their names in the sources, what is promised for them and their data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from opsmetrics.core.declare import Row, Table, at, day, flag, id_, number, share, text
from opsmetrics.organisation.models import FOREVER
from opsmetrics.organisation.names import folded, is_pattern, pattern_of
from opsmetrics.organisation.organisation import Organisation

CRITICALITY = {"critical": 3.0, "important": 2.0, "ordinary": 1.0}
_DEFAULT_RPO_HOURS = {"A": 1.0, "B": 24.0, "C": 168.0}
_SERVICE = id_("service_id", "Service")


def _span(organisation: Organisation, start: date, end: date | None) -> Row:
    return {
        "valid_from_at": organisation.midnight(start),
        "valid_to_at": organisation.midnight(end or FOREVER),
    }


SERVICES = Table(
    "ref.services",
    "Production services",
    (
        id_("service_id", "Id"),
        id_("name_nb", "Name, Norwegian"),
        id_("name_en", "Name, English"),
        text("criticality", "critical, important or ordinary", required=True, one_of=tuple(CRITICALITY)),
        number("criticality_weight", "3, 2 or 1 (method 2.1)", required=True, low=1, high=3),
        day("last_major_change_on", "Last major change, which makes older assessments void; null = none"),
    ),
    ("service_id",),
)


def services(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.services``."""
    for service in organisation.services:
        yield {
            "service_id": service.id,
            "name_nb": service.name.nb,
            "name_en": service.name.en,
            "criticality": service.criticality,
            "criticality_weight": CRITICALITY[service.criticality],
            "last_major_change_on": service.last_major_change_on,
        }


SERVICE_OWNERS = Table(
    "ref.service_owners",
    "Who owned a service when (half-open)",
    (
        _SERVICE,
        id_("team_id", "Owner"),
        at("valid_from_at", "From, UTC", required=True),
        at("valid_to_at", "Until, UTC; 2200 = open", required=True),
    ),
    ("service_id", "valid_from_at"),
)


def service_owners(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.service_owners``."""
    for service in organisation.services:
        for owner in service.owners:
            span = _span(organisation, owner.valid_from, owner.valid_to)
            yield {"service_id": service.id, "team_id": owner.team, **span}


SERVICE_NAMES = Table(
    "ref.service_names",
    "Names of services in the sources",
    (id_("name", "Id or alias, in lower case: compare it with the name in lower case"), _SERVICE),
    ("name",),
)


def service_names(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.service_names``."""
    for service in organisation.services:
        for name in dict.fromkeys(map(folded, (service.id, *service.aliases))):
            yield {"name": name, "service_id": service.id}


REPOSITORY_PATTERNS = Table(
    "ref.repository_patterns",
    "Repositories of services: their names, earlier names, and patterns of names",
    (
        id_("pattern", "owner/name, or a pattern in which * stands for anything; in lower case"),
        _SERVICE,
        flag("is_pattern", "Marked as a pattern: anything else is a name", required=True),
        text("repository", "owner/name as it is now; null = a pattern of several"),
    ),
    ("pattern", "service_id"),
)


def repository_patterns(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.repository_patterns``."""
    for service in organisation.services:
        found = {said: None if is_pattern(said) else said for said in service.repositories}
        found |= {old: new for old, new in service.renamed_repositories.items() if old not in found}
        rows = {folded(pattern_of(said)): (said, now) for said, now in found.items()}
        for pattern, (said, now) in rows.items():
            yield {
                "pattern": pattern,
                "service_id": service.id,
                "is_pattern": is_pattern(said),
                "repository": now,
            }


MONITOR_PATTERNS = Table(
    "ref.monitor_patterns",
    "Availability monitors of services: their names, and patterns of names",
    (
        id_("pattern", "Monitor id or provider/id, or a pattern of them"),
        _SERVICE,
        text("kind", "polling, transitions, or null where services.toml does not say"),
        number("hold_minutes", "How long a result stands; null = until the next row"),
        flag("is_pattern", "Marked as a pattern: anything else is a name", required=True),
    ),
    ("pattern", "service_id"),
)


def monitor_patterns(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.monitor_patterns``."""
    for service in organisation.services:
        for monitor in service.monitors:
            yield {
                "pattern": pattern_of(monitor.id),
                "service_id": service.id,
                "kind": monitor.kind,
                "hold_minutes": monitor.hold_minutes,
                "is_pattern": is_pattern(monitor.id),
            }


ENVIRONMENTS = Table(
    "ref.environments",
    "Names of environments in the sources",
    (id_("name", "Name in lower case"), id_("environment_id", "Canonical environment")),
    ("name", "environment_id"),
)


def environments(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.environments``."""
    for environment, aliases in organisation.settings.environments.items():
        for name in dict.fromkeys(map(folded, (environment, *aliases))):
            yield {"name": name, "environment_id": environment}


SLOS = Table(
    "ref.slos",
    "Service level objectives, dated",
    (
        _SERVICE,
        text("kind", "availability or latency", required=True, one_of=("availability", "latency")),
        share("target", "Promised share, 0..1", required=True),
        at("valid_from_at", "From, UTC", required=True),
        at("valid_to_at", "Until, UTC; 2200 = open", required=True),
    ),
    ("service_id", "kind", "valid_from_at"),
)


def slos(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.slos``."""
    for slo in organisation.slos:
        span = _span(organisation, slo.valid_from, slo.valid_to)
        yield {"service_id": slo.service, "kind": slo.kind, "target": slo.target, **span}


DATASTORES = Table(
    "ref.datastores",
    "Datastores and what is promised for their restore",
    (
        id_("datastore_id", "Id"),
        _SERVICE,
        text(
            "data_class",
            "A to D; unclassified counts as A (method, bck_coverage)",
            required=True,
            one_of=("A", "B", "C", "D"),
        ),
        number("rpo_hours", "Recovery point objective, hours; class default where none is set"),
        number("rto_minutes", "Recovery time objective, minutes"),
        number("backup_interval_hours", "Hours between backups of the active policy; null = no policy"),
        flag("has_restore_plan", "A plan row for restore tests exists", required=True),
        flag("has_rebuild_rationale", "Class D with approved rationale", required=True),
    ),
    ("datastore_id",),
)


def datastores(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.datastores``."""
    for store in organisation.datastores:
        data_class = store.data_class or "A"
        yield {
            "datastore_id": store.id,
            "service_id": store.service,
            "data_class": data_class,
            "rpo_hours": store.rpo_hours or _DEFAULT_RPO_HOURS.get(data_class),
            "rto_minutes": store.rto_minutes,
            "backup_interval_hours": store.backup_interval_hours,
            "has_restore_plan": store.restore_plan,
            "has_rebuild_rationale": store.rebuild_rationale is not None,
        }


MAINTENANCE_WINDOWS = Table(
    "ref.maintenance_windows",
    "Registered maintenance windows; eligibility is judged in facts.maintenance",
    (
        id_("window_id", "Id"),
        _SERVICE,
        at("starts_at", "Start, UTC", required=True),
        at("ends_at", "End, UTC", required=True),
        at("registered_at", "When it was registered, UTC", required=True),
        id_("reason", "Reason"),
        id_("approver", "Approving role"),
    ),
    ("window_id",),
)


def maintenance_windows(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.maintenance_windows``."""
    for window in organisation.maintenance_windows:
        yield {
            "window_id": window.window_id,
            "service_id": window.service_id,
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            "registered_at": window.registered_at,
            "reason": window.reason,
            "approver": window.approver,
        }
