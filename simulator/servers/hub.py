"""What the stand-in for GitHub knows: deployments, runs, alerts, pull requests and issues made of the records."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from datetime import datetime, timedelta

from simulator.servers.records import (
    DEVOPS_TEAM,
    OWNER,
    PLANTED,
    PROBED_BY_GITHUB,
    Records,
    Row,
    parse,
    precise,
    text,
)

PROBE = timedelta(minutes=15)
VECTOR = "CVSS:3.1/AV:{}/AC:L/PR:N/UI:N/S:U/C:{}/I:H/A:H"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
ACTIONS = {"slug": "github-actions"}
# Scheduled use-case tests of a repository whose job names an environment.
TESTS_WITH_ENVIRONMENT = 150


def _status(number: int, state: str, at: datetime, note: str, run: Row | None) -> Row:
    """A state of a deployment; what a workflow wrote links to the log of its job."""
    log = f"https://github.invalid/o/r/actions/runs/{run['id']}/job/{run['id']}1" if run else ""
    return {"id": number, "state": state, "created_at": precise(at), "description": note, "log_url": log}


def _comment(kind: str, login: str, said: str) -> Row:
    return {"nodes": [{"author": {"__typename": kind, "login": login}, "body": said}]}


# What makes a request one that is neither open nor applied.
_NEEDLESS: tuple[Row, ...] = (
    {"title": "Update dependency needless to v2 - autoclosed"},
    {"comments": _comment("Bot", "dependabot", "Looks like needless is up-to-date now, so this is no longer needed.")},
    {"title": "Configure Renovate", "body": "Welcome!", "headRefName": "renovate/configure"},
)


def _update_pull(number: int, row: Row) -> Row:
    """One update request: every third of Dependabot, every fourth of the others with badges of before 2023."""
    applied, package, version = row["applied_at"], row["package"], f"2.{number}.0"
    is_dependabot = number % 3 == 0
    if is_dependabot:
        title = f"build(deps): Bump {package} from 2.0.0 to {version}"
        body = f"Bumps [{package}](https://x.invalid) from 2.0.0 to {version}.\n\n{PLANTED['text']}"
        branch = f"dependabot/npm_and_yarn/{package}-{version}"
    else:
        badge = (
            f"packages/npm/{package}/{version}/age-slim" if number % 4 == 0 else f"badges/age/npm/{package}/{version}"
        )
        cells = (
            f"[`2.0.0` -> `{version}`](https://x.invalid) | [![age](https://badges.invalid/{badge})](https://x.invalid)"
        )
        table = f"| Package | Change | Age |\n|---|---|---|\n| [{package}](https://x.invalid) | {cells} |"
        title, branch = f"chore(deps): update {package} to v{version}", f"renovate/{package}"
        body = f"Updates.\n\n{table}\n\n{PLANTED['text']}"
    return {
        "__typename": "PullRequest",
        "number": number,
        "title": title,
        "state": "MERGED" if applied else "OPEN",
        "createdAt": precise(row["available_at"]),
        "mergedAt": precise(applied),
        "closedAt": precise(applied),
        "headRefName": branch,
        "body": body,
        "repository": {"nameWithOwner": row["repository"]},
        "author": {"__typename": "Bot", "login": "dependabot" if is_dependabot else "renovate"},
        "mergedBy": {"__typename": "User"} if applied else None,
        "mergeCommit": {"oid": hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()}
        if applied
        else None,
        "labels": {"nodes": [{"name": "dependencies"}]},
        "comments": _comment("User", PLANTED["person"], PLANTED["text"]),
        "_instants": {
            "created": row["available_at"],
            "merged": applied,
            "updated": applied or row["available_at"],
        },
    }


def _never_ran(times: list[datetime]) -> datetime:
    """Return the latest round, at least three days from the end, that has no probe although its neighbours do."""
    last = times[-1] - timedelta(days=3)
    return max(
        before + PROBE for before, after in itertools.pairwise(times) if after == before + 2 * PROBE and after < last
    )


class GitHub:
    """Answers; everything is made once from the records."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.deployments = self._deployments()
        self.runs = self._runs()
        self._tests_with_environment()
        self.deployment_of = {row["body"]["node_id"]: row for rows in self.deployments.values() for row in rows}
        for repository, rows in self.deployments.items():
            rows.sort(key=lambda row: row["body"]["created_at"], reverse=True)
            made_by = [row["run"] for row in rows if row["run"]]
            known = {run["id"] for run in self.runs.get(repository, [])}
            self.runs.setdefault(repository, []).extend(run for run in made_by if run["id"] not in known)
        self.alerts = self._alerts()
        self.pulls = self._pulls()
        self.issues = self._issues()

    def _deployments(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        self.numbers: dict[str, str] = {}
        for number, row in enumerate(self.records.rows["deployments"], start=500_000):
            repository = f"{OWNER}/{row['service_id']}"
            self.numbers[row["deployment_id"]] = f"{repository}#{number}"
            if row["deployed_at"] < self.records.archive_until:
                self.numbers[row["deployment_id"]] = row["deployment_id"]
            elif self.records.team_of(row["service_id"]) == DEVOPS_TEAM:
                self.numbers[row["deployment_id"]] = f"azure-devops-{number}"
            if self.records.team_of(row["service_id"]) == DEVOPS_TEAM:
                continue
            human = row["actor_kind"] == "human"
            created = row["deployed_at"] - timedelta(minutes=4)
            statuses = [("queued", created, ""), ("success", row["deployed_at"], "")]
            for column, word in (("rolled_back_at", "rollback"), ("hotfixed_at", "hotfix")):
                if row[column]:
                    statuses.append(("failure", row[column], f"{word} {PLANTED['text']}"))
            statuses.append(("inactive", row["deployed_at"] + timedelta(days=40), ""))
            run = None if human else self._deploy_run(number, created)
            found[repository].append(
                {
                    "body": {
                        "id": number,
                        "node_id": f"DE_{number}",
                        "sha": hashlib.sha1(row["deployment_id"].encode(), usedforsecurity=False).hexdigest(),
                        "ref": "main",
                        "task": "hotfix" if row["is_rework"] else "deploy",
                        "environment": row["environment"],
                        "payload": {"manual_step": row["has_manual_step"]},
                        "description": PLANTED["text"],
                        "creator": {"login": PLANTED["person"], "type": "User"} if human else BOT,
                        "performed_via_github_app": None if human else ACTIONS,
                        "created_at": precise(created),
                    },
                    "committed": row["committed_at"],
                    "run": run,
                    "statuses": [
                        _status(number * 10 + place, state, at, note, run)
                        for place, (state, at, note) in enumerate(statuses)
                    ],
                }
            )
        return found

    @staticmethod
    def _deploy_run(number: int, created: datetime) -> Row:
        """The workflow run that rolled out; whoever pressed the button, Actions did it."""
        return {
            "id": 8_000_000 + number,
            "run_number": number,
            "run_attempt": 1,
            "name": "Deploy",
            "path": ".github/workflows/deploy.yml",
            "event": "push" if number % 2 else "workflow_dispatch",
            "status": "completed",
            "conclusion": "success",
            "created_at": text(created),
            "run_started_at": text(created),
            "updated_at": text(created + timedelta(minutes=5)),
            "head_branch": "main",
            "actor": {"login": PLANTED["person"], "type": "User"},
        }

    def _tests_with_environment(self) -> None:
        """The newest scheduled use-case tests name an environment, so that each makes a deployment too."""
        for repository, runs in self.runs.items():
            for run in runs[:TESTS_WITH_ENVIRONMENT]:
                number, at = 400_000 + run["run_number"], parse(run["created_at"])
                body = {
                    "id": number,
                    "node_id": f"DE_{number}",
                    "sha": hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest(),
                    "ref": "main",
                    "task": "deploy",
                    "environment": "Prod",
                    "payload": {},
                    "description": None,
                    "creator": BOT,
                    "performed_via_github_app": ACTIONS,
                    "created_at": text(at),
                }
                states = [("in_progress", at), ("success", at + timedelta(minutes=2))]
                statuses = [
                    _status(number * 10 + place, state, when, "", run) for place, (state, when) in enumerate(states)
                ]
                found = {"body": body, "committed": at - timedelta(days=3), "run": run, "statuses": statuses}
                self.deployments[repository].append(found)

    def _runs(self) -> dict[str, list[Row]]:
        frame = self.records.frames["availability_checks"]
        found: dict[str, list[Row]] = {}
        for service in PROBED_BY_GITHUB:
            rows = frame.filter(frame["monitor_id"] == f"probe-{service}").to_dicts()
            found[f"{OWNER}/{service}"] = [
                {
                    "id": 9_000_000 + place,
                    "run_number": place + 1,
                    # Every eighth failure was run again by hand, and the second attempt is green.
                    "run_attempt": 2 if row["status"] != "up" and place % 8 == 0 else 1,
                    "name": "Use Case PROD",
                    "path": ".github/workflows/use-case-PROD.yml",
                    "event": "schedule",
                    "status": "completed",
                    # A failed probe makes the run red; a probe that was skipped leaves it green.
                    "conclusion": "success" if row["status"] == "up" else "failure",
                    "created_at": text(row["checked_at"]),
                    "run_started_at": text(row["checked_at"]),
                    "updated_at": text(row["checked_at"] + timedelta(minutes=2)),
                    "head_branch": "main",
                    "actor": {"login": PLANTED["person"], "type": "User"},
                    "_up": row["status"] == "up",
                    "_skipped": False,
                    "_ms": row["response_ms"],
                }
                for place, row in enumerate(rows)
            ]
            found[f"{OWNER}/{service}"] += self._others(len(rows), _never_ran([row["checked_at"] for row in rows]))
        return found

    def _others(self, count: int, skipped_at: datetime) -> list[Row]:
        """Runs that a reader must not take for a probe's result: switched off, by hand, and a restore test.

        The one switched off stands where the records have no probe, so both ways leave that time unknown.
        """
        at = self.records.now.replace(hour=3) - timedelta(days=3)
        common: Row = {
            "run_attempt": 1,
            "name": "Use Case PROD",
            "path": ".github/workflows/use-case-PROD.yml",
            "event": "schedule",
            "status": "completed",
            "conclusion": "success",
            "created_at": text(at),
            "run_started_at": text(at),
            "updated_at": text(at),
            "head_branch": "main",
            "actor": {"login": PLANTED["person"], "type": "User"},
            "_up": True,
            "_ms": 2_520_000,
        }
        kinds: list[Row] = [
            {"_skipped": True, "created_at": text(skipped_at)},
            {"_skipped": False, "event": "workflow_dispatch"},
            {"_skipped": False, "path": ".github/workflows/restore-test-sjokart-api-db.yml"},
            {"_skipped": False, "path": ".github/workflows/build.yml"},
        ]
        return [common | kind | {"id": 9_000_000 + count + place, "run_number": 1} for place, kind in enumerate(kinds)]

    def _alerts(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for number, row in enumerate(self.records.rows["vulnerabilities"], start=1):
            scope = "runtime" if row["is_exposed"] else "development"
            vector = VECTOR.format("N" if row["is_automatable"] else "L", "H" if row["is_total_impact"] else "L")
            cve = f"CVE-2026-{90000 + number}"
            found[f"{OWNER}/{row['service_id']}"].append(
                {
                    "number": number,
                    "state": "fixed" if row["fixed_at"] else "open",
                    "dependency": {
                        "package": {"ecosystem": "npm", "name": PLANTED["finding"]},
                        "manifest_path": "package.json",
                        "scope": scope,
                        "relationship": "direct",
                    },
                    "security_advisory": {
                        "ghsa_id": f"GHSA-xxxx-{number:04d}-zzzz",
                        "cve_id": cve,
                        "summary": PLANTED["finding"],
                        "description": PLANTED["finding"],
                        "severity": "high",
                        "published_at": precise(row["detected_at"] - timedelta(days=1)),
                        "withdrawn_at": None,
                        "cvss_severities": {
                            "cvss_v3": {"vector_string": vector, "score": 7.5},
                            "cvss_v4": {"vector_string": None, "score": 0.0},
                        },
                        "epss": {"percentage": row["epss_ratio"], "percentile": 0.5},
                    },
                    "created_at": precise(row["detected_at"]),
                    "fixed_at": precise(row["fixed_at"]),
                    "dismissed_at": None,
                    "dismissed_reason": None,
                    "auto_dismissed_at": None,
                    "_exploited": row["is_exploited"],
                }
            )
        return found

    def _pulls(self) -> list[Row]:
        """Update requests in the forms of both bots, and some that are neither open nor applied."""
        rows = self.records.rows["update_episodes"]
        found = [_update_pull(number, row) for number, row in enumerate(rows, start=1)]
        # Two that the bots took back by themselves, and the bot's own set-up.
        for place, form in enumerate(_NEEDLESS, start=len(found) + 1):
            opened = rows[0]["available_at"]
            found.append(_update_pull(place, rows[0] | {"package": "needless", "applied_at": None}) | form)
            found[-1] |= {"state": "CLOSED", "closedAt": precise(opened + timedelta(days=2))}
        return found

    def _issues(self) -> list[Row]:
        found: list[Row] = []
        for row in self.records.rows["incidents"]:
            fields = {
                "Hendelsesnummer": row["incident_id"],
                "Varslet av alarm": row["first_alert_at"],
                "Meldt av bruker": row["first_report_at"],
                "Hendelsesansvarlig utpekt": row["manager_assigned_at"],
                "Post mortem publisert": row["postmortem_published_at"],
                "Myndighet varslet": row["notified_at"],
                # A sentence where a code belongs stays where it is.
                "Signatur": row["signature"] or PLANTED["text"],
                "Utløst av": self.numbers.get(row["caused_by_deployment_id"] or ""),
                "Beskrivelse": f"{PLANTED['text']} {PLANTED['person']} {PLANTED['mail']}",
            }
            flags = {
                "eskalert": row["is_escalated"],
                "øvelse": row["is_exercise"],
                "datatap": row["is_data_loss"],
                "gjennomgått": row["is_postmortem_reviewed"],
                "meldepliktig": row["is_reportable"],
            }
            labels = [
                "incident",
                f"service:{row['service_id']}",
                f"sev{row['severity']}",
                *(n for n, on in flags.items() if on),
            ]
            found.append(self._issue(len(found) + 1, labels, fields, row["declared_at"], row["resolved_at"]))
        for row in self.records.rows["action_items"]:
            fields = {"Frist": row["first_due_at"], "Hendelse": row["incident_id"]}
            dropped = row["is_dropped_with_approval"]
            labels = [
                "tiltak",
                f"service:{row['service_id']}",
                f"p{row['priority']}",
                *(["godkjent"] if dropped else []),
            ]
            fields |= {"Utført": row["done_at"]} if dropped else {}
            ended = row["done_at"] or (self.records.now if dropped else None)
            issue = self._issue(len(found) + 1, labels, fields, row["created_at"], ended)
            found.append(issue | {"stateReason": "NOT_PLANNED" if dropped else issue["stateReason"]})
        for row in self.records.rows["maintenance_tasks"]:
            labels = ["vedlikehold", f"team:{row['team_id']}"]
            made = min(row["first_due_at"] - timedelta(days=30), self.records.now)
            found.append(self._issue(len(found) + 1, labels, {"Frist": row["first_due_at"]}, made, row["completed_at"]))
        return found

    def _issue(self, number: int, labels: list[str], fields: Row, created: datetime, closed: datetime | None) -> Row:
        lines = [
            f"### {name}\n\n{precise(value) if isinstance(value, datetime) else value or '_No response_'}"
            for name, value in fields.items()
        ]
        return {
            "number": number,
            "state": "CLOSED" if closed else "OPEN",
            "stateReason": "COMPLETED" if closed else None,
            "createdAt": precise(created),
            "closedAt": precise(closed),
            "body": "\n\n".join(lines),
            "labels": {"nodes": [{"name": label} for label in labels]},
            "milestone": None,
            "timelineItems": {"nodes": []},
            "_updated": closed or self.records.now,
            "_created": created,
        }
