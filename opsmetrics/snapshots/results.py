"""Today's scores for other programs: JSON, OpenMetrics, and requirements that a pipeline can fail on.

What is unknown stays unknown: a score that is not there is no sample and no number, and a requirement about it is
neither met nor missed. Does not belong here: tables (``opsmetrics.snapshots.export``) and what people read
(``scorecard_app``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from opsmetrics.core.errors import ConfigurationError, Problem

SCHEMA = 1
MET, MISSED, UNKNOWN = "met", "missed", "unknown"
Row = dict[str, Any]
_BUILD = """
    select b.build_id, b.built_at, b.known_at, b.ruleset_version, o.organisation_id, o.is_fictional
    from meta.build as b cross join meta.organisation as o
"""
_TEAMS = """
    select team_id, as_of, score, low, high, coverage, level, status, confidence, score_without_waivers
    from scores.team where grain = 'latest' order by team_id
"""
_AREAS = """
    select team_id, area_id, score, low, high, coverage, level, status, gate, gate_findings
    from scores.area where grain = 'latest' order by team_id, area_id
"""
_METRICS = """
    select team_id, metric_id, value, points, status, reason, numerator, denominator, sample_size, completeness
    from scores.metric where grain = 'latest' order by team_id, metric_id
"""
_WARNINGS = """
    select kind, stream, count(*) as names, cast(coalesce(sum(row_count), 0) as bigint) as rows
    from marts.warnings group by kind, stream order by kind, stream
"""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a team is to reach; None is not a requirement.

    Attributes:
        score: Score at least, 0..100.
        level: Level at least, 0..4.
        coverage: Coverage at least, 0..1.
        no_gate: No gate tripped in any area.
    """

    score: float | None = None
    level: int | None = None
    coverage: float | None = None
    no_gate: bool = False


def read_results(con: duckdb.DuckDBPyConnection, teams: Iterable[str] = ()) -> Row:
    """Return the scores of the latest day.

    Args:
        con: A snapshot.
        teams: Only these; default all.

    Returns:
        ``schema`` (a change that breaks a reader gets the next number), the build, ``warnings`` (kind, stream, names,
        rows), and under ``teams`` one entry a team
        with its ``areas`` and ``metrics``; points and scores 0..100, shares 0..1, instants ISO 8601.

    Raises:
        ConfigurationError: A team is not there.
    """
    found = _rows(con, _TEAMS)
    wanted = set(teams)
    there = {row["team_id"] for row in found}
    if wanted - there:
        names = ", ".join(sorted(wanted - there))
        fix = f"write one of {', '.join(sorted(there))}"
        raise ConfigurationError([Problem("--team", None, f"no such team in the snapshot: {names}", fix)])
    (build,) = _rows(con, _BUILD)
    parts = {name: _by_team(_rows(con, select)) for name, select in (("areas", _AREAS), ("metrics", _METRICS))}
    chosen = [row for row in found if not wanted or row["team_id"] in wanted]
    return {
        "schema": SCHEMA,
        **build,
        "warnings": _rows(con, _WARNINGS),
        "teams": [row | {name: part.get(row["team_id"], []) for name, part in parts.items()} for row in chosen],
    }


def judge(results: Row, requirements: Requirements) -> list[Row]:
    """Hold every team against the requirements.

    Returns:
        ``team_id``, ``wish``, ``wanted``, ``found`` and ``verdict``: met, missed or unknown.
    """
    verdicts: list[Row] = []
    for team in results["teams"]:
        for name in ("score", "level", "coverage"):
            wanted, found = getattr(requirements, name), team[name]
            if wanted is not None:
                verdict = UNKNOWN if found is None else MET if found >= wanted - 1e-9 else MISSED
                verdicts.append(_verdict(team, name, wanted, found, verdict))
        if requirements.no_gate:
            gates = sorted({area["gate"] for area in team["areas"] if area["gate"]})
            verdicts.append(_verdict(team, "no_gate", [], gates, MISSED if gates else MET))
    return verdicts


def _verdict(team: Row, wish: str, wanted: object, found: object, verdict: str) -> Row:
    return {"team_id": team["team_id"], "wish": wish, "wanted": wanted, "found": found, "verdict": verdict}


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How one piece of housekeeping stands.

    Attributes:
        what: ``backup``, ``compaction`` or ``restore_test``.
        problems: What it found wrong the last time; 0 where it ended well.
        succeeded_at: When it last ended well, or None.
    """

    what: str
    problems: int
    succeeded_at: datetime | None


def openmetrics(results: Row, upkeep: Iterable[Upkeep] = ()) -> str:
    """Return the scores as OpenMetrics text, for a textfile collector or a scrape.

    Args:
        results: What :func:`read_results` gave.
        upkeep: How housekeeping stands.
    """
    kept = list(upkeep)

    class Scores(Collector):
        def collect(self) -> Iterable[Metric]:
            yield from _families(results)
            yield from _kept(kept)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Scores())
    return generate_latest(registry).decode("utf-8")


def _families(results: Row) -> Iterable[Metric]:
    build = InfoMetricFamily("opsmetrics_build", "The snapshot that these scores stand in")
    texts = ("build_id", "ruleset_version", "organisation_id")
    build.add_metric(
        [], {name: str(results[name]) for name in texts} | {"fictional": str(results["is_fictional"]).lower()}
    )
    yield build
    known = GaugeMetricFamily("opsmetrics_known", "What the scores know of ends here, Unix time", unit="seconds")
    known.add_metric([], datetime.fromisoformat(results["known_at"]).timestamp())
    yield known
    warned = GaugeMetricFamily("opsmetrics_warnings", "Things that leave data out, by kind", labels=["kind", "stream"])
    for row in results["warnings"]:
        warned.add_metric([row["kind"], row["stream"]], row["names"])
    yield warned
    for level, key in (("team", None), ("area", "area_id"), ("metric", "metric_id")):
        rows = [
            ([team["team_id"], *([part[key]] if key else [])], part)
            for team in results["teams"]
            for part in (team[f"{level}s"] if key else [team])
        ]
        labels = ["team", *([level] if key else [])]
        for column, text in _GAUGES[level].items():
            family = GaugeMetricFamily(f"opsmetrics_{level}_{column}", text, labels=labels)
            for names, part in rows:
                if part[column] is not None:
                    family.add_metric(names, float(part[column]))
            yield family


def _kept(upkeep: list[Upkeep]) -> Iterable[Metric]:
    problems = GaugeMetricFamily(
        "opsmetrics_upkeep_problems",
        "What backup, compaction and restore test found wrong the last time",
        labels=["what"],
    )
    succeeded = GaugeMetricFamily(
        "opsmetrics_upkeep_succeeded", "When it last ended well, Unix time", labels=["what"], unit="seconds"
    )
    for item in upkeep:
        problems.add_metric([item.what], item.problems)
        if item.succeeded_at is not None:
            succeeded.add_metric([item.what], item.succeeded_at.timestamp())
    yield problems
    yield succeeded


_SCORE = "0..100; no sample where there is too little data"
_GAUGES: dict[str, dict[str, str]] = {
    "team": {
        "score": f"Team score, {_SCORE}",
        "low": "Team score if everything unknown were 0",
        "high": "Team score if everything unknown were 100",
        "coverage": "Share of what counts that is measured, 0..1",
        "level": "0 to 4",
    },
    "area": {"score": f"Area score, {_SCORE}", "coverage": "As of the team", "level": "0 to 4, capped by gates"},
    "metric": {"points": "0..100; no sample where nothing is known", "value": "In the metric's unit"},
}


def _rows(con: duckdb.DuckDBPyConnection, select: str) -> list[Row]:
    cursor = con.execute(select)
    names = [column[0] for column in cursor.description or []]
    return [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in zip(names, row, strict=True)
        }
        for row in cursor.fetchall()
    ]


def _by_team(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.pop("team_id"), []).append(row)
    return found
