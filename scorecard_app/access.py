"""Sign-in and roles. Off on loopback; on as soon as the settings name an identity provider (OpenID Connect).

A viewer reads everything but the rows behind security numbers. A member of a team also sees those of the own team and
writes its register lines. An admin may all of that for every team.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from door.gate import SESSION_HEADER
from door.sessions import Session, Sessions
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, SignIn
from opsmetrics.language.texts import text
from opsmetrics.organisation.access import FILE, AccessRules, load_access
from scorecard_app.markup import Node, element, join, lead, paragraph
from scorecard_app.openings import SIGN_IN, SIGN_OUT
from scorecard_app.raw_html import show

LOG = logging.getLogger("opsmetrics.app")
SENSITIVE_AREA = "sec"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the person at the screen may do.

    Attributes:
        role: viewer, member, admin, or none.
        teams: Teams of a member.
        is_signed_in: Whether there is someone to sign out.
    """

    role: str
    teams: frozenset[str] = field(default_factory=frozenset[str])
    is_signed_in: bool = False

    def may_see_rows(self, area_id: str, team_id: str) -> bool:
        """Whether the rows behind a number may be shown: open findings only to those who must close them."""
        return area_id != SENSITIVE_AREA or self.may_write(team_id)

    def may_write(self, team_id: str | None = None) -> bool:
        """Whether register lines may be made, for a team or for any."""
        return self.role == "admin" or (self.role == "member" and (team_id is None or team_id in self.teams))


NOBODY = Permissions("none")
ALONE = Permissions("admin")  # on loopback without sign-in: whoever has the machine has the snapshot too


@cache
def sign_in() -> SignIn | None:
    """Return the settings of sign-in, or None: read once, the server starts with them."""
    return SignIn.from_env()


def is_https(settings: SignIn) -> bool:
    """Whether people come by https."""
    return urlsplit(settings.public_url).scheme == "https"


def cookie_name(settings: SignIn) -> str:
    """Return the name of the session's cookie: browsers keep ``__Host-`` to https and to this very host."""
    return "__Host-opsmetrics" if is_https(settings) else "opsmetrics"


@cache
def sessions() -> Sessions:
    """Return who is signed in to this process."""
    settings = sign_in()
    return Sessions(settings.session_minutes * 60 if settings else 0)


def rules() -> AccessRules:
    """Return who may do what, as the file says now.

    Raises:
        ConfigurationError: The file is wrong.
    """
    folder = Settings.from_env().org
    return _read(folder, _state(folder / FILE))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(folder: Path, _state: tuple[int, int] | None) -> AccessRules:
    return load_access(folder)


def permissions_of(known: AccessRules, claims: Mapping[str, Any]) -> Permissions:
    """Return what the claims of an identity token allow; a claim of another shape than texts allows nothing."""
    raw: Any = claims.get(known.claim)
    values = [raw] if isinstance(raw, str) else [] if raw is None else raw
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        LOG.warning("the claim %r is no text and no list of texts: it gives no role", known.claim)
        return Permissions("none", is_signed_in=True)
    grants = known.grants_of(values)
    roles = {grant.role for grant in grants}
    teams = frozenset(grant.team for grant in grants if grant.team is not None)
    role = next((role for role in ("admin", "member", "viewer") if role in roles), known.everyone)
    return Permissions(role, teams, is_signed_in=True)


def is_kept_elsewhere(session: Session) -> bool:
    """Whether the token says only where the claim that gives roles is to be had: Entra does so beyond 200 groups."""
    try:
        claim = rules().claim
    except ConfigurationError:
        return False
    names = session.claims.get("_claim_names")
    return claim not in session.claims and isinstance(names, dict) and claim in names


def permissions_in(session: Session | None) -> Permissions:
    """Return what a session allows now: ended ones, and a file that cannot be read, allow nothing."""
    if sign_in() is None:
        return ALONE
    if session is None:
        return NOBODY
    try:
        return permissions_of(rules(), session.claims)
    except ConfigurationError as error:
        LOG.warning("nobody has a role: %s", " ".join(str(error).split()))
        return Permissions("none", is_signed_in=True)


def has_role(session: Session | None, role: str) -> bool:
    """Whether a session has a role now."""
    return permissions_in(session).role == role


def session() -> Session | None:
    """Return the session of the page that runs, if it is not over."""
    return sessions().alive(st.context.headers.get(SESSION_HEADER)) if sign_in() is not None else None


def permissions() -> Permissions:
    """Return what the person at the screen may do, looked up anew for each run."""
    return permissions_in(session())


def is_welcome(language: str) -> bool:
    """Whether to go on; else the page says that the session is over, or that this account may not."""
    allowed = permissions()
    if sign_in() is not None and not allowed.is_signed_in:
        again = element("a", text(language, "access.sign_in"), href=SIGN_IN, target="_self")
        _note(language, "access.over", paragraph(again))
        return False
    if allowed.role == "none":
        _note(language, "access.refused")
        sign_out(language)
        return False
    return True


def _note(language: str, key: str, more: Node = None) -> None:
    show(join(element("h1", text(language, "app.name")), lead(text(language, key)), more))


def sign_out(language: str) -> None:
    """Show the way out to who is signed in: a form, because a link could be followed for somebody."""
    if sign_in() is not None:
        button = element("button", text(language, "access.sign_out"), type="submit")
        show(element("form", button, method="post", action=SIGN_OUT, class_="sign-out"))
