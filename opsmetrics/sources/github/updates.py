"""Update pull requests of Renovate and Dependabot, package by package, and whether the bot is on (contracts, E1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from opsmetrics.organisation.connectors import GitHub
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.github.client import Client, instant, repositories
from opsmetrics.sources.release_dates import ReleaseDates
from opsmetrics.sources.versions import direction_of, highest, is_update_title, update_type

Row = dict[str, Any]
# [![age](https://host/badges/age/{datasource}/{package}/{newVersion})]; the package may hold encoded slashes.
_AGE = re.compile(r"/badges/age/(?P<source>[^/\s)]+)/(?P<package>[^\s)?]+)/(?P<version>[^/\s)?]+?)(?:\?[^\s)]*)?\)")
_CHANGE = re.compile(r"`(?P<old>[^`\s]+)`\s*(?:->|→)\s*`(?P<new>[^`\s]+)`")
_NAME = re.compile(r"^\s*\|\s*\[?(?P<name>[^\]|(]+?)\]?(?:\(|\s*\|)")
_DEPENDABOT = re.compile(
    r"^(?:\w+(?:\([^)]*\))?!?:\s*)?bump (?P<package>\S+) from (?P<old>\S+) to (?P<new>\S+)", re.IGNORECASE
)
_OPEN = "Open</summary>"


@dataclass(frozen=True, slots=True)
class Change:
    """One package in one pull request."""

    ecosystem: str | None
    package: str | None
    old: str | None
    new: str | None


def changes_of(title: str, body: str) -> list[Change]:
    """Read the packages of an update pull request: badge first, back-ticked arrow second, title last.

    A table row that cannot be read is not guessed at; a pull request without any readable row is one change of
    unknown package.
    """
    found: list[Change] = []
    for line in body.splitlines():
        arrow = _CHANGE.search(line)
        if not line.lstrip().startswith("|") or arrow is None:
            continue
        badge, name = _AGE.search(line), _NAME.match(line)
        package = unquote(badge["package"]) if badge else name["name"].strip() if name else None
        found.append(Change(badge["source"] if badge else None, package, arrow["old"], arrow["new"]))
    if found:
        return found
    bump = _DEPENDABOT.match(title)
    return [Change(None, bump["package"], bump["old"], bump["new"]) if bump else Change(None, None, None, None)]


def _pulls(ask: Ask[GitHub], client: Client, field: str, start: datetime, end: datetime) -> Iterator[Row]:
    wanted = {name.lower() for name in repositories(ask)}
    for author in ask.connector.update_authors:
        query = f"org:{ask.connector.owner} is:pr author:{author} sort:created-asc"
        for pull in client.search("search_updates", query, field, start, end):
            if pull["repository"]["nameWithOwner"].lower() in wanted:
                yield pull


def update_merges(ask: Ask[GitHub]) -> Answer:
    """Return merged update pull requests."""
    zone = ask.organisation.zone
    rows: list[Row] = []
    with Client(ask) as client:
        for pull in _pulls(ask, client, "merged", ask.starts_at, ask.ends_at):
            merged = instant(pull["mergedAt"])
            if merged is None:
                continue
            changes = changes_of(pull["title"], pull["body"] or "")
            local = merged.astimezone(zone)
            rows.append(
                {
                    "repository": pull["repository"]["nameWithOwner"],
                    "commit_id": (pull["mergeCommit"] or {}).get("oid") or f"#{pull['number']}",
                    "merged_at": merged,
                    "bot": _bot(pull),
                    # A bot's name alone is no update: deploys copy it (realdata, trap 2).
                    "is_dependency_update": changes[0].new is not None or is_update_title(pull["title"]),
                    "is_security": "[security]" in pull["title"].lower() or "security" in _labels(pull),
                    "package_count": len({change.package for change in changes if change.package}),
                    "highest_update_type": highest(update_type(c.old, c.new) for c in changes),
                    "is_offhours": local.weekday() >= 5 or not 7 <= local.hour < 17,
                }
            )
    return Answer(rows, source=f"{ask.connector.url} pull requests")


def dependency_updates(ask: Ask[GitHub]) -> Answer:
    """Return the package changes of merged update pull requests."""
    rows: list[Row] = []
    with Client(ask) as client, ReleaseDates.of(ask) as dates:
        for pull in _pulls(ask, client, "merged", ask.starts_at, ask.ends_at):
            merged = instant(pull["mergedAt"])
            for change in changes_of(pull["title"], pull["body"] or ""):
                if merged is None or change.new is None:
                    continue
                released = dates.find(change.ecosystem, change.package, change.new)
                rows.append(
                    {
                        "repository": pull["repository"]["nameWithOwner"],
                        "commit_id": (pull["mergeCommit"] or {}).get("oid") or f"#{pull['number']}",
                        "merged_at": merged,
                        "actor_kind": _bot(pull),
                        "ecosystem": change.ecosystem,
                        "package": change.package,
                        "from_version": change.old,
                        "to_version": change.new,
                        "update_type": update_type(change.old, change.new),
                        "direction": direction_of(change.old, change.new),
                        "released_at": released if released and released <= merged + timedelta(days=1) else None,
                        "lag_days": max(0.0, (merged - released).total_seconds() / 86_400)
                        if released and released <= merged + timedelta(days=1)
                        else None,
                    }
                )
    return Answer(rows, source=f"{ask.connector.url} pull requests")


def update_episodes(ask: Ask[GitHub]) -> Answer:
    """Return lag episodes: a package's update stays open until a merge of the same package.

    An update that was closed because a newer one replaced it lasts until the newer one is merged. The bot opens
    a pull request once the minimum release age has passed, so that its creation is when the version was available.
    """
    rows: list[Row] = []
    with Client(ask) as client:
        by_package: dict[tuple[str, str], list[Row]] = {}
        for pull in _pulls(ask, client, "created", ask.starts_at, ask.ends_at):
            for change in changes_of(pull["title"], pull["body"] or ""):
                key = (pull["repository"]["nameWithOwner"], change.package or pull["headRefName"])
                by_package.setdefault(key, []).append(pull)
    for (repository, package), pulls in by_package.items():
        merges = sorted((at, pull["createdAt"]) for pull in pulls if (at := instant(pull["mergedAt"])) is not None)
        for pull in {pull["number"]: pull for pull in pulls}.values():
            created, closed = instant(pull["createdAt"]), instant(pull["closedAt"])
            if created is None:
                continue
            dismissed = closed is not None and pull["mergedAt"] is None and _is_dismissed(pull)
            own = instant(pull["mergedAt"])
            rows.append(
                {
                    "episode_id": f"{repository}#{pull['number']}/{package}",
                    "repository": repository,
                    "package": package,
                    "available_at": created,
                    "applied_at": None
                    if dismissed
                    else own or next((at for at, made in merges if made >= pull["createdAt"]), None),
                    "dismissed_at": closed if dismissed else None,
                }
            )
    return Answer(rows, source=f"{ask.connector.url} pull requests")


def _is_dismissed(pull: Row) -> bool:
    """A label says that somebody decided; closing alone may only mean that a newer version came."""
    return bool(_labels(pull) & {"wont-update", "wontfix", "avvist"})


def _labels(pull: Row) -> set[str]:
    return {label["name"].lower() for label in pull["labels"]["nodes"]}


def _bot(pull: Row) -> str:
    """GraphQL says ``renovate``, REST and commits say ``renovate[bot]``."""
    login = ((pull["author"] or {}).get("login") or "").lower()
    return next((name for name in ("renovate", "dependabot") if name in login), "other_bot")


def repository_states(ask: Ask[GitHub]) -> Answer:
    """Return today's state of each repository: is an update bot on, does its configuration parse, did it run."""
    rows: list[Row] = []
    end = ask.now
    with Client(ask) as client:
        last: dict[str, datetime] = {}
        for pull in _pulls(ask, client, "updated", end - timedelta(days=90), end + timedelta(seconds=2)):
            name, at = pull["repository"]["nameWithOwner"], instant(pull["mergedAt"] or pull["createdAt"])
            if at is not None:
                last[name] = max(at, last.get(name, at))
        for repository in repositories(ask):
            owner, name = repository.split("/", 1)
            found = client.graphql("repository_state", owner=owner, name=name)["repository"]
            files = [found[key] for key in ("renovate", "renovateFive", "renovateHidden", "renovateRc")]
            texts = [file["text"] for file in files if file and file.get("text")]
            dashboard = found["dashboard"]["nodes"]
            ran = [at for node in dashboard if (at := instant(node["updatedAt"])) is not None]
            success = max([*ran, *([last[repository]] if repository in last else [])], default=None)
            rows.append(
                {
                    "repository": repository,
                    "observed_on": ask.today,
                    "last_activity_on": pushed.astimezone(UTC).date()
                    if (pushed := instant(found["pushedAt"]))
                    else None,
                    "is_bot_enabled": any(files) or found["dependabot"] is not None,
                    "is_bot_config_valid": all(_is_json(text) for text in texts) if texts else None,
                    "last_bot_success_at": success,
                }
            )
    return Answer(rows, source=f"{ask.connector.url} repositories")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
