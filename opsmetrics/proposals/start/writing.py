"""The files of a draft: a small commented organisation, and what differs from files that lie there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from opsmetrics.core.atomic import write_whole_text
from opsmetrics.organisation.load import REGISTERS
from opsmetrics.organisation.spreadsheets import text_of
from opsmetrics.proposals.start.draft import Draft, OwnerDraft, ServiceDraft, names_of
from opsmetrics.proposals.start.from_rows import production_names
from opsmetrics.proposals.start.toml import listed, quoted

# How far back the scorecard begins, where something older is known.
MOST_DAYS = 400
_LOOK = "# verify: "


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose scorecard it is.

    Attributes:
        id: Id.
        name: Name as people write it.
        language: nb or en.
        timezone: Zone whose midnights cut days.
        country: Country of the public holidays.
    """

    id: str
    name: str
    language: str = "nb"
    timezone: str = "Europe/Oslo"
    country: str = "NO"


@dataclass(slots=True)
class Written:
    """What was done with the files.

    Attributes:
        files: Names of those written.
        differences: What they change of files that lay there.
    """

    files: list[str] = field(default_factory=list[str])
    differences: str = ""


def history_from(draft: Draft, today: date) -> date:
    """Return the first day of the scorecard: the oldest that a source proves, at most some 13 months back."""
    first = min((day for day in draft.days if day <= today), default=today - timedelta(days=90))
    return max(first, (today - timedelta(days=MOST_DAYS)).replace(day=1))


def texts(draft: Draft, who: Identity, root: str, today: date) -> dict[str, str]:
    """Return file -> text of the configuration.

    Args:
        draft: What is proposed.
        who: Whose.
        root: Folder of the exports, as ``sources.toml`` names it.
        today: Local day.
    """
    start = history_from(draft, today)
    found = {
        "organisation.toml": _organisation(draft, who, start),
        "teams.toml": _teams(draft, start),
        "services.toml": _services(draft, start, today),
        "sources.toml": _sources(draft, root),
    }
    if draft.datastores:
        found["datastores.toml"] = _datastores(draft)
    for name in ("waivers", "goals"):
        found[f"registers/{name}.csv"] = _register(name, who.language)
    return found


def _register(name: str, language: str) -> str:
    """An empty register; for Norwegian as a Norwegian spreadsheet opens it with a column a field."""
    columns = list(REGISTERS[name].model_fields)
    return f"\ufeff{';'.join(columns)}\n" if language == "nb" else f"{','.join(columns)}\n"


def _organisation(draft: Draft, who: Identity, start: date) -> str:
    return "\n".join(
        (
            "# Written by `opsmetrics init`. What it guessed is marked `verify`.",
            f"id = {quoted(who.id)}",
            f"name = {quoted(who.name)}",
            f'language = {quoted(who.language)}               # of pages and briefs: "nb" or "en"',
            f"timezone = {quoted(who.timezone)}",
            f"holidays = {quoted(who.country)}              # public holidays of a country, or a list of days",
            f"{_LOOK}the first day that is scored; the oldest record that was found, at most 13 months back",
            f"history_from = {start}",
            "",
            f"{_LOOK}names that sources have for production; nothing else counts as deployed",
            "[environments]",
            f"prod = {listed(production_names(draft))}",
            "",
        )
    )


def _teams(draft: Draft, start: date) -> str:
    parts = ["# Who answers for services. Type is product or platform; on-call duty is working_hours, always or none."]
    for team in draft.teams.values():
        parts += [
            "",
            f"# From {names_of(team.seen_in)}.",
            "[[team]]",
            f"id = {quoted(team.id)}",
            f"name = {quoted(team.name)}",
            f"type = {quoted(team.type)}                 {_LOOK}product or platform",
            f"onboarded_on = {start}",
            f'oncall = "working_hours"          {_LOOK}the duty that is agreed: working_hours, always or none',
        ]
    return "\n".join([*parts, ""])


def owners_of(draft: Draft, service: ServiceDraft, start: date) -> list[OwnerDraft]:
    """Return the owners of a service in order, each with a day; a day that nobody proves is the service's oldest."""
    oldest = service.first_seen or start
    known = [replace(owner, since=oldest) if owner.since == date.max else owner for owner in service.owners]
    known.sort(key=lambda owner: owner.since)
    first = known[0] if known else None
    if first is not None and oldest < first.since and first.is_said:
        what = f"{service.id}: records from {oldest} ({service.why}) to {first.since} belong to nobody"
        draft.guess("services.toml", what, f"name who had it before {first.team}, where it counts")
    elif first is not None and oldest < first.since:
        what = f"{service.id}: {first.team} owns it since {oldest} ({service.why}), not since {first.since}"
        draft.guess("services.toml", what, "end an earlier owner with `to` where another team had it before")
        known[0] = replace(first, since=oldest, why=f"{service.why}; {first.why}")
    kept: list[OwnerDraft] = []
    for owner in known:
        if not kept or (owner.team != kept[-1].team and owner.since > kept[-1].since):
            kept.append(owner)
    return kept


def _services(draft: Draft, start: date, today: date) -> str:
    parts = [
        "# What is in production, and who answers for it since when. An owner's day decides whose an event was: it is",
        "# the oldest day that a source proves, never the day of writing. A handover is one more owner, the earlier",
        "# one ended by `to`.",
    ]
    undated = [
        service.id
        for service in draft.services.values()
        if service.first_seen is None and any(owner.since == date.max for owner in service.owners)
    ]
    if undated:
        what = f"owners of {names_of(undated)} are dated from {start}, because nothing says since when"
        draft.guess("services.toml", what, "write the day from which the team really answered for each")
    for service in draft.services.values():
        parts += ["", *_service(draft, service, start, today)]
    return "\n".join([*parts, ""])


def _service(draft: Draft, service: ServiceDraft, start: date, today: date) -> list[str]:
    owners = owners_of(draft, service, start)
    lines = [f"# Seen in {names_of(service.seen_in)}."] if service.seen_in else []
    lines += ["[[service]]", f"id = {quoted(service.id)}", f"name = {quoted(service.name)}"]
    if service.criticality is None:
        lines.append(f'criticality = "ordinary"      {_LOOK}critical, important or ordinary: it weighs 3, 2 or 1')
    else:
        lines.append(f"criticality = {quoted(service.criticality)}")
    entries = []
    for number, owner in enumerate(owners):
        end = f", to = {owners[number + 1].since}" if number + 1 < len(owners) else ""
        entries.append(f"  {{ team = {quoted(owner.team)}, from = {min(owner.since, today)}{end} }},  # {owner.why}")
    lines += ["owners = [", *entries, "]"]
    if service.aliases:
        lines.append(f"aliases = {listed(service.aliases)}")
    if service.repositories:
        lines.append(f"repositories = {listed(service.repositories)}")
    if service.monitors:
        lines += ["monitors = [", *(f"  {monitor}," for monitor in service.monitors), "]"]
    return lines


def _datastores(draft: Draft) -> str:
    parts = [
        "# What must be restorable. Say of each what was decided: class A to D, RPO, RTO and the interval:",
        '# class = "B", rpo_hours = 24, rto_minutes = 240, backup_interval_hours = 24, restore_plan = true',
    ]
    for store, service in draft.datastores.items():
        parts += [
            "",
            "[[datastore]]",
            f"id = {quoted(store)}",
            f"service = {quoted(service)}   {_LOOK}whose data it holds",
        ]
    return "\n".join([*parts, ""])


def _sources(draft: Draft, root: str) -> str:
    parts = [
        "# Where rows come from. `opsmetrics next` says what to connect next and what it gives; docs/sources.md how.",
        f"root = {quoted(root)}                # folder of the files below, from this folder on",
    ]
    for source in draft.sources:
        parts += ["", source.toml.rstrip("\n") if source.toml else f"# {source.what}"]
    return "\n".join([*parts, ""])


def differences(folder: Path, files: Mapping[str, str]) -> str:
    """Return how files that lie in a folder would change, as a diff; new files are no difference."""
    lines: list[str] = []
    for name, text in files.items():
        path = folder / name
        if path.exists():
            before, after = text_of(path.read_bytes()).splitlines(True), text.removeprefix("\ufeff").splitlines(True)
            lines += difflib.unified_diff(before, after, f"{name} (now)", f"{name} (proposed)")
    return "".join(lines)


def write(folder: Path, files: Mapping[str, str]) -> Written:
    """Write the files; those that differ from what lies there are replaced."""
    found = Written(differences=differences(folder, files))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_text(path, text)
        found.files.append(name)
    return found
