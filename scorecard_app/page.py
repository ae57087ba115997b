"""What every page shares: the snapshot of this run, language, period, navigation, head and foot.

State lives in the address: a link shows the same thing to whoever opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from opsmetrics import brief, fmt
from opsmetrics.errors import SnapshotError
from opsmetrics.reading import catalogue, reader
from opsmetrics.snapshot import Snapshot
from opsmetrics.texts import LANGUAGES, text
from scorecard_app import access, downloads, shell
from scorecard_app.markup import link, url

_STYLE = Path(__file__).parent / "style.css"
ICON = Path(__file__).parent / "static" / "icon.png"
WATCH_SECONDS = 30
# Pages in the menu, and the quieter ones in the foot: (name, path).
MENU = (
    ("overview", ""),
    ("team", "team"),
    ("area", "omrade"),
    ("gaps", "forbedring"),
    ("metric", "maling"),
    ("changes", "endring"),
    ("health", "datakvalitet"),
    ("about", "om"),
)
MORE = (
    ("report", "rapport"),
    ("decisions", "beslutninger"),
    ("exemptions", "unntak"),
    ("facts", "fakta"),
    ("analysts", "analyse"),
    ("restore", "gjenoppretting"),
    ("configure", "oppsett"),
    ("accessibility", "tilgjengelighet"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One run of one page."""

    name: str
    snapshot: Snapshot
    language: str
    organisation: Mapping[str, Any]
    period: Mapping[str, Any]
    reader: access.Reader

    def text(self, key: str, **values: Any) -> str:
        """Return a text in the page's language."""
        return text(self.language, key, **values)

    def label(self, row: Mapping[str, Any], field: str = "name") -> str:
        """Return a row's name in the page's language."""
        return str(row[f"{field}_{self.language}"])

    def state(self) -> dict[str, str | None]:
        """Return the parameters that every address of the app keeps."""
        return {
            "period": str(self.period["label"]) if self.period["grain"] == "month" else None,
            "lang": self.language if self.language != LANGUAGES[0] else None,
        }

    def url(self, page: str, **parameters: str | None) -> str:
        """Return an address that keeps language and period."""
        return url(page, **{**self.state(), **parameters})

    def link(self, page: str, label: str, **parameters: str | None) -> str:
        """Return a link that keeps language and period."""
        return link(self.url(page, **parameters), label)

    def here(self, **parameters: str | None) -> str:
        """Return this page's own address with some parameters changed; None drops one."""
        known: dict[str, str | None] = {str(key): str(value) for key, value in st.query_params.items()}
        return url(dict((*MENU, *MORE))[self.name], **{**known, **parameters})

    def downloads(self, table: str, **parameters: str | None) -> str:
        """Return the links that give a table as a file."""
        values = {**self.state(), **parameters}
        items = "".join(
            f'<a href="{escape(downloads.address(table, kind, values))}" download>{kind.upper()}</a>'
            for kind in downloads.KINDS
        )
        return f'<p class="downloads">{escape(self.text("app.download"))} {items}</p>'

    def briefs(self) -> str:
        """Return the links that give the brief of the page's period as a file."""
        values = {"period": str(self.period["label"]), "lang": self.language}
        items = "".join(
            f'<a href="{escape(downloads.address(downloads.BRIEF, kind, values))}" download>{kind.upper()}</a>'
            for kind in brief.WRITERS
        )
        return f'<p class="downloads">{escape(self.text("brief.download"))} {items}</p>'

    def figure_buttons(self, name: str, source: str) -> str:
        """Return the buttons that give the chart above as a picture with its source, period and snapshot."""
        snapshot = self.text("app.snapshot", id=self.snapshot.build_id[:12])
        lines = f"{source}\n{self.label(self.organisation)} · {period_label(self, self.period)} · {snapshot}"
        if self.organisation["is_fictional"]:
            lines += f" · {self.text('app.sample_data')}"
        file = f"{name}-{self.period['label']}-{self.snapshot.build_id[:12]}"
        buttons = "".join(
            f'<button type="button" data-figure="{kind}" data-name="{escape(file)}" data-source="{escape(lines)}">'
            f"{kind.upper()}</button>"
            for kind in ("png", "svg")
        )
        return f'<p class="downloads">{escape(self.text("app.download_figure"))} {buttons}</p>'


def language() -> str:
    """Return the language of the URL, else of the session, else Norwegian."""
    wanted = st.query_params.get("lang") or st.session_state.get("lang") or LANGUAGES[0]
    chosen = wanted if wanted in LANGUAGES else LANGUAGES[0]
    st.session_state["lang"] = chosen
    return chosen


def show(html: str) -> None:
    """Show HTML under the app's styles, marked with its language (the page itself may still say English)."""
    chosen = escape(str(st.session_state.get("lang", LANGUAGES[0])))
    st.html(f'<div class="ops" lang="{chosen}">{html}</div>')


def view(name: str) -> Callable[[Callable[[Page], None]], Callable[[], None]]:
    """Make a page of a function: it runs only with a snapshot, below the menu and above the foot."""

    def wrap(body: Callable[[Page], None]) -> Callable[[], None]:
        def render() -> None:
            page = _begin(name)
            if page is None:
                return
            body(page)
            _foot(page)

        render.__doc__ = body.__doc__
        return render

    return wrap


def _begin(name: str) -> Page | None:
    """Open the current snapshot and read language and period; None where nothing was published yet."""
    st.html(f"<style>{_style()}</style>")
    chosen = language()
    shell.mount(chosen)
    try:
        snapshot = reader.current_snapshot()
    except SnapshotError:
        title = text(chosen, "app.name")
        show(f'<h1>{escape(title)}</h1><p class="lead">{escape(text(chosen, "app.no_snapshot"))}</p>')
        return None
    page = Page(name, snapshot, chosen, catalogue.organisation(snapshot), _period(snapshot), access.reader())
    _menu(page)
    return page


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


def _menu(page: Page) -> None:
    items = "".join(
        f'<li><a href="{escape(page.url(path))}" target="_self"{_here(page, name)}>'
        f"{escape(page.text(f'nav.{name}'))}</a></li>"
        for name, path in MENU
    )
    languages = "".join(
        f'<li><a href="{escape(page.here(lang=code if code != LANGUAGES[0] else "nb"))}" target="_self" lang="{code}"'
        f"{' aria-current=true' if code == page.language else ''}>{name}</a></li>"
        for code, name in (("nb", "Norsk"), ("en", "English"))
    )
    brand = f'<a class="brand" href="{escape(page.url(""))}" target="_self">{escape(page.text("app.name"))}</a>'
    show(
        f'<header class="menu">{brand}<nav aria-label="{escape(page.text("nav.label"))}"><ul>{items}</ul></nav>'
        f'<nav aria-label="{escape(page.text("app.language"))}"><ul>{languages}</ul></nav></header>'
    )


def _here(page: Page, name: str) -> str:
    return ' aria-current="page"' if name == page.name else ""


def _period(snapshot: Snapshot) -> Mapping[str, Any]:
    periods = catalogue.periods(snapshot).to_dicts()
    wanted = st.query_params.get("period")
    return next((period for period in periods if period["label"] == wanted), periods[0])


def period_label(page: Page, period: Mapping[str, Any]) -> str:
    """Return what a period is called."""
    if period["grain"] == "month":
        return fmt.month(page.language, period["on"]).capitalize()
    return page.text("word.latest", day=fmt.long_date(page.language, period["on"]))


def choose(label: str, key: str, options: list[str], names: Mapping[str, str], current: str | None) -> str:
    """Show a select box bound to a URL parameter by value (not by label: links survive renaming)."""

    def write() -> None:
        st.query_params[key] = st.session_state[f"choose-{key}"]

    st.session_state[f"choose-{key}"] = current if current in options else options[0]
    return st.selectbox(
        label,
        options,
        key=f"choose-{key}",
        format_func=lambda value: names[value],
        on_change=write,
        filter_mode="contains",
    )


def choose_period(page: Page) -> None:
    """Show the choice of period."""
    periods = catalogue.periods(page.snapshot).to_dicts()
    names = {str(period["label"]): period_label(page, period) for period in periods}
    choose(page.text("word.period"), "period", list(names), names, str(page.period["label"]))


def known(key: str, rows: Mapping[Any, Any], first: str | None = None) -> str:
    """Return the id that the address names, else the first; :func:`head` says when it is unknown."""
    wanted = st.query_params.get(key)
    if wanted is not None and wanted in rows:
        return wanted
    return first if first is not None and first in rows else str(next(iter(rows)))


def unknown(page: Page, found: Mapping[str, Mapping[Any, Any]]) -> None:
    """Say so when the address names something that is not there; never silently show another."""
    for key, rows in found.items():
        wanted = st.query_params.get(key)
        if wanted and wanted not in rows:
            show(f'<div class="banner" role="alert">{escape(page.text("app.unknown", name=wanted))}</div>')


def head(page: Page, title: str, meta: str = "", *, crumbs: tuple[str, ...] = ()) -> None:
    """Show the banner of sample data, the way here, the title and the meta line, and name the browser's tab.

    Args:
        page: The page.
        title: Its heading.
        meta: HTML of the meta line after organisation and period.
        crumbs: HTML links between the overview and here.
    """
    st.set_page_config(page_title=f"{title} – {page.text('app.name')}")
    parts: list[str] = []
    pill = ""
    if page.organisation["is_fictional"]:
        banner = page.text("app.sample_banner", organisation=page.label(page.organisation))
        parts.append(f'<div class="banner" role="note">{escape(banner)}</div>')
        pill = f'<span class="pill">{escape(page.text("app.sample_data"))}</span>'
    if page.name != "overview":
        way = " / ".join((page.link("", page.text("nav.overview")), *crumbs, escape(page.text(f"nav.{page.name}"))))
        parts.append(f'<nav class="crumbs" aria-label="{escape(page.text("nav.crumbs"))}">{way}</nav>')
    parts.append(f'<div class="title"><h1 tabindex="-1">{escape(title)}</h1>{pill}</div>')
    items = (escape(page.label(page.organisation)), escape(period_label(page, page.period)), meta)
    parts.append(f'<p class="meta">{" · ".join(item for item in items if item)}</p>')
    show("".join(parts))


def _foot(page: Page) -> None:
    """Show when the numbers were made and by which rules, the quieter pages, and who is signed in."""
    when = fmt.instant(page.language, page.organisation["built_at"], page.organisation["timezone"])
    facts = [
        page.text("app.updated", when=when),
        page.text("app.ruleset", version=page.organisation["ruleset_version"]),
        page.text("app.snapshot", id=page.snapshot.build_id[:12]),
    ]
    if page.organisation["is_fictional"]:
        facts.append(page.text("app.not_real"))
    more = "".join(
        f'<li><a href="{escape(page.url(path))}" target="_self"{_here(page, name)}>'
        f"{escape(page.text(f'nav.{name}'))}</a></li>"
        for name, path in MORE
    )
    show(
        f'<footer><nav aria-label="{escape(page.text("nav.more"))}"><ul>{more}</ul></nav>'
        f"<p>{' · '.join(escape(fact) for fact in facts)}</p></footer>"
    )
    access.sign_out(page.language)
    _watch(page.snapshot.build_id)


@st.fragment(run_every=WATCH_SECONDS)
def _watch(shown: str) -> None:
    """Show a new snapshot in a page that stays open. The whole page runs again, so nobody sees half of two."""
    try:
        newest = reader.current_snapshot().build_id
    except SnapshotError:
        return
    if newest != shown:
        st.rerun()


def by(frame: pl.DataFrame, *keys: str) -> dict[Any, dict[str, Any]]:
    """Return a frame's rows by one key, or by a tuple of keys."""
    rows = frame.to_dicts()
    return {(row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)): row for row in rows}
