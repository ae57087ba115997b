"""Write the demo organisation's records as the files that its ``sources.toml`` names."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from simulator import care, follow_up, inventory, plants, practice, telemetry
from simulator.organisation import Organisation, read_organisation

VERSION = 4
_STATE = "generated.json"
Row = dict[str, Any]


def write_demo(organisation_folder: Path, target: Path, *, seed: int = 1, scale: float = 1.0) -> bool:
    """Write the records below ``target``; the folder appears whole or not at all.

    Args:
        organisation_folder: Configuration, of the size that ``scale`` says.
        target: Folder of the records.
        seed: Of all random numbers.
        scale: Size of the organisation; only remembered, so that another size is written again.

    Returns:
        False where the same seed, size and version were written before.
    """
    state = {"seed": seed, "scale": scale, "version": VERSION}
    if (target / _STATE).exists() and json.loads((target / _STATE).read_text()) == state:
        return False
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    (draft / "registers").mkdir(parents=True)
    _write(organisation_folder, draft, seed)
    (draft / _STATE).write_text(json.dumps(state))
    shutil.rmtree(target, ignore_errors=True)
    draft.replace(target)
    return True


def generate(organisation: Organisation, seed: int) -> dict[str, list[Row] | pl.DataFrame]:
    """Return the records of every stream: bulky ones as frames, the others as rows."""
    team_of = {service.id: service.team for service in organisation.services}
    outages = telemetry.plan_outages(organisation, seed)
    incidents = practice.incidents(organisation, outages, seed)
    pages = practice.alerts(organisation, incidents, seed)
    plants.plant_practice(incidents, pages, team_of, seed)
    practice.number_incidents(incidents)
    practice.number_pages(pages)
    practice.link_pages(pages)
    assessments = care.assessments(organisation, seed)
    weekly: dict[str, list[Row]] = {
        "alert_rule_states": inventory.alert_rule_states(organisation, seed),
        "component_states": inventory.component_states(organisation, seed),
    }
    plants.plant_inventory(weekly, team_of)
    restores = care.restore_tests(organisation, seed)
    plants.plant_restore_tests(restores)
    return {
        "availability_checks": telemetry.availability_checks(organisation, outages, seed),
        "capacity_samples": telemetry.capacity_samples(organisation, seed),
        "incidents": incidents,
        "alerts": pages,
        **weekly,
        "restore_tests": restores,
        "assessments": assessments,
        "oncall_shifts": practice.oncall_shifts(organisation, seed),
        "deployments": practice.deployments(organisation, incidents, seed),
        "action_items": follow_up.action_items(incidents, team_of, seed),
        "assist_requests": follow_up.assist_requests(incidents, organisation, seed),
        "findings": follow_up.findings(organisation, assessments, seed),
        "documents": follow_up.documents(organisation, incidents, seed),
        "toil_reports": follow_up.toil_reports(organisation, seed),
        "eol_dates": inventory.eol_dates(),
        **{name: getattr(inventory, name)(organisation, seed) for name in _INVENTORIES},
        **{name: getattr(care, name)(organisation, seed) for name in _CARE},
    }


_INVENTORIES = (
    "signal_hours",
    "workload_states",
    "control_results",
    "infrastructure_states",
    "latency_daily",
    "backup_copies",
    "dependency_states",
)
_CARE = (
    "update_episodes",
    "recovery_points",
    "repository_states",
    "vulnerabilities",
    "maintenance_tasks",
    "load_tests",
)
# The demo shows every kind of file that a team may hand in.
_JSON_LINES = ("incidents", "alerts")
_CSV = ("oncall_shifts", "deployments", "vulnerabilities", "assist_requests", "toil_reports")
_REGISTERS = (
    "restore_tests",
    "maintenance_tasks",
    "load_tests",
    "assessments",
    "action_items",
    "findings",
    "documents",
    "eol_dates",
)


def _write(organisation_folder: Path, folder: Path, seed: int) -> None:
    for name, rows in generate(read_organisation(organisation_folder), seed).items():
        if isinstance(rows, pl.DataFrame):
            rows.write_parquet(folder / f"{name}.parquet")
        elif name in _JSON_LINES:
            _json_lines(rows, folder / f"{name}.jsonl")
        elif name in _CSV:
            _csv(rows, folder / f"{name}.csv")
        elif name in _REGISTERS:
            _csv(rows, folder / "registers" / f"{name}.csv")
        else:
            _frame(rows).write_parquet(folder / f"{name}.parquet")


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def _text(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def _json_lines(rows: list[dict[str, Any]], path: Path) -> None:
    lines = (json.dumps({key: _text(value) for key, value in row.items()}, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _csv(rows: list[dict[str, Any]], path: Path) -> None:
    _frame([{key: _text(value) for key, value in row.items()} for row in rows]).write_csv(path)
