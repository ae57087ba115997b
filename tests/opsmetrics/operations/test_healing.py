"""Backups heal, damage is never taken for good, refusals are never taken for damage, and a cut-off restore is known."""

from __future__ import annotations

import errno
import json
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.core.errors import DamagedLoadError, MemoryRefusedError, UnreadableError, is_refusal
from opsmetrics.core.half_restored import MARKER, HalfRestoredError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import (
    DAMAGED,
    Batch,
    compact,
    land,
    landed_files,
    load_paths,
    names,
    packs,
    quarantine,
    verify_load,
)
from opsmetrics.landing.backup_copies import repair_loads
from opsmetrics.operations import health, housekeeping_records, restoring
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.copies import Copies
from opsmetrics.operations.manifests import MANIFESTS, SPARE, BackupError, read_manifest
from opsmetrics.operations.restore_records import newest_test
from opsmetrics.operations.restore_tests import _prefix, restore_test
from opsmetrics.operations.restoring import restore
from opsmetrics.snapshots.results import openmetrics
from opsmetrics.warehouse import connect, ingest

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
STREAM = "deployments"


def one_load(settings: Settings, number: int, day: date = date(2026, 5, 4)) -> Path:
    texts = {"_reason": pl.String, "_raw": pl.String}
    row = {"deployment_id": f"d{number}", "service_id": "web", "_day": day, "_line": 1, "_reason": None, "_raw": None}
    batch = Batch(pl.DataFrame([row], schema_overrides=texts), (day, day + timedelta(days=1)), "test", f"{number}")
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return land(settings.landing, STREAM, batch, loaded_at=at).path


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Three loads and a configuration of one file."""
    found = Settings(
        home=tmp_path / "home", org=tmp_path / "org", data=None, now=NOW, sql=default_sql_root(), busy_seconds=60
    )
    found.org.mkdir()
    (found.org / "organisation.toml").write_text('id = "small"\n')
    for number in range(3):
        one_load(found, number)
    return found


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "other-disk"


def paths(settings: Settings) -> list[Path]:
    return load_paths(settings.landing, STREAM)


def flip(path: Path) -> bytes:
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    return whole


def copy_of(target: Path, path: Path) -> Path:
    return target / "landing" / STREAM / path.name


def test_a_damaged_copy_is_written_again_from_a_whole_original(settings, target):
    back_up(settings, target, NOW)
    copy = copy_of(target, paths(settings)[1])
    (text,) = (target / "texts").glob("*/*")
    wholes = [flip(copy), flip(text)]
    done = back_up(settings, target, NOW + timedelta(hours=1))
    assert [copy.read_bytes(), text.read_bytes()] == wholes
    assert (len(done.healed), done.damaged) == (2, [])
    assert (
        housekeeping_records.read_record(settings.home, housekeeping_records.BACKUP).result == housekeeping_records.OK
    )


def test_a_damaged_original_is_named_and_never_copied(settings, target):
    bad = paths(settings)[1]
    whole = flip(bad)
    done = back_up(settings, target, NOW)
    assert [bad.name in line for line in done.damaged] == [True]
    assert not copy_of(target, bad).exists()
    assert [bad.name in path for path in done.manifest.left_out] == [True]
    assert any(bad.name in issue.text for issue in health.issues(settings, NOW))
    empty = dict.fromkeys(("build_id", "ruleset_version", "organisation_id", "is_fictional"), "")
    told = openmetrics(empty | {"known_at": NOW.isoformat(), "warnings": [], "teams": []}, health.upkeep(settings))
    assert 'opsmetrics_upkeep_problems{what="backup"} 1.0' in told
    # Whole in the backup, damaged here, even cut: the copy stays, and belongs to what can be restored.
    bad.write_bytes(whole)
    back_up(settings, target, NOW + timedelta(hours=1))
    bad.write_bytes(whole[:-20])
    done = back_up(settings, target, NOW + timedelta(hours=2))
    assert (len(done.damaged), done.manifest.left_out) == (1, ())
    quarantine(bad)
    assert f"landing/{STREAM}/{bad.name}" in back_up(settings, target, NOW + timedelta(hours=3)).manifest.files
    assert copy_of(target, bad).read_bytes() == whole


def test_a_copy_that_nothing_can_heal_is_told_as_long_as_a_backup_needs_it(settings, target):
    back_up(settings, target, NOW)
    gone = paths(settings)[0]
    flip(copy_of(target, gone))
    gone.unlink()
    for hour in (1, 2):
        (line,) = back_up(settings, target, NOW + timedelta(hours=hour)).damaged
        assert gone.name in line
        assert "20260902T060000Z" in line
    for place in (target / MANIFESTS, target / MANIFESTS / SPARE):
        (place / "20260902T060000Z.json").unlink()
    assert back_up(settings, target, NOW + timedelta(hours=3)).damaged == []
    assert not copy_of(target, gone).exists()


def test_what_is_read_at_once_is_bounded_and_goes_round(settings, target):
    back_up(settings, target, NOW)
    (target / "checked.json").unlink()
    seen = set()
    for _ in range(4):
        copies = Copies(target, NOW, bytes_at_once=1)
        (due,) = copies.due
        seen.add(due)
        copies.check_rest()
        copies.note()
    assert len(seen) == 4


def test_a_restore_brings_back_all_that_is_whole_and_names_the_rest(settings, target, tmp_path):
    back_up(settings, target, NOW)
    first, second, third = paths(settings)
    flip(copy_of(target, first))
    copy_of(target, second).unlink()
    home, org = tmp_path / "r/home", tmp_path / "r/org"
    done = restore(target, home, org)
    assert [first.name in done.missing[0], second.name in done.missing[1]] == [True, True]
    assert (org / "organisation.toml").read_text() == 'id = "small"\n'
    again = replace(settings, home=home)
    assert [path.name for path in paths(again)] == [third.name]
    # They keep their numbers, are named as damaged, and come back when a backup holds them.
    assert {path.name for path in (home / "landing" / STREAM / DAMAGED).iterdir()} == {first.name, second.name}
    assert one_load(again, 7).name.split("-")[1] == "000004"
    back_up(settings, target, NOW + timedelta(hours=1))
    assert len(repair_loads(replace(again, backup=target), [STREAM])) == 2
    assert len(paths(again)) == 4


def test_a_restore_that_was_cut_off_is_known_and_goes_on(settings, target, tmp_path, monkeypatch):
    back_up(settings, target, NOW)
    home, org = tmp_path / "r/home", tmp_path / "r/org"
    real, calls = restoring.copy_whole, []

    def full(*given, **named):
        calls.append(given)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*given, **named)

    monkeypatch.setattr(restoring, "copy_whole", full)
    with pytest.raises(OSError, match="No space"):
        restore(target, home, org)
    monkeypatch.undo()
    half = replace(settings, home=home, org=org)
    (issue,) = health.issues(half, NOW)
    assert "began here" in issue.text
    with pytest.raises(HalfRestoredError, match="goes on where it stopped"):
        back_up(half, tmp_path / "elsewhere", NOW)
    back_up(settings, target, NOW + timedelta(hours=1))
    with pytest.raises(BackupError, match="was begun here"):
        restore(target, home, org, "20260902T070000Z")
    done = restore(target, home, org)
    assert (done.name, done.is_whole) == ("20260902T060000Z", True)
    assert not (home / MARKER).exists()
    assert [path.name for path in paths(half)] == [path.name for path in paths(settings)]


def test_a_flipped_byte_in_a_manifest_costs_nothing(settings, target, tmp_path):
    back_up(settings, target, NOW)
    back_up(settings, target, NOW + timedelta(hours=1))
    newest = [target / MANIFESTS / name for name in ("20260902T070000Z.json", f"{SPARE}/20260902T070000Z.json")]
    flip(newest[0])
    assert read_manifest(target).name == "20260902T070000Z"
    assert len(back_up(settings, target, NOW + timedelta(hours=2)).healed) == 1
    assert newest[0].read_bytes() == newest[1].read_bytes()
    for path in (target / MANIFESTS).rglob("20260902T080000Z.json"):
        flip(path)
    done = restore(target, tmp_path / "r/home", tmp_path / "r/org")
    assert done.name == "20260902T070000Z"
    assert "20260902T080000Z" in done.missing[0]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EINTR])
def test_what_may_not_be_read_is_not_damaged(settings, monkeypatch, code):
    before = paths(settings)
    real = Path.open

    def refuse(path, *given, **named):
        if path.suffix == ".parquet":
            raise OSError(code, "refused", str(path))
        return real(path, *given, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with connect(settings.warehouse) as con, pytest.raises(UnreadableError, match="nothing was moved"):
        ingest(con, settings.landing)
    with pytest.raises(UnreadableError):
        compact(settings.landing, STREAM, NOW)
    monkeypatch.undo()
    assert paths(settings) == before
    assert not settings.warehouse.with_suffix(".damaged").exists()
    with connect(settings.warehouse) as con:
        assert ingest(con, settings.landing).rows == {STREAM: 3}


def test_refusals_and_memory_are_told_apart_from_damage():
    assert is_refusal(MemoryError())
    assert is_refusal(RuntimeError("IO Error: Cannot open file: Too many open files"))
    assert not is_refusal(RuntimeError("corrupt footer"))
    assert not is_refusal(OSError("Corrupt snappy compressed data"))
    assert "memory" in str(MemoryRefusedError())


def test_what_was_set_aside_comes_back_when_it_reads_whole(settings):
    path = paths(settings)[0]
    aside = quarantine(path)
    (said,) = repair_loads(settings, [STREAM])
    assert path.name in said
    assert path.exists()
    assert not aside.exists()
    # Under another number it is a copy, and stays away: its rows would count twice.
    other = aside.with_name(path.name.replace("-000001-", "-000009-"))
    other.write_bytes(path.read_bytes())
    assert repair_loads(settings, [STREAM]) == []
    with pytest.raises(DamagedLoadError, match="under another name"):
        verify_load(other)


def test_a_pack_that_the_disk_did_not_keep_removes_nothing(settings, monkeypatch):
    packing = sys.modules["opsmetrics.landing.packs"]

    before, real = paths(settings), packing.write_whole

    def rotten(*given):
        path = real(*given)
        flip(path)
        return path

    monkeypatch.setattr(packing, "write_whole", rotten)
    with pytest.raises(DamagedLoadError):
        compact(settings.landing, STREAM, NOW)
    monkeypatch.undo()
    assert paths(settings) == before
    # Killed then: the next compaction does not trust that pack either, and writes it again.
    done = compact(settings.landing, STREAM, NOW)
    assert (done.packed, paths(settings)) == (3, [])
    assert len(packs(settings.landing, STREAM)[0].loads()) == 3


def test_restore_tests_sweep_and_record_what_failed(settings, target, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    back_up(settings, target, NOW)
    left = tmp_path / f"{_prefix(settings)}killed"
    left.mkdir()
    (settings.home / "restore-tests").mkdir()
    begun = settings.home / "restore-tests/.begun-20260901T000000Z.json"
    begun.write_text(json.dumps({"id": "x"}))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("opsmetrics.operations.restore_tests.restore", full)
    test = restore_test(settings, target)
    assert (test.result, "No space" in test.said) == ("failed", True)
    assert newest_test(settings.home) == test
    assert not left.exists()
    assert (settings.home / "restore-tests/restore-test-20260901T000000Z.json").exists()
    assert list(tmp_path.glob("opsmetrics-restore-*")) == []
    assert any("restore test" in issue.text for issue in health.issues(settings, NOW))


def test_all_at_once(settings, target, tmp_path):
    """Pulls, compactions and backups side by side: no file is missed, and every load can be restored."""
    failed: list[BaseException] = []

    def often(act):
        def run():
            try:
                for number in range(8):
                    act(number)
            except BaseException as error:  # noqa: BLE001 - looked at below
                failed.append(error)

        return threading.Thread(target=run)

    threads = [
        often(lambda number: one_load(settings, 10 + number, date(2026, 5 + number % 3, 5))),
        often(lambda _: compact(settings.landing, STREAM, NOW)),
        often(lambda number: back_up(settings, target, NOW + timedelta(hours=number))),
        often(lambda _: list(names(settings.landing, STREAM))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert back_up(settings, target, NOW + timedelta(days=1)).damaged == []
    assert restore(target, tmp_path / "r/home", tmp_path / "r/org").is_whole
    again = replace(settings, home=tmp_path / "r/home")
    assert len(names(again.landing, STREAM)) == 11
    assert [path.name for path in landed_files(again.landing, STREAM)] == [
        path.name for path in landed_files(settings.landing, STREAM)
    ]
