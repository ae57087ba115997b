"""State folders that the tests of the app share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def homes(demo_home, tmp_path_factory, make_small) -> dict[str, Path]:
    """State folders: the demo, an organisation without sources, one with few, and one never run."""
    found = {"full": demo_home, "none": tmp_path_factory.mktemp("none")}
    half = make_small(tmp_path_factory.mktemp("half") / "org")
    for name, org in (("empty", ROOT / "examples" / "altinn"), ("half", half)):
        found[name] = tmp_path_factory.mktemp(name)
        env = os.environ | {"OPSMETRICS_HOME": str(found[name])}
        command = [sys.executable, "-m", "pipelines.cli", "run", "--org", str(org), "--json"]
        subprocess.run(command, env=env, cwd=ROOT, check=True, timeout=300, capture_output=True)
    return found
