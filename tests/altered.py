"""Snapshots for tests of what readers see: a copy of one that exists, with some statements run on it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import duckdb

from opsmetrics.snapshots.store import Snapshot, current


def altered(home: Path, target: Path, *statements: str) -> tuple[Path, Snapshot]:
    """Copy the current snapshot of a state folder, run statements on the copy, and make it current elsewhere.

    Args:
        home: State folder that is read only.
        target: New state folder.
        statements: SQL, run in order.

    Returns:
        The new state folder and its current snapshot, whose name no other has: readers keep answers by path.
    """
    found = current(home / "snapshots")
    folder = target / "snapshots"
    folder.mkdir(parents=True)
    name = f"ops-{hashlib.sha256(str(target).encode()).hexdigest()[:12]}.duckdb"
    shutil.copyfile(found.path, folder / name)
    with duckdb.connect(str(folder / name)) as con:
        con.execute("set timezone = 'UTC'")
        for statement in statements:
            con.execute(statement)
    pointer = json.loads((home / "snapshots" / "current.json").read_text(encoding="utf-8"))
    size = (folder / name).stat().st_size
    pointer |= {"file": name, "size": size}
    (folder / "current.json").write_text(json.dumps(pointer), encoding="utf-8")
    return target, current(folder)
