"""The inputs of scores of a seed and scenario, made by the real SQL and kept below ``.cache/calibration``.

They do not depend on the code of scoring, so that another rule is tried in seconds.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from pathlib import Path

import polars as pl

from opsmetrics.build import Context, Kind, Stage, load_context
from opsmetrics.build.stages import perform
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.sources import pull_stream
from opsmetrics.warehouse import connect
from opsmetrics.warehouse.score_tables import read_inputs, score_inputs
from simulator.demo import write_demo
from simulator.scale import scaled_organisation
from simulator.scenarios import Scenario, organisation_without_story

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "calibration"
GRAINS = ("month", "week")
# What decides the inputs. Scoring is not among it; numbers of the rules that no SQL reads stand in two files.
_DECIDING = ("opsmetrics", "sql", "simulator", "examples/demo", "calibration/inputs.py", "constraints.txt")
_NOT_DECIDING = ("opsmetrics/scoring/", "opsmetrics/cli/", "opsmetrics/reports/", "opsmetrics/language/")
_RULES = ("sql/metrics/areas.toml", "sql/metrics/rulesets.toml")


@dataclass(frozen=True, slots=True)
class Case:
    """One organisation to score.

    Attributes:
        scenario: What happens.
        seed: Of its dice.
        scale: Its size: 1 is the demo's 14 teams.
    """

    scenario: Scenario
    seed: int
    scale: float = 1.0


def inputs_of(case: Case, *, reuse: bool = False) -> ScoreInputs:
    """Return the inputs of scores at month ends and week ends.

    Args:
        case: What to build.
        reuse: Take inputs that were built before, even if the code that makes them has changed since.
    """
    folder = CACHE / f"{case.scenario}-{case.seed}-{case.scale:g}"
    digest, mark = _digest(), folder / "digest"
    is_whole = mark.exists() and all((folder / f"{field.name}.parquet").exists() for field in fields(ScoreInputs))
    if not (is_whole and (reuse or mark.read_text() == digest)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as work:
            found = _built(case, Path(work))
        for field in fields(found):
            getattr(found, field.name).write_parquet(folder / f"{field.name}.parquet")
        mark.write_text(digest)
    return ScoreInputs(**{f.name: pl.read_parquet(folder / f"{f.name}.parquet") for f in fields(ScoreInputs)})


@cache
def _digest() -> str:
    total = hashlib.sha256()
    for name in _DECIDING:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            relative = str(file.relative_to(ROOT))
            if not file.is_file() or file.suffix == ".pyc" or relative.startswith(_NOT_DECIDING) or relative in _RULES:
                continue
            total.update(relative.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _built(case: Case, home: Path) -> ScoreInputs:
    """Write the records, land them as files and run the SQL on which scores rest; nothing is published."""
    organisation = ROOT / "examples" / "demo"
    if case.scale != 1:
        organisation = scaled_organisation(organisation, home / "scaled", case.scale)
    if case.scenario is not Scenario.DEMO:
        organisation = organisation_without_story(organisation, home / "org")
    records = home / "records"
    write_demo(organisation, records, seed=case.seed, scale=case.scale, scenario=case.scenario)
    settings = Settings(home=home / "home", org=organisation, data=records, now=None, sql=default_sql_root())
    context = load_context(settings)
    for name in context.organisation.streams:
        pull_stream(settings, context.organisation, name)
    with connect(settings.warehouse) as con:
        con.execute("set enable_progress_bar = false")
        for stage in _stages(context):
            perform(con, context, stage)
            if stage.kind is Kind.REFERENCE:
                # Of the instants only these are looked at: a third of the work.
                for table in ("ref.as_of", "ref.windows"):
                    con.execute(f"delete from {table} where not list_contains($1, grain)", [list(GRAINS)])
        with score_inputs(con, context.catalogue, context.files):
            instants = con.sql("select distinct as_of, grain from score_windows").pl()
            return read_inputs(con, instants, timedelta(days=context.catalogue.ruleset.carry_days))


def _stages(context: Context) -> list[Stage]:
    """Return the stages on which scores rest, in order, without pulls and without the scores."""
    makers = {table: stage for stage in context.plan.stages for table in stage.makes}
    wanted: set[str] = set()
    todo = list(makers["scores.team"].needs)
    while todo:
        stage = makers.get(todo.pop())
        if stage is not None and stage.name not in wanted:
            wanted.add(stage.name)
            todo += stage.needs
    return [stage for stage in context.plan.of(Kind.INGEST, Kind.REFERENCE, Kind.SQL) if stage.name in wanted]
