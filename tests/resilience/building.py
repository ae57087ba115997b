"""Strike a build at its file operations, DuckDB's own among them, look at what readers see, build again, and compare.

``python -m tests.resilience.building FOLDER`` prints what was seen as JSON. A process of its own for the reason that
``crashing`` has. What a process leaves that is killed at an operation is kept while one build runs undisturbed, for each
operation that is chosen, so that dying costs no build of its own; an operation that is refused does.

Every build after a strike costs seconds, so that some are tried, others with another ``OPSMETRICS_TESTS_SEED``.
``OPSMETRICS_TESTS_STRIKES`` says how many operations of each build are killed (a fifth as many are refused), or ``all``:
every operation, in hours.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from opsmetrics.build import runs
from opsmetrics.build.context import Context, load_context
from opsmetrics.build.plan import FACTS_OF_SCORES
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import Settings
from opsmetrics.operations import backup as backups
from opsmetrics.organisation.load import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.sources import pull_stream
from tests.conftest import write_small
from tests.resilience.conftest import meaning
from tests.resilience.crashing import (
    DIFFERS,
    NOW,
    REFUSED,
    STREAM,
    Seen,
    cpu_seconds,
    in_child,
    settings_in,
    spoil,
    whole,
)
from tests.resilience.fault_layer import ERRORS, FULL, KILL, READS, Layer

# The scores' own inputs, one metric and one gate: with what they read, a third of all tables and each kind of stage.
METRIC = "aut_automated_deploy_share"
ROOTS = {"ref.untold_columns", *(f"facts.{name}" for name in FACTS_OF_SCORES)}
# How many operations of each build are killed.
STRIKES = os.environ.get("OPSMETRICS_TESTS_STRIKES", "4")
SEED = os.environ.get("OPSMETRICS_TESTS_SEED", "1")


def settings_of(folder: Path) -> Settings:
    return replace(settings_in(folder), backup=folder / "backup")


def read_once(folder: Path) -> Context:
    """Read configuration and SQL in a process of its own: parsing starts threads, which do not survive a fork."""
    write_small(folder / "org", days=3)
    kept, log = folder / "context", folder / "log"
    whole(in_child(lambda: kept.write_bytes(pickle.dumps(_small_context(folder))), log), log)
    return pickle.loads(kept.read_bytes())  # noqa: S301 - written a moment ago


def _small_context(folder: Path) -> Context:
    found = load_context(settings_of(folder), organisation=load_organisation(folder / "org"))
    metrics = tuple(metric for metric in found.catalogue.metrics if metric.id == METRIC)
    gates = found.catalogue.gates[:1]
    todo, kept = [*ROOTS, *(item.file.table for item in (*metrics, *gates))], set[str]()
    while todo:
        name = todo.pop()
        if name in found.files and name not in kept:
            kept.add(name)
            todo += found.files[name].dependencies
    files = {name: file for name, file in found.files.items() if name in kept}
    return replace(found, files=files, catalogue=replace(found.catalogue, metrics=metrics, gates=gates, unscored=()))


class Builds:
    """Builds of one organisation, in whatever folder lies before it."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def build(self, folder: Path, days_ago: int = 0) -> None:
        """Build and publish, with the clock some days back."""
        at = NOW - timedelta(days=days_ago)
        runs.build_and_publish(replace(self.context, settings=settings_of(folder), now=at, known_at=at))

    def make(self, folder: Path) -> None:
        """A published build of yesterday with its backup; since then a load has come, and another one was damaged."""
        for day in (1, 0):
            for stream in self.context.organisation.streams:
                clock = NOW - timedelta(days=day)
                for result in pull_stream(replace(settings_of(folder), now=clock), self.context.organisation, stream):
                    if result.error:
                        raise OpsMetricsError(result.error)
            if day == 1:
                self.build(folder, 1)
                (folder / "org").mkdir()
                shutil.copy(self.context.organisation.folder / "organisation.toml", folder / "org")
                backups.back_up(settings_of(folder), folder / "backup", NOW - timedelta(days=1))
                data = self.context.organisation.folder / "data" / f"{STREAM}.csv"
                data.write_text(data.read_text() + "late,web,production,2026-08-31T09:00:00Z,pipeline,False,\n")
        spoil(min((folder / "home/landing/incidents").rglob("*.parquet")))

    def make_with_damaged_file(self, folder: Path) -> None:
        """The same, and the working file is damaged."""
        self.make(folder)
        (folder / "home/working.duckdb").write_bytes(b"no database" * 1000)


def told(folder: Path) -> Any:
    """What readers get: all that the snapshot says, the files that there are, and which loads."""
    home = folder / "home"
    current = store.current(home / "snapshots")
    content = hashlib.sha256(repr(sorted(meaning(current.path).items())).encode()).hexdigest()
    kept = sorted(path.name for path in (home / "snapshots").iterdir())
    link = str((home / "snapshots" / store.LINK).readlink())
    loads = sorted(path.relative_to(home).as_posix() for path in (home / "landing").rglob("*.parquet"))
    return [content, current.build_id, link, kept, loads]


def a_whole_snapshot_is_there(folder: Path) -> str:
    """What is wrong for readers: every table of the snapshot that they get can be read, of yesterday or of today."""
    try:
        with store.open_current(folder / "home/snapshots") as con:
            tables = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
            for (table,) in tables:
                con.execute(f"select count(*), count(columns(*)) from {table}").fetchall()
    except (OpsMetricsError, duckdb.Error) as error:
        return f"readers are refused: {error}"
    return "" if len(tables) > 50 else f"readers get {len(tables)} tables"


class Ground:
    """Where one build is struck: a template, and the place that is made of it for each strike."""

    def __init__(self, folder: Path, make: Callable[[Path], None], act: Callable[[Path], None]) -> None:
        self.place, self.keep, self.log = folder / "place", folder / "keep", folder / "log"
        self._template, self._answer, self._act = folder / "template", folder / "answer.json", act
        self._template.mkdir(parents=True)
        self.log.write_text("")
        whole(in_child(lambda: make(self._template), self.log), self.log)
        self.kinds = self.undisturbed()
        self._wanted = self.answer(lambda: told(self.place))

    def answer(self, ask: Callable[[], Any]) -> Any:
        """What a process of its own says."""
        whole(in_child(lambda: self._answer.write_text(json.dumps(ask())), self.log), self.log)
        return json.loads(self._answer.read_text())

    def fresh(self, source: Path | None = None) -> None:
        for old in (self.place, self.keep):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(source or self._template, self.place, symlinks=True)
        self.keep.mkdir()
        self.log.write_text("")

    def undisturbed(self, states: Iterable[int] = ()) -> list[str]:
        """Build; returns the kinds of its file operations, and keeps what lies there before some of them."""
        self.fresh()

        def build() -> list[str]:
            layer = Layer(self.place, self.keep, states=tuple(states), in_duckdb=True).install()
            self._act(self.place)
            return layer.seen

        return self.answer(build)

    def refused(self, number: int, how: str) -> int:
        """Build, and have one operation refused; returns how it ended."""
        self.fresh()

        def build() -> None:
            Layer(self.place, self.keep, number, how, in_duckdb=True).install()
            self._act(self.place)

        return in_child(build, self.log)

    def next_run(self) -> str:
        """Look at what readers get, build, and compare; returns what is wrong."""

        def again() -> None:
            wrong = a_whole_snapshot_is_there(self.place)
            if not wrong:
                self._act(self.place)
                pairs = zip(told(self.place), self._wanted, strict=True)
                wrong = "; ".join(f"{one} is not {other}" for one, other in pairs if one != other)
            if wrong:
                self.log.write_text(wrong)
                os._exit(DIFFERS)

        code = in_child(again, self.log)
        return f"next run: {code}: {self.log.read_text()}" if code else ""


def strike(name: str, make: Callable[[Path], None], act: Callable[[Path], None], folder: Path) -> Seen:
    """Strike a build at the chosen operations."""
    began = cpu_seconds()
    ground = Ground(folder, make, act)
    found = Seen(name, dict(Counter(ground.kinds)))
    killed, refused = chosen(ground.kinds)
    ground.undisturbed(killed)
    states = ground.keep.rename(folder / "states")
    for number in killed:
        ground.fresh(states / str(number))
        shutil.rmtree(states / str(number))
        found.struck[KILL] += 1
        if wrong := ground.next_run():
            found.wrong.append(f"killed at {number} ({ground.kinds[number - 1]}): {wrong}")
    for number, how in refused:
        code = ground.refused(number, how)
        found.struck[FULL if how == FULL else "refused"] += 1
        found.ended[{0: "came through", REFUSED: "refused"}.get(code, "strange")] += 1
        wrong = "" if code in {0, REFUSED} else f"{code}: {ground.log.read_text()}; "
        if wrong := wrong + ground.next_run():
            found.wrong.append(f"{how} at {number} ({ground.kinds[number - 1]}): {wrong}")
    found.seconds = round(cpu_seconds() - began, 1)
    return found


def chosen(kinds: list[str]) -> tuple[list[int], list[tuple[int, str]]]:
    """Which operations are killed and which are refused, and with what; from 1."""
    writes = [number for number, kind in enumerate(kinds, start=1) if kind not in READS]
    errors = [(number, (*ERRORS, FULL)[number % (len(ERRORS) + 1)]) for number in range(1, len(kinds) + 1)]
    # A disk that is full stops what writes.
    errors = [(number, "EIO" if how == FULL and kinds[number - 1] not in {"create", "write", "mkdir"} else how)
              for number, how in errors]  # fmt: skip
    if STRIKES == "all":
        return writes, errors
    chance, count = random.Random(int(SEED)), int(STRIKES)
    return sorted(chance.sample(writes, count)), sorted(chance.sample(errors, -(-count // 5)))


def main(folder: Path) -> list[Seen]:
    """Strike both builds."""
    builds = Builds(read_once(folder))
    return [
        strike("Build: a new load, and a damaged one brought back", builds.make, builds.build, folder / "0"),
        strike("Build: the working file was damaged too", builds.make_with_damaged_file, builds.build, folder / "1"),
    ]


if __name__ == "__main__":
    print(json.dumps([vars(result) for result in main(Path(sys.argv[1]))]))  # noqa: T201
