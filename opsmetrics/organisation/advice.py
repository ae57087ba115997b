"""What a configuration that can be read may still not mean: files that nobody reads, clocks that stand, days gone by.

Does not belong here: what the files of sources say (``opsmetrics.operations.inspection``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from opsmetrics.core.errors import Problem
from opsmetrics.core.places import followed
from opsmetrics.core.toml_lines import toml_line
from opsmetrics.organisation import access
from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.organisation.load import FILES, REGISTERS
from opsmetrics.organisation.names import folded
from opsmetrics.organisation.organisation import Organisation

# The last is read by the catalogue (``opsmetrics.catalogue.overlay``), which this room does not know.
_KNOWN_FILES = (*FILES, access.FILE, "rules.toml")
_KNOWN_REGISTERS = tuple(f"{name}.csv" for name in REGISTERS)
# Kinds of files that somebody may take for configuration.
_CONFIGURATION = {".toml", ".tml", ".yaml", ".yml", ".json", ".ini"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and whether it is an error or may be meant."""

    problem: Problem
    is_error: bool


def advice(organisation: Organisation, today: date) -> list[Finding]:
    """Return what the configuration says and probably does not mean.

    Args:
        organisation: The configuration.
        today: Local day.
    """
    return [
        *_strange_files(organisation),
        *_untried_metrics(organisation),
        *_access(organisation.folder, {team.id for team in organisation.teams}, organisation),
        *_clock(organisation),
        *_nothing(organisation),
        *_history(organisation, today),
        *_one_name(organisation),
        *_without(organisation),
        *_folders(organisation),
        *_datastores(organisation),
        *_owners(organisation, today),
        *_monitors(organisation),
        *(
            found
            for number, source in enumerate(organisation.sources.stream)
            for found in _covers(organisation, source, "sources.toml", ("stream", number, "covers"), today)
        ),
        *(
            found
            for query in organisation.queries
            for found in _covers(organisation, query, query.path, ("covers",), today)
        ),
    ]


def line_of(folder: Path, file: str, path: tuple[str | int, ...]) -> int | None:
    """Return the line of a key of one of the folder's TOML files."""
    return toml_line((folder / file).read_text(encoding="utf-8-sig"), path)


def finding(organisation: Organisation, file: str, line: int | None, message: str, fix: str, *, error: bool) -> Finding:
    """Return a finding about a file of the organisation's folder."""
    return Finding(Problem(str(organisation.folder / file), line, message, fix), error)


def _nothing(organisation: Organisation) -> Iterator[Finding]:
    """Sources, of which there are none: an organisation begins so, but ``run`` has nothing to measure."""
    if not organisation.streams:
        fix = "connect one; `opsmetrics next` says which gives most"
        yield finding(organisation, "sources.toml", None, "no source is connected", fix, error=False)


def _strange_files(organisation: Organisation) -> Iterator[Finding]:
    """Files that look like configuration and that nobody reads."""
    folder = organisation.folder
    root = folder / organisation.sources.root
    read = {followed(base / source.path) for source in organisation.sources.stream for base in (root, folder)}
    for path in sorted(folder.iterdir()):
        # sources.github.toml and the like are other choices of sources.toml, kept beside it.
        is_choice = path.name.startswith("sources.") and path.suffix == ".toml"
        if path.is_file() and path.suffix.lower() in _CONFIGURATION and not is_choice and followed(path) not in read:
            yield from _strange(organisation, path, _KNOWN_FILES, "")
        elif path.is_dir() and path.name != "registers" and any((path / name).exists() for name in _KNOWN_REGISTERS):
            message, fix = "nobody reads the registers in this folder", "rename it to 'registers'"
            yield finding(organisation, path.name, None, message, fix, error=True)
    registers = folder / "registers"
    for path in sorted(registers.iterdir()) if registers.is_dir() else []:
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".md" and followed(path) not in read:
            yield from _strange(organisation, path, _KNOWN_REGISTERS, "registers/")


def _untried_metrics(organisation: Organisation) -> Iterator[Finding]:
    """Metrics of the organisation's own that no worked case shows."""
    for path in sorted((organisation.folder / "metrics").glob("*.sql")):
        if not any((path.parent / "cases" / path.stem).glob("*/expect.csv")):
            message = "no worked case shows what the metric counts"
            fix = f"write metrics/cases/{path.stem}/<what it shows>/ and run `opsmetrics metric test {path.stem}`"
            yield finding(organisation, f"metrics/{path.name}", None, message, fix, error=False)


def _strange(organisation: Organisation, path: Path, known: tuple[str, ...], below: str) -> Iterator[Finding]:
    if path.name in known:
        return
    near = difflib.get_close_matches(path.name.lower(), known, n=1)
    stem = difflib.get_close_matches(path.stem.lower(), [Path(name).stem for name in known], n=1)
    meant = near[0] if near else next((name for name in known if stem and Path(name).stem == stem[0]), None)
    fix = f"did you mean {meant!r}? rename it" if meant else f"known are {', '.join(known)}; move other files elsewhere"
    yield finding(organisation, f"{below}{path.name}", None, "nobody reads this file", fix, error=meant is not None)


def _access(folder: Path, teams: set[str], organisation: Organisation) -> Iterator[Finding]:
    for number, grant in enumerate(access.load_access(folder).grant):
        if grant.team is not None and grant.team not in teams:
            near = difflib.get_close_matches(grant.team, sorted(teams), n=1)
            fix = f"did you mean {near[0]!r}?" if near else "write the id of a team of teams.toml"
            line = line_of(folder, access.FILE, ("grant", number, "team"))
            yield finding(organisation, access.FILE, line, f"there is no team {grant.team!r}", fix, error=True)


def _clock(organisation: Organisation) -> Iterator[Finding]:
    settings, file = organisation.settings, "organisation.toml"
    if settings.now is not None:
        message = f"the clock stands still at {settings.now:%Y-%m-%d %H:%M} UTC: no later day is scored"
        fix = "take `now` out, unless this is an example or an archive"
        yield finding(organisation, file, line_of(organisation.folder, file, ("now",)), message, fix, error=False)
    if settings.fictional:
        message = "fictional: every page says that the data are invented"
        fix = "take it out where they are not"
        yield finding(organisation, file, line_of(organisation.folder, file, ("fictional",)), message, fix, error=False)


def _history(organisation: Organisation, today: date) -> Iterator[Finding]:
    first, file = organisation.settings.history_from, "organisation.toml"
    if first > today:
        line = line_of(organisation.folder, file, ("history_from",))
        message, fix = f"the history begins on {first}, which has not come: no day is scored", "write its first day"
        yield finding(organisation, file, line, message, fix, error=True)


def _one_name(organisation: Organisation) -> Iterator[Finding]:
    """Teams, and services, that no page can tell apart."""
    for file, table, items in (
        ("teams.toml", "team", organisation.teams),
        ("services.toml", "service", organisation.services),
    ):
        seen: dict[str, str] = {}
        for number, item in enumerate(items):
            other = seen.setdefault(folded(item.name.nb), item.id)
            if other != item.id:
                line = line_of(organisation.folder, file, (table, number, "name"))
                message = f"{other!r} and {item.id!r} are both called {item.name.nb!r}: nobody can tell them apart"
                fix = "give each a name of its own"
                yield finding(organisation, file, line, message, fix, error=False)


def _without(organisation: Organisation) -> Iterator[Finding]:
    """Streams that are left out on purpose and connected all the same."""
    for number, name in enumerate(organisation.sources.without):
        if organisation.deliveries_of(name):
            line = line_of(organisation.folder, "sources.toml", ("without", number))
            message = f"without names {name!r}, and a source delivers it"
            fix = "take it out of `without`, or take the source out"
            yield finding(organisation, "sources.toml", line, message, fix, error=False)


def _folders(organisation: Organisation) -> Iterator[Finding]:
    """Folders of connectors that are not there: their pull would fail."""
    for number, connector in enumerate(organisation.sources.connector):
        folder: str | None = getattr(connector, "folder", None)
        if folder is not None and not (organisation.folder / folder).is_dir():
            line = line_of(organisation.folder, "sources.toml", ("connector", number, "folder"))
            message = f"there is no folder {folder!r}, so {connector.name!r} reads nothing"
            fix = "write its path, from this folder on"
            yield finding(organisation, "sources.toml", line, message, fix, error=True)


def _datastores(organisation: Organisation) -> Iterator[Finding]:
    """Datastores of which nobody says what was promised: that counts as no policy, which is nothing that was done."""
    # A recovery point objective has a default for each class.
    asked = {"data_class": "class", "rto_minutes": "rto_minutes", "backup_interval_hours": "backup_interval_hours"}
    unsaid = [
        (number, store.id, [key for name, key in asked.items() if getattr(store, name) is None])
        for number, store in enumerate(organisation.datastores)
        # What is built anew from elsewhere (class D) has no copies.
        if store.data_class != "D"
    ]
    unsaid = [each for each in unsaid if each[2]]
    if unsaid:
        number, name, keys = unsaid[0]
        more = f" (and of {len(unsaid) - 1} more)" if len(unsaid) > 1 else ""
        line = line_of(organisation.folder, "datastores.toml", ("datastore", number, "id"))
        message = f"nobody says {', '.join(keys)} of {name!r}{more}: what nobody promised counts as not kept"
        fix = "write what was decided; where nothing was, decide it"
        yield finding(organisation, "datastores.toml", line, message, fix, error=False)


def _owners(organisation: Organisation, today: date) -> Iterator[Finding]:
    for number, service in enumerate(organisation.services):
        if not any(
            owner.valid_from <= today and (owner.valid_to is None or today < owner.valid_to) for owner in service.owners
        ):
            line = line_of(organisation.folder, "services.toml", ("service", number, "owners"))
            message, fix = (
                f"nobody owns {service.id!r} today",
                "date an owner that holds today, or take the service out",
            )
            yield finding(organisation, "services.toml", line, message, fix, error=False)


def _monitors(organisation: Organisation) -> Iterator[Finding]:
    """Monitors of which nobody says how long a result stands, where results are delivered."""
    unsaid = [
        (number, monitor.id)
        for number, service in enumerate(organisation.services)
        for monitor in service.monitors
        if monitor.kind is None
    ]
    if unsaid and organisation.deliveries_of("availability_checks"):
        line = line_of(organisation.folder, "services.toml", ("service", unsaid[0][0], "monitors"))
        more = f" and {len(unsaid) - 1} more" if len(unsaid) > 1 else ""
        message = f"{unsaid[0][1]!r}{more}: a hole between two rows counts as the state before it"
        fix = "say hold_minutes (the source writes each check), or kind = 'transitions' (it writes changes only)"
        yield finding(organisation, "services.toml", line, message, fix, error=False)


def _covers(
    organisation: Organisation, source: StreamSource, file: str, place: tuple[str | int, ...], today: date
) -> Iterator[Finding]:
    if source.covers is None:
        return
    last = source.covers[1]
    line = line_of(organisation.folder, file, place)
    is_replaced = source.valid_to is not None and source.valid_to <= last + timedelta(days=1)
    if last > today:
        message = f"{source.name}: covers ends on {last}, which has not come: these days would count as quiet"
        fix = "end it on the last day that the file is complete for"
        yield finding(organisation, file, line, message, fix, error=True)
    elif last < today - timedelta(days=1) and not is_replaced:
        message = f"{source.name}: covers ended on {last}: later days count as not delivered"
        fix = "write the last day with each new export, leave covers out, or deliver one file a day with {date}"
        yield finding(organisation, file, line, message, fix, error=False)
