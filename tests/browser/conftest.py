"""State folders, running apps and a browser, shared with the other tests of the app."""

from tests.apps import apps, browser, homes

__all__ = ["apps", "browser", "homes"]
