"""Questions to servers and pages that are as patient as every other wait (``patience``)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import httpx

from tests.patience import LIMIT_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Page


http_get = partial(httpx.get, timeout=LIMIT_SECONDS)
http_post = partial(httpx.post, timeout=LIMIT_SECONDS)


def settle(page: Page, milliseconds: int = 300) -> None:
    """Wait until a page stands still after a change: a moment, all transitions over, and two frames drawn."""
    page.wait_for_timeout(milliseconds)
    page.evaluate(
        """async () => {
            await Promise.allSettled(document.getAnimations().map(animation => animation.finished));
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
