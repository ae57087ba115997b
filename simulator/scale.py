"""The simulated organisation in other sizes: copies of every team for more, the first teams for less.

A copy of ``havneavgift`` is ``havneavgift-2``; it behaves like its original with other random numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

_COUNTED = {"teams.toml": "team", "services.toml": "service", "datastores.toml": "datastore", "slo.toml": "slo"}
_REFERENCES = ("team", "service", "id", "team_id", "service_id", "waiver_id", "window_id")


def scaled_organisation(source: Path, target: Path, scale: float) -> Path:
    """Write the configuration of an organisation of another size.

    Args:
        source: Configuration to start from.
        target: Folder to write; replaced.
        scale: Above 1: every team that many times, rounded up. Below 1: that share of the teams, at least one.

    Returns:
        The target.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    teams = [row["id"] for row in _tables(source / "teams.toml")]
    kept = set(teams if scale >= 1 else teams[: max(1, round(len(teams) * scale))])
    copies = max(1, math.ceil(scale))
    services = {
        row["id"] for row in _tables(source / "services.toml") if all(owner["team"] in kept for owner in row["owners"])
    }
    known = kept | services
    for name, table in _COUNTED.items():
        rows = [row for row in _tables(source / name) if _stays(row, known)]
        copied = [_copy(row, number) for number in range(1, copies + 1) for row in rows]
        text = "\n".join(f"[[{table}]]\n{_toml(row)}" for row in copied)
        (target / name).write_text(text, encoding="utf-8")
    for path in (target / "registers").glob("*.csv"):
        _scale_register(path, kept, services, copies)
    sources = (target / "sources.toml").read_text(encoding="utf-8")
    (target / "sources.toml").write_text(_scale_teams(sources, kept, copies), encoding="utf-8")
    return target


def _tables(path: Path) -> list[dict[str, Any]]:
    (rows,) = tomllib.loads(path.read_text(encoding="utf-8")).values()
    return rows


def _stays(row: dict[str, Any], known: set[str]) -> bool:
    if "owners" in row:
        return row["id"] in known
    return row.get("service", row.get("id")) in known


def _copy(row: dict[str, Any], number: int) -> dict[str, Any]:
    """The same row under other names; the first copy keeps its own."""
    if number == 1:
        return row
    changed = dict(row)
    for key in _REFERENCES:
        if key in changed:
            changed[key] = f"{changed[key]}-{number}"
    if "name" in changed:
        changed["name"] = {language: f"{text} {number}" for language, text in changed["name"].items()}
    if "owners" in changed:
        changed["owners"] = [{**owner, "team": f"{owner['team']}-{number}"} for owner in changed["owners"]]
    changed |= {
        key: [f"{item}-{number}" for item in changed[key]] for key in ("aliases", "repositories") if key in changed
    }
    if "monitors" in changed:
        changed["monitors"] = [{**item, "id": f"{item['id']}-{number}"} for item in changed["monitors"]]
    return changed


def _toml(row: dict[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in row.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return str(value)


def _scale_register(path: Path, teams: set[str], services: set[str], copies: int) -> None:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    header = path.read_text(encoding="utf-8").splitlines()[0]
    known = teams | services
    kept = [row for row in rows if row.get("team_id", row.get("service_id", "")) in known]
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_copy(row, number) for number in range(1, copies + 1) for row in kept)
    path.write_text(text.getvalue(), encoding="utf-8")


def _scale_teams(text: str, kept: set[str], copies: int) -> str:
    """Rewrite the lists of teams that deliver to a stream."""

    def again(match: re.Match[str]) -> str:
        names = [name for name in re.findall(r'"([^"]+)"', match[1]) if name in kept]
        listed = [name if n == 1 else f"{name}-{n}" for n in range(1, copies + 1) for name in names]
        return "teams = [" + ", ".join(f'"{name}"' for name in listed) + "]"

    return re.sub(r"^teams = \[(.*)\]$", again, text, flags=re.MULTILINE)
