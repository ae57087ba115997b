"""``docs/calibration.md``: figures of every ruleset side by side, kept in a small file for each beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.measures import LARGE_SHIFT, MONTHS_TO_TELL, WEEKS_TO_TAKE_BACK, Figures
from opsmetrics.scoring.points import MET_LEVEL
from simulator.scenarios import LIFT, SHIFT_DAY, SHIFTED_AREAS, Scenario

_DECIMALS = 4
# Points over the months of a team below which a metric says nothing about change.
_STILL = 1.0
_EDGE = 0.9


@dataclass(frozen=True, slots=True)
class Result:
    """What one run found.

    Attributes:
        ruleset: Version of the rules that scored.
        seeds: How many seeds of the simulator.
        scale: Size of the organisation.
        figures: As ``measures.figures`` returns them.
        metrics: As ``measures.metric_figures`` returns them.
    """

    ruleset: str
    seeds: int
    scale: float
    figures: Figures
    metrics: dict[str, dict[str, Figures]]


def write(result: Result, folder: Path) -> list[Path]:
    """Write the figures of a result and the document over all results in a folder; return the files.

    Figures of another ruleset stay; those of the same one are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"calibration-{result.ruleset}.json"
    text = json.dumps(
        {
            "ruleset": result.ruleset,
            "seeds": result.seeds,
            "scale": result.scale,
            "figures": _rounded(result.figures),
            "metrics": {
                scenario: {metric: _rounded(found) for metric, found in metrics.items()}
                for scenario, metrics in result.metrics.items()
            },
        },
        indent=1,
    )
    kept.write_text(text + "\n", encoding="utf-8")
    page = folder / "calibration.md"
    page.write_text(markdown(read(folder)), encoding="utf-8")
    return [page, kept]


def read(folder: Path) -> list[Result]:
    """Return the results that a folder keeps, oldest ruleset first."""
    found: list[dict[str, Any]] = [
        json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("calibration-*.json")
    ]
    results = [Result(**content) for content in found]
    return sorted(results, key=lambda result: [int(part) for part in result.ruleset.split(".")])


def _rounded(found: Figures) -> Figures:
    return {name: None if value is None else round(value, _DECIMALS) for name, value in found.items()}


def markdown(results: list[Result]) -> str:
    """Return the document.

    Args:
        results: Oldest ruleset first; single metrics are shown as the newest one scores them.
    """
    newest = results[-1]
    versions = [result.ruleset for result in results]
    parts = [
        "<!-- Written by `make calibration`; figures of each ruleset are kept in the JSON files beside it. -->\n",
        "# Calibration: do the scores keep their promise?\n",
        _HOW.format(
            seeds=", ".join(f"{result.seeds} of {result.ruleset}" for result in results),
            teams="the demo's 14 teams" if newest.scale == 1 else f"{newest.scale:g} of the demo's 14 teams",
            day=SHIFT_DAY,
            areas=SHIFTED_AREAS,
            lift=LIFT,
        ),
        "## What was found\n",
        _table(("Figure", "Should be", *versions), [_figure_row(line, results) for line in _LINES]),
        _READING.format(weeks=WEEKS_TO_TAKE_BACK, large=LARGE_SHIFT),
        f"## Metrics that can move, ruleset {newest.ruleset}\n",
        _METRICS.format(still=_STILL, edge=round(_EDGE * 100)),
        _table(_METRIC_HEADER, _metric_rows(newest.metrics)),
        _FROZEN,
    ]
    return "\n".join(parts)


_HOW = """\
Scores of simulated teams, whose practice is known, are held against what they promise. One command builds the
records, runs the real SQL on them and scores them: `make calibration` (seeds of each ruleset: {seeds};
{teams}; month ends and weeks from January to October 2026).

Four scenarios, from the same dice:

- **steady**: practice never changes. Incidents, pages, fixes and reviews come by chance; states (rules, copies,
  workloads, controls, signals, bots) are lost and repaired at random, with a fixed long-run share; tests and
  assessments are renewed at random intervals. No team is new, no source dies, no service moves, nothing is waived.
- **shift**: steady, until on {day} every team changes its level of practice by {lift} (of 1) in {areas} of its seven
  areas: half of the teams up, half down. States that depend on it change that day; registers and events follow at
  their own pace.
- **shifted**: steady, but at the level after that change from the beginning. Its mean score minus that of *steady* is
  what the change is worth in the long run.
- **demo**: the story that `opsmetrics demo` tells, with its drift, dead sources and tricks (three seeds at most).
"""
_READING = """\
An interval is that of `scores.team` (90 %); a pair is a month end and the next one of the same team. A level is taken
back when the level before the change is there again within {weeks} weeks. A shift is told when a later score lies
outside the interval that was published at the last month end before it, on the right side; those that are worth
{large:g} points and more in the long run are counted once more by themselves. A false alarm is a score of a steady team
outside an earlier interval, on either side.
"""
_METRICS = """\
Team-months with points, over all seeds. *At 0* and *at 100*: shares of them. *Within*: standard deviation of points
over the months of a team; *between*: of the teams' means. A metric is marked **still** where it varies by less than
{still:g} point within teams, and **at an edge** where {edge} % and more of its rows are at 0 or at 100: it tells teams
apart or nothing at all, but not better months from worse ones. Real archives are not in this table: two or three
public sources measure too few of these metrics for a spread between teams.
"""
_FROZEN = """\
Where the simulator cannot vary, neither can a metric. In *demo* whether a rule exists, is routed or strict, whether a
signal is connected, a page is kept or complete is rolled once; copies, workloads, update bots and infrastructure move
one way. *Steady* lets all these come and go. Still fixed in both: which datastores have a policy and restore plan
(configuration: `bck_coverage`), services, targets and duties, the organisation's own routines, how many pages a duty
gets beside how many it may get, and dependencies of repositories (shown, not scored). Post mortems look back a year,
and the first months of *steady* see incidents from before telemetry, of which the spent budget is not known: their
share falls until August.
"""


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"


def _points(value: float) -> str:
    return f"{value:.1f}"


def _months(number: int) -> str:
    return "1 month" if number == 1 else f"{number} months"


def _count(value: float) -> str:
    return f"{value:.0f}"


# Name of the figure, what it is, what it should be, how it is written.
_LINES = (
    ("steady.pairs", "Steady: pairs of months", "", _count),
    ("steady.covers_next", "Steady: next month's score inside this month's interval", "85 to 95 %", _percent),
    ("steady.next_above", "… above it", "about 5 %", _percent),
    ("steady.next_below", "… below it", "about 5 %", _percent),
    ("steady.covers_mean", "Steady: mean of all the team's months inside the month's interval", "85 to 95 %", _percent),
    ("steady.covers_own", "Steady: the month's own score inside its interval", "100 %", _percent),
    ("steady.off_centre", "Steady: score minus middle of the interval, points", "0", _points),
    ("steady.width", "Steady: width of the interval, points", "", _points),
    ("steady.step", "Steady: change to the next month, points without sign, mean", "", _points),
    ("steady.step_90", "… nine of ten are at most", "", _points),
    *(
        line
        for scenario in (Scenario.STEADY, Scenario.SHIFT)
        for kind, plural in (("team", "team levels"), ("area", "area levels"))
        for line in (
            (
                f"{scenario}.{kind}.changes_a_year",
                f"{scenario.capitalize()}: changes of weekly {plural}, a year and {kind}",
                "",
                _points,
            ),
            (
                f"{scenario}.{kind}.taken_back",
                f"… taken back within {WEEKS_TO_TAKE_BACK} weeks",
                "at most 10 %" if scenario is Scenario.STEADY else "",
                _percent,
            ),
        )
    ),
    *(
        line
        for scenario in (Scenario.STEADY, Scenario.DEMO)
        for line in (
            (f"{scenario}.high", f"{scenario.capitalize()}: confidence “high”", "not all", _percent),
            (f"{scenario}.medium", "… “medium”", "", _percent),
            (f"{scenario}.low", "… “low”", "", _percent),
            (
                f"{scenario}.met_unlikely",
                f"{scenario.capitalize()}: of months at level {MET_LEVEL} and more, requirement met with p < 50 %",
                "0 %",
                _percent,
            ),
        )
    ),
    ("shift.teams", "Shift: teams", "", _count),
    ("shift.worth", "Shift: worth in the long run, points in its direction", "about 10", _points),
    *((f"shift.moved_{n}", f"… of which the score showed after {_months(n)}", "", _points) for n in MONTHS_TO_TELL),
    *(
        (
            f"shift.told_{n}",
            f"Shift: told within {_months(n)}",
            "most" if n == 2 else "",
            _percent,
        )
        for n in MONTHS_TO_TELL
    ),
    ("shift.large", f"Shift: teams for which it is worth {LARGE_SHIFT:g} points and more", "", _count),
    *(
        (
            f"shift.large_told_{n}",
            f"… told within {_months(n)}",
            "most" if n == 2 else "",
            _percent,
        )
        for n in MONTHS_TO_TELL
    ),
    *(
        (
            f"steady.false_{n}",
            f"Steady: false alarm within {_months(n)}",
            "about 10 %" if n == 1 else "",
            _percent,
        )
        for n in MONTHS_TO_TELL
    ),
)


def _figure_row(line: tuple[str, str, str, Any], results: list[Result]) -> tuple[str, ...]:
    name, words, wanted, written = line
    values = [result.figures.get(name) for result in results]
    return words, wanted, *("–" if value is None else written(value) for value in values)


_METRIC_HEADER = (
    "Metric",
    *(f"{s}: {w}" for s in ("steady", "demo") for w in ("at 0", "at 100", "within", "between")),
    "",
)


def _metric_rows(metrics: Mapping[str, Mapping[str, Figures]]) -> list[tuple[str, ...]]:
    steady, demo = metrics[Scenario.STEADY.value], metrics[Scenario.DEMO.value]
    return [
        (f"`{metric}`", *_movement(steady.get(metric)), *_movement(demo.get(metric)), _remark(steady.get(metric)))
        for metric in sorted({*steady, *demo})
    ]


def _movement(found: Figures | None) -> tuple[str, ...]:
    written = (("at_0", _percent), ("at_100", _percent), ("within", _points), ("between", _points))
    values = [(found.get(name) if found else None, write_it) for name, write_it in written]
    return tuple("–" if value is None else write_it(value) for value, write_it in values)


def _remark(found: Figures | None) -> str:
    if found is None:
        return "never measured"
    within, edges = found["within"] or 0.0, (found["at_0"] or 0.0, found["at_100"] or 0.0)
    marks = [word for word, holds in (("still", within < _STILL), ("at an edge", max(edges) >= _EDGE)) if holds]
    return ", ".join(marks)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
