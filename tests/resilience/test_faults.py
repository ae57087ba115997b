"""Break a run in every way we know: nothing is lost, nothing is invented, and every refusal is one readable text.

What the tests saw is the table of ``docs/resilience.md``: UPDATE_GOLDEN=1 writes it again.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from opsmetrics.build.pulling import pull_streams
from opsmetrics.core.errors import DamagedLoadError
from opsmetrics.landing import DAMAGED, LoadName, load_paths, verify_load
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.sources.notes import read_notes
from tests.conftest import settings_in
from tests.connectors import test_faults as test_source_faults
from tests.resilience import test_fuzz

SUBJECTS, SOURCE_FAULTS = test_source_faults.SUBJECTS, test_source_faults.FAULTS
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "resilience.md"
KILLS = 8
IN_CHAIN = 4
FLIPS = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault did.

    Attributes:
        fault: What was broken, as the document says it.
        injected: How many times.
        at_once: How the disturbed run ended.
        after: How the next run ended.
        lost: Rows of the staging tables that are missing after the next run.
    """

    fault: str
    injected: int
    at_once: str
    after: str
    lost: int


SEEN: list[Outcome] = []
WHOLE = "whole"
REFUSED = "refused"
NAMED = "named"


def rows(said: dict[str, list[tuple]]) -> int:
    return sum(len(found) for table, found in said.items() if table.startswith("staging."))


@pytest.fixture
def note():
    """Note a fault's outcome: the next run must say what an undisturbed one says."""

    def told(fault: str, at_once: str, place, *, injected: int = 1) -> None:
        found, expected = place.meaning(), place.expected()
        assert found == expected
        SEEN.append(Outcome(fault, injected, at_once, WHOLE, rows(expected) - rows(found)))

    return told


def refused(code: int, said: str, *words: str) -> str:
    """One sentence of ours and exit code 1: no traceback."""
    assert code == 1, said
    assert "Traceback" not in said, said
    assert re.search(r"^error: ", said, flags=re.MULTILINE), said
    for word in words:
        assert word in said, said
    return REFUSED


def ended_whole(place, steps=None) -> None:
    code, said = place.run(steps=steps)
    assert code == 0, said


# --- killed ---------------------------------------------------------------------------------------------------------


def test_killed_at_random_moments(fresh, note):
    """SIGKILL during pull, build or publish, and during the runs that mend it; what is published is whole at any moment.

    Each run but the last of a chain is killed, and goes on with what the killed ones before it left.
    """
    expected = fresh.expected()
    commands = (fresh.steps(), fresh.whole_run())
    began = time.monotonic()
    ended_whole(fresh, commands[0])
    spans = [time.monotonic() - began] * len(commands)
    assert fresh.meaning() == expected
    draws = random.Random(20261123)
    killed = in_chain = chains = 0
    while killed < KILLS:
        if in_chain == 0:
            shutil.rmtree(fresh.home, ignore_errors=True)
        number = chains % len(commands)
        process = fresh.start(commands[number])
        time.sleep(spans[number] * draws.uniform(0.05, 0.95))
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        if (fresh.snapshots / store.POINTER).exists():
            assert fresh.meaning() == expected
        if process.returncode != -signal.SIGKILL:
            # The machine has become faster since the run was timed, or little was left to do: strike earlier.
            assert process.returncode == 0, said
            spans[number] *= 0.8
            in_chain = 0
            continue
        killed, in_chain = killed + 1, (in_chain + 1) % IN_CHAIN
        if in_chain == 0 or killed == KILLS:
            ended_whole(fresh, commands[number])
            assert fresh.meaning() == expected
            assert not list(fresh.snapshots.glob(".*.tmp"))
            chains += 1
    note("Process killed (`kill -9`) at random moments of pull, build and publish", "killed", fresh, injected=KILLS)


# --- disks ----------------------------------------------------------------------------------------------------------

ALL_STEPS = 'cd "$root" && "$python" -c "$steps" "$org" pull build publish'
# What a run was about to do when the disk was full, and how large it was.
SIZES = {"landing": "96k", "building": "4m", "publishing": "30m"}


def test_full_disk(fresh, tmp_path, note):
    """A disk that is full while landing grows, and is full while building, and so on: each run goes on with what it finds.

    On the last one there is room for everything, and what the runs before it left must do no harm.
    """
    kept = tmp_path / "kept"
    runs = "\n".join(f'resized {size}; {{ {ALL_STEPS}; }}; echo "ended {stage}: $?"' for stage, size in SIZES.items())
    script = f"""
        set -u
        resized() {{ mount -o remount,size=$1 "$OPSMETRICS_HOME" || exit 99; }}
        mkdir -p "$OPSMETRICS_HOME" "$kept"
        mount -t tmpfs -o size=96k tmpfs "$OPSMETRICS_HOME" || exit 99
        {runs}
        resized 500m
        {{ {ALL_STEPS}; }}; code=$?
        cp -a "$OPSMETRICS_HOME/." "$kept"
        exit $code
    """
    code, said = fresh.by_shell(script, kept=str(kept))
    assert code == 0, said
    fresh.home, rest = kept, said
    for stage in SIZES:
        first, ended, rest = rest.partition(f"ended {stage}: 1\n")
        assert ended, said
        # What each run had done before it was refused.
        assert ("availability_checks " in first) == (stage != "landing"), said
        assert (".tmp'" in first) == (stage == "publishing"), said
        note(f"Disk full while {stage}", refused(1, first, "space"), fresh)


def test_read_only_disk(place, note):
    (place.org / "data/deployments.csv").write_text((place.org / "data/deployments.csv").read_text() + "\n")
    script = f"""
        mount --bind "$OPSMETRICS_HOME" "$OPSMETRICS_HOME" && mount -o remount,bind,ro "$OPSMETRICS_HOME" || exit 99
        cd "$root" && "$python" -m opsmetrics sql "select count(*) as teams from scores.team" || exit 98
        {ALL_STEPS}
    """
    code, said = place.by_shell(script)
    assert "teams" in said
    at_once = refused(code, said, "Read-only")
    ended_whole(place)
    note("Disk read-only (readers go on reading)", at_once, place)


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "instant"), [("+400", "2027-10-07T06:00:00Z"), ("-400", "2025-07-29T06:00:00Z")])
def test_clock_jumped(fresh_with_all_rules, note, days, instant):
    fresh = fresh_with_all_rules
    organisation = fresh.org / "organisation.toml"
    right = organisation.read_text()
    organisation.write_text(right.replace("2026-09-02T06:00:00Z", instant))
    fresh.run()
    organisation.write_text(right)
    ended_whole(fresh)
    note(f"Clock {days} days for one run", "whole, for that day", fresh)


def test_a_load_from_the_future_is_replaced_by_later_ones(place, note):
    """The clock stood wrong while a wrong file was landed; the mended file wins although its instant is earlier."""
    checks = place.org / "data/checks/2026-09-01.csv"
    right = checks.read_text()
    checks.write_text(right.replace("up", "down"))
    place.env["OPSMETRICS_NOW"] = "2027-10-07T06:00:00Z"
    assert place.run("pull")[0] == 0
    del place.env["OPSMETRICS_NOW"]
    checks.write_text(right)
    ended_whole(place)
    note("A record landed while the clock was ahead, corrected later", WHOLE, place)


# --- at once --------------------------------------------------------------------------------------------------------


def test_two_runs_at_once(fresh, note):
    pair = [fresh.start(), fresh.start()]
    ended = [(process.communicate()[0], process.returncode) for process in pair]
    # Whoever comes second to the working file waits.
    assert [code for _, code in ended] == [0, 0], ended
    numbers = [LoadName.parse(path).sequence for path in load_paths(fresh.landing, "availability_checks")]
    assert len(numbers) == len(set(numbers))
    ended_whole(fresh)
    note("Two runs at once", "both whole, one after the other", fresh, injected=2)


# --- damaged files --------------------------------------------------------------------------------------------------


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = random.Random(len(content)).randrange(len(content))
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


def zeroed(content: bytes) -> bytes:
    return content[:-64] + bytes(64)


# Where DuckDB's blocks begin in its file, and how long each is, in bytes.
HEADERS, BLOCK = 3 * 4096, 256 * 1024


def damage(path: Path, how) -> None:
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(how(path.read_bytes()))
    path.chmod(mode)


DAMAGES = {"cut": cut, "flipped": flipped, "zeroed": zeroed, "emptied": lambda _: b""}


def test_damaged_loads(fresh, note):
    """Two of each kind: all named, set aside, and landed again by the next pull."""
    assert fresh.run("pull")[0] == 0
    victims = list(zip([*DAMAGES] * 2, load_paths(fresh.landing, "availability_checks")[2:10], strict=True))
    for kind, victim in victims:
        damage(victim, DAMAGES[kind])
    code, said = fresh.run("build")
    assert code == 0, said
    for kind, victim in victims:
        assert victim.name in said, kind
        assert (victim.parent / DAMAGED / victim.name).exists(), kind
    ended_whole(fresh)
    kinds = " or ".join((", ".join([*DAMAGES][:-1]), [*DAMAGES][-1]))
    note(f"Landed files {kinds}", "named and set aside; the rest is built", fresh, injected=len(victims))


def test_every_flipped_bit_is_found(undisturbed, tmp_path):
    """Any byte of a load: pages, statistics, footer, metadata."""
    draws = random.Random(7)
    path = load_paths(undisturbed / "home/landing", "incidents")[0]
    content = path.read_bytes()
    for _ in range(FLIPS):
        place = draws.randrange(len(content))
        broken = tmp_path / path.name
        broken.write_bytes(content[:place] + bytes([content[place] ^ (1 << draws.randrange(8))]) + content[place + 1 :])
        with pytest.raises(DamagedLoadError, match="checksum"):
            verify_load(broken)


BROKEN_NOTES = ("", "{", '{"stream": 3}', "[]", "\x00\xff")


def test_damaged_pull_notes(place, note):
    """Each pull puts them right; after all of them nothing is missing, and nothing is there twice."""
    settings = settings_in(place.home.parent)
    organisation = load_organisation(place.org)
    injected = 0
    for text in BROKEN_NOTES:
        paths = list((place.home / "pulls").glob("*.json"))
        for path in paths:
            path.write_text(text)
        results = pull_streams(settings, organisation, list(organisation.streams))
        assert [result.error for result in results] == [None] * len(results), text
        assert len(read_notes(place.home / "pulls")) == len(paths), text
        injected += len(paths)
    ended_whole(place)
    note("Notes of pulls damaged", WHOLE, place, injected=injected)


def newer(content: bytes) -> bytes:
    """The storage version of a DuckDB that does not exist yet."""
    return content[:12] + (999).to_bytes(8, "little") + content[20:]


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("cut off", cut),
        ("overwritten at its head", lambda content: b"this is not a database" * 900 + content[17_100:]),
        ("overwritten in the middle", lambda content: content[:60_000] + bytes(400_000) + content[460_000:]),
        ("written by a newer DuckDB", newer),
        ("emptied", lambda _: b""),
    ],
)
def test_damaged_working_file(place, note, fault, how):
    damage(place.warehouse, how)
    (place.snapshots / store.POINTER).unlink()
    ended_whole(place)
    note(f"Working file {fault}", WHOLE, place)


def test_rows_of_the_working_file_are_damaged(place, note):
    """It can be opened; what is broken is a table that the build would leave as it stands."""
    with duckdb.connect(str(place.warehouse), read_only=True) as con:
        blocks = con.execute(
            "select distinct block_id from pragma_storage_info('staging.incidents') where persistent and block_id >= 0"
        ).fetchall()
    assert blocks

    def zeroed_blocks(content: bytes) -> bytes:
        for (number,) in blocks:
            first = HEADERS + number * BLOCK
            content = content[:first] + bytes(BLOCK) + content[first + BLOCK :]
        return content

    damage(place.warehouse, zeroed_blocks)
    file = place.org / "data/deployments.csv"
    right = file.read_text()
    for text in (right.replace(",pipeline,", ",human,"), right):
        file.write_text(text)
        ended_whole(place)
    note("Rows of the working file overwritten", WHOLE, place)


def test_working_file_deleted(place, note):
    place.warehouse.unlink()
    (place.snapshots / store.POINTER).unlink()
    ended_whole(place)
    note("Working file deleted", WHOLE, place)


def test_working_file_with_a_strange_log(place, note):
    place.warehouse.with_name(place.warehouse.name + ".wal").write_bytes(b"half a log" * 100)
    (place.snapshots / store.POINTER).unlink()
    ended_whole(place)
    note("Write-ahead log of the working file damaged", WHOLE, place)


def test_half_copied_snapshot(place, note):
    damage(store.current(place.snapshots).path, cut)
    code, said = place.run(steps=[["sql", "select 1"]])
    at_once = refused(code, said, "cut off")
    ended_whole(place)
    note("Snapshot half copied", at_once, place)


@pytest.mark.parametrize("fault", ["damaged", "gone", "of a file that is gone"])
def test_broken_pointer(place, note, fault):
    pointer = place.snapshots / store.POINTER
    if fault == "damaged":
        pointer.write_text('{"file": ')
    elif fault == "gone":
        pointer.unlink()
    else:
        content = json.loads(pointer.read_text())
        pointer.write_text(json.dumps(content | {"file": "ops-nothing.duckdb"}))
    code, said = place.run(steps=[["path"]])
    at_once = refused(code, said, "opsmetrics")
    ended_whole(place)
    note(f"Pointer to the snapshot {fault}", at_once, place)


# --- sources --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "old", "new"),
    [
        ("renamed a key column", "deployment_id", "id"),
        ("dropped the instants", ",deployed_at,", ",moment,"),
        ("writes dates of another form", "2026-08-", "2026.08."),
    ],
)
def test_schema_drift(place, note, fault, old, new):
    """The old rows stay until the source is right again; what cannot be read is named, never guessed."""
    file = place.org / "data/deployments.csv"
    right = file.read_text()
    file.write_text(right.replace(old, new))
    _, said = place.run(steps=place.whole_run())
    assert "Traceback" not in said
    with duckdb.connect(str(store.current(place.snapshots).path), read_only=True) as con:
        named = con.execute("select count(*) from meta.sources where stream = 'deployments' and error is not null")
        named = named.fetchall()[0][0] + len(con.execute("select reason from meta.quarantine").fetchall())
    assert named > 0, said
    file.write_text(right)
    ended_whole(place)
    note(f"A source {fault}", NAMED, place)


def test_new_column_at_a_source(place, note):
    """It is dropped at the border, by name, and everything else stays; once it is gone nothing speaks of it."""
    file = place.org / "data/deployments.csv"
    right = file.read_text()
    file.write_text(
        "\n".join(line + (",author" if n == 0 else ",x") for n, line in enumerate(right.split("\n")) if line)
    )
    ended_whole(place)
    with duckdb.connect(str(store.current(place.snapshots).path), read_only=True) as con:
        dropped = con.execute("select dropped_columns from meta.loads where stream = 'deployments'").fetchall()
    assert (["author"],) in dropped
    said, expected = place.meaning(), place.expected()
    warned = [row for row in said.pop("marts.warnings") if row not in expected["marts.warnings"]]
    assert [row[:4] for row in warned] == [("new_column", "deployments", "files", "author")]
    assert said == {name: rows for name, rows in expected.items() if name != "marts.warnings"}
    file.write_text(right)
    ended_whole(place)
    note("A source has a new column", "left out and named", place)


# --- calendar -------------------------------------------------------------------------------------------------------


STRANGE_DAYS = {
    "the night to summer time (23 hours)": ("2026-03-29", 23),
    "the night to winter time (25 hours)": ("2025-10-26", 25),
    "a leap day": ("2024-02-29", 24),
}


def lines_around(day: str) -> dict[str, list[str]]:
    """Local day -> a check in every hour of it: the strange day, and those before and after."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'Europe/Oslo'")
        around = f"date '{day}' - 1", f"date '{day}' + 2"
        instants = con.execute(
            f"select strftime(h at time zone 'UTC', '%Y-%m-%dT%H:00:00Z'), cast(cast(h as date) as varchar) from"
            f" generate_series(({around[0]})::timestamptz, ({around[1]})::timestamptz - interval 1 hour,"
            " interval 1 hour) as t(h)"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for instant, local in instants:
        found.setdefault(local, []).append(f"probe-web,{instant},up")
    return found


def test_strange_days(fresh):
    """A check in every hour of the day: each counts once, on its own local day."""
    for name in ("organisation.toml", "services.toml", "slo.toml", "teams.toml", "sources.toml"):
        file = fresh.org / name
        text = file.read_text().replace("2026-07-01", "2024-01-01").replace("2025-01-01", "2024-01-01")
        file.write_text(text.replace("onboarded_on = 2026-01-01", "onboarded_on = 2024-01-01"))
    for old in (fresh.org / "data/checks").glob("*.csv"):
        old.unlink()
    days = {fault: lines_around(day) for fault, (day, _) in STRANGE_DAYS.items()}
    for fault, (day, hours) in STRANGE_DAYS.items():
        assert len(days[fault][day]) == hours
        for local, lines in days[fault].items():
            text = "\n".join(["monitor_id,checked_at,status", *lines]) + "\n"
            (fresh.org / f"data/checks/{local}.csv").write_text(text)
    ended_whole(fresh)
    with duckdb.connect(str(store.current(fresh.snapshots).path), read_only=True) as con:
        found = dict(
            con.execute("select cast(day as varchar), count(*) from staging.availability_checks group by 1").fetchall()
        )
        minutes = dict(
            con.execute(
                "select cast(day as varchar), (day_minutes, down_minutes) from facts.availability_daily"
                " where service_id = 'web'"
            ).fetchall()
        )
    assert found == {local: len(lines) for parts in days.values() for local, lines in parts.items()}
    for fault, (day, hours) in STRANGE_DAYS.items():
        assert minutes[day] == (hours * 60, 0), fault
        lost = sum(len(lines) - found[local] for local, lines in days[fault].items())
        SEEN.append(Outcome(f"Calendar: {fault}", 1, WHOLE, WHOLE, lost))


# --- the document ---------------------------------------------------------------------------------------------------


def test_the_document_says_what_was_seen():
    lines = [
        "# What each fault does to a run",
        "",
        "Generated by `tests/resilience/test_faults.py` from what it saw (`UPDATE_GOLDEN=1`). The disk is a real small one,",
        "the kill a real `kill -9`; after each fault the next run must say, in every table, what an undisturbed run says.",
        "What faults of the sources do (refusals, throttling, cut answers) stands in [faults.md](faults.md).",
        "",
        "- **whole**: the run ended with the right content.",
        "- **refused**: one readable text and exit code 1; the published snapshot stays.",
        "- **named**: published without what could not be read, which data quality names.",
        "",
        "| Fault | Injected | The run itself | The next run | Rows lost |",
        "|---|---|---|---|---|",
    ]
    found: dict[str, Outcome] = {}
    for outcome in SEEN:
        same = found.get(outcome.fault)
        injected = outcome.injected + (same.injected if same else 0)
        found[outcome.fault] = Outcome(outcome.fault, injected, outcome.at_once, outcome.after, outcome.lost)
    lines += [f"| {o.fault} | {o.injected} | {o.at_once} | {o.after} | {o.lost} |" for o in found.values()]
    lost = sum(outcome.lost for outcome in SEEN)
    of_sources = len(SUBJECTS) * len(SOURCE_FAULTS)
    scrambled = len(SUBJECTS) * (test_source_faults.IN_CI + 1)
    lines += [
        "",
        f"Faults injected: {sum(o.injected for o in found.values())}. Rows lost: {lost}.",
        "",
        f"Beside these CI injects {of_sources} faults of sources ([faults.md](faults.md)) and the faults of 36 simulated days",
        f"([soak.md](soak.md)), and reads {test_fuzz.PROPERTIES * test_fuzz.IN_CI} mutated files and {scrambled} answers with values of another kind: each",
        "ends with rows, with rows set aside, or with one error of ours (`tests/resilience/test_fuzz.py`, `tests/connectors`).",
    ]
    text = "\n".join(lines) + "\n"
    assert lost == 0
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text
