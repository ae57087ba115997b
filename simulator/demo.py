"""Write the demo organisation's records as the files that its ``sources.toml`` names."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from simulator import care, practice, telemetry
from simulator.organisation import read_organisation

VERSION = 1
_STATE = "generated.json"


def write_demo(organisation_folder: Path, target: Path, *, seed: int = 1) -> bool:
    """Write the records below ``target``; the folder appears whole or not at all.

    Returns:
        False where the same seed and version were written before.
    """
    state = {"seed": seed, "version": VERSION}
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


def _write(organisation_folder: Path, folder: Path, seed: int) -> None:
    organisation = read_organisation(organisation_folder)
    outages = telemetry.plan_outages(organisation, seed)
    found = practice.incidents(organisation, outages, seed)
    pages = practice.alerts(organisation, found, seed)
    rolled_out = practice.deployments(organisation, found, seed)
    telemetry.availability_checks(organisation, outages, seed).write_parquet(folder / "availability_checks.parquet")
    telemetry.capacity_samples(organisation, seed).write_parquet(folder / "capacity_samples.parquet")
    _frame(care.update_episodes(organisation, seed)).write_parquet(folder / "update_episodes.parquet")
    _frame(care.recovery_points(organisation, seed)).write_parquet(folder / "recovery_points.parquet")
    _frame(care.repository_states(organisation, seed)).write_parquet(folder / "repository_states.parquet")
    _json_lines(found, folder / "incidents.jsonl")
    _json_lines(pages, folder / "alerts.jsonl")
    _csv(practice.oncall_shifts(organisation, seed), folder / "oncall_shifts.csv")
    _csv(rolled_out, folder / "deployments.csv")
    _csv(care.vulnerabilities(organisation, seed), folder / "vulnerabilities.csv")
    for name in ("restore_tests", "maintenance_tasks", "load_tests", "assessments"):
        rows = getattr(care, name)(organisation, seed)
        _csv(rows, folder / "registers" / f"{name}.csv")


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def _text(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def _json_lines(rows: list[dict[str, Any]], path: Path) -> None:
    lines = (json.dumps({key: _text(value) for key, value in row.items()}, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _csv(rows: list[dict[str, Any]], path: Path) -> None:
    _frame([{key: _text(value) for key, value in row.items()} for row in rows]).write_csv(path)
