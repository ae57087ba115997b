"""Write the demo organisation's records as the files that its ``sources.toml`` names."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from simulator import care, churn, follow_up, inventory, plants, practice, telemetry
from simulator.organisation import Organisation, read_organisation
from simulator.scenarios import Scenario, characters
from simulator.world import played

VERSION = 4
_STATE = "generated.json"
Row = dict[str, Any]


def write_demo(
    organisation_folder: Path,
    target: Path,
    *,
    seed: int = 1,
    scale: float = 1.0,
    scenario: Scenario = Scenario.DEMO,
) -> bool:
    """Write the records below ``target``; the folder appears whole or not at all.

    Args:
        organisation_folder: Configuration, of the size that ``scale`` says.
        target: Folder of the records.
        seed: Of all random numbers.
        scale: Size of the organisation; only remembered, so that another size is written again.
        scenario: What happens.

    Returns:
        False where the same seed, size, scenario and version were written before.
    """
    state: dict[str, float | str] = {"seed": seed, "scale": scale, "version": VERSION}
    if scenario is not Scenario.DEMO:
        state["scenario"] = scenario.value
    if (target / _STATE).exists() and json.loads((target / _STATE).read_text()) == state:
        return False
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    (draft / "registers").mkdir(parents=True)
    _write(generate(read_organisation(organisation_folder), seed, scenario), draft)
    (draft / _STATE).write_text(json.dumps(state))
    shutil.rmtree(target, ignore_errors=True)
    draft.replace(target)
    return True


def generate(
    organisation: Organisation, seed: int, scenario: Scenario = Scenario.DEMO
) -> dict[str, list[Row] | pl.DataFrame]:
    """Return the records of every stream: bulky ones as frames, the others as rows."""
    with played(characters(scenario, seed)):
        return _story(organisation, seed) if scenario is Scenario.DEMO else _chance(organisation, seed)


def _story(organisation: Organisation, seed: int) -> dict[str, list[Row] | pl.DataFrame]:
    """The demo: what is planted happens."""
    team_of = {service.id: service.team for service in organisation.services}
    outages = telemetry.plan_outages(organisation, seed)
    incidents = practice.incidents(organisation, outages, seed)
    pages = practice.alerts(organisation, incidents, seed)
    plants.plant_practice(incidents, pages, team_of, seed)
    assessments = care.assessments(organisation, seed)
    weekly: dict[str, list[Row]] = {
        "alert_rule_states": inventory.alert_rule_states(organisation, seed),
        "component_states": inventory.component_states(organisation, seed),
    }
    plants.plant_inventory(weekly, team_of)
    restores = care.restore_tests(organisation, seed)
    plants.plant_restore_tests(restores)
    common = _common(organisation, seed, outages, incidents, pages, assessments)
    return common | {
        "capacity_samples": telemetry.capacity_samples(organisation, seed),
        **weekly,
        "restore_tests": restores,
        "documents": follow_up.documents(organisation, incidents, seed),
        "eol_dates": inventory.eol_dates(),
        **{name: getattr(inventory, name)(organisation, seed) for name in _INVENTORIES},
        **{name: getattr(care, name)(organisation, seed) for name in _CARE},
    }


def _chance(organisation: Organisation, seed: int) -> dict[str, list[Row] | pl.DataFrame]:
    """The other scenarios: nothing is planted, and what would stand still changes by chance."""
    outages = churn.plan_outages(organisation, seed)
    incidents = practice.incidents(organisation, outages, seed)
    pages = practice.alerts(organisation, incidents, seed)
    common = _common(organisation, seed, outages, incidents, pages, churn.assessments(organisation, seed))
    return common | {
        "documents": churn.documents(organisation, incidents, seed),
        "eol_dates": churn.eol_dates(),
        "dependency_states": inventory.dependency_states(organisation, seed),
        **{name: getattr(churn, name)(organisation, seed) for name in _CHURNING},
        **{name: getattr(care, name)(organisation, seed) for name in _CARE if name not in _CHURNING},
    }


def _common(
    organisation: Organisation,
    seed: int,
    outages: dict[str, list[telemetry.Outage]],
    incidents: list[Row],
    pages: list[Row],
    assessments: list[Row],
) -> dict[str, list[Row] | pl.DataFrame]:
    """What people and machines do day by day, and what follows from it: by chance in every scenario."""
    team_of = {service.id: service.team for service in organisation.services}
    practice.number_incidents(incidents)
    practice.number_pages(pages)
    practice.link_pages(pages)
    return {
        "availability_checks": telemetry.availability_checks(organisation, outages, seed),
        "incidents": incidents,
        "alerts": pages,
        "assessments": assessments,
        "oncall_shifts": practice.oncall_shifts(organisation, seed),
        "deployments": practice.deployments(organisation, incidents, seed),
        "action_items": follow_up.action_items(incidents, team_of, seed),
        "assist_requests": follow_up.assist_requests(incidents, organisation, seed),
        "findings": follow_up.findings(organisation, assessments, seed),
        "toil_reports": follow_up.toil_reports(organisation, seed),
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
_CHURNING = (
    "signal_hours",
    "alert_rule_states",
    "component_states",
    "workload_states",
    "control_results",
    "infrastructure_states",
    "latency_daily",
    "backup_copies",
    "repository_states",
    "capacity_samples",
    "restore_tests",
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


def _write(records: dict[str, list[Row] | pl.DataFrame], folder: Path) -> None:
    for name, rows in records.items():
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
