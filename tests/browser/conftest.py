"""State folders, running apps, a browser and its pages, shared with the other tests of the app."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.apps import apps, browser, homes
from tests.browser.watched import Windows

__all__ = ["apps", "browser", "homes"]


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Windows:
    """Pages for one test after the other; they end with the browser."""
    return Windows(browser)
