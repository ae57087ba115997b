"""One place for the version, and a digest of the source that follows it."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import opsmetrics
from opsmetrics.core.version import CODE_VERSION, source_digest

LIBRARY = Path(opsmetrics.__file__).parent


def test_the_version_stands_once():
    assert opsmetrics.__version__ == CODE_VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", CODE_VERSION)
    assert version("opsmetrics") == CODE_VERSION, "the installed package is of another version; install it again"


def digest_of(root: Path) -> str:
    code = "from opsmetrics.core.version import source_digest; print(source_digest())"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_any_change_of_the_source_is_another_digest(tmp_path):
    shutil.copytree(LIBRARY, tmp_path / "opsmetrics", ignore=shutil.ignore_patterns("__pycache__"))
    assert digest_of(tmp_path) == source_digest(), "a copy elsewhere is the same code"
    path = tmp_path / "opsmetrics" / "scoring" / "points.py"
    path.write_text(path.read_text() + "# another comment\n")
    assert digest_of(tmp_path) != source_digest()
