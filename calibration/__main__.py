"""``python -m calibration``: play the scenarios, score them, write ``docs/calibration.md``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from calibration.document import Result, markdown, write
from calibration.inputs import ROOT, Case
from calibration.measures import figures, metric_figures
from calibration.scored import score
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from simulator.scenarios import Scenario

# The demo's story is only looked at for its metrics and words; what is promised is promised of the other scenarios.
DEMO_SEEDS = 3


def measured(seeds: int, scale: float, *, reuse: bool, jobs: int | None) -> Result:
    """Score every scenario on the first seeds (the demo on :data:`DEMO_SEEDS` at most) and return what was found.

    Args:
        seeds: How many.
        scale: Size of the organisation; 1 is the demo's.
        reuse: Take inputs of scores that were built before, whatever changed since.
        jobs: Processes side by side; None: one per core.
    """
    began = time.monotonic()
    cases = [
        Case(scenario, seed, scale)
        for seed in range(1, seeds + 1)
        for scenario in Scenario
        if scenario is not Scenario.DEMO or seed <= DEMO_SEEDS
    ]

    def tell(case: Case) -> None:
        print(f"{time.monotonic() - began:6.0f} s  seed {case.seed} {case.scenario}", flush=True)

    scored = score(cases, reuse=reuse, jobs=jobs, told=tell)
    sql = default_sql_root()
    version = load_catalogue(sql, load_all(sql)).ruleset.version
    return Result(version, seeds, scale, figures(scored), metric_figures(scored))


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m calibration", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="seeds of the simulator, from 1 (default 10)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the organisation (default 1)")
    parser.add_argument("--jobs", type=int, default=None, help="processes side by side (default: one per core)")
    parser.add_argument(
        "--reuse", action="store_true", help="take kept inputs of scores, also after changes of SQL or simulator"
    )
    parser.add_argument("--only-print", action="store_true", help="write no file")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where the document and its figures lie")
    words = parser.parse_args()
    result = measured(words.seeds, words.scale, reuse=words.reuse, jobs=words.jobs)
    if words.only_print:
        print(markdown([result]))
    else:
        print("\n".join(str(path) for path in write(result, words.folder)))


if __name__ == "__main__":
    main()
