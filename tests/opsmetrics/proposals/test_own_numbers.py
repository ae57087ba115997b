"""Where a proposed threshold goes: into the organisation's own numbers, not into rules that came with a package."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace

import pytest

from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.proposals import edits


@pytest.fixture
def settings(small, tmp_path):
    return Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())


def test_where_the_organisation_has_numbers_of_its_own_they_change_and_the_shipped_rules_do_not(settings):
    shipped = tomllib.loads((settings.sql / "metrics/areas.toml").read_text())["ruleset"]["version"]
    path = settings.org / "rules.toml"
    path.write_text(f'ruleset = "{shipped}"\nwhy = "The board wants it so."  # in June\n[area.bck]\nweight = 2\n')
    (change,) = edits.number(settings, "aut_automated_deploy_share", "krav", 0.95)
    assert (change.root, change.path) == ("organisation", "rules.toml")
    assert change.after.startswith(change.before)
    assert tomllib.loads(change.after)["metric"] == {"aut_automated_deploy_share": {"krav": 0.95}}
    path.write_text(change.after)
    (again,) = edits.number(settings, "aut_automated_deploy_share", "floor", 0.4)
    assert tomllib.loads(again.after)["metric"] == {"aut_automated_deploy_share": {"krav": 0.95, "floor": 0.4}}
    assert (
        load_catalogue(settings.sql, load_all(settings.sql), settings.org)
        .metric("aut_automated_deploy_share")
        .header.krav
        == 0.95
    )


def test_what_came_with_a_package_is_not_edited(settings, tmp_path):
    shutil.copytree(settings.sql, tmp_path / "package" / "_sql")
    installed = replace(settings, sql=tmp_path / "package" / "_sql")
    (change,) = edits.number(installed, "aut_automated_deploy_share", "krav", 0.95)
    assert (change.root, change.path, change.before) == ("organisation", "rules.toml", "")
    (settings.org / "rules.toml").write_text(change.after)
    found = load_catalogue(installed.sql, load_all(installed.sql, settings.org), settings.org)
    assert [item.own for item in found.changes] == [0.95]
