"""Changes of configuration and rules as files for review: the diff and its effect on the scores, never a write.

Belongs here: what a form of the app may propose. Does not belong here: whether it is allowed (every file is checked by
``opsmetrics.organisation`` and ``opsmetrics.catalogue``) and what it would do (``opsmetrics.proposals.preview``).
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import tomlkit

from opsmetrics.catalogue import rules_digest_at
from opsmetrics.catalogue.overlay import FILE as OWN_RULES
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import BUNDLED_SQL, Settings
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.spreadsheets import DELIMITERS
from opsmetrics.proposals import preview

REGISTERS = ("waivers", "goals")
NUMBERS = ("floor", "krav", "mal", "weight")
OTHER_SETUP = "the snapshot was made with another configuration or other rules"
ORGANISATION, RULES = "organisation", "sql"


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it would be.

    Attributes:
        root: ``organisation`` (the folder of the configuration) or ``sql``.
        path: Below it.
        before: Its text today; empty for a new file.
        after: Its text then.
    """

    root: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change and what it would do.

    Attributes:
        diff: For ``git apply``, paths as ``a/<root>/<path>``.
        effect: On today's scores.
    """

    diff: str
    effect: preview.Effect


def _refused(file: str, message: str, fix: str) -> ConfigurationError:
    return ConfigurationError([Problem(file, None, message, fix)])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def register_row(settings: Settings, register: str, values: Mapping[str, Any]) -> list[Change]:
    """Return a register with one more line, in the order of its own header.

    Args:
        settings: Where the configuration is.
        register: ``waivers`` or ``goals``.
        values: Column -> value; columns that the file has and ``values`` lacks stay empty.

    Raises:
        ConfigurationError: There is no such register, or it has no such column.
    """
    path = f"registers/{register}.csv"
    if register not in REGISTERS:
        raise _refused(path, "no such register", f"choose one of {', '.join(REGISTERS)}")
    before = _text(settings.org / path)
    # A register that a spreadsheet wrote begins with a mark, and has delimiters of its own.
    lines = before.removeprefix("\ufeff").splitlines()
    delimiter = max(DELIMITERS, key=(lines[0] if lines else "").count)
    columns = [name for name in next(csv.reader(lines[:1], delimiter=delimiter), []) if name] or list(values)
    missing = [name for name, value in values.items() if name not in columns and value not in {None, ""}]
    if missing:
        raise _refused(path, f"the file has no column {', '.join(missing)}", "add it to the header line")
    sink = io.StringIO()
    rows = csv.writer(sink, lineterminator="\n", delimiter=delimiter)
    if not lines:
        rows.writerow(columns)
    rows.writerow(["" if values.get(name) is None else str(values[name]) for name in columns])
    start = before if not before or before.endswith("\n") else f"{before}\n"
    return [Change(ORGANISATION, path, before, start + sink.getvalue())]


def ownership(settings: Settings, service: str, team: str, first_day: date) -> list[Change]:
    """Return ``services.toml`` with a service handed over: the last ownership ends on the day the new one begins.

    Raises:
        ConfigurationError: There is no such service.
    """
    path = "services.toml"
    before = _text(settings.org / path)
    start = _owners_of(before, service)
    if start is None:
        raise _refused(path, f"no service {service!r}", "choose one that stands in the file")
    lines = before.splitlines(keepends=True)
    owners, end = _value(lines, start)
    owners[-1]["to"] = first_day
    owners.append({"team": team, "from": first_day})
    shown = ", ".join(
        f"{{ {', '.join(f'{key} = {_toml(value)}' for key, value in owner.items())} }}" for owner in owners
    )
    after = "".join([*lines[:start], f"owners = [{shown}]\n", *lines[end:]])
    return [Change(ORGANISATION, path, before, after)]


def _toml(value: Any) -> str:
    return tomlkit.item(value).as_string()


def _owners_of(text: str, service: str) -> int | None:
    """Line on which the owners of a service begin. By hand: tomlkit writes dates in inline tables another way back."""
    is_service = is_it = False
    start: int | None = None
    for number, line in enumerate(text.splitlines()):
        if line.startswith("[["):
            is_service, is_it, start = line.startswith("[[service]]"), False, None
        elif is_service and re.match(rf"id\s*=\s*{re.escape(_toml(service))}\s*(#.*)?$", line):
            is_it = True
        elif is_service and re.match(r"owners\s*=", line):
            start = number
        if is_it and start is not None:
            return start
    return None


def _value(lines: list[str], start: int) -> tuple[list[dict[str, Any]], int]:
    """The owners that begin on a line, and the line after them."""
    for end in range(start + 1, len(lines) + 1):
        try:
            return tomllib.loads("".join(lines[start:end]))["owners"], end
        except tomllib.TOMLDecodeError:
            continue
    raise _refused("services.toml", "the owners have no end", "close the list with ]")


def number(settings: Settings, metric_id: str, name: str, value: float) -> list[Change]:
    """Return the rules with one number of one metric changed.

    Where the organisation has numbers of its own (``rules.toml``), or the SQL files came with an installed package, its
    own number changes; else the metric's header does, with a new ruleset version and its digest.

    Args:
        settings: Where the SQL files and the configuration are.
        metric_id: Metric.
        name: floor, krav, mal or weight.
        value: The new number.

    Raises:
        ConfigurationError: The metric or the number does not exist.
        SqlFileError: The rules would break their form.
    """
    path = f"metrics/{metric_id.split('_', maxsplit=1)[0]}/{metric_id}.sql"
    if not re.fullmatch(r"[a-z]{3}_[a-z0-9_]+", metric_id) or not (settings.sql / path).is_file():
        raise _refused(path, f"no metric {metric_id!r}", "choose one of the catalogue")
    if name in NUMBERS and (settings.sql.name == BUNDLED_SQL or (settings.org / OWN_RULES).exists()):
        return [_own_number(settings, metric_id, name, value)]
    before = _text(settings.sql / path)
    header, rest = _header_of(before)
    if name not in NUMBERS or name not in header:
        raise _refused(path, f"the header has no number {name!r}", f"choose one of {', '.join(NUMBERS)}")
    header[name] = tomlkit.value(str(int(value)) if name == "weight" else f"{value:g}")
    header["version"] = int(header["version"]) + 1
    areas = _text(settings.sql / "metrics/areas.toml")
    rules = tomlkit.parse(areas)
    next_version = f"{int(rules['ruleset']['version'].partition('.')[0]) + 1}.0.0"
    rules["ruleset"]["version"] = next_version
    changes = [
        Change(RULES, path, before, _commented(header) + rest),
        Change(RULES, "metrics/areas.toml", areas, tomlkit.dumps(rules)),
    ]
    with _copied(settings, changes) as changed:
        digest = rules_digest_at(changed.sql)
    known = _text(settings.sql / "metrics/rulesets.toml")
    line = f'"{next_version}" = "{digest}"\n'
    return [*changes, Change(RULES, "metrics/rulesets.toml", known, known + line)]


def _own_number(settings: Settings, metric_id: str, name: str, value: float) -> Change:
    """Return ``rules.toml`` with one number of one metric; its other lines stay as they are."""
    path = settings.org / OWN_RULES
    before = _text(path) if path.exists() else ""
    rules = tomlkit.parse(before)
    if not before:
        areas = tomllib.loads(_text(settings.sql / "metrics/areas.toml"))
        rules["ruleset"] = areas["ruleset"]["version"]
        rules["why"] = "Proposed in the app: write here why, for the readers of the scores."
    tables = rules.setdefault("metric", tomlkit.table(is_super_table=True))
    tables.setdefault(metric_id, tomlkit.table())[name] = tomlkit.value(f"{value:g}")
    return Change(ORGANISATION, OWN_RULES, before, tomlkit.dumps(rules))


def _header_of(text: str) -> tuple[tomlkit.TOMLDocument, str]:
    """The header of a SQL file, ready to be changed without touching its other lines, and the text behind it."""
    lines = text.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = "".join(line.removeprefix("--").removeprefix(" ") for line in lines[:end])
    return tomlkit.parse(header), "".join(lines[end:])


def _commented(header: tomlkit.TOMLDocument) -> str:
    return "".join(f"-- {line}".rstrip() + "\n" for line in tomlkit.dumps(header).splitlines())


@contextmanager
def _copied(settings: Settings, changes: list[Change]):  # noqa: ANN202 - a generator of settings
    """Settings whose folders are copies with the changes in them; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as folder:
        roots = {ORGANISATION: settings.org, RULES: settings.sql}
        for name in {change.root for change in changes}:
            if not roots[name].is_dir():
                message = f"the folder {roots[name]} is not here"
                raise _refused(name, message, "set OPSMETRICS_ORG (or OPSMETRICS_SQL) where the app runs")
            roots[name] = Path(shutil.copytree(roots[name], Path(folder) / name))
        for change in changes:
            target = roots[change.root] / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(change.after, encoding="utf-8")
        yield replace(settings, org=roots[ORGANISATION], sql=roots[RULES])


def propose(settings: Settings, changes: list[Change]) -> Proposal:
    """Check a change as every file is checked, and say what it would do to today's scores. Nothing is written.

    Raises:
        ConfigurationError: The changed configuration is wrong, or the snapshot was made with another than today's: its
            scores would be held against what nobody proposed.
        SqlFileError: The changed rules are wrong.
        SnapshotError: Nothing was published yet.
    """
    if not preview.is_of_snapshot(settings):
        raise _refused(
            str(settings.org), OTHER_SETUP, "run `opsmetrics run` with it, or set OPSMETRICS_ORG to the other"
        )
    diff = "".join(
        line
        for change in changes
        for line in difflib.unified_diff(
            change.before.splitlines(keepends=True),
            change.after.splitlines(keepends=True),
            f"a/{change.root}/{change.path}" if change.before else "/dev/null",
            f"b/{change.root}/{change.path}",
        )
    )
    with _copied(settings, changes) as changed:
        load_organisation(changed.org)
        return Proposal(diff, preview.effect(settings, changed.org, changed.sql))
