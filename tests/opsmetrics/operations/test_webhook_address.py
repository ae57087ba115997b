"""Messages go to an address that nobody else can read along, and what is wrong with another is said without it."""

from __future__ import annotations

from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.operations.notify import Message, NotifyError, post
from tests.conftest import settings_in
from tests.listening import listening


@pytest.mark.parametrize(
    "address",
    ["http://chat.example.org/Zq9xK4", "https://u:Zq9xK4@chat.example.org", "http://127.0.0.1@x.invalid/Zq9xK4"],
)
def test_a_webhook_in_clear_is_refused(tmp_path, address):
    settings = replace(settings_in(tmp_path), webhook_url=address, retry_seconds=0)
    with pytest.raises(ConfigurationError, match="not an https address") as refused:
        post(settings, Message("title", ("line",), None))
    assert "Zq9xK4" not in str(refused.value)


def test_a_query_is_a_part_of_it(tmp_path):
    settings = replace(settings_in(tmp_path), webhook_url="http://127.0.0.1:9/flow?sig=Zq9xK4", retry_seconds=0)
    with pytest.raises(NotifyError, match="did not take") as refused:
        post(settings, Message("title", ("line",), None))
    assert "Zq9xK4" not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_an_answer_that_leads_elsewhere_is_no_delivery(tmp_path, status):
    """A webhook that was moved, or a page to sign in before it: nobody has read the message."""
    asked = []

    class Moved(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self):
            self.do_POST()

        def log_message(self, *_):
            """Silence."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Moved)) as address:
        settings = replace(settings_in(tmp_path), webhook_url=f"{address}/hook", retry_seconds=0)
        with pytest.raises(NotifyError, match=f"status {status}"):
            post(settings, Message("title", ("line",), None))
    assert asked == ["/hook"]
