"""Where the app may listen: on loopback, or anywhere once people must sign in."""

from __future__ import annotations

import sys

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import SignIn
from opsmetrics.core.web import is_loopback
from scorecard_app import access


def refusal(address: str | None, *, has_sign_in: bool) -> str | None:
    """Return why the app must not listen there, or None."""
    if has_sign_in or is_loopback(address or ""):
        return None
    return (
        f"The app will not listen on {address or 'every interface'} without sign-in: anyone who reaches the port could "
        "read everything. Set OPSMETRICS_OIDC_..., OPSMETRICS_COOKIE_SECRET and OPSMETRICS_PUBLIC_URL (docs/app.md), "
        "or listen on 127.0.0.1."
    )


def checked(address: str) -> SignIn | None:
    """Return the settings of sign-in for an address to listen on.

    Exits with a sentence where the settings are wrong, or where the app must not listen.
    """
    try:
        settings = access.sign_in()
        if settings is not None:
            access.rules()
    except ConfigurationError as error:
        sys.exit(str(error))
    why_not = refusal(address, has_sign_in=settings is not None)
    if why_not:
        sys.exit(why_not)
    return settings
