"""Plain SQL on the demo's snapshot, which tests hold against what readers are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from opsmetrics.snapshots.store import open_current

NOW = "grain = 'latest'"
BEFORE = "grain = 'month' and as_of = (select max(as_of) from ref.as_of where grain = 'month')"


@pytest.fixture(scope="module")
def sql(demo_home) -> Iterator[Callable[[str], list[tuple]]]:
    """Ask the demo's snapshot."""
    with open_current(demo_home / "snapshots") as con:

        def ask(query: str) -> list[tuple]:
            return con.execute(query).fetchall()

        yield ask
