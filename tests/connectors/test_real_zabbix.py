"""The Zabbix connector against Zabbix's own API: PHP and PostgreSQL on loopback, with events laid into its database."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from opsmetrics.sources import zabbix as connector
from tests.connectors.witnesses import witnesses
from tests.patience import LIMIT_SECONDS, wait_until
from tests.postgres import POSTGRES

DEBIAN = Path(sys.prefix) / "oracles" / "debian" / "usr" / "share"
CONFIGURATION = """<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '{host}', 'PORT' => '0', 'DATABASE' => 'zabbix', 'USER' => '{user}',
    'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'KEY_FILE' => '', 'CERT_FILE' => '', 'CA_FILE' => '',
    'VERIFY_HOST' => false, 'CIPHER_LIST' => '', 'VAULT_URL' => '', 'VAULT_DB_PATH' => '', 'VAULT_TOKEN' => '',
    'DOUBLE_IEEE754' => true];
$ZBX_SERVER = '';
$ZBX_SERVER_PORT = '';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""
TOML = """
[[connector]]
name = "zabbix"
kind = "zabbix"
streams = ["alerts"]
from = 2026-07-01
url = "{url}"
min_severity = 0
bots = {bots}
"""
FIRED = datetime(2026, 8, 4, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Zabbix:
    """A Zabbix that answers.

    Attributes:
        url: Its address.
        token: Of a super admin.
        trigger: Of a host with the tag of a service.
    """

    url: str
    token: str
    trigger: str


@contextmanager
def ended(*command: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended by its own id: first by the end of its input, then by a signal."""
    with log.open("w") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(2 if "php" in command[0] else 60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def call(url: str, method: str, params: Any, auth: str | None = None) -> Any:
    body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, **({"auth": auth} if auth else {})}
    answer = httpx.post(f"{url}/api_jsonrpc.php", json=body, timeout=LIMIT_SECONDS).json()
    assert "result" in answer, (method, answer)
    return answer["result"]


def fill(uri: str) -> None:
    """Make Zabbix's database, with a problem that recovered, one that a machine saw, a suppressed and an open one."""
    admin = psycopg2.connect(uri)
    admin.autocommit = True
    admin.cursor().execute("create database zabbix")
    admin.close()
    with psycopg2.connect(uri, dbname="zabbix") as con:
        for name in ("schema", "images", "data"):
            text = gzip.decompress((DEBIAN / "zabbix-server-pgsql" / f"{name}.sql.gz").read_bytes()).decode()
            con.cursor().execute(text)
    con.close()


def lay(uri: str, trigger: str) -> None:
    """Lay events into the database, as Zabbix' server would."""
    with psycopg2.connect(uri, dbname="zabbix") as con:
        cursor = con.cursor()

        def event(key: int, at: datetime, value: int, severity: int) -> None:
            clock = int(at.timestamp())
            columns = "eventid, source, object, objectid, clock, value, acknowledged, ns, name, severity"
            values = (key, trigger, clock, value, severity)
            cursor.execute(
                f"insert into events ({columns}) values (%s, 0, 0, %s, %s, %s, 0, 500000000, 'x', %s)", values
            )
            if value:
                cursor.execute("insert into event_tag values (%s, %s, 'service', 'db')", (key, key))

        for key, severity in ((1, 4), (2, 5), (3, 3), (4, 0)):
            event(key, FIRED + timedelta(minutes=key), 1, severity)
        event(9, FIRED + timedelta(days=9), 0, 0)
        # Began and ended in the maintenance of the evening; nothing says any more that it was suppressed.
        event(5, FIRED + timedelta(hours=12, minutes=10), 1, 4)
        event(10, FIRED + timedelta(hours=12, minutes=30), 0, 0)
        cursor.execute("insert into event_recovery (eventid, r_eventid) values (1, 9), (5, 10)")
        cursor.execute("insert into event_suppress (event_suppressid, eventid, suppress_until) values (1, 3, 0)")
        for key, about, action, minutes in ((1, 1, 4, 5), (2, 1, 6, 7), (3, 1, 2, 9), (4, 2, 2, 5)):
            at = int((FIRED + timedelta(minutes=minutes)).timestamp())
            columns = "acknowledgeid, userid, eventid, clock, message, action"
            values = (key, about, at, action)
            cursor.execute(f"insert into acknowledges ({columns}) values (%s, 1, %s, %s, 'x', %s)", values)
    con.close()


@pytest.fixture(scope="module")
def zabbix(tmp_path_factory) -> Iterator[Zabbix]:
    work = tmp_path_factory.mktemp("zabbix")
    # Sockets have no long names.
    short = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    pages = work / "pages"
    shutil.copytree(DEBIAN / "zabbix", pages, symlinks=True)
    try:
        with ended(sys.executable, "-c", POSTGRES, str(short / "data"), log=work / "postgres.log") as server:
            uri = server.stdout.readline().strip()
            assert uri.startswith("postgresql://"), (work / "postgres.log").read_text()
            fill(uri)
            with psycopg2.connect(uri) as con:
                told = con.get_dsn_parameters()
            con.close()
            settings = work / "zabbix.conf.php"
            settings.write_text(CONFIGURATION.replace("{host}", told["host"]).replace("{user}", told["user"]))
            code = pages / "include" / "classes" / "core" / "CConfigFile.php"
            code.write_text(code.read_text().replace("/etc/zabbix/zabbix.conf.php", str(settings)))
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            url = f"http://127.0.0.1:{port}"
            log = work / "php.log"
            with ended(str(shutil.which("php")), "-S", f"127.0.0.1:{port}", "-t", str(pages), log=log) as php:

                def answers() -> bool:
                    assert php.poll() is None, log.read_text()
                    try:
                        return bool(call(url, "apiinfo.version", {}))
                    except httpx.TransportError:
                        return False

                wait_until(answers, log.read_text)
                yield prepared(url, uri)
    finally:
        shutil.rmtree(short, ignore_errors=True)


def prepared(url: str, uri: str) -> Zabbix:
    """Make host, item, trigger and token as a person would, and lay the events."""
    auth = call(url, "user.login", {"username": "Admin", "password": "zabbix"})
    group = call(url, "hostgroup.get", {"output": ["groupid"], "limit": 1}, auth)[0]["groupid"]
    host = call(url, "host.create", {"host": "vm-db", "groups": [{"groupid": group}]}, auth)["hostids"][0]
    call(url, "item.create", {"hostid": host, "name": "x", "key_": "trap", "type": 2, "value_type": 3}, auth)
    rule = {"description": "x", "expression": "last(/vm-db/trap)>1", "priority": 4}
    trigger = call(url, "trigger.create", rule, auth)["triggerids"][0]
    # An evening of maintenance of the host's group.
    begin = int((FIRED + timedelta(hours=12)).timestamp())
    once = {"timeperiod_type": 0, "start_date": begin, "period": 3600}
    upkeep = {
        "name": "x",
        "active_since": begin - 86_400,
        "active_till": begin + 86_400,
        "groupids": [group],
        "timeperiods": [once],
    }
    call(url, "maintenance.create", upkeep, auth)
    made = call(url, "token.create", {"name": "ops"}, auth)["tokenids"][0]
    lay(uri, trigger)
    return Zabbix(url, call(url, "token.generate", [made], auth)[0]["token"], trigger)


def test_what_zabbix_itself_answers_is_witnessed_and_read(zabbix, pull_small, monkeypatch):
    monkeypatch.setenv("ZABBIX_TOKEN", zabbix.token)
    witness = witnesses()["zabbix"]
    ask, said = connector.Client._result, []

    def asked(self, http, method, params, **rest):
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, **self._auth}
        answer = http.post(connector.PATH, json=body)
        for part, value in ((witness.answers[0].body, body), (witness.answers[0].answer, answer)):
            said.extend(witness.disagreements(part, value))
        return ask(self, http, method, params, **rest)

    monkeypatch.setattr(connector.Client, "_result", asked)
    days = (date(2026, 8, 3), date(2026, 8, 6))
    result, rows = pull_small(TOML.format(url=zabbix.url, bots="[]"), "alerts", *days)
    assert (result.error, result.quarantined, said) == (None, 0, [])

    def at(minutes: float) -> datetime:
        return FIRED + timedelta(minutes=minutes)

    half = timedelta(milliseconds=500)
    names = ("alert_id", "severity", "fired_at", "acknowledged_at", "acknowledged_by_kind", "closed_at")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("zabbix-1", 2, at(1) + half, at(7), "human", FIRED + timedelta(days=9) + half),
        ("zabbix-2", 1, at(2) + half, at(5), "human", None),
        ("zabbix-4", None, at(4) + half, None, None, None),
    ]
    assert {(row["service_id"], row["rule_id"]) for row in rows} == {("db", f"zabbix-{zabbix.trigger}")}


def test_the_name_of_the_account_decides_who_acted(zabbix, pull_small, monkeypatch):
    monkeypatch.setenv("ZABBIX_TOKEN", zabbix.token)
    _, rows = pull_small(TOML.format(url=zabbix.url, bots='["Admin"]'), "alerts", date(2026, 8, 3), date(2026, 8, 6))
    assert [row["acknowledged_by_kind"] for row in rows] == ["bot", "bot", None]


def test_a_wrong_token_is_an_error_of_one_line(zabbix, pull_small, monkeypatch):
    monkeypatch.setenv("ZABBIX_TOKEN", "0" * 64)
    result, _ = pull_small(TOML.format(url=zabbix.url, bots="[]"), "alerts", date(2026, 8, 3), date(2026, 8, 6))
    assert "event.get is refused (-32602)" in result.error
