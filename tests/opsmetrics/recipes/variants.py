"""Invented exports in other forms that the same tools write, and what each says, read by hand."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import datetime

import xlsxwriter

from tests.opsmetrics.recipes.exports import RESTIC, grype, kuma, utc

INCIDENT = ("incident_id", "service_id", "severity", "declared_at", "resolved_at")
COPY = ("datastore_id", "taken_at", "is_usable")
UNKNOWN = "a word that the query does not know"
LONG = "sok-c-data-arsak-d-" + "x" * 90
WITHOUT_TIME = "it has happened, and nothing says when"
ROUNDED = "a number that a spreadsheet has rounded"
TWO_WAYS = "a date that may be read in two ways"


@dataclass(frozen=True)
class Form:
    """One form: its files, the columns and rows that it gives, and lines that are set aside with a piece of why."""

    stream: str
    files: dict[str, str | bytes]
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    aside: dict[int, str] = field(default_factory=dict)
    pattern: str | None = None


def seen(text: str) -> datetime:
    """A time as a workbook has it: of nobody knows which zone."""
    return datetime.fromisoformat(text)


def workbook(*rows: tuple[object, ...]) -> bytes:
    """A workbook whose times are times."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def jobs(*starts: str, operation: str = "Scheduled backup") -> str:
    """Jobs of Azure Backup that began so."""
    lines = [f'web-pg,s,{operation},Completed,v,"{start}",00:20:00' for start in starts]
    return "\n".join(["Backup instance,Datasource subscription,Operation,Status,Vault,Start time,Duration", *lines, ""])


def note(number: int, state: str, minute: int, which: str) -> dict[str, object]:
    """An annotation of one of the many things that one rule watches."""
    at = 1785542400000 + minute * 60000
    return {
        "id": number, "alertId": 5, "alertName": "CPU", "newState": state, "prevState": "Normal", "time": at, "timeEnd": at,
        "text": f"CPU {{instance={which}}} - {state}",
    }  # fmt: skip


def report(at: str, *faults: str, version: int = 1) -> str:
    """A report of Trivy; one that found nothing has packages without weaknesses."""
    said = {"SchemaVersion": 2, "CreatedAt": at, "ArtifactName": f"registry.example.org/web:{version}"}
    found = [{"VulnerabilityID": fault} for fault in faults]
    packages = {"Target": "web (debian 12)", "Class": "os-pkgs", "Type": "debian"}
    return json.dumps(said | {"Results": [packages | ({"Vulnerabilities": found} if faults else {})]})


SERVICENOW = "number,opened_at,short_description,priority,state,cmdb_ci,resolved_at\n"
JIRA = "Summary,Issue key,Issue Type,Status,Project key,Priority,Created,Resolved,Components,Description\n"
ZABBIX = '"Severity","Time","Recovery time","Status","Host","Problem","Duration"\n'
TESTS = '"TimeGenerated [UTC]",Id,Name,Location,Success,DurationMs\n'
VARIANTS: dict[str, Form] = {
    "servicenow as excel saves it": Form(
        "incidents",
        {
            "incident.xlsx": workbook(
                ("Number", "Opened", "Priority", "State", "Service", "Resolved"),
                ("INC1", seen("2026-08-01 08:53:36"), "1 - Critical", "Closed", "web", seen("2026-08-01 10:00")),
                ("INC2", seen("2026-08-02 08:00"), "2 - High", "Awaiting Vendor", "web", seen("2026-08-02 09:00")),
            )
        },
        INCIDENT,
        [("INC1", "web", 1, utc("2026-08-01T06:53:36"), utc("2026-08-01T08:00:00"))],
        {3: UNKNOWN},
    ),
    "servicenow in norwegian, with semicolons": Form(
        "incidents",
        {
            "incident.csv": "\ufeffNummer;Åpnet;Prioritet;Tilstand;Tjeneste;Løst\r\n"
            "INC1;01.08.2026 08:53:36;1 - Kritisk;Lukket;web;02.08.2026 08:53:36\r\n"
            "INC2;01.08.2026 08:53:36;1 - Kritisk;Avbrutt;web;\r\n"
        },
        INCIDENT,
        [("INC1", "web", 1, utc("2026-08-01T06:53:36"), utc("2026-08-02T06:53:36"))],
    ),
    "servicenow, month first": Form(
        "incidents",
        {
            "incident.csv": SERVICENOW + "INC1,08/01/2026 08:53:36 AM,x,1 - Critical,New,web,\n"
            "INC2,08/23/2026 02:53:36 PM,x,1 - Critical,New,web,\n"
        },
        INCIDENT,
        [
            ("INC1", "web", 1, utc("2026-08-01T06:53:36"), None),
            ("INC2", "web", 1, utc("2026-08-23T12:53:36"), None),
        ],
    ),
    "servicenow, exports that overlap": Form(
        "incidents",
        {
            "inc-2026-08.csv": SERVICENOW + "INC1,2026-08-01 08:00:00,x,1 - Critical,New,web,\n",
            "inc-2026-09.csv": SERVICENOW + "INC1,2026-08-01 08:00:00,x,1 - Critical,Closed,web,2026-08-20 08:00:00\n",
        },
        INCIDENT,
        [("INC1", "web", 1, utc("2026-08-01T06:00:00"), utc("2026-08-20T06:00:00"))],
        pattern="inc-*.csv",
    ),
    "servicenow, cancelled and opened again in a later export": Form(
        "incidents",
        {
            "inc-2026-07.csv": SERVICENOW
            + "INC1,2026-07-01 08:00:00,x,1 - Critical,New,web,\n"
            + "INC2,2026-07-01 08:00:00,x,1 - Critical,Canceled,web,\n",
            "inc-2026-08.csv": SERVICENOW
            + "INC1,2026-07-01 08:00:00,x,1 - Critical,Canceled,web,\n"
            + "INC2,2026-07-01 08:00:00,x,1 - Critical,New,web,\n",
        },
        INCIDENT,
        [("INC2", "web", 1, utc("2026-07-01T06:00:00"), None)],
        pattern="inc-*.csv",
    ),
    "servicenow, blank rows of a spreadsheet and sentences of several lines": Form(
        "incidents",
        {
            "incident.csv": SERVICENOW
            + 'INC1,2026-08-01 08:00:00,"Down:\nweb, api, db, queue, cache, mail, sok\nbye, all",1 - Critical,New,web,\n'
            + ",,,,,,\n  , ,,,,,\n \n"
            + 'INC2,2026-08-01 08:00:00,"one, two, three, four, five, six\na, b, c, d, e, f",1 - Critical,New,web,\n'
        },
        (*INCIDENT, "_line"),
        [
            ("INC1", "web", 1, utc("2026-08-01T06:00:00"), None, 2),
            ("INC2", "web", 1, utc("2026-08-01T06:00:00"), None, 8),
        ],
    ),
    "servicenow, of windows-1252 in one month and of utf-8 in the next, columns in another order and case": Form(
        "incidents",
        {
            "inc-2026-07.csv": "Nummer;Åpnet;Prioritet;Tilstand;Tjeneste;Løst\r\n"
            "INC1;01.07.2026 08:00:00;1;Løst;web;02.07.2026 08:00:00\r\n".encode("windows-1252"),
            "inc-2026-08.csv": "\ufeffNUMMER,Tilstand,ÅPNET,Prioritet,Tjeneste,Løst,Ny\r\n"
            "INC2,Løst,01.08.2026 08:00:00,1,båt,02.08.2026 08:00:00,x\r\n".encode(),
            "inc-2026-09.csv": "Nummer;Åpnet;Prioritet;Tilstand;Tjeneste;Løst\r\n"
            "INC3;01.09.2026 08:00:00;1;Løst;båt;01.09.2026 09:00:00\r\n".encode(),
        },
        INCIDENT,
        [
            ("INC1", "web", 1, utc("2026-07-01T06:00:00"), utc("2026-07-02T06:00:00")),
            ("INC2", "båt", 1, utc("2026-08-01T06:00:00"), utc("2026-08-02T06:00:00")),
            ("INC3", "båt", 1, utc("2026-09-01T06:00:00"), utc("2026-09-01T07:00:00")),
        ],
        pattern="inc-*.csv",
    ),
    "servicenow's table api": Form(
        "incidents",
        {
            "incident.json": json.dumps(
                {
                    "result": [
                        {
                            "number": "INC1",
                            "opened_at": "2026-08-01 06:00:00",
                            "priority": "1",
                            "state": "6",
                            "resolved_at": "2026-08-01 08:00:00",
                            "business_service": {"link": "x", "value": "web"},
                        },
                        {
                            "number": "INC2",
                            "opened_at": "2026-08-01 06:00:00",
                            "priority": "1",
                            "state": "New",
                            "resolved_at": "",
                            "business_service": "web",
                        },
                    ]
                }
            )
        },
        INCIDENT,
        [("INC1", "web", 1, utc("2026-08-01T06:00:00"), utc("2026-08-01T08:00:00"))],
        {2: UNKNOWN},
    ),
    "jira as excel saved it, with a text of several lines": Form(
        "incidents",
        {
            "jira.csv": "\ufeff"
            + JIRA
            + 'a,OPS-1,Incident,Done,OPS,Medium,6/21/2026 16:14,6/22/2026 7:05,web,"one\nOPS-9,1,2\nthree"\n'
            "b,OPS-2,Incident,Done,OPS,Høyest,6/1/2026 16:14,6/2/2026 7:05,web,\n"
        },
        INCIDENT,
        [
            ("OPS-1", "web", 3, utc("2026-06-21T14:14:00"), utc("2026-06-22T05:05:00")),
            ("OPS-2", "web", 1, utc("2026-06-01T14:14:00"), utc("2026-06-02T05:05:00")),
        ],
    ),
    "jira, months in norwegian": Form(
        "incidents",
        {"jira.csv": JIRA + "a,OPS-1,Incident,Done,OPS,Low,01/des/25 9:41 AM,14/mai/26 1:00 PM,web,\n"},
        INCIDENT,
        [("OPS-1", "web", 4, utc("2025-12-01T08:41:00"), utc("2026-05-14T11:00:00"))],
    ),
    "azure backup in norwegian": Form(
        "recovery_points",
        {"jobs.csv": jobs("1.7.2026, 02:00:00") + 'web-pg,s,Wiederherstellen,Completed,v,"2.7.2026, 02:00:00",x\n'},
        COPY,
        [("web-pg", utc("2026-07-01T00:00:00"), True)],
        {3: UNKNOWN},
    ),
    "azure backup, day first": Form(
        "recovery_points",
        {"jobs.csv": jobs("01/07/2026, 02:00:00", "13/07/2026, 02:00:00")},
        COPY,
        [("web-pg", utc("2026-07-01T00:00:00"), True), ("web-pg", utc("2026-07-13T00:00:00"), True)],
    ),
    "azure backup, day first with a clock of twelve hours": Form(
        "recovery_points",
        {"jobs.csv": jobs("01/07/2026, 2:00:00 am", "02/07/2026, 2:00:00\u202fp.m.")},
        COPY,
        [("web-pg", utc("2026-07-01T00:00:00"), True), ("web-pg", utc("2026-07-02T12:00:00"), True)],
    ),
    "azure backup of powershell": Form(
        "recovery_points",
        {
            "jobs.csv": '"WorkloadName","Operation","Status","StartTime","EndTime"\n'
            '"web-pg","Backup","Completed","7/1/2026 2:00:00 AM",""\n"web-pg","Backup","InProgress","7/14/2026 2:00:00 AM",""\n'
            '"web-pg","ConfigureBackup","Completed","7/13/2026 2:00:00 AM",""\n"web-pg","Backup","Failed","7/13/2026 2:00:00 PM",""\n'
        },
        COPY,
        [("web-pg", utc("2026-07-01T00:00:00"), True), ("web-pg", utc("2026-07-13T12:00:00"), False)],
    ),
    "azure backup of powershell, in UTC": Form(
        "recovery_points",
        {
            "jobs.csv": '"WorkloadName","Operation","Status","StartTime"\n"web-pg","Backup","Completed","2026-07-01T02:00:00Z"\n'
        },
        COPY,
        [("web-pg", utc("2026-07-01T02:00:00"), True)],
    ),
    "uptimerobot, times in UTC": Form(
        "availability_checks",
        {"log.csv": "Event,Monitor,Date-Time,Reason,Duration (in mins.)\nDown,web,2026-08-01T10:00:00Z,x,5\n"},
        ("monitor_id", "checked_at", "status"),
        [("web", utc("2026-08-01T10:00:00"), "down")],
    ),
    "veeam, month first, as a report writes it": Form(
        "recovery_points",
        {
            "s.csv": '"JobName","Result","DataSize(GB)","Date"\n"web","Success","40","7/27/2026 1:05:49 PM"\n'
            '"web","Failed","0","8/1/2026 12:00:00 AM"\n'
        },
        COPY,
        [("web", utc("2026-07-27T11:05:49"), True), ("web", utc("2026-07-31T22:00:00"), False)],
    ),
    "veeam, one row a machine": Form(
        "recovery_points",
        {
            "s.csv": '"JobName","VMName","Status","CreationTime"\n"web","a","Success","2/5/2026 12:00:16"\n'
            '"web","a","Success","2/5/2026 12:00:16"\n"web","a","Success","1/31/2026 10:54:12"\n'
            '"web","b","Failed","1/31/2026 10:54:12"\n"web","c","Success","1/31/2026 10:54:12"\n'
        },
        COPY,
        [("web", utc("2026-02-05T11:00:16"), True), ("web", utc("2026-01-31T09:54:12"), False)],
    ),
    "veeam, a day that may be of two months": Form(
        "recovery_points",
        {"s.csv": '"JobName","CreationTime","EndTime","Result"\n"web","2/5/2026 12:00:16","","Success"\n'},
        COPY,
        [],
        {2: TWO_WAYS},
    ),
    "app insights, in a norwegian browser": Form(
        "availability_checks",
        {
            "t.csv": '"timestamp [UTC]",id,name,location,success,duration\n'
            '"1.8.2026, 10:00:00,123",x1,web,North,1,"120,5"\n"13.8.2026, 22:00:00,007",x2,web,North,0,3\n'
        },
        ("monitor_id", "checked_at", "status", "response_ms"),
        [
            ("web", utc("2026-08-01T10:00:00.123000"), "up", 120.5),
            ("web", utc("2026-08-13T22:00:00.007000"), "down", 3.0),
        ],
    ),
    "app insights, in a british browser": Form(
        "availability_checks",
        {
            "t.csv": '"timestamp [UTC]",name,location,success\n"01/08/2026, 10:00:00.123",web,North,1\n'
            '"13/08/2026, 22:00:00.007",web,North,0\n'
        },
        ("checked_at", "status"),
        [(utc("2026-08-01T10:00:00.123000"), "up"), (utc("2026-08-13T22:00:00.007000"), "down")],
    ),
    "uptimerobot, the log of one monitor": Form(
        "availability_checks",
        {
            "uptimerobot-web-logs.csv": "Event,Date-Time,Reason,Duration,Duration (in mins.)\n"
            'Down,2026-08-01 10:00:00,Keyword Not Found,"0 hrs, 5 mins",5\n'
        },
        ("monitor_id", "checked_at", "status"),
        [("web", utc("2026-08-01T08:00:00"), "down")],
    ),
    "zabbix, an hour without its day": Form(
        "alerts",
        {
            "p.csv": '"Severity";"Time";"Recovery time";"Status";"Host";"Problem";"Duration"\r\n'
            '"High";"2026-06-03 03:11:37 PM";"2026-06-03 03:12:07 PM";"RESOLVED";"web";"down";"30s"\r\n'
            '"High";"03:11:37 PM";"";"PROBLEM";"web";"down";"30s"\r\n'
        },
        ("service_id", "fired_at", "closed_at"),
        [("web", utc("2026-06-03T13:11:37"), utc("2026-06-03T13:12:07"))],
        {3: "fired_at: no instant"},
    ),
    "grafana, one rule that watches several": Form(
        "alerts",
        {
            "a-2026-08-01.json": json.dumps(
                [
                    note(1, "Alerting", 0, "web-1"),
                    note(2, "Pending", 1, "web-2"),
                    note(3, "Normal", 5, "web-2"),
                    note(4, "Alerting (NoData)", 6, "web-1"),
                    note(5, "Normal (MissingSeries)", 10, "web-1"),
                ]
            ),
            "a-2026-08-02.json": json.dumps([note(1, "Alerting", 0, "web-1"), note(7, "Alerting", 99, "web-1")]),
        },
        ("alert_id", "fired_at", "closed_at"),
        [
            ("1", utc("2026-08-01T00:00:00"), utc("2026-08-01T00:10:00")),
            ("7", utc("2026-08-01T01:39:00"), None),
        ],
        pattern="a-*.json",
    ),
    "application insights of a workspace, exports that overlap": Form(
        "availability_checks",
        {
            "av-1.csv": TESTS
            + '"8/1/2026, 9:15:00.123 AM",i1,probe,WE,True,120\n"8/1/2026, 9:20:00.123 AM",i2,probe,WE,False,9\n',
            "av-2.csv": TESTS
            + '"8/1/2026, 9:20:00.123 AM",i2,probe,WE,False,9\n"8/1/2026, 9:20:00.123 AM",i3,probe,NE,True,7\n',
        },
        ("monitor_id", "checked_at", "status", "sequence"),
        [
            ("probe", utc("2026-08-01T09:15:00.123"), "up", 1),
            ("probe", utc("2026-08-01T09:20:00.123"), "up", 1),
            ("probe", utc("2026-08-01T09:20:00.123"), "down", 2),
        ],
        pattern="av-*.csv",
    ),
    "trivy, a report that found nothing": Form(
        "vulnerabilities",
        {
            "web-1.json": report("2026-08-01T10:00:00.123456789Z", "CVE-1"),
            "web-2.json": report("2026-08-05T10:00:00.123456789Z"),
        },
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T10:00:00.123456"), utc("2026-08-05T10:00:00.123456"))],
        pattern="web-*.json",
    ),
    "trivy, reports that looked for other things": Form(
        "vulnerabilities",
        {
            "web-1.json": report("2026-08-01T10:00:00Z", "CVE-1"),
            "web-2.json": report("2026-08-02T10:00:00Z").replace("os-pkgs", "secret"),
            "web-3.json": json.dumps(
                {"SchemaVersion": 2, "CreatedAt": "2026-08-03T10:00:00Z", "ArtifactName": "web:1"}
            ),
            "web-4.json": report("2026-08-04T10:00:00Z").replace("os-pkgs", "config"),
        },
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T10:00:00"), None)],
        pattern="web-*.json",
    ),
    "trivy, versions of an image that are scanned on one day, by clocks of two zones": Form(
        "vulnerabilities",
        {
            "web-1.json": report("2026-08-01T10:00:00.123456789+02:00", "CVE-1"),
            "web-2.json": report("2026-08-01T09:30:00Z", version=2),
            "web-3.json": report("2026-08-02T10:00:00+02:00", "CVE-1"),
            "web-4.json": report("2026-08-02T09:30:00Z", version=2),
            "web-5.json": report("2026-08-03T10:00:00+02:00"),
        },
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T08:00:00.123456"), utc("2026-08-03T08:00:00"))],
        pattern="web-*.json",
    ),
    "grype, a fault that a rule ignores is not fixed, and what the scanner rules out is none": Form(
        "vulnerabilities",
        {
            "g-1.json": grype("2026-08-01T10:00:00Z", "CVE-1", "CVE-2", "CVE-3"),
            "g-2.json": grype(
                "2026-08-02T10:00:00Z",
                ignored=[
                    ("CVE-1", {"vulnerability": "CVE-1", "reason": "accepted"}),
                    ("CVE-2", {"vex-status": "not_affected"}),
                    ("CVE-3", {"reason": "DistroPackageFixed"}),
                    ("CVE-4", {"vulnerability": "CVE-4"}),
                ],
            ),
        },
        ("detected_at", "fixed_at"),
        [
            (utc("2026-08-01T10:00:00"), None),
            (utc("2026-08-01T10:00:00"), utc("2026-08-02T10:00:00")),
            (utc("2026-08-01T10:00:00"), utc("2026-08-02T10:00:00")),
        ],
        pattern="g-*.json",
    ),
    "grype, versions of an image that are scanned on one day": Form(
        "vulnerabilities",
        {
            f"g-{day}-{version}.json": grype(f"2026-08-0{day}T10:0{version}:00Z", *faults, image=f"team/web:{version}")
            for day in (1, 2)
            for version, faults in ((1, ["CVE-1"]), (2, []))
        },
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T10:01:00"), None)],
        pattern="g-*.json",
    ),
    "grype, the hour that comes twice": Form(
        "vulnerabilities",
        {
            "g-1.json": grype("2025-10-26T02:50:00+02:00", "CVE-1"),
            "g-2.json": grype("2025-10-26T02:10:00+01:00", "CVE-1"),
            "g-3.json": grype("2025-10-27T02:10:00+01:00"),
        },
        ("detected_at", "fixed_at"),
        [(utc("2025-10-26T00:50:00"), utc("2025-10-27T01:10:00"))],
        pattern="g-*.json",
    ),
    "grype, and a report of a tool that is built on it": Form(
        "vulnerabilities",
        {
            "g-1.json": grype("2026-08-01T10:00:00Z", "CVE-1"),
            "g-2.json": grype("2026-08-02T10:00:00Z", "CVE-2").replace('"grype"', '"xeol"'),
        },
        ("service_id", "detected_at", "fixed_at"),
        [("web", utc("2026-08-01T10:00:00"), None)],
        {1: "service_id: missing"},
        pattern="g-*.json",
    ),
    "grype, without a time": Form(
        "vulnerabilities", {"g.json": grype("", "CVE-1")}, ("detected_at",), [], {1: "detected_at: missing"}
    ),
    "restic, answers that overlap": Form(
        "recovery_points",
        {"r-1.json": json.dumps(RESTIC[:1]), "r-2.json": json.dumps(RESTIC)},
        ("datastore_id", "_line"),
        [("web-01-etc-db-var-lib-db", 1), ("web-01-dump.sql", 2)],
        pattern="r-*.json",
    ),
    "uptime kuma, copies of two days": Form(
        "availability_checks",
        {
            # Version 2 throws checks away after a day, and keeps the changes.
            "kuma-2026-08-01.db": kuma([(1, 1, 1, "2026-08-01 10:00:00", 1), (2, 1, 1, "2026-08-01 10:01:00", 2)]),
            "kuma-2026-08-02.db": kuma([(1, 1, 1, "2026-08-01 10:00:00", 1), (3, 1, 0, "2026-08-02 10:00:00", None)]),
        },
        ("monitor_id", "checked_at", "status"),
        [
            ("probe-web", utc("2026-08-01T10:00:00"), "up"),
            ("probe-web", utc("2026-08-01T10:01:00"), "up"),
            ("probe-web", utc("2026-08-02T10:00:00"), "down"),
        ],
        pattern="kuma-*.db",
    ),
    "uptime kuma, two monitors of one name": Form(
        "availability_checks",
        {
            "kuma.db": kuma(
                [(1, 1, 1, "2026-08-01 10:00:00", 1), (2, 2, 0, "2026-08-01 10:00:00", None)],
                [(1, "web", 1, 60, "http"), (2, "web", 1, 60, "ping")],
            )
        },
        ("monitor_id", "status"),
        [("web (1)", "up"), ("web (2)", "down")],
    ),
    "servicenow, a workbook with titles above its columns": Form(
        "incidents",
        {
            "incident.xlsx": workbook(
                ("Hendelser, august",),
                ("Laget", seen("2026-09-01"), "av", "rapporten"),
                (),
                ("Number", "Opened", "Priority", "State", "Service", "Resolved"),
                ("INC1", seen("2026-08-01 08:53:36"), "1 - Critical", "Closed", "web", seen("2026-08-01 10:00")),
                # A blank cell of a workbook is no text: nobody knows whether it is over.
                ("INC2", seen("2026-08-01 08:53:36"), "1 - Critical", None, "web", None),
            )
        },
        (*INCIDENT, "_line"),
        [("INC1", "web", 1, utc("2026-08-01T06:53:36"), utc("2026-08-01T08:00:00"), 5)],
        {6: UNKNOWN},
    ),
    "servicenow, lines of titles above the columns": Form(
        "incidents",
        {
            "incident.csv": 'Hendelser;;;;;;\r\n"Laget ""1. september""";;;;;;\r\n;;;;;;\r\n'
            + SERVICENOW.replace(",", ";")
            + "INC1;2026-08-01 08:53:00;a, b, c, d, e, f, g;1 - Critical;New;web;\r\n"
        },
        (*INCIDENT, "_line"),
        [("INC1", "web", 1, utc("2026-08-01T06:53:00"), None, 5)],
    ),
    "servicenow, over without a time, and saved by excel without seconds": Form(
        "incidents",
        {
            "incident.csv": SERVICENOW.replace("\n", ",closed_at\n")
            + "INC1,01.08.2026 08:53,x,1 - Critical,Closed,web,,02.08.2026 08:53\n"
            + "INC2,01.08.2026 08:53,x,1 - Critical,Closed,web,,\n"
            + "INC3,01.08.2026 08:53,x,1 - Critical,New,web,,\n"
        },
        INCIDENT,
        [
            ("INC1", "web", 1, utc("2026-08-01T06:53:00"), utc("2026-08-02T06:53:00")),
            ("INC3", "web", 1, utc("2026-08-01T06:53:00"), None),
        ],
        {3: WITHOUT_TIME},
    ),
    "servicenow's table api, over without a time": Form(
        "incidents",
        {
            "incident.json": json.dumps(
                [
                    {
                        "number": f"INC{state}",
                        "opened_at": "2026-08-01 06:00:00",
                        "priority": "1",
                        "state": state,
                        "resolved_at": "",
                        "closed_at": closed,
                        "business_service": "web",
                    }
                    for state, closed in (("6", ""), ("7", "2026-08-02 06:00:00"))
                ]
            )
        },
        INCIDENT,
        [("INC7", "web", 1, utc("2026-08-01T06:00:00"), utc("2026-08-02T06:00:00"))],
        {1: WITHOUT_TIME},
    ),
    "jira, done without a resolution": Form(
        "incidents",
        {
            "jira.csv": JIRA.replace("\n", ",Status Category,Status Category Changed\n")
            + "a,OPS-1,Incident,Ferdig,OPS,Low,01/Aug/26 9:41 AM,,web,,Done,02/Aug/26 9:41 AM\n"
            + "a,OPS-2,Incident,Done,OPS,Low,01/Aug/26 9:41 AM,,web,,Done,\n"
            + "a,OPS-3,Incident,To Do,OPS,Low,01/Aug/26 9:41 AM,,web,,To Do,01/Aug/26 9:41 AM\n"
        },
        INCIDENT,
        [
            ("OPS-1", "web", 4, utc("2026-08-01T07:41:00"), utc("2026-08-02T07:41:00")),
            ("OPS-3", "web", 4, utc("2026-08-01T07:41:00"), None),
        ],
        {3: WITHOUT_TIME},
    ),
    "jira, opened again with the resolution left there": Form(
        "incidents",
        {
            "jira.csv": JIRA
            + "a,OPS-1,Incident,Gjenåpnet,OPS,Low,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM,web,\n"
            + "a,OPS-2,Incident,Closed,OPS,Low,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM,web,\n"
        },
        INCIDENT,
        [
            ("OPS-1", "web", 4, utc("2026-08-01T07:41:00"), None),
            ("OPS-2", "web", 4, utc("2026-08-01T07:41:00"), utc("2026-08-02T07:41:00")),
        ],
    ),
    "jira, opened again, by its category alone": Form(
        "incidents",
        {
            "jira.csv": JIRA.replace("\n", ",Status Category\n")
            + "a,OPS-1,Incident,x,OPS,Low,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM,web,,In Progress\n"
        },
        INCIDENT,
        [("OPS-1", "web", 4, utc("2026-08-01T07:41:00"), None)],
    ),
    "jira, nothing of states": Form(
        "incidents",
        {
            "jira.csv": "Issue key,Project key,Priority,Created,Resolved\n"
            "OPS-1,OPS,Low,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM\nOPS-2,OPS,Low,01/Aug/26 9:41 AM,\n"
        },
        INCIDENT,
        [
            ("OPS-1", "OPS", 4, utc("2026-08-01T07:41:00"), utc("2026-08-02T07:41:00")),
            ("OPS-2", "OPS", 4, utc("2026-08-01T07:41:00"), None),
        ],
    ),
    "jira, an issue without components is its project's": Form(
        "incidents",
        {"jira.csv": JIRA + "a,WEB-1,Incident,Done,WEB,High,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM,,\n"},
        ("incident_id", "service_id"),
        [("WEB-1", "WEB")],
    ),
    "jira, done without a resolution, and no categories": Form(
        "incidents",
        {"jira.csv": JIRA + "a,OPS-1,Incident,Lukket,OPS,Low,01/Aug/26 9:41 AM,,web,\n"},
        INCIDENT,
        [],
        {2: WITHOUT_TIME},
    ),
    "servicenow, days that a spreadsheet turned where it could": Form(
        "incidents",
        {
            "incident.xlsx": workbook(
                ("Number", "Opened", "Priority", "State", "Resolved", "Business service"),
                # Of 8 January it made 1 August, of the 25th nothing.
                ("INC1", seen("2026-08-01T09:00:00"), "1", "Closed", seen("2026-08-01T10:00:00"), "web"),
                ("INC2", seen("2026-08-08T09:00:00"), "1", "Closed", seen("2026-08-08T10:00:00"), "web"),
                ("INC3", "25/08/2026 09:00:00", "1", "Closed", "25/08/2026 10:00:00", "web"),
            )
        },
        INCIDENT,
        [
            ("INC2", "web", 1, utc("2026-08-08T07:00:00"), utc("2026-08-08T08:00:00")),
            ("INC3", "web", 1, utc("2026-08-25T07:00:00"), utc("2026-08-25T08:00:00")),
        ],
        {2: TWO_WAYS},
    ),
    "jira, states of somebody's own": Form(
        "incidents",
        {
            "jira.csv": JIRA
            + "a,OPS-1,Incident,Verified,OPS,Low,01/Aug/26 9:41 AM,,web,\n"
            + "a,OPS-2,Incident,Verified,OPS,Low,01/Aug/26 9:41 AM,02/Aug/26 9:41 AM,web,\n"
            + "a,OPS-3,Incident,In Progress,OPS,Low,01/Aug/26 9:41 AM,,web,\n"
        },
        INCIDENT,
        [
            ("OPS-2", "web", 4, utc("2026-08-01T07:41:00"), utc("2026-08-02T07:41:00")),
            ("OPS-3", "web", 4, utc("2026-08-01T07:41:00"), None),
        ],
        {2: UNKNOWN},
    ),
    "opsgenie, saved by a spreadsheet that rounds long numbers": Form(
        "alerts",
        {
            "a.csv": "Alert ID;Alias;Status;Acknowledged;CreatedAt;Priority;Tags;AckTime;CloseTime\n"
            "a-1;x;closed;false;1.78554E+12;P1;[service:web];;60000\n"
            "a-2;x;closed;false;1,78554E+12;P1;[service:web];;60000\n"
            "a-3;x;closed;false;1785542400000;P1;[service:web];;3.61E+06\n"
            "a-4;x;closed;false;1785542400000;P1;[service:web];;60000\n"
        },
        ("alert_id", "fired_at", "closed_at"),
        [("a-4", utc("2026-08-01T00:00:00"), utc("2026-08-01T00:01:00"))],
        {2: ROUNDED, 3: ROUNDED, 4: ""},
    ),
    "opsgenie, closed without a time": Form(
        "alerts",
        {
            "a.csv": "Alert ID;Alias;Status;Acknowledged;CreatedAt;UpdatedAt;Priority;Tags;AckTime;CloseTime\n"
            "a-1;x;closed;false;1785542400000;1785546000000;P1;[service:web];;\n"
            "a-2;x;closed;false;1785542400000;;P1;[service:web];;\n"
            "a-3;x;open;false;1785542400000;1785546000000;P1;[service:web];;\n"
        },
        ("alert_id", "closed_at"),
        [("a-1", utc("2026-08-01T01:00:00")), ("a-3", None)],
        {3: WITHOUT_TIME},
    ),
    "opsgenie, acknowledged without a time": Form(
        "alerts",
        {
            "a.csv": "Alert ID;Alias;Status;Acknowledged;CreatedAt;Priority;Tags;AckTime;CloseTime\n"
            "a-1;x;open;true;1785542400000;P1;[service:web];;\n"
            "a-2;x;open;TRUE;1785542400000;P1;[service:web];60000;\n"
            "a-3;x;open;false;1785542400000;P1;[service:web];;\n"
        },
        ("alert_id", "acknowledged_at"),
        [("a-2", utc("2026-08-01T00:01:00")), ("a-3", None)],
        {2: WITHOUT_TIME},
    ),
    "jsm, closed without a time": Form(
        "alerts",
        {
            "a.json": json.dumps(
                [
                    {
                        "id": key,
                        "tinyId": "1",
                        "alias": "x",
                        "createdAt": "2026-08-01T00:00:00Z",
                        "updatedAt": updated,
                        "priority": "P1",
                        "status": status,
                        "tags": ["service:web"],
                        "closeTime": closed,
                    }
                    for key, status, updated, closed in (
                        ("j-1", "closed", "2026-08-01T01:00:00Z", None),
                        ("j-2", "closed", None, None),
                        ("j-3", "closed", "2026-08-01T01:00:00Z", "2026-08-01T00:30:00Z"),
                        ("j-4", "open", "2026-08-01T01:00:00Z", None),
                    )
                ]
            )
        },
        ("alert_id", "closed_at"),
        [("j-1", utc("2026-08-01T01:00:00")), ("j-3", utc("2026-08-01T00:30:00")), ("j-4", None)],
        {2: WITHOUT_TIME},
    ),
    "zabbix, resolved without a time": Form(
        "alerts",
        {"p.csv": ZABBIX + '"High","2026-06-03 15:11:37","","RESOLVED","web","down","30s"\n'},
        ("service_id",),
        [],
        {2: WITHOUT_TIME},
    ),
    "zabbix, a severity that was lowered afterwards": Form(
        "alerts",
        {
            "p-2026-06-03.csv": ZABBIX + '"High","2026-06-03 15:11:37","","PROBLEM","web","down","30s"\n',
            "p-2026-06-04.csv": ZABBIX + '"Average","2026-06-03 15:11:37","","PROBLEM","web","down","30s"\n',
        },
        ("service_id",),
        [],
        pattern="p-*.csv",
    ),
    "zabbix, exports that write the same time in two ways": Form(
        "alerts",
        {
            "p-2026-06-03.csv": ZABBIX + '"High","2026-06-03 03:11:37 PM","","PROBLEM","web","down","30s"\n',
            "p-2026-06-04.csv": ZABBIX
            + '"High","2026-06-03 15:11:37","2026-06-03 15:12:07","RESOLVED","web","down","30s"\n',
        },
        ("service_id", "fired_at", "closed_at"),
        [("web", utc("2026-06-03T13:11:37"), utc("2026-06-03T13:12:07"))],
        pattern="p-*.csv",
    ),
    "veeam, a session without a result": Form(
        "recovery_points",
        {
            "s.xlsx": workbook(
                ("JobName", "CreationTime", "EndTime", "Result"),
                ("web", seen("2026-08-01 02:00"), None, None),
                ("web", seen("2026-08-02 02:00"), None, "Success"),
            )
        },
        COPY,
        [("web", utc("2026-08-02T00:00:00"), True)],
        {2: "is_usable: missing"},
    ),
    "azure backup, a job of which a workbook says nothing": Form(
        "recovery_points",
        {
            "jobs.xlsx": workbook(
                ("Backup instance", "Operation", "Status", "Start time"),
                ("web", None, "Completed", seen("2026-08-01 02:00")),
                ("web", "Backup", None, seen("2026-08-02 02:00")),
            )
        },
        COPY,
        [],
        {2: UNKNOWN, 3: "is_usable: missing"},
    ),
    "pagerduty, a page whose urgency nobody knows": Form(
        "alerts",
        {
            "raw.json": json.dumps(
                {
                    "data": [
                        {
                            "incident_number": number,
                            "description": "CPU",
                            "service_name": "web",
                            "created_at": "2026-08-01T10:00:00Z",
                            "seconds_to_first_ack": None,
                            "seconds_to_resolve": None,
                            "resolved_at": None,
                            "urgency": urgency,
                            "priority_name": None,
                        }
                        for number, urgency in ((101, None), (102, "low"))
                    ]
                }
            )
        },
        ("alert_id",),
        [("101",)],
    ),
    "veeam, results as numbers": Form(
        "recovery_points",
        {
            "s.csv": "JobName,CreationTime,EndTime,Result\nweb,13.08.2026 02:00:00,,0\nweb,14.08.2026 02:00:00,,2\n"
            "web,15.08.2026 02:00:00,,-1\n"
        },
        COPY,
        [("web", utc("2026-08-13T00:00:00"), True), ("web", utc("2026-08-14T00:00:00"), False)],
    ),
    "restic, letters that no id has": Form(
        "recovery_points",
        {
            "r.json": json.dumps(
                [{**RESTIC[0], "hostname": "Søk", "paths": ["C:\\\\Data\\\\årsak", "D:\\\\" + "x" * 90]}]
            )
        },
        ("datastore_id",),
        [(f"sok-c-data-arsak-d-{'x' * 44}-{hashlib.sha256(LONG.encode()).hexdigest()[:16]}",)],
    ),
}
