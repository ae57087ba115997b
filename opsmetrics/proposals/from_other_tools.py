"""What files of other tools say about our configuration: promises, owners, services. Proposals only, never a change.

OpenSLO (``openslo/v1``, kind SLO), Backstage (``catalog-info.yaml``, kind Component), CODEOWNERS, and tags of Azure
resources (JSON as ``az resource list`` or Resource Graph print it). People named as owners are passed over. Does not
belong here: asking GitHub for CODEOWNERS (``opsmetrics.sources.github.owners``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomlkit
import yaml

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.json_text import json_value
from opsmetrics.core.yaml_text import Loader
from opsmetrics.organisation import Organisation
from opsmetrics.sources.github.owners import teams_of

MOST_BYTES = 8 * 1024 * 1024
NEW, DIFFERS, AGREES, UNKNOWN = "new", "differs", "agrees", "unknown"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file says of one service.

    Attributes:
        file: Where it stands.
        service: Service of services.toml, or the name as it stands where none is known.
        says: What it says, in words.
        current: What our configuration says today, or None.
        state: new, differs, agrees, or unknown (our configuration knows no such service or team).
        target: File of the configuration that would change.
        toml: What to paste there, or empty where nothing is to be done.
    """

    file: str
    service: str
    says: str
    current: str | None
    state: str
    target: str
    toml: str


def _problem(path: Path, line: int | None, message: str, fix: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(path), line, message, fix)])


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ConfigurationError: It is not there, too large, or no UTF-8.
    """
    if not path.is_file():
        raise _problem(path, None, "no such file", "name a file that is there")
    if path.stat().st_size > MOST_BYTES:
        raise _problem(path, None, f"the file is larger than {MOST_BYTES >> 20} MiB", "split it")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _problem(path, None, "the file is not UTF-8 text", "save it as UTF-8") from None


def documents(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield every document of a YAML file with the line on which it begins.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    text = text_of(path)
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        documents = list(yaml.load_all(text, Loader=Loader))
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise _problem(path, line, "the file is not YAML", "correct what stands on this line") from None
    for node, document in zip(nodes, documents, strict=True):
        if isinstance(document, dict) and node is not None:
            yield node.start_mark.line + 1, document


def at(document: Any, *keys: str) -> Any:
    """Return what stands below some keys, or None where the file has another shape."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _service_of(organisation: Organisation, name: str) -> str | None:
    wanted = name.casefold()
    for service in organisation.services:
        if wanted in {known.casefold() for known in (service.id, *service.aliases)}:
            return service.id
    return None


def _team_of(organisation: Organisation, name: str) -> str | None:
    wanted = name.casefold()
    for team in organisation.teams:
        if wanted in {team.id.casefold(), team.name.nb.casefold(), team.name.en.casefold()}:
            return team.id
    return None


def _toml(table: str, row: Mapping[str, Any]) -> str:
    document = tomlkit.document()
    rows = tomlkit.aot()
    rows.append(tomlkit.item(dict(row)))
    document.append(table, rows)
    return tomlkit.dumps(document)


def openslo(organisation: Organisation, path: Path, today: date) -> list[Proposal]:
    """Return the promises of an OpenSLO file: the first objective of each SLO, for availability or latency.

    An SLO whose indicator or name speaks of latency or duration is one; every other is availability.

    Raises:
        ConfigurationError: The file cannot be read, or a target is none.
    """
    found: list[Proposal] = []
    for line, document in documents(path):
        if document.get("kind") != "SLO" or not str(document.get("apiVersion", "")).startswith("openslo/"):
            continue
        name = str(at(document, "spec", "service") or at(document, "metadata", "name") or "")
        target = _target(path, line, document)
        said = json.dumps([at(document, "metadata", "name"), at(document, "spec", "indicator")], default=str).casefold()
        kind = "latency" if any(word in said for word in ("latency", "duration", "response time")) else "availability"
        service = _service_of(organisation, name)
        current = [
            slo.target
            for slo in organisation.slos
            if slo.service == service and slo.kind == kind and slo.valid_to is None
        ]
        now = current[-1] if current else None
        state = UNKNOWN if service is None else NEW if now is None else AGREES if abs(now - target) < 1e-9 else DIFFERS
        row = {"service": service, "kind": kind, "target": target, "from": today}
        toml = _toml("slo", row) if state in {NEW, DIFFERS} else ""
        shown = None if now is None else f"{kind} {now:g}"
        found.append(Proposal(str(path), service or name, f"{kind} {target:g}", shown, state, "slo.toml", toml))
    return found


def _target(path: Path, line: int, document: Row) -> float:
    objectives = at(document, "spec", "objectives")
    first = objectives[0] if isinstance(objectives, list) and objectives else {}
    percent, ratio = at(first, "targetPercent"), at(first, "target")
    fix = "write target as a share such as 0.999, or targetPercent such as 99.9"
    try:
        target = float(percent) / 100 if percent is not None else float(ratio)
    except (TypeError, ValueError):
        raise _problem(path, line, "the SLO has no target", fix) from None
    if not 0 < target < 1:
        raise _problem(path, line, f"target {target:g} is not between 0 and 1", fix)
    return round(target, 9)


def backstage(organisation: Organisation, path: Path, today: date) -> list[Proposal]:
    """Return the owners that a ``catalog-info.yaml`` names; owners that are people are passed over.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    found: list[Proposal] = []
    for _, document in documents(path):
        if document.get("kind") != "Component" or not str(document.get("apiVersion", "")).startswith("backstage.io/"):
            continue
        owner = str(at(document, "spec", "owner") or "")
        kind, _, rest = owner.rpartition(":")
        if kind.casefold() == "user" or not owner:
            continue
        team = rest.rpartition("/")[2]
        found.append(_owner(organisation, path, str(at(document, "metadata", "name") or ""), [team], today))
    return found


def codeowners(organisation: Organisation, path: Path, today: date) -> list[Proposal]:
    """Return the team that a checked-out repository's CODEOWNERS names; the repository is the folder's name.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    folder = path.resolve().parent
    name = (folder.parent if folder.name in {".github", "docs"} else folder).name
    teams = teams_of(text_of(path))
    return [_owner(organisation, path, name, list(teams), today)] if teams else []


def _owner(organisation: Organisation, path: Path, name: str, teams: list[str], today: date) -> Proposal:
    service = _service_of(organisation, name)
    known = [team for said in teams if (team := _team_of(organisation, said))]
    current = next((s.owners[-1].team for s in organisation.services if s.id == service), None)
    state = UNKNOWN if service is None or not known else AGREES if current in known else DIFFERS
    toml = ""
    if state == DIFFERS:
        owner = tomlkit.inline_table()
        owner.update({"team": known[0], "from": today})
        toml = f"# {service}: end {current}'s ownership with to = {today}, and add to owners\n{owner.as_string()}\n"
    return Proposal(str(path), service or name, ", ".join(teams), current, state, "services.toml", toml)


def json_rows(path: Path) -> list[Any]:
    """Return the resources of a JSON file: a list, or an object with it under ``data`` or ``value``.

    Raises:
        ConfigurationError: The file cannot be read, or holds no list.
    """
    try:
        content = json_value(text_of(path))
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise _problem(path, line, "the file is not JSON", "write it with `az resource list --output json`") from None
    rows = content if isinstance(content, list) else at(content, "data") or at(content, "value")
    if not isinstance(rows, list):
        raise _problem(path, None, "there is no list of resources", "write it with `az resource list --output json`")
    return rows


def tags_of(row: Any) -> dict[str, str]:
    """Return the tags of an Azure resource in small letters; it has none where they are no table of texts."""
    tags = at(row, "tags")
    named = tags.items() if isinstance(tags, dict) else ()
    return {key.casefold(): value for key, value in named if isinstance(key, str) and isinstance(value, str)}


def azure_tags(organisation: Organisation, path: Path, today: date) -> list[Proposal]:
    """Return the services and owners that the tags ``service`` and ``team`` of Azure resources name, one a service.

    Args:
        organisation: To compare with.
        path: JSON: a list of resources, or an object with it under ``data`` or ``value``.
        today: Day from which a proposed ownership would hold.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    rows = json_rows(path)
    teams: dict[str, list[str]] = {}
    for row in rows:
        tags = tags_of(row)
        if tags.get("service"):
            own = teams.setdefault(tags["service"], [])
            team = tags.get("team", "")
            if team and team not in own:
                own.append(team)
    return [_tagged(organisation, path, name, said, today) for name, said in sorted(teams.items())]


def _tagged(organisation: Organisation, path: Path, name: str, teams: list[str], today: date) -> Proposal:
    if _service_of(organisation, name) is not None and teams:
        return _owner(organisation, path, name, teams, today)
    known = [team for said in teams if (team := _team_of(organisation, said))]
    service = _service_of(organisation, name)
    if service is not None:
        return Proposal(str(path), service, "no team", None, AGREES, "services.toml", "")
    if not known:
        return Proposal(str(path), name, ", ".join(teams) or "no team", None, UNKNOWN, "services.toml", "")
    identity = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in name.casefold()).strip("-")
    owner = tomlkit.inline_table()
    owner.update({"team": known[0], "from": today})
    label = tomlkit.inline_table()
    label.update({"nb": name, "en": name})
    owners = tomlkit.array()
    owners.append(owner)
    row = {"id": identity, "name": label, "criticality": "ordinary", "owners": owners, "aliases": [name]}
    said = f"service of {known[0]}"
    return Proposal(str(path), identity, said, None, NEW, "services.toml", _toml("service", row))


READERS: dict[str, Callable[[Organisation, Path, date], list[Proposal]]] = {
    "openslo": openslo,
    "backstage": backstage,
    "codeowners": codeowners,
    "azure-tags": azure_tags,
}


def proposals(organisation: Organisation, kind: str, paths: Iterable[Path], today: date) -> list[Proposal]:
    """Read files of one kind; every file is read before anything is said.

    Raises:
        ConfigurationError: A file cannot be read.
    """
    return [found for path in paths for found in READERS[kind](organisation, path, today)]
