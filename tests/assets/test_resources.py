"""What the steps of a run read, and whose state they may build."""

from __future__ import annotations

import pytest

from assets.resources import Workspace
from opsmetrics.core.errors import ConfigurationError


def test_a_run_does_not_build_the_state_of_an_organisation_with_the_demos_configuration(small_run, monkeypatch):
    """A schedule whose environment names no organisation would publish the fictional one's scores."""
    monkeypatch.delenv("OPSMETRICS_ORG", raising=False)
    monkeypatch.setenv("OPSMETRICS_HOME", str(small_run.home))
    shared = Workspace(is_shared=True)
    for read in (shared.settings, shared.organisation, shared.context):
        with pytest.raises(ConfigurationError, match="name its folder with OPSMETRICS_ORG"):
            read()
    monkeypatch.setenv("OPSMETRICS_ORG", str(small_run.org))
    assert shared.organisation().folder == small_run.org
    # Where the code is loaded nothing is built: what is wrong is said by the runs, and seen beside them.
    monkeypatch.delenv("OPSMETRICS_ORG")
    assert Workspace().settings().home == small_run.home
