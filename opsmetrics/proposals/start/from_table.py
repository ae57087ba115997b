"""A table of teams and services that somebody keeps: CSV as any spreadsheet saves it, or a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation.spreadsheets import DELIMITERS, day_of, text_of
from opsmetrics.proposals.start.draft import Draft, OwnerDraft, names_of
from opsmetrics.proposals.start.from_clones import name_of_address
from opsmetrics.sources.query_inputs import Everything
from opsmetrics.sources.sheets import first_rows, read_sheet

# What a column may be called, in both languages -> what it is.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "service": ("service", "tjeneste", "tjenestenavn", "system", "systemnavn", "app", "application", "applikasjon"),
    "team": ("team", "teamnavn", "lag", "owner", "eier", "squad", "ansvarlig team", "responsible team"),
    "since": ("from", "since", "fra", "siden", "fra dato", "owned since", "startdato", "start", "gjelder fra"),
    "criticality": ("criticality", "kritikalitet", "kritisk", "viktighet", "priority", "prioritet"),
    "repository": ("repository", "repo", "kodelager", "github"),
    "alias": ("alias", "aliases", "kortnavn", "also known as"),
}
_CRITICALITY = {
    "critical": ("critical", "kritisk", "high", "høy", "1", "a"),
    "important": ("important", "viktig", "medium", "middels", "2", "b"),
    "ordinary": ("ordinary", "vanlig", "low", "lav", "3", "c", "normal"),
}
# Rows that a table may have above its columns.
_TITLES_MOST = 20
# What a column says that is called otherwise: `Eierteam`, `owner_team`; `Gyldig fra`, `Owner since`.
_BY_WORDS: Mapping[str, re.Pattern[str]] = {
    "team": re.compile(r"team$"),
    "since": re.compile(r"\b(fra|siden|from|since)\b"),
}
_ADDRESS = re.compile(r"://|^[^/@]+@[^/:]+:")
_TEXTS = {".csv", ".tsv", ".txt"}


def columns_of(header: Sequence[str]) -> dict[str, str]:
    """Return what each known column of a header is: kind -> its name as it stands; a table needs service and team."""
    found: dict[str, str] = {}
    for kind, names in COLUMNS.items():
        column = next((name for name in header if _plain(name) in names), None)
        if column is not None:
            found[kind] = column
    for kind, words in _BY_WORDS.items():
        column = next((name for name in header if name not in found.values() and words.search(_plain(name))), None)
        if kind not in found and column is not None:
            found[kind] = column
    return found


def _plain(name: str) -> str:
    return name.strip().casefold().replace("_", " ")


def rows_of(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return header and rows of a table; empty where the file is none that is read here."""
    if path.suffix.lower() in _TEXTS:
        lines = text_of(path.read_bytes()).splitlines(keepends=True)
        head = lines[:_TITLES_MOST]
        split = [re.split(r'[;,\t"]', line.strip()) for line in head]
        delimiter = max(DELIMITERS, key="".join(head[_begins(split) :][:1]).count)
        try:
            cells = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter))
        except csv.Error:
            return [], []
    elif path.suffix.lower() == ".xlsx":
        cells = _sheet(path)
    else:
        return [], []
    if not cells:
        return [], []
    begins = _begins(cells[:_TITLES_MOST])
    header, rest = [name.strip() for name in cells[begins]], cells[begins + 1 :]
    return header, [dict(zip(header, row, strict=False)) for row in rest if any(cell.strip() for cell in row)]


def _begins(rows: Sequence[Sequence[str]]) -> int:
    """Return where the names of the columns stand: titles may stand before them."""
    return next((number for number, row in enumerate(rows) if _has_both(columns_of(row))), 0)


def _has_both(found: Mapping[str, str]) -> bool:
    return {"service", "team"} <= found.keys()


def _sheet(path: Path) -> list[list[str]]:
    """The first sheet of a workbook as texts, its names first; nothing where it is no workbook that can be read."""
    try:
        table = read_sheet(path, None, _begins(next(iter(first_rows(path, _TITLES_MOST).values()), [])), Everything())
    except (SourceError, ValueError):
        return []
    rows = ([cell or "" for cell in row] for row in table.data.rows())
    return [table.data.columns, *rows]


def is_table(path: Path) -> bool:
    """Whether a file is a table of teams and services."""
    if path.suffix.lower() not in {*_TEXTS, ".xlsx"}:
        return False
    header, rows = rows_of(path)
    found = columns_of(header)
    # Exports of alerts and incidents have such columns too, and many rows a service.
    if not _has_both(found) or len(header) > 2 * len(COLUMNS):
        return False
    names = [row.get(found["service"], "") for row in rows]
    return bool(names) and len(set(names)) * 2 > len(names)


def read_table(draft: Draft, path: Path) -> None:
    """Add the services of a table, each with its team from the day that the table says."""
    header, rows = rows_of(path)
    found, owners = columns_of(header), dict[str, list[OwnerDraft]]()
    for row in rows:
        cells = {kind: row.get(column, "").strip() for kind, column in found.items()}
        if not cells["service"]:
            continue
        service = draft.service(cells["service"])
        said_since = cells.get("since", "")
        since = _day(said_since)
        service.seen(since, path.name)
        # An address is a person's.
        if cells["team"] and "@" not in cells["team"]:
            team = draft.team(cells["team"], path.name)
            no_day = f"says {said_since!r}, which is not a day" if said_since else "does not say since when"
            why = f"{path.name} says so" if since else f"{path.name} {no_day}"
            owners.setdefault(service.id, []).append(
                OwnerDraft(team, since or date.max, why, is_said=since is not None)
            )
        said = cells.get("criticality", "").casefold()
        service.criticality = next((key for key, words in _CRITICALITY.items() if said in words), service.criticality)
        repository = cells.get("repository", "").strip("/")
        repository = (name_of_address(repository) or "") if _ADDRESS.search(repository) else repository
        if "/" in repository:
            draft.belongs(repository, service, path.name)
        for alias in filter(None, (name.strip() for name in cells.get("alias", "").split(","))):
            if alias not in service.aliases:
                service.aliases.append(alias)
    for key, said in owners.items():
        draft.owned(draft.services[key], said, path.name)
    _tell_what_was_not_read(draft, path, header, found, rows)


def _tell_what_was_not_read(
    draft: Draft, path: Path, header: Sequence[str], found: Mapping[str, str], rows: Sequence[Mapping[str, str]]
) -> None:
    said = (row.get(found.get("since", ""), "").strip() for row in rows)
    if no_days := list(dict.fromkeys(repr(text) for text in said if text and _day(text) is None)):
        what = f"{path.name}: {names_of(no_days)} in {found['since']!r} is not a day"
        draft.guess("services.toml", what, "write since when, such as 2026-01-31 or 31.01.2026, there or in the table")
    if left := [repr(name) for name in header if name and name not in found.values()]:
        what = f"of {path.name} these columns are not read: {names_of(left)}"
        draft.guess("services.toml", what, "write what they say of services and owners, such as when one ended")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(day_of(text)[:10])
    except ValueError:
        return None
