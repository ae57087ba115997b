"""A stand-in for Entra: tokens for programs, and sign-in for people (authorization code flow with signed id tokens).

A person is a name that says what it may do: the sign-in page offers one link each.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from functools import cache
from html import escape
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

TENANT = "44444444-4444-4444-4444-444444444444"
CLIENT = "55555555-5555-5555-5555-555555555555"
CLIENT_SECRET = "loopback-only"  # noqa: S105 - of the stand-in itself
# Who can sign in, and the values of their ``roles`` claim.
PEOPLE = {
    "leader": (),
    "skipper": ("team-sjokart",),
    "keeper": ("scorecard-admins",),
    "stranger": ("other-app",),
}


@cache
def _key() -> RSAKey:
    """The key that signs id tokens: new for each process."""
    return RSAKey.generate_key(2048, parameters={"kid": "stand-in"})


def audience_of(request: Request) -> str | None:
    """Return the scope of a request's token, or None where there is no token of ours."""
    header = request.headers.get("authorization", "")
    try:
        payload = header.removeprefix("Bearer ").split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["scope"]
    except (IndexError, ValueError, KeyError):
        return None


def refuse_wrong_audience(request: Request, audience: str) -> Response | None:
    """Return the 401 of the real services for a missing token or one for another audience."""
    found = audience_of(request)
    if found is not None and found.removesuffix("/.default").rstrip("/") == audience:
        return None
    error = {"error": {"code": "InvalidAuthenticationToken", "message": "The access token is invalid."}}
    return JSONResponse(error, status_code=401)


def _issuer(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/{request.path_params['tenant']}/v2.0"


def _configuration(request: Request) -> Response:
    base, tenant = str(request.base_url).rstrip("/"), request.path_params["tenant"]
    return JSONResponse(
        {
            "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
            "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
            "issuer": _issuer(request),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
        }
    )


def _keys(_: Request) -> Response:
    return JSONResponse({"keys": [_key().as_dict(private=False)]})


def routes() -> list[Route]:
    """Return the routes, at the root: Azure's clients allow no path before the tenant."""
    codes: dict[str, dict[str, str]] = {}

    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        person = asked.pop("person", None)
        if person is None:
            links = "".join(
                f'<p><a href="?{escape(urlencode({**asked, "person": name}))}">{name}</a></p>' for name in PEOPLE
            )
            return HTMLResponse(f"<!doctype html><title>Sign in</title><h1>Sign in</h1>{links}")
        code = secrets.token_urlsafe(16)
        codes[code] = {"person": person, "nonce": asked.get("nonce", ""), "redirect_uri": asked["redirect_uri"]}
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def token(request: Request) -> Response:
        form = await request.form()
        header = request.headers.get("authorization", "")
        basic = base64.b64decode(header.removeprefix("Basic ")).decode().split(":") if header else ["", ""]
        client, secret = (form.get("client_id") or basic[0], form.get("client_secret") or basic[1])
        if client != CLIENT or not (secret == CLIENT_SECRET or form.get("client_assertion")):
            return JSONResponse({"error": "invalid_client", "error_description": "AADSTS7000215"}, status_code=401)
        if form.get("grant_type") == "authorization_code":
            return _signed_in(request, codes.pop(str(form.get("code")), None))
        claims = {"scope": str(form["scope"]).split(" ")[0], "exp": int(time.time()) + 3599}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": f"e30.{body}.sig"})

    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _configuration),
        Route("/{tenant}/discovery/v2.0/keys", _keys),
        Route("/{tenant}/oauth2/v2.0/authorize", authorize),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
    ]


def _signed_in(request: Request, code: dict[str, str] | None) -> Response:
    """Answer a code with the person's id token; a code works once."""
    if code is None:
        return JSONResponse({"error": "invalid_grant"}, status_code=400)
    now = int(time.time())
    claims = {
        "iss": _issuer(request),
        "aud": CLIENT,
        "sub": code["person"],
        "iat": now,
        "exp": now + 3600,
        "nonce": code["nonce"],
        "name": code["person"],
        "roles": list(PEOPLE[code["person"]]),
    }
    signed = jwt.encode({"alg": "RS256", "kid": "stand-in"}, claims, _key())
    return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": "e30.e30.sig", "id_token": signed})
