"""A stand-in for Entra: OpenID configuration and the token endpoint; tokens say for which audience they are."""

from __future__ import annotations

import base64
import json
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TENANT = "44444444-4444-4444-4444-444444444444"
CLIENT = "55555555-5555-5555-5555-555555555555"
CLIENT_SECRET = "loopback-only"  # noqa: S105 - of the stand-in itself


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


def routes() -> list[Route]:
    """Return the routes, at the root: Azure's clients allow no path before the tenant."""

    def configuration(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        tenant = request.path_params["tenant"]
        return JSONResponse(
            {
                "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
                "issuer": f"{base}/{tenant}/v2.0",
                "tenant_region_scope": "EU",
            }
        )

    async def token(request: Request) -> Response:
        form = await request.form()
        known = form.get("client_secret") == CLIENT_SECRET or form.get("client_assertion")
        if form.get("client_id") != CLIENT or not known:
            return JSONResponse({"error": "invalid_client", "error_description": "AADSTS7000215"}, status_code=401)
        claims = {"scope": str(form["scope"]).split(" ")[0], "exp": int(time.time()) + 3599}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": f"e30.{body}.sig"})

    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", configuration),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
    ]
