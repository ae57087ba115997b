"""Sessions are kept by the server: they end when the token does, when somebody signs out, and by themselves."""

from __future__ import annotations

import pytest

from door import sessions as module
from door.sessions import Sessions


@pytest.mark.parametrize(
    ("exp", "lasts"),
    [
        (1100, 100),  # the token's own end comes first
        (9999, 600),  # ours does
        (1000, 0),
        (999, 0),
        (None, 0),
        ("9999", 0),
        (True, 0),
        (float("inf"), 0),
        (float("nan"), 0),
        ({}, 0),
    ],
)
def test_a_session_ends_with_its_token_or_earlier(exp, lasts):
    now = [1000.0]
    sessions = Sessions(600, clock=lambda: now[0], steady=lambda: now[0])
    cookie = sessions.begin({"exp": exp})
    assert (sessions.of_cookie(cookie) is not None) is (lasts > 0)
    if lasts:
        now[0] += lasts - 1
        assert sessions.of_cookie(cookie)
        now[0] += 1
        assert sessions.of_cookie(cookie) is None


def test_a_cookie_that_was_copied_ends_with_the_session():
    sessions = Sessions(600)
    cookie = sessions.begin({"exp": 2**40})
    stolen = str(cookie)
    told: list[str] = []
    sessions.tell(sessions.of_cookie(cookie).id, lambda: told.append("over"))
    sessions.end(sessions.of_cookie(cookie).id)
    assert sessions.of_cookie(stolen) is None
    assert told == ["over"]


def test_neither_the_id_nor_a_guess_is_a_cookie():
    sessions = Sessions(600)
    cookie = sessions.begin({"exp": 2**40, "name": "secret name"})
    session = sessions.of_cookie(cookie)
    for guess in (None, "", session.id, cookie[:-1], cookie + "a", "\ud800", "é" * 9):
        assert sessions.of_cookie(guess) is None
    assert "secret name" not in repr(session)
    assert sessions.begin({"exp": 2**40}) != cookie


def test_sessions_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    sessions = Sessions(600, clock=lambda: 0.0, steady=lambda: 0.0)
    cookies = [sessions.begin({"exp": 100 + number, "sub": str(number)}) for number in range(5)]
    assert [sessions.of_cookie(cookie) is not None for cookie in cookies] == [False, False, True, True, True]


def test_one_person_signs_nobody_else_out(monkeypatch):
    """Whoever signs in again and again ends their own oldest session, and whoever holds a socket of it is told."""
    monkeypatch.setattr(module, "MOST_EACH", 2)
    sessions = Sessions(600)
    far = sessions.begin({"exp": 2**40, "iss": "a", "sub": "reader"})
    mine = [sessions.begin({"exp": 2**40, "iss": "a", "sub": "busy"}) for _ in range(2)]
    told: list[str] = []
    sessions.tell(sessions.of_cookie(mine[0]).id, lambda: told.append("over"))
    mine.append(sessions.begin({"exp": 2**40, "iss": "a", "sub": "busy"}))
    assert [sessions.of_cookie(cookie) is not None for cookie in mine] == [False, True, True]
    assert told == ["over"]
    assert sessions.of_cookie(far)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_clock_that_is_set_back_gives_no_session_back(is_seen):
    """A machine that is woken, restored or set by hand: neither what was over lives again, nor does anything live longer."""
    now, steady = [1000.0], [5.0]
    sessions = Sessions(600, clock=lambda: now[0], steady=lambda: steady[0])
    cookie = sessions.begin({"exp": 1100})
    if is_seen:
        now[0] = 1101.0
        assert sessions.of_cookie(cookie) is None
        now[0] = 1000.0
        assert sessions.of_cookie(cookie) is None
    else:
        now[0], steady[0] = 0.0, 104.0
        assert sessions.left(sessions.of_cookie(cookie)) == 1
        steady[0] = 106.0
        assert sessions.of_cookie(cookie) is None
