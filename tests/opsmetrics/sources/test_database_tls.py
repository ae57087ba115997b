"""Beyond this machine no password goes to a database that does not prove who it is, whatever the address asks for."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from opsmetrics.core.errors import SourceError
from opsmetrics.core.sqlheader import read_header
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.sources.query_run import answer
from tests.patience import LIMIT_SECONDS

NAME = "db.example.org"
SSL_REQUEST = struct.pack("!II", 8, 80877103)
SELECT = """-- source = "desk"
-- tables.ticket = { connection_env = "DESK_DB", table = "ticket"MORE }
select _file, _line, id as incident_id from ticket
"""


def ask(more: str = "") -> str:
    text = SELECT.replace("MORE", more)
    query = QuerySource.model_validate(read_header(text) | {"name": "incidents", "path": "x.sql", "sql": text})
    with pytest.raises(SourceError) as raised:
        answer(query, (Path(),), "x.sql")
    said = str(raised.value)
    assert "hunter2" not in said
    assert NAME not in said
    return said


@contextmanager
def heard(talk):
    """Listen for one client; yields the port and what it said."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            client.settimeout(LIMIT_SECONDS)
            # It takes offence at the certificate, or hangs up.
            with client, contextlib.suppress(OSError):
                talk(client, said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], said
        server.close()


def wrapped(client: socket.socket, authority: trustme.CA, name: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context.wrap_socket(client, server_side=True)


def postgres(answered: bytes, authority: trustme.CA | None = None, name: str = NAME):
    """A server that answers the question for TLS so, and asks for the password in clear of whoever goes on."""

    def talk(client: socket.socket, said: list[bytes]) -> None:
        first = client.recv(8)
        if first == SSL_REQUEST:
            client.sendall(answered)
            with wrapped(client, authority, name) if authority else client as talking:
                go_on(talking, said, talking.recv(1000))
        else:
            go_on(client, said, first)

    def go_on(client: socket.socket, said: list[bytes], first: bytes) -> None:
        said.append(first)
        client.sendall(b"R" + struct.pack("!II", 8, 3))
        said.append(client.recv(1000))

    return talk


# Host names that libpq is led to this machine by, and what of them it checks.
BEYOND = (f"{NAME}?hostaddr=127.0.0.1&port=PORT", f"{NAME}?hostaddr=127.0.0.1&port=PORT&sslmode=verify-full")


@pytest.fixture
def authority(tmp_path, monkeypatch):
    found = trustme.CA()
    found.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("OPSMETRICS_CA_FILE", str(tmp_path / "ca.pem"))
    return found


@pytest.mark.parametrize("address", BEYOND)
@pytest.mark.parametrize("talk", [postgres(b"N"), postgres(b"S", trustme.CA()), "another name"])
def test_postgresql_beyond_this_machine_gets_no_word_before_it_is_proven(monkeypatch, authority, address, talk):
    talk = postgres(b"S", authority, "other.example.org") if isinstance(talk, str) else talk
    with heard(talk) as (port, said):
        address = address.replace("PORT", str(port))
        monkeypatch.setenv("DESK_DB", f"postgresql://reader:hunter2@{address}")
        assert "must answer by TLS" in ask()
    assert not [text for text in said if text]


def test_a_proven_postgresql_gets_the_password(monkeypatch, authority):
    with heard(postgres(b"S", authority)) as (port, said):
        monkeypatch.setenv("DESK_DB", f"postgresql://reader:hunter2@{BEYOND[0].replace('PORT', str(port))}")
        ask()
    assert b"hunter2" in said[1]


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_an_address_that_asks_for_less_is_refused_before_anybody_is_asked(monkeypatch, mode):
    monkeypatch.setenv("DESK_DB", f"postgresql://reader:hunter2@{NAME}/desk?sslmode={mode}")
    assert f"sslmode={mode} beyond this machine" in ask()


@pytest.mark.parametrize("more", ["host=127.0.0.1,db.example.org", "hostaddr=192.0.2.1", "service=desk"])
def test_every_way_to_name_a_host_counts(monkeypatch, more):
    monkeypatch.setenv("DESK_DB", f"postgresql://reader:hunter2@/desk?sslmode=disable&{more}")
    assert "beyond this machine" in ask()


def test_libpqs_own_variables_count(monkeypatch):
    monkeypatch.setenv("PGHOST", NAME)
    monkeypatch.setenv("DESK_DB", "postgresql:///desk?sslmode=disable")
    assert "beyond this machine" in ask()


def test_who_says_so_takes_what_the_address_says(monkeypatch):
    with heard(postgres(b"N")) as (port, said):
        monkeypatch.setenv("DESK_DB", f"postgresql://reader:hunter2@{BEYOND[0].replace('PORT', str(port))}")
        ask(', tls = "unchecked"')
    assert b"hunter2" in said[1]


def mysql(capabilities: int, authority: trustme.CA | None = None):
    """A server of such abilities that asks for the password in clear."""

    def talk(client: socket.socket, said: list[bytes]) -> None:
        salt = b"01234567890123456789"
        greeting = b"\x0a8.0.0\0" + struct.pack("<I", 1) + salt[:8] + b"\0" + struct.pack("<H", capabilities & 0xFFFF)
        greeting += struct.pack("<BHH", 45, 2, capabilities >> 16) + b"\x15" + bytes(10) + salt[8:] + b"\0"
        greeting += b"mysql_clear_password\0"
        client.sendall(struct.pack("<I", len(greeting))[:3] + b"\0" + greeting)
        if authority:
            client.recv(36)
        with wrapped(client, authority, NAME) if authority else client as talking:
            said.append(talking.recv(1000))

    return talk


ABLE, TLS = 0x0200 | 0x8000 | 0x0008 | 0x80000 | 0x2000 | 0x1, 0x0800


@pytest.fixture
def led_here(monkeypatch):
    """Let the name of the database lead to this machine."""
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda place, *rest, **named: connect(("127.0.0.1", place[1]), *rest, **named)
    )


@pytest.mark.usefixtures("led_here", "authority")
@pytest.mark.parametrize("talk", [mysql(ABLE), mysql(ABLE | TLS, trustme.CA())])
def test_mysql_beyond_this_machine_gets_no_password_before_it_is_proven(monkeypatch, talk):
    with heard(talk) as (port, said):
        monkeypatch.setenv("DESK_DB", f"mysql://reader:hunter2@{NAME}:{port}/desk")
        assert "must answer by TLS" in ask()
    assert not [text for text in said if text]


@pytest.mark.usefixtures("led_here")
def test_a_proven_mysql_gets_the_password(monkeypatch, authority):
    with heard(mysql(ABLE | TLS, authority)) as (port, said):
        monkeypatch.setenv("DESK_DB", f"mysql://reader:hunter2@{NAME}:{port}/desk")
        ask()
    assert b"reader" in said[0]
