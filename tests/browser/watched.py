"""Pages of a browser that remember what went wrong in them, and are lent to one test after the other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, Locator, Page

from tests.patience import LIMIT_MS, wait_until

SIZE = {"width": 1440, "height": 900}
# Streamlit looks for its own base path below each page's address; nothing is missing.
HARMLESS = re.compile(r"/(_stcore/(health|host-config)|static/)")


def until(page: Page, expression: str, argument: object = None) -> None:
    """Wait until an expression holds in a page.

    Asked from outside again and again: what waits within the page evaluates text later, which its policy refuses.
    """

    def holds() -> bool:
        try:
            return bool(page.evaluate(expression, argument))
        except Error as error:
            if "context was destroyed" in error.message:  # the page is on its way to another address
                return False
            raise

    wait_until(holds)


class Watched:
    """A page of the browser that remembers what went wrong in it."""

    def __init__(self, browser: Browser, address: str, **options) -> None:
        self.address, self.options = address, options
        self.context = browser.new_context(viewport=SIZE, **options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LIMIT_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("console", lambda message: self.faults.append(message.text) if self._is_ours(message) else None)
        self.page.on("request", lambda request: self._request(request.url))

    @staticmethod
    def _is_ours(message) -> bool:
        return message.type == "error" and not ("404" in message.text and HARMLESS.search(message.location["url"]))

    def _request(self, url: str) -> None:
        if not url.startswith((self.address, self.address.replace("http", "ws", 1), "data:", "blob:")):
            self.faults.append(f"left the host: {url}")

    def open(self, path: str, **query: str) -> Page:
        """Load an address and wait for its foot."""
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        self.page.goto(f"{self.address}/{path}" + (f"?{asked}" if asked else ""))
        self.page.wait_for_selector(".ops footer", timeout=LIMIT_MS)
        until(self.page, "document.querySelector('[data-testid=stStatusWidget]') === null")
        return self.page

    def follow(self, link: Locator) -> Page:
        """Click a link within the app and wait for the page it leads to."""
        before = self.page.inner_text(".ops h1")
        link.click()
        until(self.page, "before => document.querySelector('.ops h1')?.textContent !== before", before)
        self.page.wait_for_selector(".ops footer")
        return self.page

    def clear(self) -> None:
        """Leave nothing for the next reader of the page: neither address, storage, size nor manner."""
        if self.page.url.startswith(self.address):
            self.page.evaluate("() => { sessionStorage.clear(); localStorage.clear() }")
        self.page.goto("about:blank")
        self.page.set_viewport_size(SIZE)
        self.page.emulate_media(media="null", color_scheme=self.options.get("color_scheme", "light"))
        self.faults = []


Lend = Callable[..., Watched]


class Windows:
    """Watched pages that are used again.

    A new page takes a process of its own, which reads and compiles every script of the app once more: twice the
    processor time of loading an address.

    Args:
        browser: Where they are.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[tuple[tuple[str, str], ...], list[Watched]] = defaultdict(list)

    @contextmanager
    def lent(self) -> Generator[Lend]:
        """Give pages for as long as the block lasts, by address of the app and options; they must be without faults.

        Pages with faults are closed, and not lent again.
        """
        taken: list[Watched] = []

        def lend(address: str, **options: str) -> Watched:
            free = self._free[tuple(sorted(options.items()))]
            found = free.pop() if free else Watched(self._browser, address, **options)
            found.address = address
            taken.append(found)
            return found

        try:
            yield lend
            assert [watched.faults for watched in taken if watched.faults] == []
        except BaseException:
            for watched in taken:
                watched.context.close()
            raise
        for watched in taken:
            watched.clear()
            self._free[tuple(sorted(watched.options.items()))].append(watched)
