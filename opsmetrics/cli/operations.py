"""Commands that look after the state: backup, restore, the test of both, compaction, and what is wrong."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from opsmetrics.build import load_context
from opsmetrics.cli.options import (
    EXIT_WRONG,
    FOLDER,
    backups_option,
    echo_json,
    json_option,
    org_option,
    settings_of,
    strict_option,
)
from opsmetrics.core.errors import ConfigurationError, Problem, one_line, printable
from opsmetrics.core.half_restored import under_way
from opsmetrics.core.settings import Settings
from opsmetrics.operations import health as supply
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.operations.restore_tests import restore_test as test_restore
from opsmetrics.operations.restoring import restore as bring_back
from opsmetrics.organisation import load_organisation


def _folder(given: Path | None, settings: Settings) -> Path:
    folder = given or settings.backup
    if folder is None:
        raise click.UsageError("name the folder of the backups, here or in OPSMETRICS_BACKUP")
    return folder


def _with_state(settings: Settings) -> Settings:
    """Refuse a state folder that is none: a mistyped one would be looked after for years, and found well each time."""
    if not settings.landing.is_dir():
        message = f"nothing was ever landed in {settings.home.absolute()}: there is nothing to look after"
        fix = "name the state folder in OPSMETRICS_HOME, or run `opsmetrics pull` first"
        raise ConfigurationError([Problem("OPSMETRICS_HOME", None, message, fix)])
    return settings


@click.command()
@org_option
@click.option("--to", "target", type=FOLDER, help="Folder of the backups (default: OPSMETRICS_BACKUP).")
@json_option
def backup(org: Path | None, target: Path | None, *, as_json: bool) -> None:
    """Copy what is new in landing, the configuration and the notes of pulls to another disk.

    Copies are read again, and damaged ones written again. Exit code 1 where a load is damaged here, or a copy stays so.

    Example: opsmetrics backup --to /mnt/other-disk/backups
    """
    settings = _with_state(settings_of(org))
    done = back_up(settings, _folder(target, settings), datetime.now(tz=UTC))
    manifest = done.manifest
    if as_json:
        counts = {"name": manifest.name, "files": len(manifest.files), "copied": done.copied}
        echo_json({**counts, "healed": done.healed, "damaged": done.damaged})
    else:
        click.echo(f"backup {manifest.name}: {len(manifest.files)} files, {done.copied} new")
        for text in (
            *(f"{inside}: was damaged or missing, and is whole again" for inside in done.healed),
            *done.damaged,
        ):
            click.echo(one_line(text), err=True)
    if done.damaged:
        sys.exit(EXIT_WRONG)


@click.command()
@backups_option
@click.option("--home", required=True, type=FOLDER, help="State folder to restore to; nothing may lie there yet.")
@click.option("--org", required=True, type=FOLDER, help="Folder to restore the configuration to.")
def restore(source: Path | None, at: str | None, home: Path, org: Path) -> None:
    """Bring a backup back; `opsmetrics run` then builds everything else from it.

    What the backup does not hold whole is named, one line each, and the exit code is 1. One that was cut off goes on.

    Example: opsmetrics restore --from /mnt/other-disk/backups --home .opsmetrics --org my-org
    """
    done = bring_back(_folder(source, settings_of(half_restored=True)), home, org, at)
    for text in (*done.missing, *done.unread):
        click.echo(one_line(text), err=True)
    click.echo(f"restored {done.name}: {done.files} files, {done.size / 1e6:.1f} MB, to {home} and {org}")
    if done.unread:
        click.echo(f"{len(done.unread)} files could not be read: fix that, and run the same again", err=True)
    if not done.is_whole:
        sys.exit(EXIT_WRONG)


@click.command("restore-test")
@backups_option
@json_option
def restore_test(source: Path | None, at: str | None, *, as_json: bool) -> None:
    """Restore a backup to a scratch folder, build the scores, compare them, and record the test.

    Example: opsmetrics restore-test --from /mnt/other-disk/backups
    """
    settings = settings_of()
    found = test_restore(settings, _folder(source, settings), at)
    if as_json:
        echo_json(asdict(found))
    else:
        click.echo(one_line(f"{found.result}: {found.said} ({found.seconds} s)"))
    if found.result != "ok":
        sys.exit(EXIT_WRONG)


@click.command()
@org_option
@json_option
def compact(org: Path | None, *, as_json: bool) -> None:
    """Pack the loads of months that are over, and read every byte of landing; as-known answers stay what they were.

    Example: opsmetrics compact --org my-org
    """
    done = housekeeping(load_context(_with_state(settings_of(org))))
    if as_json:
        facts = asdict(done)
        # Scripts know it by this name.
        facts["mended"] = facts.pop("repaired")
        echo_json(facts)
    else:
        click.echo(f"{done.packed} loads in {done.packs} packs, {done.forgotten} replaced ones forgotten")
        for text in (*done.repaired, *(f"{path}: damaged, and not in the backup" for path in done.damaged)):
            click.echo(one_line(text), err=True)
    if done.damaged:
        sys.exit(EXIT_WRONG)


@click.command()
@org_option
@json_option
@strict_option
def health(org: Path | None, *, as_json: bool, strict: bool) -> None:
    """Say what is wrong with the supply: old snapshot, failing sources, gaps, and data that say too little.

    Exit code 1 where anything is wrong; with --strict also on warnings.

    Example: opsmetrics health --org my-org --strict
    """
    settings = settings_of(org, half_restored=True)
    if under_way(settings.home) is not None:
        # The configuration may be a part of it.
        found = supply.issues(settings, settings.clock())
    else:
        found = supply.issues(settings, settings.clock(load_organisation(settings.org).settings.now))
        found += supply.warnings(settings)
    if as_json:
        echo_json([asdict(item) for item in found])
    else:
        marks = {"error": "", "warning": "warning: "}
        click.echo(printable("\n".join(f"{marks[item.level]}{item.text}" for item in found)) or "all is well")
    if any(strict or item.level == "error" for item in found):
        sys.exit(EXIT_WRONG)
