"""Strike an operation at each of its file operations, in processes that are thrown away; run it again; compare.

``python -m tests.resilience.crashing FOLDER`` prints what was seen as JSON. It is a process of its own because it forks:
no thread of Polars, Arrow or DuckDB may run before.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import pickle
import re
import resource
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from opsmetrics.core.errors import OpsMetricsError, is_refusal
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import Batch, compact, land, names, read_columns, read_loads
from opsmetrics.landing.backup_copies import is_whole
from opsmetrics.operations import backup as backups
from opsmetrics.operations.manifests import names_of, read_manifest
from opsmetrics.operations.restoring import restore
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.snapshots import store
from opsmetrics.snapshots.publications import Publication, land_publication
from opsmetrics.sources import files, pull_stream
from opsmetrics.warehouse import connect
from tests.conftest import write_small
from tests.resilience.fault_layer import DIED, ERRORS, FULL, KILL, POWER, READS, Layer

# What the code under test imports when it first needs it: here, so that not every fork does.
for _module in ("_strptime", "pyarrow.dataset", "pyarrow.pandas_compat", "pyarrow.parquet", "pandas", "pytz"):
    importlib.import_module(_module)

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
STREAM = "deployments"
REFUSED, STRANGE, DIFFERS = 3, 4, 5
MODES = (KILL, POWER, FULL, *ERRORS)


@dataclass
class Seen:
    """What striking one operation showed.

    Attributes:
        operation: Which.
        points: File operations of an undisturbed run, by kind.
        struck: How many strikes of each mode.
        ended: How the struck runs ended: died, refused, or came through.
        states: How many different things the strikes left, from each of which the next run began.
        wrong: What was not as in an undisturbed run after the next one.
        seconds: CPU time.
    """

    operation: str
    points: dict[str, int]
    struck: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    states: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def settings_in(folder: Path) -> Settings:
    return Settings(
        home=folder / "home", org=folder / "org", data=None, now=NOW, sql=default_sql_root(), busy_seconds=5
    )


def tree(root: Path, *, without: tuple[str, ...] = (".lock", ".tmp")) -> dict[str, str]:
    """Path -> digest of every file, but for locks and drafts, which hold nothing."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(without)
    }


# --- pull -----------------------------------------------------------------------------------------------------------


ORGANISATION: list[Organisation] = []


def read_once(folder: Path) -> None:
    """Read the configuration and the source's file once, for all operations: that takes longer than most of them."""
    ORGANISATION.append(load_organisation(write_small(folder / "org", days=1)))
    backups.load_organisation = lambda _: ORGANISATION[0]
    kept, read = folder / "batch", files.read_parcel

    def keep(*given: Any, **named: Any) -> Batch:
        batch = read(*given, **named)
        kept.write_bytes(pickle.dumps(batch))
        return batch

    files.read_parcel = keep
    whole(in_child(lambda: pull(folder / "first"), folder / "log"), folder / "log")
    content = kept.read_bytes()
    files.read_parcel = lambda *_, **__: pickle.loads(content)  # noqa: S301 - written a moment ago


def make_empty(folder: Path) -> None:
    (folder / "home").mkdir()


def pull(folder: Path) -> None:
    for result in pull_stream(settings_in(folder), ORGANISATION[0], STREAM):
        if result.error:
            # A file that could not be read is told, and read by the next pull.
            raise OpsMetricsError(result.error)


def pulled(folder: Path) -> Any:
    """Every load, so that a file which is landed twice shows, and what the note knows of days and errors."""
    notes = [json.loads(path.read_text()) for path in (folder / "home/pulls").glob("*.json")]
    return tree(folder / "home/landing"), [(note["error"], note["days"]) for note in notes]


# --- compaction -----------------------------------------------------------------------------------------------------


def make_loads(folder: Path) -> None:
    """Three loads of May, one of them replaced, and one of August, which is not over."""
    for number, (month, day) in enumerate([(5, 1), (5, 2), (5, 2), (8, 30)]):
        make_load(folder, number, date(2026, month, day))


def batch_of(number: int, day: date) -> Batch:
    frame = pl.DataFrame(
        {
            "deployment_id": [f"d{number}-{n}" for n in range(2)],
            "service_id": ["web", "web"],
            "_day": [day, day],
            "_line": [1, 2],
            "_reason": pl.Series([None, None], dtype=pl.String),
            "_raw": pl.Series([None, None], dtype=pl.String),
        }
    )
    return Batch(frame, (day, day + timedelta(days=1)), "test", f"{number}")


def make_load(folder: Path, number: int, day: date) -> None:
    batch = batch_of(number, day)
    at = datetime(day.year, day.month, day.day, 9, number, tzinfo=UTC)
    land(folder / "home/landing", STREAM, batch, loaded_at=at)


def compaction(folder: Path) -> None:
    compact(folder / "home/landing", STREAM, NOW)


def forgetting(folder: Path) -> None:
    # Of the rest before the load of August a week is believed.
    compact(folder / "home/landing", STREAM, NOW, timedelta(days=7))


def make_pack(folder: Path) -> None:
    make_loads(folder)
    compaction(folder)


def compacted(folder: Path) -> Any:
    """Every load and every row, and the files themselves."""
    root = folder / "home/landing"
    loads = {load.load_id: read_columns(load, ["deployment_id"]).rows() for load in read_loads(root, STREAM, "files")}
    return loads, [name.load_id for name in names(root, STREAM)], tree(root)


def rows_are_there(folder: Path) -> list[str]:
    """What is missing right after a strike, before anything mends it: the rows of the four loads."""
    root = folder / "home/landing"
    there = {load.load_id for load in read_loads(root, STREAM, "files") if is_whole(load.path)}
    return [f"{4 - len(there)} loads are gone"] if len(there) < 4 else []


# --- backup and restore ---------------------------------------------------------------------------------------------


def make_home(folder: Path) -> None:
    pull(folder)
    (folder / "org").mkdir()
    shutil.copy(ORGANISATION[0].folder / "organisation.toml", folder / "org")


def make_damaged_backup(folder: Path) -> None:
    """A backup of yesterday with a damaged load, text and manifest; a load has come since."""
    make_home(folder)
    backups.back_up(settings_in(folder), folder / "backup", NOW - timedelta(days=1))
    spoil(next((folder / "backup/landing").glob("*/*.parquet")))
    spoil(next((folder / "backup/texts").glob("*/*")))
    spoil(next((folder / "backup/manifests").glob("*.json")))
    make_load(folder, 9, date(2026, 8, 30))


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def backup(folder: Path) -> None:
    done = backups.back_up(settings_in(folder), folder / "backup", NOW)
    if done.damaged:
        raise OpsMetricsError(done.damaged[0])


def backed_up(folder: Path) -> Any:
    source = folder / "backup"
    return tree(source, without=(".lock", ".tmp", "checked.json")), names_of(source), read_manifest(source).files


def make_backup(folder: Path) -> None:
    make_home(folder)
    backups.back_up(settings_in(folder), folder / "backup", NOW)
    shutil.rmtree(folder / "home")
    shutil.rmtree(folder / "org")


def bring_back(folder: Path) -> None:
    """As the command would: what was brought back whole before the strike is whole."""
    if (folder / "home/landing").exists() and not (folder / "home/restore-under-way.json").exists():
        return
    done = restore(folder / "backup", folder / "home", folder / "org")
    if not done.is_whole:
        raise OpsMetricsError([*done.missing, *done.unread][0])


def restored(folder: Path) -> Any:
    return tree(folder / "home"), tree(folder / "org")


# --- publication ----------------------------------------------------------------------------------------------------

BUILD = "b" * 64


def make_build(folder: Path) -> None:
    """The tables that a publication reads, with a row each, and an older snapshot."""
    with connect(folder / "home/working.duckdb") as con:
        at = "timestamptz '2026-09-01 22:00:00+00'"
        for statement in (
            f"create table ref.as_of as select 'latest' as grain, {at} as as_of",
            f"create table ref.owned_services as select 'alfa' as team_id, {at} as as_of, 'latest' as grain, 'web' as service_id",
            f"create table scores.team as select 'alfa' as team_id, {at} as as_of, 'latest' as grain, 71.5 as score, 2 as level, 'ok' as status",
            f"create table scores.area as select 'alfa' as team_id, 'inc' as area_id, {at} as as_of, 'latest' as grain, 71.5 as score, 2 as level, 'ok' as status",
            f"create table scores.metric as select 'alfa' as team_id, 'm' as metric_id, {at} as as_of, 'latest' as grain, 71.5 as points, 'ok' as status, 1 as numerator, 1 as denominator, 1.0 as value",
            "create table meta.metrics as select 'm' as metric_id, 'inc' as area_id",
            f"create table meta.build as select '3.0.0' as ruleset_version, 'r' as ruleset_digest, '{BUILD}' as build_id",
        ):
            con.execute(statement)
        for number in range(store.KEEP):
            store.publish(
                con,
                folder / "home/working.duckdb",
                folder / "home/snapshots",
                build_id=f"{number}" * 64,
                now=NOW - timedelta(days=9 - number),
            )


def publication(folder: Path) -> None:
    """What the stage of the plan does (``build.stages``), on a working file that holds a finished build."""
    home = folder / "home"
    with connect(home / "working.duckdb", 5) as con:
        before = store.published(home / "snapshots", BUILD)
        if before is not None:
            store.finish(before)
        found = before or store.publish(con, home / "working.duckdb", home / "snapshots", build_id=BUILD, now=NOW)
        at = datetime.fromisoformat(found.published_at)
        land_publication(home / "landing", Publication(found.path, BUILD, at, at.date()))


def published(folder: Path) -> Any:
    home = folder / "home"
    current = store.current(home / "snapshots")
    with duckdb.connect(str(current.path), read_only=True) as con:
        rows = con.execute("select team_id, score from scores.team").fetchall()
    kept = sorted(path.name for path in (home / "snapshots").glob("ops-*.duckdb"))
    link = (home / "snapshots" / store.LINK).readlink()
    return current.file, str(link), rows, kept, tree(home / "landing")


def a_snapshot_is_there(folder: Path) -> list[str]:
    """What readers see right after a strike: the old snapshot whole, or the new one."""
    try:
        current = store.current(folder / "home/snapshots")
        with duckdb.connect(str(current.path), read_only=True) as con:
            con.execute("select * from scores.team").fetchall()
    except (OpsMetricsError, duckdb.Error) as error:
        return [f"readers are refused: {error}"]
    return []


def nothing(folder: Path) -> list[str]:
    del folder
    return []


Make, Act, Say, Look = (
    Callable[[Path], None],
    Callable[[Path], None],
    Callable[[Path], Any],
    Callable[[Path], list[str]],
)
OPERATIONS: dict[str, tuple[Make, Act, Say, Look]] = {
    "Pull: a load landed, its note written": (make_empty, pull, pulled, nothing),
    "Backup: new loads copied, a damaged load, text and manifest healed": (
        make_damaged_backup,
        backup,
        backed_up,
        nothing,
    ),
    "Restore": (make_backup, bring_back, restored, nothing),
    "Compaction: three loads into a pack": (make_loads, compaction, compacted, rows_are_there),
    "Compaction: a pack without what was replaced": (make_pack, forgetting, compacted, nothing),
    "Publication: snapshot, pointer, oldest removed, scores landed": (
        make_build,
        publication,
        published,
        a_snapshot_is_there,
    ),
}


# --- striking -------------------------------------------------------------------------------------------------------


def in_child(act: Callable[[], object], log: Path) -> int:
    """Run in a fork; return its exit code. What it raises is a refusal, or it is strange."""
    pid = os.fork()
    if pid == 0:
        code = STRANGE
        try:
            act()
            code = 0
        except BaseException as error:  # noqa: BLE001 - what it raises is what is looked at
            is_ours = isinstance(error, OpsMetricsError) or is_refusal(error)
            code = REFUSED if is_ours else STRANGE
            with log.open("a") as file:
                file.write(str(error) if is_ours else traceback.format_exc())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def strike(name: str, folder: Path) -> Seen:
    make, act, say, look = OPERATIONS[name]
    began = cpu_seconds()
    template, place, keep = folder / "template", folder / "place", folder / "keep"
    log, expected = folder / "log", folder / "expected.json"

    def fresh() -> None:
        for old in (place, keep):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(template, place, symlinks=True)
        keep.mkdir()
        log.write_text("")

    def undisturbed() -> None:
        layer = Layer(place, keep).install()
        act(place)
        seen = layer.seen
        expected.write_text(json.dumps([seen, say(place)], default=str))

    template.mkdir(parents=True)
    log.write_text("")
    whole(in_child(lambda: make(template), log), log)
    fresh()
    whole(in_child(undisturbed, log), log)
    kinds, wanted = json.loads(expected.read_text())
    found = Seen(name, dict(Counter(kinds)))

    def again() -> None:
        lost = look(place)
        act(place)
        is_equal = json.loads(json.dumps(say(place), default=str)) == wanted
        if lost or not is_equal:
            log.write_text("; ".join(lost) or "the content differs")
            os._exit(DIFFERS)

    known: dict[str, str] = {}
    for how in MODES:
        for number, kind in enumerate(kinds, start=1):
            if how not in ERRORS and kind in READS:
                continue
            if how == FULL and kind not in {"create", "write", "mkdir"}:
                continue
            if how in ERRORS and how != [*ERRORS][number % len(ERRORS)]:
                # What the system refuses with is one path of the code: each point once, the errors in turn.
                continue
            fresh()
            code = in_child(lambda how=how, at=number: (Layer(place, keep, at, how).install(), act(place)), log)
            found.struck[how] += 1
            found.ended[{0: "came through", REFUSED: "refused", DIED: "died"}.get(code, "strange")] += 1
            said = f"{how} at {number} ({kind}): "
            if code not in {0, REFUSED, DIED}:
                found.wrong.append(said + log.read_text())
            # Strikes that leave the same lie before the same run.
            left = lying(place)
            if left not in known:
                code = in_child(again, log)
                known[left] = f"next run: {code}: {log.read_text()}" if code else ""
            if known[left]:
                found.wrong.append(said + known[left])
    found.states = len(known)
    found.seconds = round(cpu_seconds() - began, 1)
    return found


def lying(root: Path) -> str:
    """Digest of all that lies below a folder: kinds, rights, contents and names, but for the dice in names of drafts."""
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        name = re.sub(r"\.[0-9a-f]{8}\.tmp$", ".tmp", path.relative_to(root).as_posix())
        total.update(f"{name} {path.lstat().st_mode} {hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def whole(code: int, log: Path) -> None:
    if code != 0:
        raise SystemExit(log.read_text())


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


if __name__ == "__main__":
    # Collections in a fork would copy every page of what was imported.
    gc.freeze()
    read_once(Path(sys.argv[1]))
    chosen = [name for name in OPERATIONS if len(sys.argv) < 3 or name.startswith(sys.argv[2])]
    results = [strike(name, Path(sys.argv[1]) / str(number)) for number, name in enumerate(chosen)]
    print(json.dumps([vars(result) for result in results]))  # noqa: T201
    gc.unfreeze()
