"""Commands that propose or try something and change nothing: ``import``, ``owners``, ``preview``, ``backtest``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from opsmetrics.cli.options import EXISTING_FOLDER, EXIT_WRONG, echo_json, json_option, org_option, settings_of
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.proposals import preview as previews
from opsmetrics.proposals.from_other_tools import proposals
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.github import owners as codeowners


@click.command("import")
@click.argument("kind", type=click.Choice(["openslo", "backstage", "codeowners", "azure-tags"]))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@org_option
@json_option
def import_(kind: str, paths: tuple[Path, ...], org: Path | None, *, as_json: bool) -> None:
    """Propose SLOs, owners or services from other tools' files, with the TOML to paste; nothing is changed.

    Example: opsmetrics import openslo slos/*.yaml
    """
    settings = settings_of(org)
    organisation = load_organisation(settings.org)
    today = settings.clock(organisation.settings.now).astimezone(organisation.zone).date()
    found = proposals(organisation, kind, paths, today)
    if as_json:
        echo_json([asdict(item) for item in found])
    for item in () if as_json else found:
        click.echo(
            f"{item.state:<8} {item.service:<28} {item.target}: {item.current or '-':<24} {item.file}: {item.says}"
        )
    for target in sorted({item.target for item in found if item.toml and not as_json}):
        click.echo(
            f"\n# for {target}\n" + "\n".join(item.toml for item in found if item.toml and item.target == target)
        )
    if not found:
        click.echo(f"error: nothing of {kind} stands in these files\n    fix: name others", err=True)
        sys.exit(EXIT_WRONG)


@click.command()
@org_option
@json_option
def owners(org: Path | None, *, as_json: bool) -> None:
    """Propose owners from CODEOWNERS of the GitHub connectors' repositories; nothing is changed.

    Example: opsmetrics owners --org my-org
    """
    settings = settings_of(org)
    organisation = load_organisation(settings.org)
    now = settings.clock(organisation.settings.now)
    today = now.astimezone(organisation.zone).date()
    days = (today, today + timedelta(days=1))
    connectors = [connector for connector in organisation.sources.connector if isinstance(connector, GitHub)]
    if not connectors:
        raise ConfigurationError(
            [
                Problem(
                    f"{settings.org}/sources.toml",
                    None,
                    "no connector asks GitHub",
                    "connect it, or read files of clones: opsmetrics import codeowners",
                )
            ]
        )
    found = {
        item.repository: item
        for connector in connectors
        for item in codeowners.proposals(
            FetchRequest.make(settings, organisation, connector, connector.streams[0], days, now)
        )
    }
    if as_json:
        echo_json([asdict(item) for item in found.values()])
        return
    for item in found.values():
        teams = ", ".join(item.teams) or "CODEOWNERS names no team for the whole"
        mark = "differs" if item.differs else "agrees " if item.teams else "       "
        click.echo(f"{mark} {item.service:<28} services.toml: {item.current or '-':<20} {item.repository}: {teams}")


@click.command()
@org_option
@json_option
@click.option(
    "--ruleset",
    "rules",
    type=EXISTING_FOLDER,
    help="Folder of SQL files like sql/, with other thresholds or weights and a version of its own.",
)
def backtest(org: Path | None, rules: Path | None, *, as_json: bool) -> None:
    """Replay other rules over the history and list who would have stood on another level, and when.

    Other rules are a changed rules.toml in the folder of --org, or other SQL files with --ruleset.

    Example: opsmetrics backtest --org my-org-with-other-rules
    """
    settings = settings_of(org)
    if previews.has_rules_of_snapshot(settings, rules):
        click.echo(
            "error: these are the rules that the snapshot was made with: nothing to compare"
            f"\n    fix: change rules.toml in {settings.org}, or name a folder of SQL files with --ruleset",
            err=True,
        )
        sys.exit(EXIT_WRONG)
    moved = previews.backtest(settings, rules)
    if as_json:
        echo_json([{**row, "as_of": row["as_of"].isoformat()} for row in moved.iter_rows(named=True)])
        return
    for row in moved.iter_rows(named=True):
        scores = " -> ".join("-" if row[name] is None else f"{row[name]:.1f}" for name in ("score", "score_after"))
        levels = " -> ".join("-" if row[name] is None else str(row[name]) for name in ("level", "level_after"))
        click.echo(f"{row['as_of']:%Y-%m-%d} {row['grain']:<7} {row['team_id']:<24} level {levels}  score {scores}")
    teams = moved["team_id"].n_unique()
    click.echo(f"{moved.height} changes of level, {teams} teams" if moved.height else "no team changes level")


@click.command()
@click.option("--org", required=True, type=EXISTING_FOLDER, help="Folder with the changed configuration.")
def preview(org: Path) -> None:
    """Print what a changed configuration would do to today's scores, as Markdown for a pull request.

    Example: opsmetrics preview --org my-org-changed
    """
    click.echo(previews.preview(settings_of(), org))
