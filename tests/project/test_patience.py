"""Time limits end what hangs and judge no speed: they all come from ``patience``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import patience

TESTS = Path(__file__).resolve().parents[1]
OWN = re.compile(
    r"\btimeout=\d{3,}|mark\.timeout|communicate\(timeout=\d|set_default_timeout\(\d|monotonic\(\) \+ \d|assert .*\.wait\(\d"
)


def test_no_test_has_a_limit_of_its_own():
    found = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in {"conftest.py", "test_patience.py", "pictures.py"} or path.parent != TESTS
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if OWN.search(line) and path.name not in {"test_patience.py", "pictures.py"}
    ]
    assert found == [], "use tests.patience, so that a slow machine passes and a hang ends"


def test_a_wait_ends_when_the_condition_holds_and_says_what_it_waited_for(monkeypatch):
    answers = iter([False, False, True])
    patience.wait_until(lambda: next(answers), every=0)
    monkeypatch.setattr(patience, "LIMIT_SECONDS", 0)
    with pytest.raises(TimeoutError, match="the log"):
        patience.wait_until(lambda: False, lambda: "the log", every=0)
