"""A folder of rules with some of the shipped tables: what a run does with each table it does with a third of them too.

The product builds it as it builds any other: ``OPSMETRICS_SQL`` names it. For tests of runs, their faults and who starts
them; what the other tables say is tested where they are.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from opsmetrics.build.plan import FACTS_OF_SCORES
from opsmetrics.catalogue import rules_digest_at
from opsmetrics.catalogue.sqlfile import SqlFile, load_all
from opsmetrics.core.settings import default_sql_root
from tests.built import LIBRARY, built

# What every build needs that is scored and published.
SCORED = {"ref.untold_columns", "scores.goal", "scores.published", *(f"facts.{name}" for name in FACTS_OF_SCORES)}
# One table or more of each schema, so that each kind of stage is there.
OF_EACH_KIND = {
    "metrics.aut_automated_deploy_share",
    "metrics.aut_change_fail_rate",
    "metrics.inc_incident_manager_involved",
    "metrics.inc_error_budget_consumed",
    "gates.g_feil_1",
    "diagnostics.dx_availability_pct",
    "alarms.denominator_shrunk",
    "marts.warnings",
    "marts.source_health",
    "marts.missing_days",
}


def with_what_they_read(files: dict[str, SqlFile], wanted: Iterable[str]) -> set[str]:
    """Tables and every table below them that has a file."""
    todo, found = list(wanted), set[str]()
    while todo:
        name = todo.pop()
        if name in files and name not in found:
            found.add(name)
            todo += files[name].dependencies
    return found


def made_by_the_day(files: dict[str, SqlFile]) -> set[str]:
    """Tables that are rebuilt by the day, and all staging tables: where a lost load would show."""
    return {
        name
        for name, file in files.items()
        if file.schema == "staging" or (file.schema == "facts" and file.model.incremental)
    }


def write_few(root: Path) -> None:
    """Write the folder: the shipped files of those tables, and registers that name no others."""
    files = load_all(default_sql_root())
    kept = with_what_they_read(files, {*SCORED, *OF_EACH_KIND, *made_by_the_day(files)})
    for name in kept:
        path = root / files[name].path.relative_to(default_sql_root())
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[name].path, path)
    shutil.copytree(default_sql_root() / "macros", root / "macros")
    shipped = default_sql_root() / "metrics"
    shutil.copyfile(shipped / "areas.toml", root / "metrics/areas.toml")
    # Sentences that nothing here measures would be refused.
    measured = {duty for name in kept for duty in files[name].header.get("obligations", ())}
    blocks = (shipped / "obligations.toml").read_text(encoding="utf-8").split("[[obligation]]\n")[1:]
    named = [block for block in blocks if set(re.findall(r'^id = "(\w+)"', block, flags=re.MULTILINE)) <= measured]
    (root / "metrics/obligations.toml").write_text("".join(f"[[obligation]]\n{block}" for block in named))
    (version,) = re.findall(r'^version = "(.*)"$', (root / "metrics/areas.toml").read_text(), flags=re.MULTILINE)
    (root / "metrics/rulesets.toml").write_text(f'"{version}" = "{rules_digest_at(root)}"\n')


def few_rules() -> Path:
    """The folder, written once."""
    return built("few-rules", write_few, (*LIBRARY, "tests/few_rules.py"))
