"""From what somebody has to a configuration that can be checked: recognise, read, join, write and read it back."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from opsmetrics.core.errors import ConfigurationError, OpsMetricsError, Problem, SourceError, can_be_written
from opsmetrics.core.settings import Settings
from opsmetrics.organisation import load_organisation
from opsmetrics.proposals.start import from_catalogues, from_table
from opsmetrics.proposals.start.draft import Draft, OwnerDraft, names_of
from opsmetrics.proposals.start.from_clones import read_clones
from opsmetrics.proposals.start.from_github import URL, read_github
from opsmetrics.proposals.start.from_recipes import read_queries, tell_set_aside, write_queries
from opsmetrics.proposals.start.from_rows import read_rows
from opsmetrics.proposals.start.plain_files import PlainSource, plain_sources
from opsmetrics.proposals.start.source_rows import rows_of_files
from opsmetrics.proposals.start.support import RELEASE_DATES, products_of, support_ends
from opsmetrics.proposals.start.toml import relative
from opsmetrics.proposals.start.writing import Identity, texts, write

# No folder of exports is larger; whoever names their home by mistake is told.
MOST_FILES = 5000
_HIDDEN = (".", "~")
# How far back the rows of exports are looked at.
_YEARS_BACK = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody has.

    Attributes:
        org: Folder of the configuration to write.
        who: Whose scorecard it is.
        clones: Folders of clones.
        github: Organisations on GitHub.
        paths: Exports, catalogues and tables: files, and folders of them.
        asks_public: Public services may be asked for release dates and ends of support of what repositories use.
        team: Name of the team that owns what nobody is named for, or None.
        github_url: Of the API.
    """

    org: Path
    who: Identity
    clones: tuple[Path, ...] = ()
    github: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    asks_public: bool = False
    team: str | None = None
    github_url: str = URL


@dataclass(slots=True)
class Proposed:
    """A configuration that can be read.

    Attributes:
        draft: What it is made of.
        files: File -> text.
        unread: Files that nobody recognised.
        nameless: Files whose names no configuration can say: bytes that are no text, signs that steer a terminal.
    """

    draft: Draft
    files: dict[str, str] = field(default_factory=dict[str, str])
    unread: list[Path] = field(default_factory=list[Path])
    nameless: list[Path] = field(default_factory=list[Path])


def propose(given: Given, settings: Settings, now: datetime) -> Proposed:
    """Return a configuration of what is there.

    Args:
        given: What somebody has.
        settings: For certificates and patience of what is asked.
        now: Clock.

    Raises:
        ConfigurationError: Something is not there, cannot be read, or nothing tells of any service.
        SourceError: A clone or GitHub cannot be read.
    """
    draft, today = Draft(), now.astimezone(ZoneInfo(given.who.timezone)).date()
    found = Proposed(draft)
    # Who names a folder and a file in it, or one twice, has each once.
    there = {path.resolve(): path for base in given.paths for path in files_below(base)}
    files = [path for path in there.values() if can_be_written(str(path))]
    found.nameless = [path for path in there.values() if not can_be_written(str(path))]
    root = _root(files, given.org)
    # What people keep by hand says names and days best, and comes first.
    exports = _read_catalogues(draft, files)
    for folder in {path.resolve(): path for path in given.clones}.values():
        read_clones(draft, folder, given.org, RELEASE_DATES if given.asks_public else None)
    for owner in dict.fromkeys(given.github):
        read_github(draft, owner, settings, now, given.github_url)
    plain, others = plain_sources(exports, root)
    queries = _read_exports(found, given, root, (plain, others), today)
    draft.join_rules()
    _own(draft, given)
    if not draft.services:
        raise ConfigurationError([_nothing(given, found)])
    shown = relative(root, given.org) if files else "."
    proposed = texts(draft, given.who, shown, today) | queries
    products = products_of(proposed, given.org, settings, now) if given.asks_public else []
    if products:
        draft.sources.append(support_ends(products))
        proposed = texts(draft, given.who, shown, today) | queries
    # What people wrote into a register is theirs.
    found.files = {
        name: text
        for name, text in proposed.items()
        if not (name.startswith("registers/") and (given.org / name).exists())
    }
    _read_back(found.files)
    return found


def files_below(base: Path) -> list[Path]:
    """Return a file, or the files of a folder and its folders.

    Raises:
        ConfigurationError: It is not there, or holds more files than a folder of exports does.
    """
    if base.is_file():
        return [base]
    if not base.is_dir():
        raise ConfigurationError([Problem(str(base), None, "no such file or folder", "name one that is there")])
    found: list[Path] = []
    for folder, folders, names in os.walk(base):
        folders[:] = sorted(name for name in folders if not name.startswith(_HIDDEN))
        found += [Path(folder) / name for name in sorted(names) if not name.startswith(_HIDDEN)]
        if len(found) > MOST_FILES:
            message = f"the folder holds more than {MOST_FILES} files"
            raise ConfigurationError([Problem(str(base), None, message, "name the folder of the exports alone")])
    return found


def _root(files: Iterable[Path], org: Path) -> Path:
    """The folder that all files lie below; without any, that of the configuration."""
    parents = {path.resolve().parent for path in files}
    return Path(os.path.commonpath(parents)) if parents else org.resolve()


def _read_catalogues(draft: Draft, files: Iterable[Path]) -> list[Path]:
    """Read what tells of teams and services; return the files that are something else."""
    rest: list[Path] = []
    for path in sorted(files, key=lambda path: not from_table.is_table(path)):
        if from_table.is_table(path):
            from_table.read_table(draft, path)
        elif from_catalogues.is_backstage(path):
            from_catalogues.read_backstage(draft, path)
        elif path.name == "CODEOWNERS":
            from_catalogues.read_codeowners(draft, path)
        elif _is_azure(path):
            from_catalogues.read_azure(draft, path)
        else:
            rest.append(path)
    return rest


def _is_azure(path: Path) -> bool:
    if path.suffix.lower() != ".json":
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    rows = content.get("data", content.get("value")) if isinstance(content, dict) else content
    return from_catalogues.is_azure(rows)


def _read_exports(
    found: Proposed,
    given: Given,
    root: Path,
    exports: tuple[list[PlainSource], list[Path]],
    today: date,
) -> dict[str, str]:
    """Make sources of the exports, and read what their rows name; return the queries: file -> text."""
    draft, (plain, others) = found.draft, exports
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as scratch:
        folder = Path(scratch)
        _scratch(folder, given.who, root, today)
        taken: dict[str, PlainSource] = {}
        for source in plain:
            if source.stream in taken:
                what = f"{source.path} is {source.stream} too, and one source of files is taken for a stream"
                draft.guess(
                    "sources.toml", what, f"{taken[source.stream].path} is taken; join the files, or write a query"
                )
                continue
            is_one = (root / source.path).is_file()
            try:
                rows, zone = rows_of_files(folder, source, root, given.who.timezone, today)
            except SourceError:
                if not is_one:
                    raise
                rows, zone = pl.DataFrame({"_reason": ["unreadable"]}), None
            good = rows.filter(pl.col("_reason").is_null())
            if good.is_empty() and not rows.is_empty() and is_one:
                # Nothing of it can be read as it is: a query may say how it is written.
                others.append(root / source.path)
                continue
            taken[source.stream] = source
            draft.sources.append(source.draft(zone))
            tell_set_aside(draft, "sources.toml", source.stream, rows, source.path)
            if zone is not None:
                draft.guess(
                    "sources.toml",
                    f"times without offset in {source.path} are of {zone}",
                    "name the zone of the source",
                )
            read_rows(draft, source.stream, good, source.path)
        made, found.unread = write_queries(draft, folder, others)
        return read_queries(draft, folder, made, root, today)


def _scratch(folder: Path, who: Identity, root: Path, today: date) -> None:
    """Write an organisation without teams, for reading exports before anybody is known."""
    blank = Draft(days=[today - _YEARS_BACK])
    write(folder, texts(blank, who, root.as_posix(), today))


def _own(draft: Draft, given: Given) -> None:
    """Give what nobody is named for to one team."""
    orphans = [service for service in draft.services.values() if not service.owners]
    if not orphans:
        return
    name = given.team or (next(iter(draft.teams.values())).name if len(draft.teams) == 1 else given.who.name)
    team = draft.team(name, "nobody: it owns what no source names an owner of")
    for service in orphans:
        service.owners.append(OwnerDraft(team, date.max, service.why or "the first day of the scorecard"))
    what = f"{team} owns {names_of(service.id for service in orphans)}: no source names an owner"
    draft.guess("services.toml", what, "write the team that answers for each, and since when")


def _nothing(given: Given, found: Proposed) -> Problem:
    if found.draft.sources:
        known = names_of(source.what for source in found.draft.sources)
        # Why a file that is known gave nothing: its query fails, or its rows would be set aside.
        why = "".join(f"; {guess.what}" for guess in found.draft.guesses if guess.is_loss)
        fix = "export the column that names it too, or add a table with columns service and team"
        if why:
            fix = "correct the export; or add a table with columns service and team, then correct its query"
        return Problem(str(given.org), None, f"nothing names any service: {known}{why}", fix)
    if found.nameless and not found.unread:
        message = f"names of files cannot be written: {names_of(path.name for path in found.nameless)}"
        return Problem(str(found.nameless[0].parent), None, message, "rename them, in letters that UTF-8 has")
    if found.unread:
        message = f"none of these files is known: {names_of(path.name for path in found.unread)}"
        fix = "docs/sources.md lists what is recognised; a table with columns service and team is enough to begin"
        return Problem(str(found.unread[0].parent), None, message, fix)
    fix = "name what you have: --clones DIR, --github ORG, or --from FILE or DIR"
    return Problem(str(given.org), None, "nothing tells of any service", fix)


def _read_back(files: dict[str, str]) -> None:
    """Read the configuration as every command does: nothing is written that cannot be read.

    Raises:
        ConfigurationError: It cannot; the fault is ours, and the text says where.
    """
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as scratch:
        write(Path(scratch), files)
        try:
            load_organisation(Path(scratch))
        except OpsMetricsError as error:
            raise ConfigurationError(
                [Problem("init", None, f"the proposal cannot be read: {error}", "please report it, with this text")]
            ) from error
