"""What the environment says is of its kind, and a name that nobody reads is told."""

from __future__ import annotations

import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, mistyped, program_environment


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("OPSMETRICS_NOW", "2026-11-30", "2026-11-23T06:00:00Z"),
        ("OPSMETRICS_NOW", "0001-01-01T00:00:00+14:00", "2026-11-23T06:00:00Z"),
        ("OPSMETRICS_NOW", "9999-12-31T23:59:59Z", "2026-11-23T06:00:00Z"),
        ("OPSMETRICS_READ_APART", "no", "write 1 for yes"),
        ("OPSMETRICS_BUSY_SECONDS", "soon", "write 900"),
        ("OPSMETRICS_BUSY_SECONDS", "-1", "write 900"),
        ("OPSMETRICS_RETRY_SECONDS", "nan", "write 2"),
        ("OPSMETRICS_PATIENCE_SECONDS", "inf", "write 900"),
        ("OPSMETRICS_KEEP_REPLACED_DAYS", "-1", "write 400"),
        ("OPSMETRICS_KEEP_REPLACED_DAYS", "9" * 12, "write 400"),
    ],
)
def test_a_value_of_another_kind_is_named_with_what_to_write(name, value, fix):
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({name: value})
    (problem,) = caught.value.problems
    assert problem.file == name
    assert fix in problem.fix


def test_only_names_that_look_like_a_setting_are_taken_for_one():
    env = {
        "OPSMETRICS_WEBHOOK_ULR": "x",
        "OPSMETRICS_GRAFANA_TOKEN": "x",
        "OPSMETRICS_HOME": "x",
        "OPSMETRIC_HOME": "x",
    }
    assert mistyped(env) == {"OPSMETRICS_WEBHOOK_ULR": "OPSMETRICS_WEBHOOK_URL"}


def test_paths_hold_for_a_program_that_works_in_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("OPSMETRICS_HOME", "OPSMETRICS_ORG", "OPSMETRICS_CA_FILE"):
        monkeypatch.setenv(name, "here")
        assert program_environment(Settings.from_env())[name] == str(tmp_path / "here")
