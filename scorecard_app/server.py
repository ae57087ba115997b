"""The server: Streamlit as an ASGI app behind our gate, on connections that are bounded (``opsmetrics app``).

Added to it: compression, the page's language, downloads, signing in, the Dagster page for administrators.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

import streamlit as st
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from door.gate import Gate
from door.proxy import Proxy
from door.rules import Rules, names
from door.serving import listen, serve
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Door, SignIn
from scorecard_app import access, downloads, listen_policy, welcome
from scorecard_app.headers import POLICY, PageLanguage
from scorecard_app.openings import DAGSTER, openings


def main() -> None:
    """Serve the app."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    options = parser.parse_args()
    logging.basicConfig(
        format="%(asctime)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z", level=logging.WARNING
    )
    settings = listen_policy.checked(options.address)
    try:
        door = Door.from_env()
        app, rules = build(settings, door, options.port)
        listener = listen(options.address, options.port)
    except ConfigurationError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"The app cannot listen on {options.address}:{options.port}: {error.strerror or error}")
    # In an address the digits of IPv6 stand in brackets. Said once somebody listens there, and not before.
    host = f"[{options.address}]" if ":" in options.address else options.address
    print(f"scorecard on http://{host}:{options.port} (stop with Ctrl-C)", flush=True)  # noqa: T201 - for who started it
    serve(app, listener, rules.limits, door.proxies)


def build(settings: SignIn | None, door: Door, port: int) -> tuple[ASGIApp, Rules]:
    """Return the app behind its gate, and the gate's rules."""
    hosts, origins = names(port, settings.public_url if settings else None)
    rules = Rules(hosts, origins, openings(has_sign_in=settings is not None, has_dagster=bool(door.dagster_page)))
    routes: list[BaseRoute] = [*downloads.ROUTES]
    if settings:
        # Imported here: half a second that an app without sign-in need not wait for.
        with warnings.catch_warnings(action="ignore"):  # of Authlib about the httpx that everything else uses
            from scorecard_app import sign_in  # noqa: PLC0415

        routes += sign_in.routes(settings, access.sessions())
    if door.dagster_page:
        routes.append(Mount(DAGSTER, Proxy(door.dagster_page, DAGSTER)))
    inner = st.App(Path(__file__).with_name("app.py"), routes=routes)
    gate = Gate(
        GZipMiddleware(PageLanguage(inner), minimum_size=1024, compresslevel=4),
        rules=rules,
        policy=POLICY,
        sessions=access.sessions() if settings else None,
        cookie=access.cookie_name(settings) if settings else "",
        welcome=welcome.please,
        lost=welcome.lost,
        has_role=access.has_role,
        is_https=bool(settings) and door.is_https,
    )
    return gate, rules


if __name__ == "__main__":
    main()
