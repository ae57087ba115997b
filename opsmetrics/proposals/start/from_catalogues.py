"""Catalogues of other tools: Backstage, CODEOWNERS, tags of Azure resources. Owners that are people are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from opsmetrics.proposals.from_other_tools import at, documents, json_rows, tags_of, text_of
from opsmetrics.proposals.start.draft import Draft, OwnerDraft
from opsmetrics.proposals.start.from_clones import first_commit, owner_days
from opsmetrics.sources.git_copies import is_repository
from opsmetrics.sources.git_history import git_lines
from opsmetrics.sources.github.owners import teams_of

SERVICE_TAGS = ("service", "tjeneste", "system", "app", "application")
TEAM_TAGS = ("team", "lag", "owner", "eier", "squad")
_SLUG_NOTES = ("github.com/project-slug", "gitlab.com/project-slug", "dev.azure.com/project-repo")


def is_backstage(path: Path) -> bool:
    """Whether a YAML file holds entities of Backstage."""
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return False
    return any(str(document.get("apiVersion", "")).startswith("backstage.io/") for _, document in documents(path))


def read_backstage(draft: Draft, path: Path) -> None:
    """Add the components of a catalogue file and the groups that own them.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    entities = [document for _, document in documents(path)]
    titles = {_name(entity): _title(entity) for entity in entities if entity.get("kind") == "Group"}
    day, why = _committed(path)
    for entity in (entity for entity in entities if entity.get("kind") == "Component"):
        service = draft.service(_name(entity))
        service.name = _title(entity)
        service.seen(day, why)
        said = (at(entity, "metadata", "annotations", note) for note in _SLUG_NOTES)
        repository = next((str(slug) for slug in said if slug), "")
        if "/" in repository:
            draft.belongs(repository, service, path.name)
        kind, _, rest = str(at(entity, "spec", "owner") or "").rpartition(":")
        owner = rest.rpartition("/")[2]
        if owner and kind.casefold() != "user":
            team = draft.team(owner, f"{path.name} (Backstage)")
            draft.teams[team].name = titles.get(owner, owner)
            since, said = (day, why) if day is not None else (date.max, f"{path.name} does not say since when")
            draft.owned(service, [OwnerDraft(team, since, said)], f"{path.name} (Backstage)")


def _name(entity: Mapping[str, Any]) -> str:
    return str(at(entity, "metadata", "name") or "")


def _title(entity: Mapping[str, Any]) -> str:
    return str(at(entity, "metadata", "title") or _name(entity))


def _committed(path: Path) -> tuple[date | None, str]:
    """The day on which a file came into its repository, and what proves it."""
    root = next((folder for folder in path.resolve().parents if is_repository(folder)), None)
    if root is None:
        return None, f"{path.name} has no history here"
    name = path.resolve().relative_to(root).as_posix()
    days = git_lines(root, "log", "--follow", "--reverse", "--format=%cs", "HEAD", "--", name)
    return (date.fromisoformat(days[0]), f"first commit of {name}") if days else (None, f"{name} is not committed")


def read_codeowners(draft: Draft, path: Path) -> None:
    """Add the repository that a CODEOWNERS file lies in, with the team that it names for everything."""
    folder = path.resolve().parent
    root = folder.parent if folder.name in {".github", ".gitlab", "docs"} else folder
    service = draft.service(root.name)
    if is_repository(root):
        service.seen(first_commit(root), "first commit")
        days = owner_days(root)
    else:
        days = [(date.max, name) for name in teams_of(text_of(path))[:1]]
    owners = [
        OwnerDraft(
            draft.team(name, f"CODEOWNERS of {root.name}"),
            day,
            "since that day in CODEOWNERS" if day < date.max else "CODEOWNERS, which has no history here",
        )
        for day, name in days
    ]
    draft.owned(service, owners, f"CODEOWNERS of {root.name}")


def is_azure(rows: Any) -> bool:
    """Whether JSON is a list of Azure resources with tags."""
    return isinstance(rows, list) and any(isinstance(row, dict) and isinstance(row.get("tags"), dict) for row in rows)


def read_azure(draft: Draft, path: Path) -> None:
    """Add the services and teams that tags of resources name, from the day the first of their resources was made.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    tagged: dict[str, dict[str, date]] = {}
    for row in json_rows(path):
        tags = tags_of(row)
        name = next((tags[key] for key in SERVICE_TAGS if tags.get(key)), "")
        if not name:
            continue
        made = _day(at(row, "createdTime") or at(row, "systemData", "createdAt"))
        draft.service(name).seen(made, f"oldest resource in {path.name}")
        owner = next((tags[key] for key in TEAM_TAGS if tags.get(key)), "")
        if owner and "@" not in owner:
            days = tagged.setdefault(name, {})
            days[owner] = min(made or date.max, days.get(owner, date.max))
    for name, days in tagged.items():
        owners = [
            OwnerDraft(
                draft.team(owner, f"tags in {path.name}"),
                day,
                "oldest resource with its tag" if day < date.max else "its tag, which has no day",
            )
            for owner, day in sorted(days.items(), key=lambda item: item[1])
        ]
        draft.owned(draft.service(name), owners, f"tags in {path.name}")


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
