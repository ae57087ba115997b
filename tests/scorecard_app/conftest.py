"""State folders, running apps and a browser, shared with the other tests of the app."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from tests.apps import apps, browser, homes

__all__ = ["apps", "browser", "homes"]


@pytest.fixture(scope="session", autouse=True)
def installed_packages_are_read_once() -> Iterator[None]:
    """Look for Streamlit components once: ``AppTest`` reads the metadata of every package at every run of a page.

    An app does it as it starts. Of a page in a test it was nine tenths of the processor time.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
