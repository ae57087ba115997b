"""The formatter leaves what it cannot parse as it is, without a word: no file may hold such a part."""

import re
import subprocess
import sys
from pathlib import Path

from opsmetrics.core.settings import default_sql_root
from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
# What `make check` and `make test` ask of every file; to parse all of them a second time here costs as much again.
COMMANDS = re.findall(r"\$\(BIN\)/sqruff (lint .*)", (ROOT / "Makefile").read_text(encoding="utf-8"))


def linted(path):
    """What the linter of the Makefile says of a file."""
    (words,) = set(COMMANDS)
    command = [str(Path(sys.executable).parent / "sqruff"), *words.split()[:-1], str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


def test_both_commands_lint_every_file():
    assert [command.split()[-1] for command in COMMANDS] == ["sql", "sql"]
    assert default_sql_root() == ROOT / "sql"


def test_a_part_that_is_not_parsed_fails_the_linter(tmp_path):
    path = tmp_path / "broken.sql"
    path.write_text("select a\nfrom b\nwhere c = 1 ) (\n")
    code, said = linted(path)
    assert code != 0
    assert "Unparsable section" in said
    path.write_text("select a\nfrom b\nwhere c = 1\n")
    assert linted(path) == (0, "")
