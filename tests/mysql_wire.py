"""A MySQL server on loopback, as far as one client needs it: the text protocol of MySQL 4.1 and later, one table.

It knows no SQL: it answers the questions that it was told the answers of, and refuses every other one as a server does.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

# Types of columns as the protocol numbers them.
LONG, NEWDECIMAL, DATE, DATETIME, TINY, STRING, TIME = 3, 246, 10, 12, 1, 253, 11
_UTF8MB4, _BINARY = 45, 63
# Protocol 4.1, secure connection, databases, plugins for signing in, transactions.
_ABLE = 0x0200 | 0x8000 | 0x0008 | 0x80000 | 0x2000 | 0x1
_SALT = b"01234567890123456789"


@dataclass(frozen=True)
class Answer:
    """Columns as (name, type), and rows of texts."""

    columns: Sequence[tuple[str, int]]
    rows: Sequence[Sequence[str | None]] = ()


@dataclass
class Asked:
    """What a client said: the user and database that it named, and its questions."""

    signed_in: list[tuple[str, str]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


def _text(value: str | None) -> bytes:
    if value is None:
        return b"\xfb"
    raw = value.encode()
    return (bytes([len(raw)]) if len(raw) < 251 else b"\xfc" + struct.pack("<H", len(raw))) + raw


def _column(name: str, kind: int) -> bytes:
    charset = _UTF8MB4 if kind == STRING else _BINARY
    head = b"".join(map(_text, ("def", "desk", "ticket", "ticket", name, name)))
    return head + b"\x0c" + struct.pack("<HIBHBxx", charset, 255, kind, 0, 0)


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        self.number = 0
        greeting = b"\x0a8.0.0\0" + struct.pack("<I", 1) + _SALT[:8] + b"\0" + struct.pack("<H", _ABLE & 0xFFFF)
        greeting += (
            struct.pack("<BHH", _UTF8MB4, 2, _ABLE >> 16) + bytes([len(_SALT) + 1]) + bytes(10) + _SALT[8:] + b"\0"
        )
        self._send(greeting + b"mysql_native_password\0")
        said = self._receive()
        user, _, rest = said[32:].partition(b"\0")
        database = rest[1 + rest[0] :].partition(b"\0")[0]
        server.asked.signed_in.append((user.decode(), database.decode()))
        self._ok()
        while (said := self._receive()) and said[:1] == b"\x03":
            question = said[1:].decode()
            server.asked.questions.append(question)
            self._answer(question, server.answers.get(question))

    def _answer(self, question: str, answer: Answer | None) -> None:
        if not question.lower().startswith("select"):
            self._ok()
        elif answer is None:
            self._send(b"\xff" + struct.pack("<H", 1146) + b"#42S02no such table: secret-of-the-server")
        else:
            self._send(bytes([len(answer.columns)]))
            for name, kind in answer.columns:
                self._send(_column(name, kind))
            self._end()
            for row in answer.rows:
                self._send(b"".join(map(_text, row)))
            self._end()

    def _ok(self) -> None:
        self._send(b"\0\0\0" + struct.pack("<HH", 2, 0))

    def _end(self) -> None:
        self._send(b"\xfe" + struct.pack("<HH", 0, 2))

    def _send(self, payload: bytes) -> None:
        self.wfile.write(struct.pack("<I", len(payload))[:3] + bytes([self.number % 256]) + payload)
        self.number += 1

    def _receive(self) -> bytes:
        head = self.rfile.read(4)
        if len(head) < 4:
            return b""
        self.number = head[3] + 1
        return self.rfile.read(int.from_bytes(head[:3], "little"))


@contextmanager
def mysql_server(answers: Mapping[str, Answer]) -> Iterator[tuple[str, Asked]]:
    """Yield the address of a server that knows these answers, and what it is asked."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        server.answers, server.asked = answers, Asked()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"mysql://reader:hunter2@127.0.0.1:{server.server_address[1]}/desk", server.asked
        finally:
            server.shutdown()
            thread.join(timeout=10)
