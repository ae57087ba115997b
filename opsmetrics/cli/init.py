"""``opsmetrics init``: a first configuration, proposed from what is there."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from opsmetrics.cli.options import EXIT_WRONG, FOLDER, as_the_shell_says, echo_json, json_option, settings_of
from opsmetrics.core.errors import can_be_written, one_line
from opsmetrics.core.model import slug
from opsmetrics.organisation.queries import FORMATS
from opsmetrics.organisation.working_time import zone_name
from opsmetrics.proposals.start.propose import Given, Proposed, propose
from opsmetrics.proposals.start.writing import Identity, differences, write

_ANY = click.Path(path_type=Path, exists=True)


def _zone(name: str) -> str:
    try:
        return zone_name(name)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--org", type=FOLDER, default=Path("my-org"), show_default=True, help="Folder to write.")
@click.option("--clones", multiple=True, type=FOLDER, help="Folder of git clones (repeatable).")
@click.option(
    "--github", multiple=True, metavar="ORG", help="Organisation on GitHub (repeatable); public without a token."
)
@click.option(
    "--from",
    "paths",
    multiple=True,
    type=_ANY,
    help="File or folder (repeatable): exports, a table of teams and services, catalog-info.yaml, CODEOWNERS, "
    "or JSON of Azure resources.",
)
@click.option("--name", help="Name of the organisation (default: asked for, else that of the folder).")
@click.option("--lang", "language", type=click.Choice(["nb", "en"]), help="Language of pages and briefs (default: nb).")
@click.option(
    "--timezone",
    default="Europe/Oslo",
    show_default=True,
    callback=lambda _, __, name: _zone(name),
    help="Zone whose midnights cut days.",
)
@click.option("--team", help="Team that owns what no source names an owner of (default: the organisation's name).")
@click.option(
    "--ask-public",
    is_flag=True,
    help="Let pulls ask deps.dev and endoflife.date for release dates and ends of support of what repositories use: "
    "names of public packages and products leave this machine.",
)
@click.option("--force", is_flag=True, help="Replace files that lie there; the differences are shown.")
@click.option("--github-url", default="https://api.github.com", hidden=True)
@json_option
def init(org: Path, *, as_json: bool, force: bool, github_url: str, **asked: Any) -> None:
    """Write a first configuration from what you have, and say what was guessed; asks where nothing is named.

    Recognises exports of well-known tools, clones and catalogues, and dates owners by what proves the day.

    Example: opsmetrics init --org my-org --name "Our agency" --from exports --clones ../clones
    """
    if not any(asked[key] for key in ("clones", "github", "paths")) and sys.stdin.isatty() and not as_json:
        asked = _ask(asked)
    name = asked["name"] or org.resolve().name
    for option, text in (("--name", name), ("--team", asked["team"] or "")):
        if not can_be_written(text):
            raise click.BadParameter("it holds signs that cannot be written", param_hint=option)
    # Where people work follows from neither language nor zone; the holidays of Norway are the default of both.
    who = Identity(slug(name), name, asked["language"] or "nb", asked["timezone"])
    given = Given(
        *(org, who, asked["clones"], asked["github"], asked["paths"]),
        asks_public=asked["ask_public"],
        team=asked["team"],
        github_url=github_url,
    )
    settings = settings_of()
    found = propose(given, settings, settings.clock())
    changes = differences(org, found.files)
    if changes and not force:
        _refuse(org, changes, as_json=as_json)
    with as_the_shell_says():
        write(org, found.files)
    if as_json:
        echo_json(_facts(org, found) | {"differences": changes})
    else:
        click.echo(changes, nl=False)
        _say(org, found)


def _ask(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask what there is; an empty answer says that there is none."""
    click.echo("What do you have? Press Enter for what you do not have.")
    name = asked["name"] or click.prompt("  Name of the organisation", default="", show_default=False)
    kind = click.Choice(["nb", "en"])
    language = asked["language"] or click.prompt("  Language of pages (nb, en)", type=kind, default="nb")
    clones = click.prompt("  Folder of git clones", type=FOLDER, default=Path(), show_default=False)
    github = click.prompt("  Organisation on GitHub", default="", show_default=False)
    asks = clones != Path() and click.confirm("  May deps.dev and endoflife.date be asked about public packages?")
    paths = click.prompt("  File or folder of exports, tables, catalogues", default="", show_default=False)
    team = asked["team"] or click.prompt("  Team that owns what nobody is named for", default="", show_default=False)
    return asked | {
        "name": name,
        "language": language,
        "clones": (clones,) if clones != Path() else (),
        "ask_public": asks,
        "github": (github,) if github else (),
        "paths": (Path(paths),) if paths else (),
        "team": team or None,
    }


def _refuse(org: Path, changes: str, *, as_json: bool) -> None:
    if as_json:
        echo_json({"ok": False, "differences": changes})
    else:
        click.echo(changes, nl=False)
        click.echo(f"\nerror: files in {org} differ, and nothing was written\n    fix: --force replaces them", err=True)
    sys.exit(EXIT_WRONG)


def _facts(org: Path, found: Proposed) -> dict[str, Any]:
    return {
        "ok": True,
        "folder": str(org),
        "files": sorted(found.files),
        "teams": sorted(found.draft.teams),
        "services": sorted(found.draft.services),
        "sources": [source.what for source in found.draft.sources],
        "guesses": [asdict(guess) for guess in found.draft.guesses],
        "unread": [str(path) for path in (*found.unread, *found.nameless)],
    }


def _say(org: Path, found: Proposed) -> None:
    draft = found.draft
    click.echo(f"{org}: {', '.join(sorted(found.files))}")
    counts = {"team": draft.teams, "service": draft.services, "source": draft.sources}
    click.echo(", ".join(f"{len(items)} {word}{'s' if len(items) != 1 else ''}" for word, items in counts.items()))
    for source in draft.sources:
        click.echo(f"  {source.what}")
    for path in found.unread:
        how = (
            f"`opsmetrics source add {shlex.quote(str(path))} --stream STREAM` writes a draft of its query"
            if path.suffix.lower() in FORMATS
            else f"no query reads files of this format; save it as one of {', '.join(FORMATS)}"
        )
        click.echo(f"  nobody knows {path}: {how}", err=True)
    for path in found.nameless:
        click.echo(one_line(f"  {path}: its name cannot be written, so that nothing reads it: rename it"), err=True)
    if draft.guesses:
        click.echo("\nGuessed, please verify:")
    for guess in draft.guesses:
        click.echo(f"  {guess.file}: {guess.what}\n      verify: {guess.verify}")
    named = shlex.quote(str(org))
    click.echo(f"\nNext: opsmetrics check --org {named}, opsmetrics run --org {named}, opsmetrics app")
