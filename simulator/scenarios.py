"""Other organisations than the demo's: the same teams whose practice does not change, or changes once.

The demo tells a story: teams drift, sources die, services move. To find out what scores do of themselves, nothing may
happen but chance. Belongs here: who the teams are in such a scenario, and a configuration without the story. Does not
belong here: how states change by chance (``simulator.churn``).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from enum import StrEnum, unique
from pathlib import Path

from simulator.world import CHARACTERS, Character, rng

SHIFT_DAY = date(2026, 5, 1)
SHIFTED_AREAS = 5
LIFT = 0.16
"""Change of the level of practice in each shifted area: about ten points of the team score in the long run."""
HISTORY_FROM = date(2026, 1, 1)
"""First instants: windows of half a year lie within the records, which begin on ``world.FIRST_DAY``."""
AREAS = ("mon", "mnt", "inc", "scl", "sec", "aut", "bck")
# Who is very good has no room above, who is weak none below.
_ONLY_DOWN, _ONLY_UP = 0.88, 0.70
_LONG_AGO = date(2000, 1, 1)
_HEADER_ONLY = ("waivers.csv", "goals.csv", "rosters.csv", "maintenance_windows.csv")


@unique
class Scenario(StrEnum):
    """What happens to the organisation.

    Attributes:
        DEMO: The story that the demo tells.
        STEADY: Practice never changes.
        SHIFT: Steady, but on :data:`SHIFT_DAY` every team changes in some areas: half of them up, half down.
        SHIFTED: Steady, as the teams of ``SHIFT`` are after that day: what the change is worth in the long run.
    """

    DEMO = "demo"
    STEADY = "steady"
    SHIFT = "shift"
    SHIFTED = "shifted"


def directions(seed: int) -> dict[str, int]:
    """Return 1 for each team that gets better by the shift of a seed and -1 for each that gets worse: as many."""
    up = {team for team, character in CHARACTERS.items() if character.craft <= _ONLY_UP}
    down = {team for team, character in CHARACTERS.items() if character.craft >= _ONLY_DOWN}
    others = sorted(set(CHARACTERS) - up - down)
    up |= set(rng(seed, "shift", "directions").sample(others, len(CHARACTERS) // 2 - len(up)))
    return {team: 1 if team in up else -1 for team in sorted(CHARACTERS)}


def characters(scenario: Scenario, seed: int) -> dict[str, Character] | None:
    """Return the teams of a scenario; None for the demo, whose teams follow its story."""
    if scenario is Scenario.DEMO:
        return None
    steady = {team: replace(character, drift=0.0, turns=()) for team, character in CHARACTERS.items()}
    if scenario is Scenario.STEADY:
        return steady
    day = SHIFT_DAY if scenario is Scenario.SHIFT else _LONG_AGO
    shifted: dict[str, Character] = {}
    for team, direction in directions(seed).items():
        areas = rng(seed, "shift", team).sample(AREAS, SHIFTED_AREAS)
        shifted[team] = replace(steady[team], turns=tuple((area, day, direction * LIFT) for area in areas))
    return shifted


def organisation_without_story(source: Path, target: Path) -> Path:
    """Write the configuration of an organisation in which nothing is dated within the history.

    No team is new, no service moves or changes greatly, every stream is delivered by everybody to the end, and there
    are no waivers, goals, planned outages or extra duties.

    Args:
        source: Configuration to start from.
        target: Folder to write; replaced.

    Returns:
        The target.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    _rewrite(target / "organisation.toml", (r"^history_from = .*$", f"history_from = {HISTORY_FROM}"))
    _rewrite(target / "teams.toml", (r"^onboarded_on = .*$", "onboarded_on = 2025-01-01"))
    _rewrite(
        target / "services.toml",
        (r"^last_major_change_on = .*\n", ""),
        (r"\{ team = [^{}]*, to = [^{}]*\}, ", ""),
        (r"(owners = \[\{ team = \"[^\"]+\", from = )[0-9-]+", r"\g<1>2024-01-01"),
    )
    _rewrite(
        target / "sources.toml",
        (r"^teams = .*\n", ""),
        (r"^covers = \[(.*), 2026-10-31\]$", r"covers = [\1, 2026-11-22]"),
    )
    for name in _HEADER_ONLY:
        path = target / "registers" / name
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    return target


def _rewrite(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, words in changes:
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
