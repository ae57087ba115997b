"""Sign-in and roles. Off on loopback; on as soon as the settings name an identity provider (OpenID Connect).

A viewer reads everything but the rows behind security numbers. A member of a team also sees those of the own team and
writes its register lines. An admin may all of that for every team.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import streamlit as st

from opsmetrics.core.settings import Settings, SignIn
from opsmetrics.language.texts import text
from opsmetrics.organisation.access import AccessRules, load_access
from scorecard_app.markup import element, join, lead
from scorecard_app.raw_html import show

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


ALONE = Permissions("admin")  # on loopback without sign-in: whoever has the machine has the snapshot too


@cache
def sign_in() -> SignIn | None:
    """Return the settings of sign-in, or None: read once, the server starts with them."""
    return SignIn.from_env()


@cache
def rules() -> AccessRules:
    """Return who may do what."""
    return load_access(Settings.from_env().org)


def secrets(settings: SignIn) -> dict[str, Any]:
    """Return the settings as Streamlit's own login wants them."""
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url.rstrip('/')}/oauth2callback",
            "cookie_secret": settings.cookie_secret,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "server_metadata_url": settings.metadata_url,
        }
    }


def permissions_of(known: AccessRules, claims: Mapping[str, Any]) -> Permissions:
    """Return what the claims of an identity token allow."""
    raw: Any = claims.get(known.claim)
    values = [raw] if isinstance(raw, str) else [str(value) for value in raw or ()]
    grants = known.grants_of(values)
    roles = {grant.role for grant in grants}
    teams = frozenset(grant.team for grant in grants if grant.team is not None)
    role = next((role for role in ("admin", "member", "viewer") if role in roles), known.everyone)
    return Permissions(role, teams, is_signed_in=True)


def permissions() -> Permissions:
    """Return what the person of this session may do."""
    if sign_in() is None:
        return ALONE
    return permissions_of(rules(), st.user.to_dict())


def is_welcome(language: str) -> bool:
    """Whether to go on; else the page asks to sign in, or says that this account may not."""
    if sign_in() is None:
        return True
    if not st.user.is_logged_in:
        _note(language, "access.please")
        st.button(text(language, "access.sign_in"), on_click=st.login, type="primary")
        return False
    if permissions().role == "none":
        _note(language, "access.refused")
        sign_out(language)
        return False
    return True


def _note(language: str, key: str) -> None:
    show(join(element("h1", text(language, "app.name")), lead(text(language, key))))


def sign_out(language: str) -> None:
    """Show the way out to who is signed in."""
    if sign_in() is not None:
        st.button(text(language, "access.sign_out"), on_click=st.logout)
