"""The formatter leaves what it cannot parse as it is, without a word: no file may hold such a part."""

import subprocess
import sys
from pathlib import Path

from opsmetrics.core.settings import default_sql_root
from tests.patience import LIMIT_SECONDS


def unparsable(paths):
    """The files of which the formatter's grammar leaves a part out."""
    command = [str(Path(sys.executable).parent / "sqruff"), "parse", "--format", "yaml", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    return "unparsable" in done.stdout + done.stderr


def test_every_file_is_parsed_whole():
    paths = sorted(default_sql_root().rglob("*.sql"))
    assert len(paths) > 150
    assert not unparsable(paths)


def test_a_part_that_is_not_parsed_is_seen(tmp_path):
    path = tmp_path / "broken.sql"
    path.write_text("select a from b wher c = 1 ) (\n")
    assert unparsable([path])
