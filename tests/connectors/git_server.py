"""Git's own HTTP backend behind a password, on loopback: the program that serves clones everywhere."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.listening import listening
from tests.patience import LIMIT_SECONDS

USER, WORD = "havnevakt", "zxq-not-a-secret"


class GitServer:
    """A server that knows the repositories below a folder.

    Attributes:
        url: Where it answers.
        asked: How many requests with the right password came.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.asked = root, 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def do_POST(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Hand a request to git http-backend as a web server does, through CGI."""
        word = base64.b64encode(f"{USER}:{WORD}".encode()).decode()
        if handler.headers["authorization"] != f"Basic {word}":
            handler.send_response(401)
            handler.send_header("www-authenticate", 'Basic realm="git"')
            handler.end_headers()
            return
        self.asked += 1
        path, _, query = handler.path.partition("?")
        length = int(handler.headers.get("content-length") or 0)
        found = subprocess.run(
            ["git", "http-backend"],
            input=handler.rfile.read(length),
            capture_output=True,
            check=True,
            timeout=LIMIT_SECONDS,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": handler.headers.get("git-protocol", ""),
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": handler.command,
                "CONTENT_TYPE": handler.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(length),
                "HTTP_CONTENT_ENCODING": handler.headers.get("content-encoding", ""),
                "REMOTE_USER": USER,
            },
        ).stdout
        head, _, body = found.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        handler.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def serving(root: Path) -> Iterator[GitServer]:
    """Serve the repositories below a folder while the block runs."""
    server = GitServer(root)
    with listening(server.http):
        yield server
