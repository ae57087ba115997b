"""Commands that read other tools' files as proposals for our configuration; nothing is ever changed by them.

Like ``pipelines.cli`` it imports inside commands, so that ``opsmetrics --help`` stays immediate.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import click


@click.command("import")
@click.argument("kind", type=click.Choice(["openslo", "backstage", "codeowners", "azure-tags"]))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--org", type=click.Path(path_type=Path, file_okay=False), help="Folder of the configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array for scripts.")
def import_(kind: str, paths: tuple[Path, ...], org: Path | None, *, as_json: bool) -> None:
    """Propose SLOs, owners or services from other tools' files, with the TOML to paste; nothing is changed.

    Example: opsmetrics import openslo slos/*.yaml
    """
    from opsmetrics.imports import proposals
    from opsmetrics.organisation import load_organisation
    from opsmetrics.settings import Settings

    settings = Settings.from_env()
    settings = replace(settings, org=org or settings.org)
    organisation = load_organisation(settings.org)
    today = settings.clock(organisation.settings.now).astimezone(organisation.zone).date()
    found = proposals(organisation, kind, paths, today)
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found], ensure_ascii=False))
        return
    for item in found:
        click.echo(
            f"{item.state:<8} {item.service:<28} {item.target}: {item.current or '-':<24} {item.file}: {item.says}"
        )
    for target in sorted({item.target for item in found if item.toml}):
        click.echo(
            f"\n# for {target}\n" + "\n".join(item.toml for item in found if item.toml and item.target == target)
        )
    if not found:
        click.echo("the files say nothing that we use", err=True)
