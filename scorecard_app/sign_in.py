"""Signing in and out (OpenID Connect, authorization code with PKCE): before Streamlit, which never sees a stranger."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from httpx import HTTPError, create_ssl_context
from joserfc.errors import JoseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from door.budgets import Budgets
from door.sessions import Sessions
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import SignIn, is_confidential, trusted_file
from scorecard_app import access
from scorecard_app.openings import CALLBACK, SIGN_IN, SIGN_OUT
from scorecard_app.welcome import note, please

LOG = logging.getLogger("opsmetrics.app")
BEGUN_SECONDS = 600
# So much of a session's name stands in the log: it tells two apart, and is neither the cookie nor a person.
SHOWN = 12
WELL_KNOWN = "/.well-known/openid-configuration"
# Signatures of the provider's own keys, whatever else it says it supports: a token that nobody signed, or that the
# secret signed that we know too, tells nothing about who wrote it.
SIGNED_BY_KEY = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"}
)
ALGORITHMS = "id_token_signing_alg_values_supported"
# What the provider may answer wrongly; anything else is a fault of ours, and shows as one.
REFUSALS = (AuthlibBaseError, JoseError, HTTPError, ValueError, KeyError, TypeError)


def routes(settings: SignIn, sessions: Sessions) -> list[Route]:
    """Return the routes of signing in and out."""
    way = _Way(settings, sessions)

    def begun(endpoint: Callable[[Request], Any]) -> ASGIApp:
        # Between leaving for the provider and coming back, the browser keeps what the two must agree on.
        kept = Middleware(
            SessionMiddleware,
            secret_key=settings.cookie_secret,
            session_cookie=f"{access.cookie_name(settings)}-begun",
            max_age=BEGUN_SECONDS,
            same_site="lax",
            https_only=access.is_https(settings),
        )
        return Starlette(routes=[Route("/{rest:path}", endpoint)], middleware=[kept])

    return [
        Route(SIGN_IN, begun(way.leave)),
        Route(CALLBACK, begun(way.come_back)),
        Route(SIGN_OUT, way.sign_out, methods=["GET", "POST"]),
    ]


def trusted() -> ssl.SSLContext:
    """Return whom a provider is believed to be: an agency's own may have a certificate of the agency's own.

    Raises:
        ConfigurationError: The file of certificates that the environment names cannot be read as one.
    """
    context, own = create_ssl_context(), trusted_file()
    if own is not None:
        try:
            context.load_verify_locations(cafile=own)
        except OSError:
            said = f"{own} is no file of certificates that can be read"
            problem = Problem("OPSMETRICS_CA_FILE", None, said, "name a PEM file that the app's user may read")
            raise ConfigurationError([problem]) from None
    return context


class _Way:
    """The way to the identity provider and back."""

    def __init__(self, settings: SignIn, sessions: Sessions) -> None:
        self.settings, self.sessions = settings, sessions
        self.told = Budgets(20, 0.1)
        self.back = f"{settings.public_url.rstrip('/')}{CALLBACK}"
        self.provider = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=settings.metadata_url,
            # Made once: a client makes one of its own for each person, and that takes longer than all the rest.
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "verify": trusted(),
            },
        )

    async def leave(self, request: Request) -> Response:
        """Send the browser to the provider."""
        try:
            await self._checked()
            return await self.provider.authorize_redirect(request, self.back)
        except REFUSALS as error:
            return self._failed(request, error)

    async def come_back(self, request: Request) -> Response:
        """Begin a session with what the provider says about whoever comes back."""
        try:
            metadata = await self._checked()
            # Only what stands in the token counts, and only in one for us: authlib looks at who asked for it (azp).
            claims = {
                "iss": {"values": [metadata["issuer"]]},
                "aud": {"essential": True, "value": self.settings.client_id},
            }
            token = await self.provider.authorize_access_token(request, claims_options=claims)
            # Without a token, who came back would be what the answer says beside it.
            cookie = self.sessions.begin(dict(token["userinfo"] if token["id_token"] else {}))
        except REFUSALS as error:
            return self._failed(request, error)
        session = self.sessions.of_cookie(cookie)
        if session is None:
            return self._failed(request, ValueError("the token is over, or says no end"))
        self._end(request)
        LOG.warning("signed in: session %s", session.id[:SHOWN])
        if access.is_kept_elsewhere(session):
            said = "too many groups for a token, none gives a role; have the provider send roles, or groups of the app"
            LOG.warning("session %s: %s", session.id[:SHOWN], said)
        response = RedirectResponse("/", status_code=303)
        self._keep(response, cookie, self.settings.session_minutes * 60)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session here; the page that follows leads to the provider's own end, where it has one."""
        if request.method == "POST":
            self._end(request)
            headers = {"Clear-Site-Data": '"cache", "storage"'}
            response: Response = RedirectResponse(SIGN_OUT, status_code=303, headers=headers)
            self._keep(response, "", 0)
            return response
        try:
            metadata = await self._checked()
        except REFUSALS as error:
            LOG.warning("sign-out: the identity provider does not answer (%s)", type(error).__name__)
            metadata = {}
        end = metadata.get("end_session_endpoint")
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": self.settings.public_url})
        return note(request, "access.signed_out", 200, end=f"{end}?{query}" if isinstance(end, str) else None)

    async def _checked(self) -> dict[str, Any]:
        """Return what the provider says about itself; none of its addresses may give away what is sent to it."""
        kept: dict[str, Any] = await self.provider.load_server_metadata()
        named = kept.get(ALGORITHMS)
        if isinstance(named, list):
            # authlib takes whatever is named here; where nothing is left it takes RS256.
            kept[ALGORITHMS] = [name for name in named if name in SIGNED_BY_KEY]
        metadata = dict(kept)
        if f"{metadata.get('issuer')}{WELL_KNOWN}" != self.settings.metadata_url:
            raise ValueError("the identity provider calls itself otherwise than OPSMETRICS_OIDC_METADATA_URL does")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
        for name in names:
            address = metadata.get(name)
            if address is not None and not (isinstance(address, str) and is_confidential(address)):
                raise ValueError(f"{name} of the identity provider is neither https nor on this machine")
        return metadata

    def _end(self, request: Request) -> None:
        session = self.sessions.of_cookie(request.cookies.get(access.cookie_name(self.settings)))
        if session is not None:
            LOG.warning("signed out: session %s", session.id[:SHOWN])
            self.sessions.end(session.id)

    def _failed(self, request: HTTPConnection, error: Exception) -> Response:
        """Say that it did not work, and in the log why: the kind and nothing that the provider or the reader sent.

        Strangers fail as often as they like: beyond a few lines and six a minute the log is spared.
        """
        said = str(error) if type(error) is ValueError else type(error).__name__
        if self.told.has("all"):
            LOG.warning("sign-in failed: %s", said.splitlines()[0][:200] if said else "")
        return please(request, "access.failed", 400)

    def _keep(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            access.cookie_name(self.settings),
            value,
            max_age=seconds,
            path="/",
            secure=access.is_https(self.settings),
            httponly=True,
            samesite="lax",
        )
