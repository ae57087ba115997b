"""The gate: what is let in, what is not, and what every answer carries."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from door.budgets import REMEMBERED, Budgets, Places
from door.gate import KEPT, PRIVATE, SECURITY, SESSION_KEY, Gate
from door.rules import Limits, Opening, Rules, names, person_of
from door.sessions import Sessions

NEAR, PUBLIC = "http://127.0.0.1:8501", "https://ops.example.org"
SOCKET = "ws://127.0.0.1:8501/socket"
OPENINGS = (
    Opening(re.compile("/health"), is_open=True),
    Opening(re.compile("/static/.+"), is_open=True, is_kept=True, is_there={"/static/a.js"}.__contains__),
    Opening(re.compile("/page")),
    Opening(re.compile("/change"), frozenset({"POST"})),
    Opening(re.compile("/socket"), frozenset({"GET"}), is_socket=True),
    Opening(re.compile("/broken"), frozenset({"GET"}), is_socket=True),
    Opening(re.compile("/texts"), frozenset({"GET"}), is_socket=True, takes_text=True),
    Opening(re.compile("/admin"), role="admin"),
)


async def _who(request):
    session = request.scope[SESSION_KEY]
    return JSONResponse({"id": session and session.id, "header": request.headers.get("x-opsmetrics-session")})


async def _echo(socket):
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


async def _broken(socket):
    await socket.accept()
    raise KeyError(await socket.receive_bytes())


async def _echo_text(socket):
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


def served(limits: Limits | None = None, sessions: Sessions | None = None, has_role=lambda *_: True) -> TestClient:
    """The gate before an application that would answer everything."""
    app = Starlette(
        routes=[
            WebSocketRoute("/socket", _echo),
            WebSocketRoute("/texts", _echo_text),
            WebSocketRoute("/broken", _broken),
            Route("/{rest:path}", _who, methods=["GET", "HEAD", "POST", "PUT", "TRACE"]),
        ]
    )
    hosts, origins = names(8501, PUBLIC)
    rules = Rules(hosts, origins, OPENINGS, limits or Limits())
    gate = Gate(
        app,
        rules=rules,
        policy="default-src 'none'",
        sessions=sessions,
        cookie="opsmetrics",
        welcome=lambda _: PlainTextResponse("please", status_code=401),
        has_role=has_role,
        is_https=True,
    )
    return TestClient(gate, base_url=NEAR)


def drained(socket) -> tuple[int, int]:
    """How many frames came back until the socket was closed, and its code."""
    passed = 0
    try:
        while True:
            socket.receive_bytes()
            passed += 1
    except WebSocketDisconnect as closed:
        return passed, closed.code


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8501", 200),
        ("LOCALHOST:8501", 200),
        ("[::1]:8501", 200),
        ("ops.example.org", 200),
        ("ops.example.org:443", 200),
        # DNS rebinding: the browser asks our address by a name of somebody else.
        ("evil.example", 421),
        ("evil.example:8501", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:8501.evil.example", 421),
        ("127.0.0.1:8501@evil.example", 421),
        ("", 421),
    ],
)
def test_a_server_answers_to_its_own_names_alone(host, status):
    client = served()
    for path in ("/health", "/page", "/static/a.js"):
        assert client.get(path, headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": NEAR}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),  # what cannot be read is refused, not a fault
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "http://127.0.0.1:99999"}, 403),
        ({"Origin": NEAR.replace("8501", "9999")}, 403),
        ({"Origin": PUBLIC}, 403),  # ours, but by another name than the one that is asked
        ({"Origin": PUBLIC, "Host": "ops.example.org"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        # A link or the way back from the identity provider opens a page; a script or picture of theirs gets nothing.
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ],
)
def test_pages_of_other_sites_get_nothing(headers, status):
    assert served().get("/page", headers=headers).status_code == status


def test_a_change_is_asked_for_by_a_page_of_ours():
    client = served()
    assert client.post("/change").status_code == 403
    assert client.post("/change", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/change", headers={"Origin": NEAR}).status_code == 200


def test_what_is_not_listed_is_not_there():
    """The application behind would answer each of these."""
    client = served()
    assert client.get("/_stcore/metrics").status_code == 404
    assert client.put("/page", headers={"Origin": NEAR}).status_code == 405
    assert client.request("TRACE", "/page", headers={"Origin": NEAR}).status_code == 405
    assert client.get("/change").headers["allow"] == "POST"
    assert client.get("/page/../static/a.js/%2e%2e/x").status_code in {404, 200}
    assert client.get("/health%0a").status_code == 404
    # A page in place of a file that is gone would be kept under its name.
    for path in ("/static/b.js", "/static/", "/static/%2e%2e/page", "/static//a.js", "/static/a.js/"):
        assert client.get(path).status_code == 404


def test_more_than_is_taken_is_refused_before_it_is_read():
    client = served(Limits(body_bytes=100))
    large = {"Origin": NEAR, "Content-Length": "101"}
    assert client.post("/change", content=b"a" * 101, headers=large).status_code == 413
    assert client.post("/change", content=iter([b"a"]), headers={"Origin": NEAR}).status_code == 413
    assert client.request("GET", "/page", content=b"a").status_code == 413
    assert client.post("/change", content=b"a", headers={"Origin": NEAR, "Content-Length": "-1"}).status_code == 413


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/page", "/health", "/static/a.js", "/nowhere"])
def test_every_answer_carries_the_same_headers(method, path):
    answer = served().request(method, path)
    for name, value in SECURITY.items():
        assert answer.headers[name] == value
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["strict-transport-security"]
    assert answer.headers["cache-control"] == (KEPT if path.startswith("/static") else PRIVATE)


def test_who_has_not_signed_in_gets_nothing_but_what_is_open():
    sessions = Sessions(60)
    client = served(sessions=sessions)
    assert client.get("/health").status_code == 200
    assert (client.get("/page").status_code, client.get("/page").text) == (401, "please")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers={"Origin": NEAR}):
        pass
    # What a stranger says about a session is not believed.
    client.headers["X-Opsmetrics-Session"] = "stranger"
    assert client.get("/health").json() == {"id": None, "header": None}
    cookie = sessions.begin({"exp": 2**40})
    client.cookies["opsmetrics"] = cookie
    known = client.get("/page").json()
    assert known["id"] == known["header"] == sessions.of_cookie(cookie).id


def test_an_opening_takes_its_role():
    sessions = Sessions(60)
    client = served(sessions=sessions, has_role=lambda session, role: session.claims["role"] == role)
    for role, status in (("viewer", 403), ("admin", 200)):
        client.cookies["opsmetrics"] = sessions.begin({"exp": 2**40, "role": role})
        assert client.get("/admin").status_code == status


def test_a_socket_is_opened_by_a_page_of_ours():
    client = served()
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        socket.send_bytes(b"a")
        assert socket.receive_bytes() == b"a"
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "http://evil.example", "Host": "evil.example"}):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers=headers):
            pass


def test_an_address_that_asks_too_much_waits():
    client = served(Limits(requests_burst=5, requests_rate=0.001))
    assert [client.get("/health").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    assert client.get("/health").headers["retry-after"]


def test_strangers_share_what_is_left_and_take_nothing_from_readers():
    limits = Limits(
        stranger_burst=2, stranger_rate=0.001, strangers_burst=3, strangers_rate=0.001, refusal_seconds=0.01
    )
    sessions = Sessions(60)
    client = served(limits, sessions)
    assert [client.get("/health").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    # Who has asked little is let in, whatever others ask.
    newcomer = TestClient(client.app, base_url=NEAR, client=("192.0.2.7", 1))
    assert [newcomer.get("/health").status_code for _ in range(3)] == [200] * 2 + [429]
    client.cookies["opsmetrics"] = sessions.begin({"exp": 2**40})
    assert {client.get("/page").status_code for _ in range(50)} == {200}


def test_who_is_signed_in_has_a_budget_beyond_the_address():
    """An office is one address."""
    sessions = Sessions(60)
    client = served(Limits(requests_burst=5, requests_rate=0.001, refusal_seconds=0.01), sessions)
    for _ in range(3):
        client.cookies["opsmetrics"] = sessions.begin({"exp": 2**40})
        assert [client.get("/page").status_code for _ in range(6)] == [200] * 5 + [429]


def test_frames_that_an_application_does_not_read_close_the_socket():
    client = served()
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        socket.send_text("a")
        assert drained(socket) == (0, 1003)
    with client.websocket_connect(SOCKET.replace("/socket", "/texts"), headers={"Origin": NEAR}) as socket:
        socket.send_text("a")
        assert socket.receive_text() == "a"
        socket.send_bytes(b"a")
        assert drained(socket) == (0, 1003)


def test_a_frame_that_an_application_breaks_on_ends_its_socket_with_one_line(caplog):
    with served().websocket_connect(SOCKET.replace("/socket", "/broken"), headers={"Origin": NEAR}) as socket:
        socket.send_bytes(b"secret")
        assert drained(socket) == (0, 1011)
    assert caplog.messages == ["a socket ended: the application broke on a frame (KeyError)"]


def test_a_flood_of_frames_is_slowed_then_closed():
    """200 frames: the first pass at once, some wait, then the socket is closed; the ones behind are never read."""
    client = served(Limits(frames_burst=10, frames_rate=4, frames_waiting=3))
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        for _ in range(200):
            socket.send_bytes(b"rerun")
        passed, code = drained(socket)
    assert code == 1008
    assert 13 <= passed < 100


def test_large_frames_wait_like_many():
    client = served(Limits(bytes_burst=1000, bytes_rate=4000, frames_waiting=2))
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        for _ in range(5):
            socket.send_bytes(b"a" * 900)
        assert drained(socket) == (3, 1008)


def test_each_person_has_so_many_sockets():
    client = served(Limits(sockets_each=2))
    with (
        client.websocket_connect(SOCKET, headers={"Origin": NEAR}),
        client.websocket_connect(SOCKET, headers={"Origin": NEAR}),
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(SOCKET, headers={"Origin": NEAR}),
    ):
        pass
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        socket.send_bytes(b"a")
        assert socket.receive_bytes() == b"a"


def test_a_socket_ends_with_its_session():
    sessions = Sessions(60)
    client = served(sessions=sessions)
    client.cookies["opsmetrics"] = cookie = sessions.begin({"exp": 2**40})
    with client.websocket_connect(SOCKET, headers={"Origin": NEAR}) as socket:
        socket.send_bytes(b"a")
        assert socket.receive_bytes() == b"a"
        sessions.end(sessions.of_cookie(cookie).id)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 1008
    assert sessions._listeners == {}


def test_a_budget_is_full_again_after_a_while():
    now = [0.0]
    budget = Budgets(3, 1, clock=lambda: now[0])
    assert [budget.take("a") for _ in range(4)] == [0, 0, 0, 1]
    assert budget.take("b") == 0
    now[0] = 100.0
    assert [budget.has("a") for _ in range(4)] == [True, True, True, False]
    for number in range(REMEMBERED + 10):
        budget.take(f"stranger {number}")
    assert len(budget._left) <= REMEMBERED


def test_places_are_given_back():
    places = Places(3, 2)
    assert [places.enter("a") for _ in range(3)] == [True, True, False]
    assert places.enter("a", is_counted=False)
    assert not places.enter("b")
    places.leave("a")
    assert places.enter("b")


def test_an_ipv6_network_is_one_address():
    assert person_of("2001:db8::1") == person_of("2001:db8::ffff") != person_of("2001:db8:0:1::1")
    assert person_of("192.0.2.1") != person_of("192.0.2.2")
    assert person_of("local") == "local"
    assert person_of("::ffff:192.0.2.1") == person_of("192.0.2.1") != person_of("::ffff:192.0.2.2")
