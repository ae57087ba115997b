"""Commands that look after the state: backup, restore, the test of both, and a look at what is wrong.

Like ``pipelines.cli`` it imports inside commands, so that ``opsmetrics --help`` stays immediate.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import click

EXIT_WRONG = 1

_FOLDER = click.Path(path_type=Path, file_okay=False)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object for scripts.")


def _backup_folder(given: Path | None) -> Path:
    from opsmetrics.settings import Settings

    folder = given or Settings.from_env().backup
    if folder is None:
        raise click.UsageError("name the folder of the backups, here or in OPSMETRICS_BACKUP")
    return folder


@click.command()
@click.option("--org", type=_FOLDER, help="Folder of the organisation's configuration.")
@click.option("--to", "target", type=_FOLDER, help="Folder of the backups (default: OPSMETRICS_BACKUP).")
@_AS_JSON
def backup(org: Path | None, target: Path | None, *, as_json: bool) -> None:
    """Copy what is new in landing, the configuration and the notes of pulls to another disk."""
    from datetime import UTC, datetime

    from opsmetrics.backup import back_up
    from opsmetrics.settings import Settings

    settings = Settings.from_env()
    folder = _backup_folder(target)
    manifest, copied = back_up(replace(settings, org=org or settings.org), folder, datetime.now(tz=UTC))
    facts = {"name": manifest.name, "files": len(manifest.files), "copied": copied}
    click.echo(json.dumps(facts) if as_json else f"backup {manifest.name}: {len(manifest.files)} files, {copied} new")


@click.command()
@click.option("--from", "source", type=_FOLDER, help="Folder of the backups (default: OPSMETRICS_BACKUP).")
@click.option("--at", help="Name of the backup (default: the newest).")
@click.option("--home", required=True, type=_FOLDER, help="State folder to restore to; nothing may lie there yet.")
@click.option("--org", required=True, type=_FOLDER, help="Folder to restore the configuration to.")
def restore(source: Path | None, at: str | None, home: Path, org: Path) -> None:
    """Bring a backup back; `opsmetrics run` then builds everything else from it."""
    from opsmetrics.backup import read_manifest
    from opsmetrics.backup import restore as bring_back

    folder = _backup_folder(source)
    manifest = read_manifest(folder, at)
    size = bring_back(folder, manifest, home, org)
    click.echo(f"restored {manifest.name}: {len(manifest.files)} files, {size / 1e6:.1f} MB, to {home} and {org}")


@click.command("restore-test")
@click.option("--from", "source", type=_FOLDER, help="Folder of the backups (default: OPSMETRICS_BACKUP).")
@click.option("--at", help="Name of the backup (default: the newest).")
@_AS_JSON
def restore_test(source: Path | None, at: str | None, *, as_json: bool) -> None:
    """Restore a backup to a scratch folder, build the scores, compare them, and record the test."""
    from opsmetrics.backup import restore_test as tested
    from opsmetrics.settings import Settings

    found = tested(Settings.from_env(), _backup_folder(source), at)
    click.echo(json.dumps(asdict(found)) if as_json else f"{found.result}: {found.said} ({found.seconds} s)")
    if found.result != "ok":
        sys.exit(EXIT_WRONG)


@click.command()
@click.option("--org", type=_FOLDER, help="Folder of the organisation's configuration.")
@_AS_JSON
def compact(org: Path | None, *, as_json: bool) -> None:
    """Pack the loads of months that are over, and read every byte of landing; as-known answers stay what they were."""
    from opsmetrics.pipeline import load_context
    from opsmetrics.settings import Settings
    from opsmetrics.upkeep import look_after

    settings = Settings.from_env()
    done = look_after(load_context(replace(settings, org=org or settings.org)))
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        click.echo(f"{done.packed} loads in {done.packs} packs, {done.forgotten} replaced ones forgotten")
        for text in (*done.mended, *(f"{path}: damaged, and not in the backup" for path in done.damaged)):
            click.echo(text, err=True)
    if done.damaged:
        sys.exit(EXIT_WRONG)


@click.command()
@click.option(
    "--to", "target", required=True, type=_FOLDER, help="Folder of the exports; `current` in it is the newest."
)
@_AS_JSON
def export(target: Path, *, as_json: bool) -> None:
    """Write marts and scores of the current snapshot as Parquet files, one a table, comments included."""
    from opsmetrics.export import export as write
    from opsmetrics.settings import Settings

    folder, tables = write(Settings.from_env().snapshots, target)
    facts = {"path": str(folder), "tables": tables}
    click.echo(json.dumps(facts) if as_json else f"{tables} tables in {folder}")


@click.command()
@click.option("--org", type=_FOLDER, help="Folder of the organisation's configuration.")
@_AS_JSON
def health(org: Path | None, *, as_json: bool) -> None:
    """Say what is wrong with the supply: old snapshot, failing sources, gaps. Exit code 1 where anything is."""
    from opsmetrics.health import troubles
    from opsmetrics.organisation import load_organisation
    from opsmetrics.settings import Settings

    settings = Settings.from_env()
    settings = replace(settings, org=org or settings.org)
    found = troubles(settings, settings.clock(load_organisation(settings.org).settings.now))
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found], ensure_ascii=False))
    else:
        click.echo("\n".join(item.text for item in found) or "all is well")
    if found:
        sys.exit(EXIT_WRONG)
