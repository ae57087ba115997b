"""The simulated organisation in other sizes is a valid organisation with its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsmetrics.organisation import load_organisation
from simulator.demo import generate
from simulator.organisation import read_organisation
from simulator.scale import scaled_organisation

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"


@pytest.mark.parametrize(("scale", "teams"), [(0.2, 3), (1, 14), (3, 42)])
def test_every_size_is_a_valid_organisation(tmp_path, scale, teams):
    organisation = load_organisation(scaled_organisation(DEMO, tmp_path / "org", scale))
    assert len(organisation.teams) == teams
    whole = load_organisation(DEMO)
    if scale >= 1:
        assert len(organisation.services) == len(whole.services) * scale
        assert len(organisation.waivers) == len(whole.waivers) * scale


def test_records_of_a_copy_are_other_records_of_the_same_kind(tmp_path):
    folder = scaled_organisation(DEMO, tmp_path / "org", 2)
    records = generate(read_organisation(folder), 1)
    by_team: dict[str, list[tuple]] = {}
    for row in records["toil_reports"]:
        by_team.setdefault(row["team_id"], []).append((row["week_starts_on"], row["toil_ratio"]))
    assert [day for day, _ in by_team["sjokart"]] == [day for day, _ in by_team["sjokart-2"]]
    assert by_team["sjokart"] != by_team["sjokart-2"]
