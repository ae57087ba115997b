"""What people write down afterwards: actions, findings, answers, reviews of pages, toil."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulator.inventory import RULES
from simulator.organisation import Organisation
from simulator.world import CHARACTERS, END_DAY, FIRST_DAY, before_end, days, last_instant, local, rng

Row = dict[str, Any]
DAYS_BY_SEVERITY = {"critical": 30, "high": 30, "medium": 90, "low": 180}


def action_items(incidents: list[Row], services: dict[str, str], seed: int) -> list[Row]:
    """Return corrective actions of incidents with a post mortem.

    Args:
        incidents: As ``practice.incidents`` returns them.
        services: Service -> team.
        seed: Of the random numbers.
    """
    rows: list[Row] = []
    for incident in incidents:
        created = incident["postmortem_published_at"]
        if created is None:
            continue
        draws = rng(seed, "actions", incident["incident_id"])
        for number in range(1, draws.randint(1, 3) + 1):
            level = CHARACTERS[services[incident["service_id"]]].level("inc", created)
            priority = draws.choice((1, 2, 2, 3))
            due = created + timedelta(days=28 if priority == 1 else 56)
            early, late = due - timedelta(days=draws.uniform(1, 25)), due + timedelta(days=draws.uniform(2, 90))
            rows.append(
                {
                    "action_id": f"{incident['incident_id']}-{number}",
                    "service_id": incident["service_id"],
                    "incident_id": incident["incident_id"],
                    "priority": priority,
                    "created_at": created,
                    "first_due_at": due if draws.random() < 0.7 else None,
                    "done_at": before_end(early if draws.random() < 0.3 + 0.68 * level else late),
                    "is_dropped_with_approval": draws.random() < 0.03,
                }
            )
    return rows


def assist_requests(incidents: list[Row], organisation: Organisation, seed: int) -> list[Row]:
    """Return requests to other teams during every third incident."""
    owner = {service.id: service.team for service in organisation.services}
    teams = sorted(organisation.duties)
    rows: list[Row] = []
    for incident in incidents:
        draws = rng(seed, "assist", incident["incident_id"])
        if draws.random() > 0.33 or incident["declared_at"] < local(FIRST_DAY, 0):
            continue
        asked_team = draws.choice([team for team in teams if team != owner[incident["service_id"]]])
        asked = incident["declared_at"] + timedelta(minutes=draws.randint(5, 60))
        level = CHARACTERS[asked_team].level("inc", asked)
        wait = draws.uniform(1, 28) if draws.random() < 0.4 + 0.6 * level else draws.uniform(35, 300)
        if asked < last_instant():
            rows.append(
                {
                    "request_id": f"B-{incident['incident_id']}",
                    "incident_id": incident["incident_id"],
                    "from_team_id": owner[incident["service_id"]],
                    "to_team_id": asked_team,
                    "asked_at": asked,
                    "answered_at": before_end(asked + timedelta(minutes=wait)),
                }
            )
    return rows


def findings(organisation: Organisation, assessments: list[Row], seed: int) -> list[Row]:
    """Return a few findings of each assessment."""
    owner = {service.id: service.team for service in organisation.services}
    rows: list[Row] = []
    for assessment in assessments:
        draws = rng(seed, "findings", assessment["assessment_id"])
        found = assessment["approved_at"]
        for number in range(1, draws.randint(1, 5) + 1):
            severity = draws.choice(("high", "medium", "medium", "low"))
            due = found + timedelta(days=DAYS_BY_SEVERITY[severity] * draws.choice((0.5, 1, 1, 2)))
            level = CHARACTERS[owner[assessment["service_id"]]].level("sec", found)
            allowed = min(due, found + timedelta(days=DAYS_BY_SEVERITY[severity]))
            early = found + (allowed - found) * draws.uniform(0.2, 0.95)
            closed = early if draws.random() < 0.25 + 0.73 * level else due + timedelta(days=draws.uniform(5, 120))
            if found < last_instant():
                rows.append(
                    {
                        "finding_id": f"{assessment['assessment_id']}-{number}",
                        "service_id": assessment["service_id"],
                        "severity": severity,
                        "found_at": found,
                        "first_due_at": due if draws.random() < 0.8 else None,
                        "closed_at": before_end(closed),
                    }
                )
    return rows


def toil_reports(organisation: Organisation, seed: int) -> list[Row]:
    """Return a weekly pulse; in small weeks too few answer to show it."""
    rows: list[Row] = []
    for team in organisation.duties:
        draws = rng(seed, "toil", team)
        for day in days():
            if day.weekday() != 0:
                continue
            level = CHARACTERS[team].level("aut", local(day, 12))
            rows.append(
                {
                    "team_id": team,
                    "week_starts_on": day,
                    "toil_ratio": round(min(0.95, max(0.02, 0.58 - 0.45 * level + draws.uniform(-0.08, 0.08))), 4),
                    "respondent_count": draws.choice((3, 5, 6, 7)) if draws.random() < 0.3 else draws.randint(5, 8),
                }
            )
    return rows


@dataclass(frozen=True, slots=True)
class Subject:
    """A page that somebody has to review.

    Attributes:
        document: Its id.
        kind: monitoring, known_error or restore.
        service: What it is about.
        subject: The rule, signature or datastore within the service.
        team: Who keeps it.
        area: Whose level of practice decides.
        pace: 1 is several times a year.
    """

    document: str
    kind: str
    service: str
    subject: str | None
    team: str
    area: str
    pace: float


def subjects(organisation: Organisation, incidents: list[Row]) -> list[Subject]:
    """Return every page that should be there."""
    found: list[Subject] = []
    for service in organisation.services:
        name, team = service.id, service.team
        found.append(Subject(f"side-{name}", "monitoring", name, None, team, "mon", 1.0))
        repeated = sorted({i["signature"] for i in incidents if i["service_id"] == name and i["signature"]})
        found += [
            Subject(f"kjentfeil-{name}-{code}", "known_error", name, code, team, "inc", 0.6)
            for code in (*RULES, *repeated)
        ]
    found += [
        Subject(f"gjenoppretting-{store.id}", "restore", store.service, store.id, store.team, "bck", 0.6)
        for store in organisation.datastores
    ]
    return found


def documents(organisation: Organisation, incidents: list[Row], seed: int) -> list[Row]:
    """Return reviews of monitoring pages, runbooks, restore runbooks and the organisation's own routines."""
    rows: list[Row] = []
    for subject in subjects(organisation, incidents):
        draws = rng(seed, "document", subject.document)
        level = CHARACTERS[subject.team].level(subject.area, local(FIRST_DAY, 0))
        if draws.random() > 0.35 + 0.7 * level:
            continue
        complete = draws.random() < 0.7 + 0.3 * level
        day = FIRST_DAY - timedelta(days=draws.randint(5, 300))
        while day < END_DAY:
            rows.append(review(subject, day, complete=complete))
            day += timedelta(days=round(draws.uniform(70, 150 + 260 * (1 - level)) / subject.pace))
    for document, kind in (
        ("rutine-hendelse", "incident_routine"),
        ("ovelse-hendelse", "incident_exercise"),
        ("veileder-overvaking", "monitoring_guide"),
    ):
        rows += [
            _review(document, kind, day, None, None, complete=True) for day in (date(2025, 3, 4), date(2026, 2, 17))
        ]
    return rows


def review(subject: Subject, day: date, *, complete: bool) -> Row:
    """Return the review of a page on a day."""
    return _review(subject.document, subject.kind, day, subject.service, subject.subject, complete=complete)


def _review(document: str, kind: str, day: date, service: str | None, subject: str | None, *, complete: bool) -> Row:
    return {
        "document_id": document,
        "kind": kind,
        "service_id": service,
        "subject_id": subject,
        "reviewed_at": local(day, 13),
        "is_reviewed_by_other": True,
        "is_complete": complete,
    }
