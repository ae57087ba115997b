"""Read the catalogue from the SQL files and ``sql/metrics``, and check it as a whole.

Does not belong here: what the catalogue holds (``opsmetrics.catalogue.model``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from opsmetrics.catalogue.model import Area, Catalogue, Gate, GateHeader, Metric, MetricHeader, Ruleset, gate_id
from opsmetrics.catalogue.obligations import check_obligations, load_obligations
from opsmetrics.catalogue.remedies import load_remedies
from opsmetrics.catalogue.ruleset import catalogue_digest, check_version, rules_digest
from opsmetrics.catalogue.sqlfile import SqlFile, load_all, validate_header
from opsmetrics.catalogue.unscored import load_unscored
from opsmetrics.core.errors import SqlFileError


def load_catalogue(root: Path, files: dict[str, SqlFile]) -> Catalogue:
    """Read the catalogue.

    Raises:
        SqlFileError: A header breaks its form, a metric stands under an unknown area, or an obligation has no metric.
    """
    ruleset, areas, metrics, gates = _read(root, files)
    remedies = load_remedies(root, {metric.id for metric in metrics})
    catalogue = Catalogue(
        areas,
        tuple(metrics),
        tuple(gates),
        ruleset,
        load_unscored(files),
        load_obligations(root),
        remedies,
        catalogue_digest(ruleset, areas, metrics, gates, remedies),
    )
    check_version(root, ruleset.version, rules_digest(ruleset, areas, metrics, gates))
    check_obligations(catalogue.obligations, catalogue.measures(), root)
    return catalogue


def rules_digest_at(root: Path) -> str:
    """Return the digest under which ``rulesets.toml`` is to record the rules below a folder.

    Raises:
        SqlFileError: A header breaks its form, or a metric stands under an unknown area.
    """
    return rules_digest(*_read(root, load_all(root)))


def _read(root: Path, files: dict[str, SqlFile]) -> tuple[Ruleset, tuple[Area, ...], list[Metric], list[Gate]]:
    path = root / "metrics" / "areas.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    ruleset = validate_header(Ruleset, raw["ruleset"], path)
    areas = tuple(validate_header(Area, item, path) for item in raw["area"])
    area_ids = {area.id for area in areas}
    metrics: list[Metric] = []
    gates: list[Gate] = []
    for file in sorted(files.values(), key=lambda file: file.table):
        if file.schema == "metrics":
            area_id = file.path.parent.name
            if area_id not in area_ids or not file.name.startswith(f"{area_id}_"):
                raise SqlFileError(f"{file.path}: put it in sql/metrics/<area>/ and begin its name with <area>_")
            metrics.append(Metric(file.name, area_id, validate_header(MetricHeader, file.header, file.path), file))
        elif file.schema == "gates":
            header = validate_header(GateHeader, file.header, file.path)
            if header.area not in area_ids:
                raise SqlFileError(f"{file.path}: unknown area {header.area!r}")
            gates.append(Gate(gate_id(file.name), header, file))
    watched = {gate.header.lifted_by for gate in gates}
    for metric in metrics:
        if metric.header.lifecycle == "guard" and metric.id not in watched:
            raise SqlFileError(f"{metric.file.path}: a guard needs a gate in sql/gates with lifted_by = {metric.id!r}")
    order = {area.id: number for number, area in enumerate(areas)}
    metrics.sort(key=lambda metric: (order[metric.area_id], -metric.header.weight, metric.id))
    return ruleset, areas, metrics, gates
