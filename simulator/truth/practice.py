"""Expected values of what people do: alerts, incidents, duty, actions, changes, toil."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from statistics import stdev

from simulator.truth.setting import Row, Setting, Value, midnight, shares, working_deadline

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def episodes(s: Setting) -> list[Row]:
    """Pages of one rule and service with less than half an hour of quiet; an open one lasts a day at most."""
    found: list[Row] = []
    last: dict[tuple[str, str], Row] = {}
    for page in sorted(s.records["alerts"], key=lambda p: (p["fired_at"], p["alert_id"])):
        key = (page["service_id"], page["rule_id"])
        closed = min(page["closed_at"] or page["fired_at"] + DAY, page["fired_at"] + DAY)
        if key not in last or page["fired_at"] > last[key]["quiet_from"] + 30 * MINUTE:
            team = s.owner(page["service_id"], page["fired_at"])
            last[key] = {"team": team, "pages": [], "quiet_from": closed}
            found.append(last[key])
        last[key]["pages"].append(page)
        last[key]["quiet_from"] = max(last[key]["quiet_from"], closed)
    return found


def mon_alert_precision(s: Setting) -> dict[str, Value]:
    """Episodes that were over, half an hour after their last page was closed, and asked for action."""
    items: list[tuple[str, float, float]] = []
    for episode in episodes(s):
        if any(page["closed_at"] is None for page in episode["pages"]):
            continue
        over = max(page["closed_at"] for page in episode["pages"]) + 30 * MINUTE
        labels = {page["label"] for page in episode["pages"]}
        useful = "actionable" in labels or any(page["incident_id"] for page in episode["pages"])
        labelled = useful or "noise" in labels
        if s.within(over, 90) and (labelled or over + 7 * DAY <= s.as_of):
            items.append((episode["team"], float(useful), 1.0))
    return shares(items)


def _open_or_resolved(s: Setting, incident: Row, days: int) -> bool:
    """Declared by now, and resolved within the window or still open."""
    resolved = incident["resolved_at"]
    return incident["declared_at"] < s.as_of and (resolved is None or resolved >= s.start(days))


def _by_now(s: Setting, instant: datetime | None) -> datetime | None:
    """What has happened by now; the rest has not."""
    return instant if instant is not None and instant < s.as_of else None


def _in_time(s: Setting, done: datetime | None, limit: datetime) -> float | None:
    """1 where it was done in time, 0 where not; None while nobody has done it and there is still time."""
    by_now = _by_now(s, done)
    if by_now is None and limit >= s.as_of:
        return None
    return float(by_now is not None and by_now <= limit)


def _team(s: Setting, incident: Row) -> str:
    return s.owner(incident["service_id"], incident["declared_at"]) or ""


def mon_detection_by_alert(s: Setting) -> dict[str, Value]:
    """Incidents that an alert saw before a person did."""
    items: list[tuple[str, float, float]] = []
    for incident in s.records["incidents"]:
        alert, report = (_by_now(s, incident[name]) for name in ("first_alert_at", "first_report_at"))
        if incident["severity"] <= 3 and _open_or_resolved(s, incident, 180):
            items.append((_team(s, incident), float(alert is not None and (report is None or alert <= report)), 1.0))
    return shares(items)


def mon_pager_load_ok(s: Setting) -> dict[str, Value]:
    """Half-day shifts that are over, with at most two incidents."""
    pages: dict[str, list[Row]] = {}
    for page in s.records["alerts"]:
        pages.setdefault(s.owner(page["service_id"], page["fired_at"]) or "", []).append(page)
    items: list[tuple[str, float, float]] = []
    for shift in s.records["oncall_shifts"]:
        hours = (shift["ends_at"] - shift["starts_at"]) / timedelta(hours=1)
        parts = max(1, int(hours / 12 + 0.5))
        length = (shift["ends_at"] - shift["starts_at"]) / parts
        for part in range(parts):
            start = shift["starts_at"] + part * length
            if s.start(90) < start + length <= s.as_of:
                own = pages.get(shift["team_id"], [])
                inside = {p["incident_id"] or p["alert_id"] for p in own if start <= p["fired_at"] < start + length}
                items.append((shift["team_id"], float(len(inside) <= 2), 1.0))
    return shares(items)


def inc_incident_manager_involved(s: Setting) -> dict[str, Value]:
    """Serious incidents with a manager within half an hour."""
    items: list[tuple[str, float, float]] = []
    for i in s.records["incidents"]:
        if (i["severity"] <= 2 or (i["severity"] == 3 and i["is_escalated"])) and _open_or_resolved(s, i, 365):
            met = _in_time(s, i["manager_assigned_at"], i["declared_at"] + 30 * MINUTE)
            if met is not None:
                items.append((_team(s, i), met, 1.0))
    return shares(items)


def inc_ack_within_target(s: Setting) -> dict[str, Value]:
    """Pages answered in five minutes (severity 1, round the clock) or thirty."""
    items: list[tuple[str, float, float]] = []
    for page in s.records["alerts"]:
        team = s.owner(page["service_id"], page["fired_at"]) or ""
        if not s.within(page["fired_at"], 90) or not s.on_duty(team, page["fired_at"]):
            continue
        always = s.duty(team, page["fired_at"]) == "always"
        limit = page["fired_at"] + (5 if page["severity"] == 1 or always else 30) * MINUTE
        answered = _by_now(s, page["acknowledged_at"])
        if answered is None and (limit >= s.as_of or (page["closed_at"] is not None and page["closed_at"] <= limit)):
            continue
        met = answered is not None and page["acknowledged_by_kind"] == "human" and answered <= limit
        items.append((team, float(met), 1.0))
    return shares(items)


def inc_postmortem_on_time(s: Setting, spent: dict[str, bool | None]) -> dict[str, Value]:
    """Post mortems by the fifth working day.

    Args:
        s: The setting.
        spent: Incident -> whether it spent more than a fifth of a 28-day error budget; None is not known.
    """
    items: list[tuple[str, float | None, float]] = []
    for incident in s.records["incidents"]:
        large = True if incident["severity"] <= 2 else spent[incident["incident_id"]]
        published, team = incident["postmortem_published_at"], _team(s, incident)
        ended = _by_now(s, incident["resolved_at"])
        due = working_deadline(ended or incident["declared_at"], 5, s.hours(team)[1])
        if large is not False and due < s.as_of and (ended is None or due >= s.start(365)):
            met = published is not None and published <= due and incident["is_postmortem_reviewed"]
            items.append((team, float(met) if large else None, 1.0))
    return shares(items)


def inc_actions_on_time(s: Setting) -> dict[str, Value]:
    """Corrective actions by their first due instant."""
    items: list[tuple[str, float, float]] = []
    for action in s.records["action_items"]:
        due = action["first_due_at"] or action["created_at"] + (28 if action["priority"] == 1 else 56) * DAY
        if s.within(due, 180) and not action["is_dropped_with_approval"]:
            met = action["done_at"] is not None and action["done_at"] <= due
            items.append((s.owner(action["service_id"], action["created_at"]) or "", float(met), 1.0))
    return shares(items)


def inc_assist_response(s: Setting) -> dict[str, Value]:
    """Requests answered in half an hour."""
    items: list[tuple[str, float, float]] = []
    for r in s.records["assist_requests"]:
        if s.within(r["asked_at"], 180) and s.on_duty(r["to_team_id"], r["asked_at"]):
            met = _in_time(s, r["answered_at"], r["asked_at"] + 30 * MINUTE)
            if met is not None:
                items.append((r["to_team_id"], met, 1.0))
    return shares(items)


def sec_findings_on_time(s: Setting) -> dict[str, Value]:
    """Findings closed by their first due instant, which severity limits."""
    limits = {"critical": 30, "high": 30, "medium": 90, "low": 180}
    items: list[tuple[str, float, float]] = []
    for finding in s.records["findings"]:
        latest = finding["found_at"] + limits[finding["severity"]] * DAY
        due = min(finding["first_due_at"] or latest, latest)
        if s.within(due, 180):
            met = finding["closed_at"] is not None and finding["closed_at"] <= due
            items.append((s.owner(finding["service_id"], finding["found_at"]) or "", float(met), 1.0))
    return shares(items)


def _production(s: Setting, waited: timedelta) -> list[Row]:
    """Production deployments that some time later lies in the window."""
    return [
        d
        for d in s.records["deployments"]
        if d["environment"].lower() in {"prod", "production"} and s.within(d["deployed_at"] + waited, 90)
    ]


def aut_automated_deploy_share(s: Setting) -> dict[str, Value]:
    """Changes by a pipeline without manual step."""
    return shares(
        [
            (
                s.owner(d["service_id"], d["deployed_at"]) or "",
                float(d["actor_kind"] == "pipeline" and not d["has_manual_step"]),
                1.0,
            )
            for d in _production(s, timedelta())
        ]
    )


def aut_change_fail_rate(s: Setting) -> dict[str, Value]:
    """Changes followed within a week by rollback, hotfix or incident; judged when the week is over."""
    blamed: dict[str, datetime] = {}
    for incident in s.records["incidents"]:
        cause = incident["caused_by_deployment_id"]
        if cause:
            blamed[cause] = min(blamed.get(cause, incident["declared_at"]), incident["declared_at"])
    items: list[tuple[str, float, float]] = []
    for deployment in _production(s, 7 * DAY):
        at = deployment["deployed_at"]
        signs = [deployment["rolled_back_at"], deployment["hotfixed_at"], blamed.get(deployment["deployment_id"])]
        failed = any(sign is not None and sign <= at + 7 * DAY for sign in signs)
        items.append((s.owner(deployment["service_id"], at) or "", float(failed), 1.0))
    return shares(items)


def aut_toil_share(s: Setting) -> dict[str, Value]:
    """Mean of the weeks that ended in the window and may be shown."""
    found: dict[str, Value] = {}
    for team in s.teams:
        weeks = [
            r
            for r in s.records["toil_reports"]
            if r["team_id"] == team and s.start(91) < midnight(r["week_starts_on"] + 7 * DAY) <= s.as_of
        ]
        shown = [r["toil_ratio"] for r in weeks if r["respondent_count"] >= 4]
        if weeks:
            error = stdev(shown) / math.sqrt(len(shown)) if len(shown) > 1 else None
            found[team] = Value(sum(shown), len(shown), len(shown), len(shown) / len(weeks), error=error)
    return found


def mnt_planned_maintenance_on_time(s: Setting) -> dict[str, Value]:
    """Tasks done by their first due instant; what was done was not cancelled."""
    items = [
        (t["team_id"], float(t["completed_at"] is not None and t["completed_at"] <= t["first_due_at"]), 1.0)
        for t in s.records["maintenance_tasks"]
        if s.within(t["first_due_at"], 180)
        and (not t["is_cancelled_with_approval"] or (t["completed_at"] is not None and t["completed_at"] < s.as_of))
    ]
    return shares(items)
