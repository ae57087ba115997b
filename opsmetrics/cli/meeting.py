"""Commands for the meeting and the months between: the brief, and reminders."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from opsmetrics.cli.options import FOLDER, as_the_shell_says, language_option, settings_of
from opsmetrics.core.extras import install_line
from opsmetrics.reports.brief import WRITERS, period_of, publish_briefs, writable_kinds
from opsmetrics.reports.digest import CHAT, LEADERSHIP, announce, digests, place_of, tell
from opsmetrics.snapshots.queries.catalogue import organisation
from opsmetrics.snapshots.store import current


@click.command()
@click.option("--as-of", "wanted", help="Month such as 2026-10, or latest (default: the newest month that has ended).")
@click.option(
    "--format",
    "kinds",
    type=click.Choice(["html", "pdf", "pptx", "xlsx"]),
    multiple=True,
    help="Repeatable; default all that can be written here.",
)
@language_option
@click.option("--out", type=FOLDER, default=Path(), show_default=True, help="Folder of the files.")
def brief(wanted: str | None, kinds: tuple[str, ...], language: str | None, out: Path) -> None:
    """Write the brief for the meeting: four pages with pictures, and an annex with every team.

    Example: opsmetrics brief --as-of 2026-10 --format pdf --lang en
    """
    snapshot = current(settings_of().snapshots)
    languages, there = [language or organisation(snapshot).language], writable_kinds()
    with as_the_shell_says():
        written = publish_briefs(snapshot, period_of(snapshot, wanted), out, languages, kinds or there)
    for path in written:
        click.echo(str(path))
    if not kinds and (left := [kind for kind in WRITERS if kind not in there]):
        click.echo(f"not written: {', '.join(left)}; {install_line('documents')}", err=True)


@click.command()
@click.option("--to", "recipients", multiple=True, help="leadership or a team (repeatable; default: everybody).")
@language_option
@click.option("--out", type=FOLDER, help="Folder of the mail files (default: digests/ in OPSMETRICS_HOME).")
@click.option(
    "--post",
    "is_posted",
    is_flag=True,
    help="Also post leadership's to OPSMETRICS_WEBHOOK_URL, what it was not told yet.",
)
def digest(recipients: tuple[str, ...], language: str | None, out: Path | None, *, is_posted: bool) -> None:
    """Write what is new to decide as mail files, one a team and one for leadership; silent where nothing is new.

    Example: opsmetrics digest --to leadership --out mail
    """
    settings = settings_of()
    if is_posted and settings.webhook_url is None:
        raise click.UsageError("--post needs OPSMETRICS_WEBHOOK_URL, the address of the chat's webhook")
    if is_posted and recipients and LEADERSHIP not in recipients:
        raise click.UsageError("--post is about leadership's, which --to leaves out")
    snapshot = current(settings.snapshots)
    language, folder = language or organisation(snapshot).language, out or settings.home / "digests"
    made = digests(settings, snapshot, language, recipients, place_of(settings, folder))
    with as_the_shell_says() if out else nullcontext():
        written = tell(settings, made, folder)
    for path in written:
        click.echo(str(path))
    if is_posted:
        news = digests(settings, snapshot, language, [LEADERSHIP], CHAT)
        click.echo("posted to the chat" if announce(settings, news) else "the chat has nothing new", err=True)
    quiet = sum(found.is_quiet for found in made)
    if quiet:
        click.echo(f"{quiet} of {len(made)} have nothing new", err=True)
