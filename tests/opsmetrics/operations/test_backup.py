"""Backup, restore and the test of both: what is restored builds the same scores, and damage is found, not restored."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.core.errors import UnreadableError
from opsmetrics.core.settings import Settings
from opsmetrics.landing import load_paths, quarantine
from opsmetrics.landing.backup_copies import repair_loads
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.manifests import MOST_VALUES, BackupError, names_of, read_manifest, write_manifest
from opsmetrics.operations.restore_records import (
    RESTORE_TESTS,
    RestoreTest,
    begin_record,
    end_record,
    name_of,
    newest_test,
)
from opsmetrics.operations.restore_tests import restore_test
from opsmetrics.operations.restoring import MOST_LEFT, restore
from opsmetrics.sources import pull_stream
from tests.parts import made_for

FIRST, SECOND = datetime(2026, 9, 2, 7, tzinfo=UTC), datetime(2026, 9, 3, 7, tzinfo=UTC)


@pytest.fixture
def settings(small_run) -> Settings:
    return small_run


@pytest.fixture
def target(tmp_path):
    return tmp_path / "other-disk"


def pull_and_make(settings: Settings, *tables: str) -> None:
    context = plans.load_context(settings)
    for name in context.organisation.streams:
        pull_stream(settings, context.organisation, name)
    made_for(context, *tables)


def scores(path) -> dict[str, list]:
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("select table_name from duckdb_tables() where schema_name = 'scores'").fetchall()
        return {name: sorted(con.execute(f"from scores.{name}").fetchall(), key=repr) for (name,) in tables}


def test_what_is_restored_builds_the_same_scores(settings, target, tmp_path):
    done = back_up(settings, target, FIRST)
    assert done.copied == len({inside for inside, _ in done.manifest.files.values()})
    again = replace(settings, home=tmp_path / "new/home", org=tmp_path / "new/org")
    assert restore(target, again.home, again.org).is_whole
    plans.build(plans.load_context(again))
    before, after = scores(settings.warehouse), scores(again.warehouse)
    assert {name for name in before if before[name] != after[name]} <= {"published"}
    # What was pulled need not be pulled again: the notes came back too.
    organisation = plans.load_context(again).organisation
    assert (again.home / "pulls").exists()
    assert not (again.org / "data").exists()
    shutil.copytree(settings.org / "data", again.org / "data")
    assert all(not pull_stream(again, organisation, name)[0].loads for name in organisation.streams)


def test_a_second_backup_copies_what_is_new(settings, target):
    first = back_up(settings, target, FIRST).manifest
    checks = settings.org / "data/checks/2026-09-01.csv"
    checks.write_text(checks.read_text().replace("up", "down"))
    organisation = plans.load_context(settings).organisation
    pull_stream(settings, organisation, "availability_checks")
    done = back_up(settings, target, SECOND)
    second, copied = done.manifest, done.copied
    news = {to for to, held in second.files.items() if first.files.get(to) != held}
    # The load, and the note of the pull: it marks the file as it is now.
    note = "pulls/availability_checks.files.json"
    assert {to for to in news if not to.startswith("landing/availability_checks/")} == {note}
    assert copied == len(news) == 2
    assert len(names_of(target)) == 2
    assert len(read_manifest(target, names_of(target)[0]).files) < len(read_manifest(target).files)


def test_a_restore_test_is_recorded_and_feeds_our_own_metric(settings, target, tmp_path):
    back_up(settings, target, FIRST)
    test = restore_test(settings, target)
    assert test.result == "ok", test.said
    assert "equal the published ones" in test.said
    (record,) = (settings.home / RESTORE_TESTS).glob("restore-test-*.json")
    assert json.loads(record.read_text())["verified_at"] == test.verified_at
    folder = settings.org
    (folder / "datastores.toml").write_text(
        '[[datastore]]\nid = "opsmetrics"\nservice = "web"\nclass = "B"\nrpo_hours = 24\nrto_minutes = 240\n'
        "backup_interval_hours = 168\nrestore_plan = true\n"
    )
    (folder / "sources.toml").write_text(
        (folder / "sources.toml").read_text()
        + f'\n[[connector]]\nname = "own-restores"\nkind = "restore_files"\nstreams = ["restore_tests"]\n'
        f'from = 2026-01-01\nfolder = "{settings.home / RESTORE_TESTS}"\n'
    )
    later = replace(settings, now=datetime.fromisoformat(test.verified_at) + timedelta(days=1))
    pull_and_make(later, "staging.restore_tests", "metrics.bck_restore_within_rto")
    with duckdb.connect(str(later.warehouse), read_only=True) as con:
        found = con.execute("select datastore_id, is_successful from staging.restore_tests").fetchall()
        score = con.execute(
            "select numerator, denominator from metrics.bck_restore_within_rto where grain = 'latest' and team_id = 'alfa'"
        ).fetchall()
    assert found == [("opsmetrics", True)]
    assert score == [(1, 1)]


@pytest.mark.parametrize("damage", ["gone", "flipped"])
def test_a_damaged_backup_fails_its_test_and_says_where(settings, target, damage):
    back_up(settings, target, FIRST)
    victim = next((target / "landing/incidents").glob("*.parquet"))
    if damage == "gone":
        victim.unlink()
    else:
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
    test = restore_test(settings, target)
    assert test.result == "failed"
    assert victim.name in test.said
    assert test.verified_at is None


def test_a_backup_cut_off_is_none(settings, target, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("opsmetrics.operations.backup.write_manifest", full)
    with pytest.raises(OSError, match="No space"):
        back_up(settings, target, FIRST)
    with pytest.raises(BackupError, match="no backup lies here"):
        read_manifest(target)


def test_restore_overwrites_nothing_and_leads_nowhere_else(settings, target, tmp_path):
    manifest = back_up(settings, target, FIRST).manifest
    with pytest.raises(BackupError, match="not empty"):
        restore(target, settings.home, tmp_path / "org")
    with pytest.raises(BackupError, match="back up to another disk"):
        back_up(settings, settings.home / "backups", FIRST)
    inside, checksum = next(iter(manifest.files.values()))
    forged = {
        "landing/../../../escaped": [inside, checksum],
        "organisation/../../escaped": [inside, checksum],
        "landing/../working.duckdb": [inside, checksum],
        "elsewhere/x": [inside, checksum],
        "landing/x": ["../home/pulls/x", checksum],
    }
    for number, (path, held) in enumerate(forged.items()):
        write_manifest(target, replace(manifest, name=f"9{number}", files={path: held}))
        with pytest.raises(BackupError, match="leads out"):
            restore(target, tmp_path / f"{number}/home", tmp_path / f"{number}/org")
        assert not (tmp_path / f"{number}").exists()


def test_a_backup_lies_neither_in_what_it_holds_nor_a_restore_in_a_backup(settings, target, tmp_path):
    """In the configuration each backup took in the ones before it; in the backup the next one removed what was restored."""
    for place in (settings.org / "backups", settings.org, settings.home / "x"):
        with pytest.raises(BackupError, match="back up to another disk"):
            back_up(settings, place, FIRST)
    back_up(settings, target, FIRST)
    for home, org in ((target / "home", tmp_path / "o"), (tmp_path / "h", target / "texts/org")):
        with pytest.raises(BackupError, match="this lies in the backup"):
            restore(target, home, org)
    for org in ("", "landing", "pulls/x"):
        with pytest.raises(BackupError, match="not kept in one folder"):
            restore(target, tmp_path / "h", tmp_path / "h" / org)
    assert not (tmp_path / "h").exists()
    assert restore(target, tmp_path / "h", tmp_path / "h/organisation").is_whole


def test_a_folder_of_backups_may_hold_what_is_others(settings, target):
    """Half-written files of other programs went with what killed backups had left."""
    back_up(settings, target, FIRST)
    theirs, ours = target / ".theirs.tmp", [target / ".checked.json.0a.tmp", target / "manifests/.x.json.0a.tmp"]
    for path in (theirs, *ours):
        path.touch()
    back_up(settings, target, SECOND)
    assert [path.exists() for path in (theirs, *ours)] == [True, False, False]


def test_a_copy_that_is_the_original_under_another_name_is_none(settings, target):
    """Made by ``cp -al`` or a tool that saves space: one flipped byte would cost both."""
    back_up(settings, target, FIRST)
    copies = [next((target / "landing/incidents").glob("*.parquet"))]
    originals = [settings.landing / "incidents" / copies[0].name]
    inside = read_manifest(target).files["organisation/teams.toml"][0]
    copies.append(target / inside)
    originals.append(settings.org / "teams.toml")
    for copy, original in zip(copies, originals, strict=True):
        copy.unlink()
        copy.hardlink_to(original)
    done = back_up(settings, target, SECOND)
    assert sorted(done.healed) == sorted(copy.relative_to(target).as_posix() for copy in copies)
    assert not any(copy.samefile(original) for copy, original in zip(copies, originals, strict=True))
    assert back_up(settings, target, SECOND).healed == []


def test_a_configuration_of_links_is_backed_up_as_it_is_read(settings, target, tmp_path):
    """Mounted configuration (a ConfigMap) consists of links: a backup without a line of it ended well, and so did a restore."""
    mounted, kept = tmp_path / "mounted", tmp_path / "mounted/..2026"
    shutil.copytree(settings.org, kept)
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "goals.csv").write_text("team,area\n")
    (mounted / "..data").symlink_to("..2026")
    for path in kept.iterdir():
        (mounted / path.name).symlink_to(f"..data/{path.name}")
    (mounted / "registers").symlink_to(shared)
    (shared / "registers").symlink_to(shared)
    (mounted / "more").symlink_to("/usr")
    done = back_up(replace(settings, org=mounted), target, FIRST)
    names = {path.name for path in settings.org.glob("*.toml")}
    assert len(names) == 5
    assert restore(target, tmp_path / "h", tmp_path / "o").is_whole
    assert {path.name for path in (tmp_path / "o").iterdir()} == names | {"registers"}
    assert all((tmp_path / "o" / name).read_bytes() == (settings.org / name).read_bytes() for name in names)
    assert [to for to in done.manifest.files if "registers" in to] == ["organisation/registers/goals.csv"]


def test_what_lies_around_a_configuration_or_in_it_is_told_from_it(settings, target, tmp_path):
    """Exports beside it, or above, took all of it out of the backup; a state folder in it went in as configuration."""
    org = tmp_path / "all/organisation"
    shutil.copytree(settings.org, org)
    home = Path(shutil.copytree(settings.home, org / "state"))
    (org / "sources.toml").write_text((org / "sources.toml").read_text().replace('root = "data"', 'root = ".."'))
    done = back_up(replace(settings, org=org, home=home), target, FIRST)
    found = {to for to in done.manifest.files if to.startswith("organisation/")}
    assert {"organisation/teams.toml", "organisation/sources.toml"} < found
    assert not any(to.startswith("organisation/state/") for to in found)


def test_a_folder_that_may_not_be_listed_is_not_empty(settings, target, monkeypatch):
    (settings.org / "metrics").mkdir()
    iterdir = Path.iterdir

    def refused(path):
        if path.name == "metrics":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(UnreadableError, match="Permission denied"):
        back_up(settings, target, FIRST)


def test_the_last_backup_and_the_last_test_are_the_newest_whatever_the_clock_said(settings, target, tmp_path):
    """One that was taken with the clock a year ahead was the newest for a year: a restore brought that one back."""
    ahead = FIRST + timedelta(days=400)
    back_up(settings, target, ahead)
    for number in range(1, 3):
        (settings.org / "later.toml").write_text(f"# {number}\n")
        last = back_up(settings, target, FIRST + timedelta(hours=number)).manifest
        assert last.name == f"20271007T070000Z+00000{number}"
        assert last.taken_at == (FIRST + timedelta(hours=number)).isoformat()
    assert read_manifest(target) == last
    assert restore(target, tmp_path / "h", tmp_path / "o").name == last.name
    assert (tmp_path / "o/later.toml").read_text() == "# 2\n"
    assert back_up(settings, target, ahead + timedelta(days=1)).manifest.name == "20271008T070000Z"
    folder = settings.home / RESTORE_TESTS
    folder.mkdir()
    for began, result in ((ahead, "ok"), (FIRST, "failed")):
        name = name_of(folder, began)
        end_record(
            begin_record(folder, name, test := RestoreTest(name, "x", began.isoformat(), None, None, result, 0, 0, "")),
            test,
        )
    assert newest_test(settings.home).result == "failed"


ODD = {
    "no pair": {"files": {"pulls/x": ["texts/x"]}},
    "a number for a pair": {"files": {"pulls/x": 7}},
    "numbers in a pair": {"files": {"pulls/x": [7, 8]}},
    "a checksum that proves nothing": {"files": {"pulls/x": ["texts/x", ""]}},
    "a list of files": {"files": ["pulls/x"]},
    "a file without a name": {"files": {"pulls/": ["texts/x", "0" * 64]}},
    "a name with a NUL": {"files": {"pulls/\0": ["texts/x", "0" * 64]}},
    "a name that is no text": {"files": {"pulls/\ud800": ["texts/x", "0" * 64]}},
    "another name": {"name": "../../x"},
    "more than there is": {"more": 1},
}


@pytest.mark.parametrize("odd", ODD)
def test_a_manifest_of_another_shape_is_a_damaged_one(target, odd):
    """Whoever may write to the disk of the backups writes what they like; those of earlier versions have no checksum."""
    content = {
        "name": "a",
        "taken_at": "t",
        "build_id": None,
        "known_at": None,
        "files": {"pulls/x": ["texts/x", "0" * 64]},
    }
    (target / "manifests").mkdir(parents=True)
    path = target / "manifests/a.json"
    path.write_text(json.dumps(content))
    assert read_manifest(target).files == content["files"]
    path.write_text(json.dumps(content | ODD[odd]))
    with pytest.raises(BackupError, match="damaged manifest"):
        read_manifest(target)


@pytest.mark.parametrize("kind", ["pipe", "folder", "nesting", "holes", "values"])
def test_a_manifest_that_never_ends_is_a_damaged_one(target, kind, monkeypatch):
    (target / "manifests").mkdir(parents=True)
    path = target / "manifests/a.json"
    if kind == "nesting":
        path.write_text("[" * 200_000)
    elif kind == "holes":
        # It takes no room on the disk, and took all of the memory.
        path.touch()
        os.truncate(path, 64 << 30)
    elif kind == "values":
        monkeypatch.setattr("opsmetrics.operations.manifests.json.loads", lambda _: pytest.fail("it was parsed"))
        path.write_text("[" + "[]," * MOST_VALUES + "0]")
    else:
        (os.mkfifo if kind == "pipe" else Path.mkdir)(path)
    with pytest.raises(BackupError, match="damaged manifest"):
        read_manifest(target)


def test_what_is_not_what_it_was_costs_no_memory(settings, target, tmp_path):
    """Files with holes of gigabytes for a load and for the note of what was read."""
    back_up(settings, target, FIRST)
    victim = next((target / "landing/incidents").glob("*.parquet"))
    size = victim.stat().st_size
    os.truncate(victim, MOST_LEFT + 1)
    os.truncate(target / "checked.json", 64 << 30)
    done = restore(target, tmp_path / "h", tmp_path / "o")
    assert ["damaged" in said for said in done.missing] == [True]
    assert (tmp_path / "h/landing/incidents/damaged" / victim.name).stat().st_size == 0
    assert back_up(settings, target, SECOND).healed == [victim.relative_to(target).as_posix()]
    assert victim.stat().st_size == size


def planted(kind: str, path: Path, outside: Path) -> None:
    """Put something else in the place of a copy."""
    path.unlink()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(outside)
        case "link to itself":
            path.symlink_to(path)


@pytest.mark.parametrize("kind", ["pipe", "link", "link to itself"])
def test_what_is_no_copy_is_written_again_and_costs_a_restore_one_file(settings, target, tmp_path, kind):
    """A link to the same bytes elsewhere is none: they may change, and a restore would carry off what lies there."""
    manifest = back_up(settings, target, FIRST).manifest
    victim = target / manifest.files["organisation/slo.toml"][0]
    shutil.copy(victim, outside := tmp_path / "outside")
    planted(kind, victim, outside)
    done = restore(target, tmp_path / "there/home", tmp_path / "there/org")
    assert [said.partition(":")[0] for said in done.missing] == ["organisation/slo.toml"]
    assert (done.files, done.unread) == (len(manifest.files) - 1, [])
    again = back_up(settings, target, SECOND)
    assert again.copied + len(again.healed) == 1
    assert victim.is_file()
    assert not victim.is_symlink()


@pytest.mark.parametrize("inside", ["landing", "texts", "manifests", "manifests/spare"])
def test_a_backup_follows_no_link_out_of_its_folder(settings, target, tmp_path, inside):
    outside = tmp_path / "outside"
    outside.mkdir()
    (target / inside).parent.mkdir(parents=True)
    (target / inside).symlink_to(outside)
    with pytest.raises(BackupError, match="this is a link"):
        back_up(settings, target, FIRST)
    assert list(outside.iterdir()) == []
    # The folder itself may be one: another disk is often reached so.
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert back_up(settings, tmp_path / "link", FIRST).copied > 0


def test_a_damaged_load_comes_back_from_the_backup(settings, target):
    """Also when its source has forgotten it."""
    back_up(settings, target, FIRST)
    (path,) = load_paths(settings.landing, "incidents")
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    quarantine(path)
    assert repair_loads(settings, ["incidents"]) == []
    (said,) = repair_loads(replace(settings, backup=target), ["incidents"])
    assert path.name in said
    assert path.read_bytes() == whole
    spare = next((target / "landing/incidents").glob("*.parquet"))
    path.unlink()
    spare.write_bytes(whole[:70])
    assert repair_loads(replace(settings, backup=target), ["incidents"]) == []
    found = restore(target, settings.home.parent / "c", settings.home.parent / "d")
    assert [path.name in line for line in found.missing] == [True]


def test_the_weekly_upkeep_backs_up_and_proves_it(settings, target, monkeypatch):
    # Whoever only lists tests would wait for these three seconds.
    import dagster as dg  # noqa: PLC0415

    from assets.resources import Workspace  # noqa: PLC0415
    from pipelines.definitions import build_definitions  # noqa: PLC0415

    monkeypatch.setenv("OPSMETRICS_BACKUP", str(target))
    workspace = Workspace(home=str(settings.home), org=str(settings.org))
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(workspace).resolve_job_def("upkeep")
        result = job.execute_in_process(instance=instance)
        assert all(check.passed for check in result.get_asset_check_evaluations())
        # Damaged here and there: nothing can heal it.
        (here,) = load_paths(settings.landing, "incidents")
        for path in (here, target / "landing/incidents" / here.name):
            path.write_bytes(path.read_bytes()[:-1] + b"x")
        result = job.execute_in_process(instance=instance)
        checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"landing_is_whole": False, "copies_are_whole": False, "restored_scores_are_equal": False}


def test_the_commands(settings, target, tmp_path, cli, here):
    org = ["--org", str(settings.org)]
    first = json.loads(cli("backup", *org, "--to", str(target), "--json").stdout)
    assert first["copied"] > 0
    found = json.loads(here("restore-test", "--from", str(target), "--json").stdout)
    assert found["result"] == "ok", found
    place = ["--home", str(tmp_path / "r/home"), "--org", str(tmp_path / "r/org")]
    assert "restored" in here("restore", "--from", str(target), *place).stdout
    assert here("restore", "--from", str(target), *place, check=False).returncode == 1
    assert here("backup", *org, check=False).returncode == 2
    # Nothing is wrong; that the small organisation's files tell little is said as warnings.
    assert {line.partition(": ")[0] for line in here("health", *org).stdout.splitlines()} == {"warning"}
