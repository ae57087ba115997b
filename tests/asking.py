"""Questions to servers and pages that are as patient as every other wait (``patience``)."""

from __future__ import annotations

import ssl
from functools import partial
from typing import TYPE_CHECKING

import httpx

from tests.patience import LIMIT_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Page


# One for all: each question would read the system's certificates anew, which costs more than most answers.
_TLS = ssl.create_default_context()
http_get = partial(httpx.get, timeout=LIMIT_SECONDS, verify=_TLS)
http_post = partial(httpx.post, timeout=LIMIT_SECONDS, verify=_TLS)


def settle(page: Page, milliseconds: int = 300) -> None:
    """Wait until a page stands still after a change: a moment, all transitions over, and two frames drawn."""
    page.wait_for_timeout(milliseconds)
    page.evaluate(
        """async () => {
            await Promise.allSettled(document.getAnimations().map(animation => animation.finished));
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
