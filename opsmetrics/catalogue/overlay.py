"""An organisation's own numbers on top of the shipped rules: ``rules.toml`` beside its configuration (ADR 0041).

Only numbers: thresholds, weights and windows of metrics, weights of areas, constants of the method. The engine is the
same, and so is the SQL. Does not belong here: metrics of one's own (``opsmetrics.catalogue.own``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from opsmetrics.catalogue.model import Area, Metric, MetricHeader, RuleChange, Ruleset
from opsmetrics.catalogue.tomlfile import read_toml
from opsmetrics.core import words
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.toml_lines import toml_line

FILE = "rules.toml"
# What an overlay may say of each kind of thing; texts, kinds and streams belong to the SQL.
OF_METRIC = ("floor", "krav", "mal", "weight", "n_full", "window")
OF_AREA = ("weight",)
OF_RULESET = tuple(name for name in Ruleset.model_fields if name != "version")
_ABOUT = ("ruleset", "why")
_TABLES = {"metric": OF_METRIC, "area": OF_AREA, "method": OF_RULESET}
SHORTEST_WHY = 10
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Overlaid:
    """The rules with an organisation's numbers in them, and what differs."""

    ruleset: Ruleset
    areas: tuple[Area, ...]
    metrics: list[Metric]
    changes: tuple[RuleChange, ...] = ()
    why: str = ""


@dataclass
class _Problems:
    """Collects what is wrong with one file, so that one check shows all of it."""

    path: Path
    text: str = ""
    found: list[Problem] = field(default_factory=list[Problem])

    def add(self, key: tuple[str, ...], message: str, fix: str) -> None:
        """Record a problem at the line of a key."""
        self.found.append(Problem(str(self.path), toml_line(self.text, key), message, fix))


def overlaid(folder: Path | None, ruleset: Ruleset, areas: tuple[Area, ...], metrics: list[Metric]) -> Overlaid:
    """Return the rules with the numbers of a folder's ``rules.toml`` in them; without one as they are.

    Raises:
        ConfigurationError: With every problem of the file, each with line and fix.
    """
    path = folder / FILE if folder else None
    if path is None or not path.exists():
        return Overlaid(ruleset, areas, metrics)
    problems = _Problems(path)
    said = _read(problems)
    _about(problems, said, ruleset.version)
    changes: list[RuleChange] = []
    by_metric = {metric.id: metric for metric in metrics}
    headers = {
        name: _merged(problems, changes, ("metric", name), by_metric[name].header, values, MetricHeader)
        for name, values in _tables(problems, said, "metric", by_metric)
    }
    by_area = {area.id: area for area in areas}
    changed_areas = {
        name: _merged(problems, changes, ("area", name), by_area[name], values, Area)
        for name, values in _tables(problems, said, "area", by_area)
    }
    method = _settings(problems, ("method",), said.get("method", {}))
    rules = _merged(problems, changes, ("method", ""), ruleset, method, Ruleset)
    if problems.found:
        raise ConfigurationError(problems.found)
    return Overlaid(
        rules,
        tuple(changed_areas.get(area.id, area) for area in areas),
        [replace(metric, header=headers.get(metric.id, metric.header)) for metric in metrics],
        tuple(sorted(changes, key=lambda change: (change.kind, change.subject, change.setting))),
        str(said["why"]),
    )


def _read(problems: _Problems) -> dict[str, Any]:
    problems.text, found = read_toml(problems.path)
    return found


def _about(problems: _Problems, said: dict[str, Any], shipped: str) -> None:
    """Check what the file says of itself: for which rules it was written, and why."""
    for key in said.keys() - {*_ABOUT, *_TABLES}:
        problems.add((key,), f"unknown key {key!r}", _near(key, (*_ABOUT, *_TABLES)))
    if "ruleset" not in said:
        problems.add((), "it does not say for which rules it was written", f'write ruleset = "{shipped}"')
    elif said["ruleset"] != shipped:
        message = f"it was written for ruleset {said['ruleset']}, and the shipped one is {shipped}"
        fix = f'look at docs/metrics.md for what changed, then write ruleset = "{shipped}"'
        problems.add(("ruleset",), message, fix)
    if not isinstance(said.get("why"), str) or len(said["why"].strip()) < SHORTEST_WHY:
        fix = 'write why = "..." with a reason that readers of the scores will see'
        problems.add(("why",), "it does not say why the rules are other ones here", fix)


def _tables(
    problems: _Problems, said: dict[str, Any], kind: str, known: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables ``[kind.name]`` whose name exists."""
    found: list[tuple[str, dict[str, Any]]] = []
    tables = said.get(kind, {})
    for name, values in tables.items() if isinstance(tables, dict) else ():
        if name not in known:
            problems.add((f"{kind}.{name}",), f"there is no {kind} {name!r}", _near(name, known))
        else:
            found.append((name, _settings(problems, (kind, name), values)))
    if not isinstance(tables, dict):
        problems.add((kind,), f"{kind!r} must be written as [{kind}.<id>]", f"choose from {', '.join(sorted(known))}")
    return found


def _settings(problems: _Problems, place: tuple[str, ...], values: Any) -> dict[str, Any]:
    """Return what one table sets, without what it may not set."""
    kind, header = place[0], ".".join(place)
    if not isinstance(values, dict):
        problems.add((header,), f"{header!r} must be a table", f"write [{header}], and the numbers below it")
        return {}
    for name in values.keys() - set(_TABLES[kind]):
        problems.add((header, name), f"{name!r} cannot be set here", _near(name, _TABLES[kind]))
    return {name: value for name, value in values.items() if name in _TABLES[kind]}


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def _merged(
    problems: _Problems,
    changes: list[RuleChange],
    place: tuple[str, str],
    shipped: ModelT,
    values: dict[str, Any],
    model: type[ModelT],
) -> ModelT:
    """Return a thing with some of its numbers replaced, checked as the shipped ones are; note what differs."""
    kind, subject = place
    header = f"{kind}.{subject}" if subject else kind
    if not values:
        return shipped
    if "window" in values and (values["window"] == "now") != (getattr(shipped, "window", None) == "now"):
        fix = "write days such as '90d' for what counts over a window, and leave out the window of a state"
        problems.add((header, "window"), "the SQL of this metric is about the other kind of window", fix)
        return shipped
    try:
        merged = model.model_validate(shipped.model_dump() | values)
    except ValidationError as error:
        for item in error.errors():
            key = str(item["loc"][0]) if item["loc"] else next(iter(values))
            message, fix = words.of_value(item)
            more = f"{fix}; the shipped ones stand in docs/metrics.md"
            problems.add((header, key), f"{header}: {key}: {message}{words.shown(item)}", more)
        return shipped
    for name in values:
        before, after = getattr(shipped, name), getattr(merged, name)
        if before != after:
            changes.append(RuleChange(kind, subject, name, before, after))
    return merged
