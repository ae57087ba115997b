"""What the simulator needs to know of the demo organisation, read from its configuration files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the simulator sees it."""

    id: str
    team: str
    criticality: str
    slo: float | None


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore as the simulator sees it."""

    id: str
    service: str
    team: str
    data_class: str
    interval_hours: float | None
    rto_minutes: float


@dataclass(frozen=True, slots=True)
class Organisation:
    """Teams with their duty, services and datastores."""

    duties: dict[str, str]
    services: tuple[Service, ...]
    datastores: tuple[Datastore, ...]


def _read(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / name).read_text(encoding="utf-8"))


def read_organisation(folder: Path) -> Organisation:
    """Read the demo's configuration; the newest owner stands for the whole time."""
    promises = _read(folder, "slo.toml")["slo"]
    slos = {item["service"]: float(item["target"]) for item in promises if item.get("kind") != "latency"}
    services = tuple(
        Service(item["id"], item["owners"][-1]["team"], item["criticality"], slos.get(item["id"]))
        for item in _read(folder, "services.toml")["service"]
    )
    owner = {service.id: service.team for service in services}
    datastores = tuple(
        Datastore(
            item["id"],
            item["service"],
            owner[item["service"]],
            item["class"],
            item.get("backup_interval_hours"),
            item["rto_minutes"],
        )
        for item in _read(folder, "datastores.toml")["datastore"]
    )
    duties = {item["id"]: item["oncall"] for item in _read(folder, "teams.toml")["team"]}
    return Organisation(duties, services, datastores)
