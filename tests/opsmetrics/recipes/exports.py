"""Invented exports in the forms of real tools, and what each says, read by hand."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


AZURE = """\ufeffBackup instance,Datasource subscription,Operation,Status,Vault,Start time,Duration
web-pg,sub,Scheduled backup,Completed,v,"8/1/2026, 2:00:00 AM",00:23:11
web-pg,sub,Scheduled backup,Failed,v,"8/12/2026, 2:00:00 PM",00:00:11
web-pg,sub,Scheduled backup,In progress,v,"8/13/2026, 2:00:00 PM",00:00:11
web-pg,sub,Restore,Completed,v,"8/14/2026, 2:00:00 PM",00:00:11
"""
PGBACKREST = [
    {
        "name": "journal",
        "status": {"code": 0},
        "backup": [
            {"label": "1F", "type": "full", "error": False, "timestamp": {"start": 1785542400, "stop": 1785543600}},
            {"label": "2F", "type": "incr", "error": True, "timestamp": {"start": 1785628800, "stop": 1785630000}},
        ],
    },
    {"name": "empty", "status": {"code": 2}, "backup": []},
]
OPSGENIE = """Alert ID,TinyID,Alias,Message,Status,Acknowledged,CreatedAt,CreatedAtDate,Owner,Teams,Priority,Tags,AckTime,CloseTime
a-1,1,prom-1,[web] CPU,closed,true,1785542400000,x,someone@example.org,[T],P1,"[service:web, rule:cpu-high]",60000,3600000
a-2,2,prom-2,[web] CPU,open,false,1785628800000,x,,[T],P5,"[service:Søknad API]",,8775000
a-3,3,prom-3,[web] CPU,open,false,1785628800000,x,,[T],P2,"[]",,
"""
JSM = {
    "values": [
        {
            "id": "j-1",
            "tinyId": "9",
            "alias": "cpu",
            "message": "CPU på web",
            "status": "closed",
            "priority": "P2",
            "tags": ["service:web", "rule:cpu-high"],
            "createdAt": "2026-08-01T10:00:00.123Z",
            "ackTime": "2026-08-01T10:02:00Z",
            "closeTime": "2026-08-01T11:00:00Z",
        },
        {
            "id": "j-2",
            "tinyId": "10",
            "alias": "cpu",
            "status": "open",
            "priority": "P3",
            "tags": ["service:web"],
            "createdAt": "2026-08-02T10:00:00Z",
            "ackTime": None,
            "closeTime": None,
        },
    ],
    "links": {},
}


def _note(number: int, alert: int, state: str, at: int, end: int) -> dict[str, object]:
    return {
        "id": number,
        "alertId": alert,
        "alertName": "web saturation",
        "newState": state,
        "prevState": "Pending",
        "time": at,
        "timeEnd": end,
        "text": "somebody wrote this",
        "login": "ola",
        "email": "ola@example.org",
        "tags": [],
    }


GRAFANA = [
    _note(1, 41, "Alerting", 1785542400000, 1785543000000),
    _note(2, 41, "Normal", 1785543000000, 1785543600000),
    # Of an instant: closed by what comes next of the same alert.
    _note(3, 42, "Alerting", 1785542400000, 1785542400000),
    _note(4, 42, "Normal", 1785546000000, 1785546000000),
    _note(5, 43, "Alerting", 1785542400000, 0),
    _note(6, 0, "Alerting", 1785542400000, 0),
]
APP_INSIGHTS = """"timestamp [UTC]",id,name,location,success,message,duration
"8/1/2026, 9:15:00.123 AM",i1,probe-web,West Europe,1,Passed,120
"8/1/2026, 9:15:00.123 AM",i2,probe-web,North Europe,0,Failed,30000
"8/1/2026, 9:20:00.000 PM",i3,probe-web,West Europe,maybe,Passed,120
"""
UPTIMEROBOT = """Event,Monitor,Monitor URL,Date-Time,Reason,Duration,Duration (in mins.)
Down,probe-web,https://web.example.org,2026-08-01 10:00:00,Connection Timeout,"0 hrs, 5 mins",5
Up,probe-web,https://web.example.org,2026-08-01 10:05:00,OK,"10 hrs, 0 mins",600
Started,probe-web,https://web.example.org,2026-07-31 08:00:00,Started,"1 hrs, 0 mins",60
"""
VEEAM = """#TYPE Selected.Veeam.Backup.Core.CBackupSession
"JobName","CreationTime","EndTime","Result","State"
"web nattlig","01.08.2026 02:00:05","01.08.2026 02:20:00","Success","Stopped"
"web nattlig","02.08.2026 02:00:05","02.08.2026 02:20:00","Failed","Stopped"
"web nattlig","03.08.2026 02:00:05","03.08.2026 02:20:00","Warning","Stopped"
"web nattlig","04.08.2026 02:00:05","","None","Working"
"""
ZABBIX = """"Severity","Time","Recovery time","Status","Host","Problem","Duration","Ack","Actions","Tags"
"High","2026-08-01 03:11:37 PM","2026-08-01 03:12:07 PM","RESOLVED","web","Disk is full on /data","30s","Yes","",""
"Disaster","2026-08-02 03:11:37 AM","","PROBLEM","web","Host is down","","No","",""
"Warning","2026-08-02 03:11:37 AM","","PROBLEM","web","High CPU","","No","",""
"""
STATUSPAGE = {
    "page": {"id": "p1", "name": "Status"},
    "incidents": [
        {
            "id": "r1",
            "page_id": "p1",
            "name": "Noe er galt",
            "impact": "major",
            "status": "resolved",
            "created_at": "2026-08-01T10:00:00.000+02:00",
            "started_at": "2026-08-01T09:50:00.000+02:00",
            "updated_at": "2026-08-01T12:00:00.000+02:00",
            "resolved_at": "2026-08-01T11:00:00.000+02:00",
        },
        {
            "id": "r2",
            "page_id": "p1",
            "name": "Noe er galt",
            "impact": "minor",
            "status": "investigating",
            "created_at": "2026-08-02T10:00:00.000+02:00",
            "started_at": None,
            "updated_at": "2026-08-02T12:00:00.000+02:00",
            "resolved_at": None,
        },
    ],
}
PAGERDUTY = """id,incident_number,description,service_id,service_name,created_on,resolved_on,seconds_to_first_ack,seconds_to_resolve,auto_resolved,urgency,priority_name
Q1,101,CPU above 91 on web-1,PSVC,web,2026-08-01T10:00:00+02:00,2026-08-01T11:00:00+02:00,95,3600,f,high,P1
Q2,102,CPU above 97 on web-2,PSVC,web,2026-08-02T10:00:00+02:00,,,,f,high,
Q3,103,Cleanup,PSVC,web,2026-08-03T10:00:00+02:00,,,,f,low,P5
"""
JIRA = """Summary,Issue key,Issue id,Issue Type,Status,Project key,Project name,Priority,Reporter,Created,Resolved,Components,Components
Nettsiden er nede,OPS-1,1,Incident,Done,OPS,Drift,Highest,Ola,01/Aug/26 10:00 AM,01/Aug/26 2:30 PM,web,db
Nettsiden er treg,OPS-2,2,Incident,To Do,OPS,Drift,Medium,Ola,02/aug/26 8:00 PM,,web,
"""


def _trivy(at: str, *faults: str) -> dict[str, object]:
    found = [{"VulnerabilityID": fault, "PkgName": "openssl", "Status": "affected"} for fault in faults]
    return {
        "SchemaVersion": 2,
        "CreatedAt": at,
        "ArtifactName": "registry.example.org/team/web:1.2@sha256:ab",
        "ArtifactType": "container_image",
        "Results": [
            {"Target": "web", "Class": "os-pkgs", "Vulnerabilities": found},
            {"Target": "x", "Class": "secret"},
        ],
    }


TRIVY = _trivy("2026-08-01T10:00:00.5Z", "CVE-1", "CVE-2")
TRIVY_LATER = _trivy("2026-08-02T10:00:00.5Z", "CVE-2")
K6 = {
    "root_group": {"name": ""},
    "metrics": {
        "http_reqs": {"count": 100, "rate": 2.5},
        "http_req_duration": {"p(95)": 10, "thresholds": {"p(95)<500": False}},
    },
}
RESTIC = [
    {
        "time": "2026-08-01T03:00:11.123456789+02:00",
        "tree": "11",
        "paths": ["/var/lib/db", "/etc/db"],
        "hostname": "Web-01",
        "username": "root",
        "tags": ["daily"],
        "program_version": "restic 0.17.3",
        "summary": {"backup_start": "2026-08-01T03:00:11.1+02:00", "backup_end": "2026-08-01T03:10:11.1+02:00"},
        "id": "aa",
        "short_id": "aa",
    },
    {"time": "2026-08-02T01:00:09.5Z", "tree": "22", "paths": ["/dump.sql"], "hostname": "Web-01", "id": "bb"},
]


def kuma(beats: Iterable[tuple[object, ...]], monitors: Iterable[tuple[object, ...]] | None = None) -> bytes:
    """A database of Uptime Kuma: beats (id, monitor, status, time, ping), monitors (id, name, active, interval, type)."""
    named = monitors or [(1, "probe-web", 1, 60, "http"), (2, "probe-db", 0, 60, "port"), (3, "alle", 1, 60, "group")]
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute("create table monitor (id integer primary key, name, active, interval, type, url, basic_auth_pass)")
        con.execute(
            "create table heartbeat (id integer primary key, important, monitor_id, status, msg, time, ping, duration)"
        )
        con.executemany("insert into monitor values (?, ?, ?, ?, ?, 'https://example.org', 'x')", named)
        con.executemany("insert into heartbeat values (?, 0, ?, ?, 'somebody wrote this', ?, ?, 60)", beats)
        return con.serialize()


KUMA = kuma(
    [
        (1, 1, 1, "2026-08-01 10:00:00.123", 42),
        (2, 1, 2, "2026-08-01 10:01:00.123", None),
        (3, 1, 0, "2026-08-01 10:02:00.123", None),
        (4, 1, 3, "2026-08-01 10:03:00.123", None),
        (5, 2, 1, "2026-08-01 10:00:00.5", 3),
        (6, 3, 1, "2026-08-01 10:00:00.5", None),
        (7, 1, 9, "2026-08-01 10:04:00.123", None),
    ]
)


def grype(at: str, *faults: str, ignored: Iterable[tuple[str, dict[str, str]]] = (), image: str = "") -> str:
    """A report of Grype: what was found, and what rules left out."""
    return json.dumps(
        {
            "matches": [
                {
                    "vulnerability": {"id": fault, "severity": "High", "fix": {"versions": [], "state": "not-fixed"}},
                    "relatedVulnerabilities": [{"id": "CVE", "epss": [{"cve": "CVE", "epss": 0.25}]}],
                    "artifact": {"name": package, "version": "1"},
                }
                for fault in faults
                for package in ("openssl", "libssl")
            ],
            "ignoredMatches": [{"vulnerability": {"id": each}, "appliedIgnoreRules": [rule]} for each, rule in ignored],
            "source": {"type": "image", "target": {"userInput": image or "registry.example.org:5000/team/web:1.2"}},
            "distro": {"name": "debian"},
            "descriptor": {"name": "grype", "version": "0.100.0", "timestamp": at},
        }
    )


FIRED = utc("2026-08-01T00:00:00")
# Recipe -> file, content, columns, rows.
EXPORTS: dict[str, tuple[str, str | bytes, tuple[str, ...], list[tuple[object, ...]]]] = {
    "azure_backup_jobs": (
        "jobs.csv",
        AZURE,
        ("datastore_id", "taken_at", "is_usable", "_line"),
        [("web-pg", utc("2026-08-01T00:00:00"), True, 2), ("web-pg", utc("2026-08-12T12:00:00"), False, 3)],
    ),
    "pgbackrest_info": (
        "info.json",
        json.dumps(PGBACKREST),
        ("datastore_id", "taken_at", "is_usable", "_line"),
        [("journal", utc("2026-08-01T00:20:00"), True, 1), ("journal", utc("2026-08-02T00:20:00"), False, 1)],
    ),
    "opsgenie_alerts": (
        "alerts.csv",
        OPSGENIE,
        ("alert_id", "service_id", "rule_id", "severity", "fired_at", "acknowledged_at", "closed_at"),
        [
            ("a-1", "web", "cpu-high", 1, FIRED, utc("2026-08-01T00:01:00"), utc("2026-08-01T01:00:00")),
            (
                "a-2",
                "Søknad API",
                hashlib.sha256(b"prom-2").hexdigest()[:16],
                5,
                utc("2026-08-02T00:00:00"),
                None,
                None,
            ),
        ],
    ),
    "jsm_alerts": (
        "alerts.json",
        json.dumps(JSM),
        ("alert_id", "service_id", "severity", "fired_at", "acknowledged_at", "closed_at"),
        [
            (
                "j-1",
                "web",
                2,
                utc("2026-08-01T10:00:00.123000"),
                utc("2026-08-01T10:02:00"),
                utc("2026-08-01T11:00:00"),
            ),
            ("j-2", "web", 3, utc("2026-08-02T10:00:00"), None, None),
        ],
    ),
    "grafana_annotations": (
        "annotations.json",
        json.dumps(GRAFANA),
        ("alert_id", "service_id", "rule_id", "fired_at", "closed_at"),
        [
            ("1", "web saturation", "41", FIRED, utc("2026-08-01T00:10:00")),
            ("3", "web saturation", "42", FIRED, utc("2026-08-01T01:00:00")),
            ("5", "web saturation", "43", FIRED, None),
        ],
    ),
    "app_insights_availability": (
        "availability.csv",
        APP_INSIGHTS,
        ("monitor_id", "checked_at", "status", "response_ms", "sequence"),
        [
            ("probe-web", utc("2026-08-01T09:15:00.123000"), "up", 120.0, 2),
            ("probe-web", utc("2026-08-01T09:15:00.123000"), "down", 30000.0, 1),
        ],
    ),
    "uptimerobot_log": (
        "log.csv",
        UPTIMEROBOT,
        ("monitor_id", "checked_at", "status"),
        [
            ("probe-web", utc("2026-08-01T08:00:00"), "down"),
            ("probe-web", utc("2026-08-01T08:05:00"), "up"),
            ("probe-web", utc("2026-07-31T06:00:00"), "unknown"),
        ],
    ),
    "veeam_sessions": (
        "sessions.csv",
        VEEAM.encode("utf-16"),
        ("datastore_id", "taken_at", "is_usable"),
        [
            ("web nattlig", utc("2026-08-01T00:00:05"), True),
            ("web nattlig", utc("2026-08-02T00:00:05"), False),
            ("web nattlig", utc("2026-08-03T00:00:05"), True),
        ],
    ),
    "zabbix_problems": (
        "problems.csv",
        ZABBIX,
        ("service_id", "severity", "fired_at", "closed_at"),
        [
            ("web", 2, utc("2026-08-01T13:11:37"), utc("2026-08-01T13:12:07")),
            ("web", 1, utc("2026-08-02T01:11:37"), None),
        ],
    ),
    "statuspage_incidents": (
        "incidents.json",
        json.dumps(STATUSPAGE),
        ("provider", "report_id", "kind", "severity", "started_at", "resolved_at", "announced_at"),
        [
            (
                "p1",
                "r1",
                "incident",
                "major",
                utc("2026-08-01T07:50:00"),
                utc("2026-08-01T09:00:00"),
                utc("2026-08-01T08:00:00"),
            ),
            ("p1", "r2", "incident", "minor", utc("2026-08-02T08:00:00"), None, utc("2026-08-02T08:00:00")),
        ],
    ),
    "pagerduty_incidents": (
        "report.csv",
        PAGERDUTY,
        ("incident_id", "service_id", "severity", "declared_at", "resolved_at"),
        [
            ("101", "web", 1, utc("2026-08-01T08:00:00"), utc("2026-08-01T09:00:00")),
            ("103", "web", 4, utc("2026-08-03T08:00:00"), None),
        ],
    ),
    "pagerduty_pages": (
        "report.csv",
        PAGERDUTY,
        ("alert_id", "service_id", "fired_at", "acknowledged_at", "closed_at"),
        [
            ("101", "web", utc("2026-08-01T08:00:00"), utc("2026-08-01T08:01:35"), utc("2026-08-01T09:00:00")),
            ("102", "web", utc("2026-08-02T08:00:00"), None, None),
        ],
    ),
    "jira_issues": (
        "jira.csv",
        JIRA,
        ("incident_id", "service_id", "severity", "declared_at", "resolved_at"),
        [
            ("OPS-1", "web", 1, utc("2026-08-01T08:00:00"), utc("2026-08-01T12:30:00")),
            ("OPS-2", "web", 3, utc("2026-08-02T18:00:00"), None),
        ],
    ),
    "trivy_report": (
        "trivy.json",
        json.dumps(TRIVY),
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T10:00:00.500000"), None)] * 2,
    ),
    "grype_report": (
        "grype.json",
        grype("2026-08-01T12:00:00.123456789+02:00", "GHSA-1", "CVE-2"),
        ("service_id", "detected_at", "fixed_at", "epss_ratio"),
        [("web", utc("2026-08-01T10:00:00.123456"), None, 0.25)] * 2,
    ),
    "restic_snapshots": (
        "snapshots.json",
        json.dumps(RESTIC),
        ("datastore_id", "taken_at", "is_usable", "_line"),
        [
            ("web-01-etc-db-var-lib-db", utc("2026-08-01T01:00:11.123456"), True, 1),
            ("web-01-dump.sql", utc("2026-08-02T01:00:09.5"), True, 2),
        ],
    ),
    "uptime_kuma_heartbeats": (
        "kuma.db",
        KUMA,
        ("monitor_id", "checked_at", "status", "response_ms", "sequence", "_line"),
        [
            ("probe-web", utc("2026-08-01T10:00:00.123"), "up", 42.0, 1, 1),
            ("probe-web", utc("2026-08-01T10:01:00.123"), "down", None, 2, 2),
            ("probe-web", utc("2026-08-01T10:02:00.123"), "down", None, 3, 3),
            ("probe-web", utc("2026-08-01T10:03:00.123"), "unknown", None, 4, 4),
            ("probe-db", utc("2026-08-01T10:00:00.5"), "up", 3.0, 5, 5),
            # It is paused: nobody knows more after its next check was due.
            ("probe-db", utc("2026-08-01T10:01:00.5"), "unknown", None, None, 5),
        ],
    ),
}
# Rows that are set aside: recipe -> line and a piece of the reason.
ASIDE = {
    "opsgenie_alerts": [(4, "service_id: missing")],
    "app_insights_availability": [(4, "status: not one of")],
    "uptime_kuma_heartbeats": [(7, "status: not one of")],
}
