"""What every page shares: the snapshot of this run, language, period, head and foot. State lives in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from opsmetrics.errors import SnapshotError
from opsmetrics.snapshot import Snapshot
from scorecard_app import data, fmt
from scorecard_app.markup import link, url
from scorecard_app.texts import LANGUAGES, text

_STYLE = Path(__file__).parent / "style.css"


@dataclass(frozen=True, slots=True)
class Page:
    """One run of one page."""

    snapshot: Snapshot
    language: str
    organisation: Mapping[str, Any]
    period: Mapping[str, Any]

    def text(self, key: str, **values: Any) -> str:
        """Return a text in the page's language."""
        return text(self.language, key, **values)

    def name(self, row: Mapping[str, Any], field: str = "name") -> str:
        """Return a row's name in the page's language."""
        return str(row[f"{field}_{self.language}"])

    def url(self, page: str, **parameters: str | None) -> str:
        """Return an address that keeps language and period."""
        label = str(self.period["label"]) if self.period["grain"] == "month" else None
        language = self.language if self.language != LANGUAGES[0] else None
        return url(page, **parameters, period=label, lang=language)

    def link(self, page: str, label: str, **parameters: str | None) -> str:
        """Return a link that keeps language and period."""
        return link(self.url(page, **parameters), label)


def language() -> str:
    """Return the language of the URL, else of the session, else Norwegian."""
    wanted = st.query_params.get("lang") or st.session_state.get("lang") or LANGUAGES[0]
    chosen = wanted if wanted in LANGUAGES else LANGUAGES[0]
    st.session_state["lang"] = chosen
    return chosen


def show(html: str) -> None:
    """Show HTML under the app's styles, marked with its language (the page itself always says English)."""
    chosen = escape(str(st.session_state.get("lang", LANGUAGES[0])))
    st.html(f'<div class="ops" lang="{chosen}">{html}</div>')


def begin() -> Page | None:
    """Open the current snapshot and read language and period; None where nothing was published yet."""
    st.html(f"<style>{_style()}</style>")
    chosen = language()
    try:
        snapshot = data.current_snapshot()
    except SnapshotError:
        show(
            f'<h1>{escape(text(chosen, "app.name"))}</h1><p class="lead">{escape(text(chosen, "app.no_snapshot"))}</p>'
        )
        return None
    return Page(snapshot, chosen, data.organisation(snapshot), _period(snapshot))


@st.cache_data(show_spinner=False)
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


def _period(snapshot: Snapshot) -> Mapping[str, Any]:
    periods = data.periods(snapshot).to_dicts()
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
    return st.selectbox(label, options, key=f"choose-{key}", format_func=lambda value: names[value], on_change=write)


def controls(page: Page) -> None:
    """Show the choice of period and language."""
    periods = data.periods(page.snapshot).to_dicts()
    names = {str(period["label"]): period_label(page, period) for period in periods}
    left, right = st.columns(2)
    with left:
        choose(page.text("word.period"), "period", list(names), names, str(page.period["label"]))
    with right:
        choose(
            page.text("app.language"),
            "lang",
            list(LANGUAGES),
            {"nb": "Norsk", "en": "English"},
            page.language,
        )


def head(page: Page, title: str, meta: str, *, crumb: bool = True) -> None:
    """Show the banner of sample data, the title and the meta line."""
    parts: list[str] = []
    pill = ""
    if page.organisation["is_fictional"]:
        banner = page.text("app.sample_banner", organisation=page.name(page.organisation))
        parts.append(f'<div class="banner" role="note">{escape(banner)}</div>')
        pill = f'<span class="pill">{escape(page.text("app.sample_data"))}</span>'
    if crumb:
        parts.append(f'<p class="meta">{page.link("", page.text("nav.overview"))} / {escape(title)}</p>')
    parts.append(f"<h1>{escape(title)}{pill}</h1>")
    known = (escape(page.name(page.organisation)), escape(period_label(page, page.period)), meta)
    parts.append(f'<p class="meta">{" · ".join(item for item in known if item)}</p>')
    show("".join(parts))


def foot(page: Page) -> None:
    """Show when the numbers were made, by which rules, and where to read on."""
    when = fmt.instant(page.language, page.organisation["built_at"], page.organisation["timezone"])
    items = [
        escape(page.text("app.updated", when=when)),
        escape(page.text("app.ruleset", version=page.organisation["ruleset_version"])),
        escape(page.text("app.snapshot", id=page.snapshot.build_id[:12])),
        page.link("om", page.text("nav.about")),
        page.link("datakvalitet", page.text("nav.health")),
    ]
    show("<footer>" + "".join(f"<span>{item}</span>" for item in items) + "</footer>")


def by(frame: pl.DataFrame, *keys: str) -> dict[Any, dict[str, Any]]:
    """Return a frame's rows by one key, or by a tuple of keys."""
    rows = frame.to_dicts()
    return {(row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)): row for row in rows}
