"""Backups in Azure Resource Graph: jobs, restores and copies of both kinds of vault (contracts, F)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from opsmetrics.organisation.connectors.azure import AzureResources
from opsmetrics.sources.azure.graph import inventory, last_part
from opsmetrics.sources.azure.jobs import CANCELLED, UNKNOWN_STATUS, Kind, is_known, kind_of, outcome_of, word
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
UNKNOWN_STATE = "backup items left out, in a state of protection that is not known"
UNSEEN_VAULT = "backup copies whose vault is not readable, so that its lock and region are unknown"
# States of an item that has recovery points, whether or not new ones come: backup vaults, and Recovery Services.
_COPIES = frozenset(
    {
        *("protectionconfigured", "protectionstopped", "protectionerror", "updatingprotection"),
        *("backupschedulessuspended", "retentionschedulessuspended"),
        *("protected", "protectionpaused", "backupssuspended"),
    }
)
# States of an item that has none yet, or none any more.
_NO_COPIES = frozenset(
    {
        *("notprotected", "configuringprotection", "configuringprotectionfailed", "softdeleting", "softdeleted"),
        *("invalid", "irpending"),
    }
)


def _subscription(resource: str) -> str | None:
    parts = resource.lower().split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None


def _datastore(request: FetchRequest[AzureResources], resource: str) -> str:
    return request.connector.datastores.get(last_part(resource), last_part(resource))


def _ended(request: FetchRequest[AzureResources], kind: Kind, counted: Counter[str]) -> list[Row]:
    """Return the jobs of a kind that are over."""
    found: list[Row] = []
    for row in inventory(request, "backup_jobs"):
        if kind_of(row["category"], row["operation"]) != kind:
            continue
        if not is_known(row["status"]):
            counted[UNKNOWN_STATUS] += 1
        elif outcome_of(row["status"]) is not None:
            found.append(row)
    return found


def recovery_points(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return backup jobs that ended; one that failed or was cancelled is a point that cannot be used."""
    counted: Counter[str] = Counter()
    rows = [
        {
            "datastore_id": _datastore(request, row["dataSource"]),
            "taken_at": row["startedAt"],
            "is_usable": outcome_of(row["status"]),
        }
        for row in _ended(request, "backup", counted)
    ]
    return FetchResult(rows, source=f"{request.connector.url} backup jobs", counted=counted)


def restore_tests(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return restore jobs as restore tests; nobody verified them, so that only their time is known.

    One that was cancelled proved nothing.
    """
    counted: Counter[str] = Counter()
    rows = [
        {
            "test_id": last_part(row["id"]),
            "datastore_id": _datastore(request, row["dataSource"]),
            "requested_at": row["startedAt"],
            "restored_at": row["endedAt"],
            "is_successful": outcome_of(row["status"]),
        }
        for row in _ended(request, "restore", counted)
        if word(row["status"]) not in CANCELLED
    ]
    return FetchResult(rows, source=f"{request.connector.url} restore jobs", counted=counted)


def backup_copies(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return protected items of today and what their vault adds: another subscription, lock, region.

    What Azure leaves empty (the region of most items) is unknown, not another one.
    """
    vaults = {row["id"].lower(): row for row in inventory(request, "backup_vaults")}
    rows: list[Row] = []
    counted: Counter[str] = Counter()
    for row in inventory(request, "backup_items"):
        # What somebody deleted in a Recovery Services vault is kept for some days, as an item whose protection stopped.
        instance, state = row["id"].lower(), "softdeleted" if row["isDeleted"] else word(row["state"])
        if state not in _COPIES:
            counted[UNKNOWN_STATE] += state not in _NO_COPIES
            continue
        vault = vaults.get(_vault_of(instance))
        counted[UNSEEN_VAULT] += vault is None
        rows.append(
            {
                "datastore_id": _datastore(request, row["dataSource"]),
                "copy_id": last_part(instance),
                "observed_on": request.today,
                "has_own_identity": _differ(_subscription(instance), _subscription(row["dataSource"])),
                "is_immutable_or_offline": _is_locked(vault),
                "is_other_region": _is_elsewhere(vault, row["region"]),
            }
        )
    return FetchResult(rows, source=f"{request.connector.url} backup items", counted=+counted)


def _vault_of(instance: str) -> str:
    return instance.split("/backupinstances/", maxsplit=1)[0].split("/backupfabrics/", maxsplit=1)[0]


def _differ(one: str | None, other: str | None) -> bool | None:
    return one != other if one and other else None


def _is_locked(vault: Row | None) -> bool | None:
    """Whether nobody can take the lock away again; an unlocked setting can be turned off."""
    return vault["immutability"] == "Locked" if vault and vault["immutability"] else None


def _is_elsewhere(vault: Row | None, region: str | None) -> bool | None:
    if vault is None:
        return None
    return True if vault["redundancy"] == "GeoRedundant" else _differ(vault["region"], region)
