"""``opsmetrics metric test``: one metric's cases run, and what is missing is named."""

from __future__ import annotations

import subprocess

import pytest

from opsmetrics.catalogue import cases
from opsmetrics.core.errors import ConfigurationError


def test_the_cases_of_one_file_are_asked_for(monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(cases.subprocess, "run", run)
    assert cases.run_cases("inc_postmortem_on_time") == 7
    assert asked[0][-2:] == ["-k", "[inc_postmortem_on_time/"]


@pytest.mark.parametrize("name", ["nothing", "../sql"])
def test_a_file_without_cases_is_named(name):
    with pytest.raises(ConfigurationError, match="has no case"):
        cases.run_cases(name)


def test_outside_a_checkout_it_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(cases, "default_sql_root", lambda: tmp_path / "_sql")
    with pytest.raises(ConfigurationError, match=r"an installed package brings none(.|\n)*source checkout"):
        cases.run_cases("inc_postmortem_on_time")
