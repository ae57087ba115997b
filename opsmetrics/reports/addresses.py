"""Where the app's pages and files are found: the one table of addresses, for the app and for whoever links to it.

A page's name is the name of its view and of its texts; its path is what people see in the address bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

FILES = "/ned"
SHARED = ("period", "lang")
"""Parameters that every page takes and every link within the app keeps."""


@dataclass(frozen=True, slots=True)
class AppPage:
    """One page of the app.

    Attributes:
        name: Of the view, and of its texts.
        path: In the address, without the slash.
        parameters: What it takes beside :data:`SHARED`.
        is_in_menu: Whether it stands in the menu; the others stand in the foot.
        below: Name of the list that it is one of: that stands in the menu for it; empty for a page of its own.
        travels: Whether it shows what stood in a period of the past; the others tell of now alone, and say so.
    """

    name: str
    path: str
    parameters: tuple[str, ...] = ()
    is_in_menu: bool = False
    below: str = ""
    travels: bool = True

    def at(self, **parameters: str | None) -> Address:
        """Return the page's address with some parameters; None leaves one out.

        Raises:
            ValueError: The page takes no such parameter.
        """
        unknown = sorted(set(parameters) - {*self.parameters, *SHARED})
        if unknown:
            raise ValueError(f"page {self.name} takes no {', '.join(unknown)}; it takes {', '.join(self.parameters)}")
        return Address(self, tuple((key, value) for key, value in parameters.items() if value))


@dataclass(frozen=True, slots=True)
class Address:
    """A page with what is chosen on it."""

    page: AppPage
    parameters: tuple[tuple[str, str], ...] = ()

    def href(self, state: Mapping[str, str | None] | None = None) -> str:
        """Return the address within the app.

        Args:
            state: Parameters to keep where the address itself does not say otherwise, such as the language.
        """
        return _path(self.page.path, {**(state or {}), **dict(self.parameters)})

    def url(self, base: str) -> str:
        """Return the address as people outside the app follow it, below the app's own (``OPSMETRICS_PUBLIC_URL``)."""
        return base + self.href().removesuffix("/")


OVERVIEW = AppPage("overview", "", ("sort", "side", "open"), is_in_menu=True)
TEAM = AppPage("team", "team", ("team", "area", "open"), below="teams")
AREA = AppPage("area", "omrade", ("area", "open"), below="areas")
GAPS = AppPage("gaps", "forbedring", ("area", "team", "role", "effort", "side"), is_in_menu=True)
METRIC = AppPage("metric", "maling", ("team", "metric", "side"), below="metrics")
INCIDENTS = AppPage("incidents", "hendelser", ("team", "side", "open"), is_in_menu=True)
CHANGES = AppPage("changes", "endring", ("team", "side", "open"), is_in_menu=True)
HEALTH = AppPage("health", "datakvalitet", ("open",), is_in_menu=True, travels=False)
ABOUT = AppPage("about", "om", ("open",), is_in_menu=True, travels=False)
VALIDITY = AppPage("validity", "betydning", travels=False)
TEAMS = AppPage("teams", "teamene", ("side",), is_in_menu=True)
AREAS = AppPage("areas", "omradene", is_in_menu=True)
METRICS = AppPage("metrics", "malinger", is_in_menu=True)
MONTHS = AppPage("months", "maneder", ("area", "side"))
COMPARE = AppPage("compare", "sammenlign", ("team", "other", "before"))
REPORT = AppPage("report", "rapport")
DECISIONS = AppPage("decisions", "beslutninger", is_in_menu=True)
EXEMPTIONS = AppPage("exemptions", "unntak")
FACTS = AppPage("facts", "fakta", travels=False)
ANALYSTS = AppPage("analysts", "analyse", travels=False)
RESTORE = AppPage("restore", "gjenoppretting", travels=False)
CONFIGURE = AppPage("configure", "oppsett", travels=False)
CONNECT = AppPage("connect", "tilkobling", ("team",), travels=False)
ACCESSIBILITY = AppPage("accessibility", "tilgjengelighet", travels=False)

PAGES = (
    OVERVIEW,
    TEAMS,
    TEAM,
    AREAS,
    AREA,
    GAPS,
    DECISIONS,
    METRICS,
    METRIC,
    INCIDENTS,
    CHANGES,
    HEALTH,
    ABOUT,
    VALIDITY,
    MONTHS,
    COMPARE,
    REPORT,
    EXEMPTIONS,
    FACTS,
    ANALYSTS,
    RESTORE,
    CONFIGURE,
    CONNECT,
    ACCESSIBILITY,
)


def here(page: AppPage, current: Mapping[str, str], /, **changes: str | None) -> str:
    """Return the address of the page that is open with some of its parameters changed; None drops one.

    What the page does not take is left behind: an address can come from anywhere.
    """
    taken = {*page.parameters, *SHARED}
    return _path(page.path, {key: value for key, value in {**current, **changes}.items() if key in taken})


def file(table: str, kind: str, values: Mapping[str, str | None]) -> str:
    """Return where a table, or the brief, is fetched as a file."""
    return _path(f"{FILES.removeprefix('/')}/{table}.{kind}", values)


def _path(path: str, values: Mapping[str, str | None]) -> str:
    kept = {key: value for key, value in values.items() if value}
    return f"/{path}" + (f"?{urlencode(kept)}" if kept else "")
