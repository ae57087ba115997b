"""A year of monthly meetings: decisions on the demo, effects found where the truth has them and not where it has none.

What each meeting saw is the table of ``docs/meetings.md``: UPDATE_GOLDEN=1 writes it again.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from opsmetrics.build import execute, load_context
from opsmetrics.build.pulling import pull_streams
from opsmetrics.core.settings import Settings, default_sql_root
from simulator import world
from simulator.demo import write_demo
from tests.built import EVERYTHING, ROOT, built
from tests.parts import with_scores

DOCUMENT = ROOT / "docs" / "meetings.md"
DECIDED, ACTED, DUE = date(2025, 11, 28), date(2026, 5, 4), date(2026, 10, 31)
METRICS = ("aut_automated_deploy_share", "aut_change_fail_rate", "mon_alert_precision", "scl_saturation_headroom")
# Teams whose action really worked: more of their pages ask for action. Every other decision is followed by nothing.
WORKED = ("batregister", "farled", "fiskekvote", "losbestilling")
# A manipulator, a pipeline that tells less from October on, another rota in summer, a counter that broke: numbers
# that move for reasons of their own.
OTHER_REASONS = ("ankerplass", "kaiplan", "datakaia", "tidevann")
FALSE_ALARMS = 0.05


@pytest.fixture(scope="module")
def year():
    """Review -> what was said about every decision, oldest first, from one build of the demo."""
    home = built("year", make_year, (*EVERYTHING, "tests/parts.py", "tests/journeys/test_year_of_meetings.py"))
    with duckdb.connect(str(home / "state" / "working.duckdb"), read_only=True) as con:
        rows = con.execute(
            """select w.label, e.team_id, e.metric_id, e.effect, g.forecast
               from scores.goal_effect as e
               join scores.goal as g using (team_id, metric_id, decided_on, as_of, grain)
               join ref.as_of as w using (as_of, grain)
               where e.grain = 'month' order by w."on", e.team_id, e.metric_id"""
        ).fetchall()
    meetings: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for label, team, metric, effect, forecast in rows:
        meetings.setdefault(label, {})[team, metric] = (effect, forecast)
    return meetings


def make_year(home: Path) -> None:
    """Build the demo with the decisions, and with records that know which of them worked."""
    org = home / "org"
    shutil.copytree(ROOT / "examples" / "demo", org)
    settings = (org / "organisation.toml").read_text(encoding="utf-8")
    # All records there are: nine months before the action.
    assert "history_from = 2025-11-01" in settings
    (org / "organisation.toml").write_text(settings.replace("2025-11-01", "2025-08-01"), encoding="utf-8")
    teams = [team for team in world.CHARACTERS if team not in OTHER_REASONS]
    with (org / "registers" / "goals.csv").open("w", newline="") as sink:
        rows = csv.writer(sink)
        rows.writerow(("team_id", "metric_id", "owner_role", "decided_on", "due_on", "status", "acted_on"))
        rows.writerows((t, m, "ops_lead", DECIDED, DUE, "in_progress", ACTED) for t in teams for m in METRICS)
    with pytest.MonkeyPatch.context() as patch:
        for team in teams:
            # Nobody gets better or worse by itself, there are pages enough, and there is room upwards.
            turns = (("inc", ACTED, 0.55),) if team in WORKED else ()
            patch.setitem(world.CHARACTERS, team, world.Character(0.40, 0.0, "mon", turns))
        write_demo(org, home / "records", seed=7)
    context = load_context(
        Settings(home=home / "state", org=org, data=home / "records", now=None, sql=default_sql_root())
    )
    pulled = pull_streams(context.settings, context.organisation, list(context.organisation.streams))
    assert [result.error for result in pulled if result.error] == []
    execute(with_scores(context, "scores.goal"), context)


def worked(decision: tuple[str, str]) -> bool:
    return decision[0] in WORKED and decision[1] == "mon_alert_precision"


def test_every_meeting_reviews_every_decision_since_it_was_made(year):
    assert list(year) == ["2025-11", "2025-12", *(f"2026-{month:02}" for month in range(1, 11))]
    assert {len(said) for said in year.values()} == {10 * len(METRICS)}


def test_nothing_is_claimed_before_it_can_be_known(year):
    for label, said in year.items():
        effects = {effect for effect, _ in said.values()}
        if label < "2026-05":
            assert effects == {"not_acted"}
        elif label < "2026-08":
            assert effects <= {"too_few_after", "too_few_before"}


def test_effects_are_found_where_the_truth_has_them(year):
    last = year["2026-10"]
    assert {decision: last[decision][0] for decision in last if worked(decision)} == {
        (team, "mon_alert_precision"): "better" for team in WORKED
    }


def test_effects_are_not_found_where_the_truth_has_none(year):
    judged = [said[key][0] for said in year.values() for key in said if not worked(key)]
    told = Counter(judged)
    certain = told["better"] + told["worse"] + told["no_certain_shift"]
    assert certain >= 40
    assert (told["better"] + told["worse"]) / certain <= FALSE_ALARMS, told


def test_what_the_meetings_saw_is_written_down(year):
    text = document(year)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text


def document(year: dict[str, dict[tuple[str, str], tuple[str, str]]]) -> str:
    """Return the table of the year."""
    names = ("not_acted", "too_few_before", "too_few_after", "moved_before", "no_certain_shift", "worse", "better")
    lines = [
        "# A year of meetings, simulated",
        "",
        "Generated by `tests/journeys/test_year_of_meetings.py`. Ten teams of the fictional organisation decide on",
        f"{DECIDED} to improve {len(METRICS)} metrics each, and act on {ACTED}. In {len(WORKED)} teams the action works, on the share of",
        "alerts that ask for action; nothing follows the other decisions. Each month the log (`scores.goal_effect`) says of how many",
        "decisions it can tell what:",
        "",
        "- `not_acted`: nobody has acted yet; `too_few_before`, `too_few_after`: too few months to tell;",
        "- `moved_before`: the metric was on its way before the action, so the action proves nothing;",
        "- `no_certain_shift`: nothing but chance; `worse`, `better`: a shift on the control chart.",
        "",
        "A `better` in the second table is chance: the price of telling real shifts at all.",
    ]
    for title, wanted in (("Where the action worked", True), ("Where it did nothing", False)):
        lines += ["", f"## {title}", "", f"| meeting | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for label, said in year.items():
            counts = Counter(effect for key, (effect, _) in said.items() if worked(key) is wanted)
            lines.append(f"| {label} | {' | '.join(str(counts[name] or '') for name in names)} |")
    return "\n".join([*lines, ""])
