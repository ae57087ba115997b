"""Rules have versions: ``sql/metrics/rulesets.toml`` records the digest of every version (method 3.15).

A changed threshold, weight or window under an old version stops every command, so that two scores with the same
version were made by the same rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from opsmetrics.catalogue.model import Area, Gate, Metric, RuleChange, Ruleset
from opsmetrics.catalogue.remedies import Remedy
from opsmetrics.catalogue.tomlfile import toml_of
from opsmetrics.core.errors import SqlFileError

_OF_METRIC = (
    *("floor", "krav", "mal", "weight", "n_full", "unit", "kind", "entity", "window", "applies_to", "needs"),
    *("when_empty", "interval", "lifecycle", "started_on", "version"),
)


def rules_digest(ruleset: Ruleset, areas: tuple[Area, ...], metrics: list[Metric], gates: list[Gate]) -> str:
    """Return SHA-256 over everything that can change a score; texts and the version itself are left out."""
    content: dict[str, Any] = {
        "ruleset": ruleset.model_dump(mode="json", exclude={"version"}),
        "areas": {area.id: area.weight for area in areas},
        "metrics": {metric.id: metric.header.model_dump(mode="json", include=set(_OF_METRIC)) for metric in metrics},
        "gates": {gate.id: [gate.header.area, gate.header.cap, gate.header.lifted_by] for gate in gates},
    }
    return _sha256(content)


def catalogue_digest(
    ruleset: Ruleset, areas: tuple[Area, ...], metrics: list[Metric], gates: list[Gate], remedies: tuple[Remedy, ...]
) -> str:
    """Return SHA-256 over all that the catalogue says, texts included: what a snapshot is published under."""
    return _sha256(
        {
            "ruleset": ruleset.model_dump(mode="json"),
            "areas": [area.model_dump(mode="json") for area in areas],
            "metrics": {metric.id: metric.header.model_dump(mode="json") for metric in metrics},
            "gates": {gate.id: gate.header.model_dump(mode="json") for gate in gates},
            "remedies": [remedy.model_dump(mode="json") for remedy in remedies],
        }
    )


def own_digest(changes: Iterable[RuleChange], own: Iterable[Metric]) -> str:
    """Return eight digits that tell an organisation's own rules apart: numbers that differ, and metrics of its own."""
    content = {
        "changes": [[change.kind, change.subject, change.setting, change.own] for change in changes],
        "metrics": {metric.id: [metric.header.model_dump(mode="json"), metric.file.digest] for metric in own},
    }
    return _sha256(content)[:8]


def _sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def check_version(root: Path, version: str, digest: str) -> None:
    """Check that the rules are those recorded for their version.

    Raises:
        SqlFileError: The version is not recorded, or was recorded for other rules.
    """
    path = root / "metrics" / "rulesets.toml"
    recorded: dict[str, str] = toml_of(path) if path.exists() else {}
    line = f'"{version}" = "{digest}"'
    if version not in recorded:
        raise SqlFileError(f"{path}: ruleset {version} is not recorded; add the line {line}")
    if recorded[version] != digest:
        raise SqlFileError(
            f"{root / 'metrics' / 'areas.toml'}: a threshold, weight or window changed, but the version is still "
            f"{version}; raise the version (major if a score can change) and record it in {path} with this digest: "
            f'"{digest}"'
        )
