"""Timelines of clones, kept: a day costs what was committed on it, however long the history is."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from opsmetrics.core.atomic import write_whole_text
from opsmetrics.sources.dependencies.files import PATHS, format_of
from opsmetrics.sources.dependencies.inventory import Inventory, Timeline
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.git_history import History

# Raised whenever files are read otherwise: what was kept before is then read again.
VERSION = "5"


def timeline_of_clone(history: History, folder: Path, now: datetime) -> Timeline:
    """Return what a clone's main line used when; only commits that came since the last time are read.

    Args:
        history: Of the clone.
        folder: Where timelines are kept; deleting it only means reading again.
        now: What is dated later has a wrong clock.
    """
    line = history.main_line
    if not line:
        return Timeline()
    kept = folder / f"{_key(history)}.json"
    known, kept_at, timeline = _kept(kept)
    place = next((number for number, commit in enumerate(line) if commit.sha == known), None)
    # A clock that stood wrong then took other commits for those of a wrong clock.
    first, last = sorted((kept_at, now.timestamp()))
    if place is not None and any(first < commit.at.timestamp() <= last for commit in line[: place + 1]):
        place = None
    inventory = Inventory()
    if place is None:
        timeline, place = Timeline(), -1
    else:
        inventory.apply(history.tree(known, lambda path: format_of(path) is not None))
        inventory.unread.clear()
    times = [int(commit.at.timestamp()) for commit in line if commit.at <= now]
    latest = max(times[: place + 1], default=0)
    for commit, files in history.files(line[place + 1 :], PATHS):
        # A clock that stood wrong does not move what was committed before or after.
        if commit.at <= now:
            latest = max(latest, int(commit.at.timestamp()))
        for package, versions in inventory.apply(files).items():
            timeline.note(latest, package, versions)
    timeline.unread.update(inventory.unread)
    if line[-1].sha != known:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole_text(kept, f"{line[-1].sha} {now.timestamp()}\n{timeline.to_json()}")
    return timeline


def made_by(history: History, folder: Path) -> frozenset[Package]:
    """Return the packages that a repository makes itself, as its newest manifests say.

    Args:
        history: Of the clone.
        folder: Where it is kept, for the other streams of a clone; deleting it only means reading again.
    """
    if not history.main_line:
        return frozenset()
    newest, kept = history.main_line[-1].sha, folder / f"{_key(history)}-made.json"
    try:
        said = json.loads(kept.read_text(encoding="utf-8"))
        if said["commit"] == newest:
            return frozenset(Package(str(ecosystem), str(name)) for ecosystem, name in said["made"])
    except (OSError, ValueError, TypeError, KeyError):
        pass
    inventory = Inventory()
    inventory.apply(history.tree(newest, _is_manifest))
    made = sorted([one.ecosystem, one.name] for one in inventory.made)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole_text(kept, json.dumps({"commit": newest, "made": made}))
    return inventory.made


def _key(history: History) -> str:
    first = history.main_line[0].sha
    return hashlib.sha256(f"{VERSION} {history.folder.resolve()} {first}".encode()).hexdigest()[:24]


def _is_manifest(path: str) -> bool:
    found = format_of(path)
    return found is not None and not found.is_lock


def _kept(path: Path) -> tuple[str, float, Timeline]:
    """Return the commit that a timeline reaches to, the clock when it was kept, and the timeline."""
    try:
        head, _, text = path.read_text(encoding="utf-8").partition("\n")
        known, kept_at = head.split(" ")
        return known, float(kept_at), Timeline.from_json(text)
    except (OSError, ValueError, TypeError):
        return "", 0.0, Timeline()
