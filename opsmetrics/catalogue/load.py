"""Read the catalogue from the SQL files and ``sql/metrics``, and check it as a whole.

Does not belong here: what the catalogue holds (``opsmetrics.catalogue.model``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsmetrics.catalogue.model import Area, Catalogue, Gate, GateHeader, Metric, MetricHeader, Ruleset, gate_id
from opsmetrics.catalogue.obligations import check_obligations, load_obligations
from opsmetrics.catalogue.overlay import Overlaid, overlaid
from opsmetrics.catalogue.own import own_metric
from opsmetrics.catalogue.remedies import load_remedies
from opsmetrics.catalogue.ruleset import catalogue_digest, check_version, own_digest, rules_digest
from opsmetrics.catalogue.sqlfile import SqlFile, load_all, validate_header
from opsmetrics.catalogue.tomlfile import toml_of
from opsmetrics.catalogue.unscored import load_unscored
from opsmetrics.core.errors import ConfigurationError, Problem, SqlFileError


def load_catalogue(root: Path, files: dict[str, SqlFile], organisation: Path | None = None) -> Catalogue:
    """Read the catalogue.

    Args:
        root: Folder of the shipped SQL files.
        files: All SQL files by table, the organisation's own included.
        organisation: Folder of a configuration, whose ``rules.toml`` may replace numbers of the shipped rules.

    Raises:
        ConfigurationError: ``rules.toml`` is wrong.
        SqlFileError: A header breaks its form, a metric stands under an unknown area, or an obligation has no metric.
    """
    ruleset, areas, shipped, gates = _read(root, files)
    check_version(root, ruleset.version, rules_digest(ruleset, areas, shipped, gates))
    remedies = load_remedies(root, {metric.id for metric in shipped})
    rules = overlaid(organisation, ruleset, areas, shipped)
    own = [own_metric(file, areas) for file in files.values() if _is_own(root, file)]
    metrics = _ordered([*rules.metrics, *own], areas)
    catalogue = Catalogue(
        rules.areas,
        tuple(metrics),
        tuple(gates),
        rules.ruleset,
        load_unscored(files),
        load_obligations(root),
        remedies,
        catalogue_digest(rules.ruleset, rules.areas, metrics, gates, remedies),
        _version(rules, own),
        rules.changes,
        rules.why,
    )
    check_obligations(catalogue.obligations, catalogue.measures(), root)
    return catalogue


def _version(rules: Overlaid, own: list[Metric]) -> str:
    """Return the version that scores are published under: the shipped one, and a digest of what is the house's own."""
    if not rules.changes and not own:
        return rules.ruleset.version
    return f"{rules.ruleset.version}+{own_digest(rules.changes, own)}"


def _is_own(root: Path, file: SqlFile) -> bool:
    return file.schema == "metrics" and not file.path.is_relative_to(root)


def rules_digest_at(root: Path) -> str:
    """Return the digest under which ``rulesets.toml`` is to record the rules below a folder.

    Raises:
        SqlFileError: A header breaks its form, or a metric stands under an unknown area.
    """
    return rules_digest(*_read(root, load_all(root)))


def _measure(root: Path, path: Path) -> dict[str, Any]:
    """Return what ``areas.toml`` says, which every folder of rules has."""
    if not path.is_file():
        fix = "name a folder like sql/ (--ruleset, OPSMETRICS_SQL)"
        raise ConfigurationError([Problem(str(root), None, "no rules lie here: metrics/areas.toml is missing", fix)])
    raw = toml_of(path)
    for key in ("ruleset", "area"):
        if key not in raw:
            raise ConfigurationError([Problem(str(path), None, f"{key!r} is missing", "begin with a copy of sql/")])
    return raw


def _read(root: Path, files: dict[str, SqlFile]) -> tuple[Ruleset, tuple[Area, ...], list[Metric], list[Gate]]:
    path = root / "metrics" / "areas.toml"
    raw = _measure(root, path)
    ruleset = validate_header(Ruleset, raw["ruleset"], path)
    areas = tuple(validate_header(Area, item, path) for item in raw["area"])
    area_ids = {area.id for area in areas}
    metrics: list[Metric] = []
    gates: list[Gate] = []
    for file in sorted(files.values(), key=lambda file: file.table):
        if file.schema == "metrics" and not _is_own(root, file):
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
    return ruleset, areas, _ordered(metrics, areas), gates


def _ordered(metrics: list[Metric], areas: tuple[Area, ...]) -> list[Metric]:
    """Return metrics by area, the heaviest of each first."""
    order = {area.id: number for number, area in enumerate(areas)}
    return sorted(metrics, key=lambda metric: (order[metric.area_id], -metric.header.weight, metric.id))
