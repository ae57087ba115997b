"""Rows of merged update requests, of pull requests of GitHub and of merge requests of GitLab in the same form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opsmetrics.core.instants import instant
from opsmetrics.sources.github.update_bodies import UpdateRequest, read_request
from opsmetrics.sources.github.update_requests import labels_of
from opsmetrics.sources.release_dates import ReleaseDates
from opsmetrics.sources.update_titles import shape_of
from opsmetrics.sources.versions import direction_of, highest, update_type

Row = dict[str, Any]


def read_pull(pull: Row) -> UpdateRequest:
    """Return what an update request says."""
    return read_request(pull["title"], pull["body"] or "", pull["headRefName"])


def commit_of(pull: Row) -> str:
    """Return the commit that a merge made, or the request's number."""
    return (pull["mergeCommit"] or {}).get("oid") or f"#{pull['number']}"


def merge_rows(pull: Row, bot: str, zone: ZoneInfo) -> Iterator[Row]:
    """Yield the row of a merged request; none of one that is not merged."""
    merged = instant(pull["mergedAt"])
    if merged is None:
        return
    said, local = read_pull(pull), merged.astimezone(zone)
    yield {
        "repository": pull["repository"]["nameWithOwner"],
        "commit_id": commit_of(pull),
        "merged_at": merged,
        "bot": bot,
        # A bot's name alone is not an update: deploys copy it (realdata, trap 2).
        "is_dependency_update": said.is_update,
        "is_security": said.is_security or "security" in labels_of(pull),
        "package_count": len(said.packages) if said.is_understood else None,
        "highest_update_type": highest(update_type(c.old, c.new) for c in said.changes),
        "is_offhours": local.weekday() >= 5 or not 7 <= local.hour < 17,
        "unread_form": None if said.is_understood else shape_of(pull["title"]),
    }


def change_rows(pull: Row, bot: str, dates: ReleaseDates) -> Iterator[Row]:
    """Yield the package changes of a merged request."""
    merged = instant(pull["mergedAt"])
    for change in read_pull(pull).changes:
        if merged is None or change.new is None:
            continue
        released = dates.find(change.ecosystem, change.package, change.new)
        is_known = released is not None and released <= merged + timedelta(days=1)
        yield {
            "repository": pull["repository"]["nameWithOwner"],
            "commit_id": commit_of(pull),
            "merged_at": merged,
            "actor_kind": bot,
            "ecosystem": change.ecosystem,
            "package": change.package,
            "from_version": change.old,
            "to_version": change.new,
            "update_type": update_type(change.old, change.new),
            "direction": direction_of(change.old, change.new),
            "released_at": released if is_known else None,
            "lag_days": max(0.0, (merged - released).total_seconds() / 86_400)
            if is_known and released is not None
            else None,
        }


def notes_of(pulls: Iterable[Row], withdrawn: int) -> Iterator[str]:
    """Say how many requests have a form that nobody understood, and how many updates the bots took back."""
    forms = Counter(shape_of(pull["title"]) for pull in pulls if not read_pull(pull).is_understood)
    if forms:
        shown = ", ".join(f"{form!r} ({count})" for form, count in forms.most_common(3))
        yield f"{forms.total()} update requests have a form that is not understood, such as {shown}"
    if withdrawn:
        yield f"{withdrawn} updates were taken back by the bot, and are neither open nor applied"
