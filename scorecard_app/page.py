"""One run of one page: its snapshot, language and period, and links that keep them.

State lives in the address: a link shows the same thing to whoever opens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from opsmetrics.language import fmt
from opsmetrics.language.bilingual import Text
from opsmetrics.language.listing import listing
from opsmetrics.language.texts import text
from opsmetrics.reports import addresses
from opsmetrics.reports.addresses import Address, AppPage
from opsmetrics.reports.table import Cells
from opsmetrics.snapshots.queries.catalogue import Organisation
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.access import Permissions
from scorecard_app.markup import Node, join, link


@dataclass(frozen=True, slots=True)
class Page:
    """One run of one page.

    Attributes:
        place: Which page.
        snapshot: What it shows, the same from head to foot.
        language: nb or en.
        organisation: Whose scorecard it is.
        period: What is shown.
        chosen: The period of the address, which links keep; a page that tells of now alone shows another.
        permissions: What the person at the screen may do.
        slots: Places that are filled when the page is drawn.
        sides: How many pages each long list has that was drawn (``views/sides.py``).
        files: What the page offers as files so far: what it is, and the links or buttons (``files``).
        closed: Parts of the page that open on demand and are closed (``later``).
    """

    place: AppPage
    snapshot: Snapshot
    language: str
    organisation: Organisation
    period: Period
    permissions: Permissions
    chosen: Period
    slots: list[DeltaGenerator] = field(default_factory=list, compare=False)
    sides: list[int] = field(default_factory=list, compare=False)
    files: list[tuple[str, Markup]] = field(default_factory=list, compare=False)
    closed: list[str] = field(default_factory=list, compare=False)

    @property
    def cells(self) -> Cells:
        """Make cells in the page's language."""
        return Cells(self.language)

    def text(self, key: str, **values: Any) -> str:
        """Return a text in the page's language."""
        return text(self.language, key, **values)

    def say(self, words: Text) -> str:
        """Return words that exist in both languages in the page's."""
        return words.get(self.language)

    def state(self) -> dict[str, str | None]:
        """Return the parameters that every address of the app keeps."""
        return {
            "period": self.chosen.label if self.chosen.is_past else None,
            "lang": self.language if self.language != self.organisation.language else None,
        }

    def href(self, address: Address) -> str:
        """Return an address that keeps language and period."""
        return address.href(self.state())

    def link(self, address: Address, label: Node) -> Markup:
        """Return a link that keeps language and period; words alone where it would lead back to where it stands."""
        return join(label) if self.is_here(address) else link(self.href(address), label)

    def listed(self, links: Sequence[Node], names: Sequence[str], most: int, whole: Address | None = None) -> Markup:
        """Return links in a row as a sentence names them; of too many the first ones and how many there are besides.

        Args:
            links: Of the names that can be shown: ``most`` and one.
            names: Of all.
            most: How many are shown.
            whole: Where all of them stand.
        """
        found = listing(self.language, names, most)
        shown = join(*(join(before, node) for before, node in zip(found.before, links, strict=False)))
        more = join(found.more) if whole is None else self.link(whole, found.more)
        return join(shown, " ", more) if found.more else shown

    def is_here(self, address: Address) -> bool:
        """Whether an address is the one that is open."""
        if address.page != self.place:
            return False
        known = {key: value for key in self.place.parameters if (value := st.query_params.get(key))}
        return dict(address.parameters) == known

    def here(self, **changes: str | None) -> str:
        """Return this page's own address with some parameters changed; None drops one."""
        current = {str(key): str(value) for key, value in st.query_params.items()}
        return addresses.here(self.place, current, **changes)

    def link_here(self, label: Node, **changes: str | None) -> Markup:
        """Return a link to this page with some parameters changed."""
        return link(self.here(**changes), label)

    @property
    def now(self) -> str:
        """Return what stands over the numbers of the page's period: now, or the month that was chosen."""
        return self.period_label() if self.period.is_past else self.text("word.now")

    @property
    def now_within(self) -> str:
        """Return the same as it is written within a line: Norwegian months begin small, English ones do not."""
        return self.period_within() if self.period.is_past else self.text("word.now").lower()

    @property
    def when(self) -> str:
        """Return the same within a sentence: now, or in that month."""
        if not self.period.is_past:
            return self.now_within
        return self.text("when.in_month", month=self.period_within())

    def period_within(self, period: Period | None = None) -> str:
        """Return what a period is called within a sentence, the page's own where none is given."""
        shown = period or self.period
        return fmt.month(self.language, shown.on) if shown.grain == "month" else self.period_label(shown)

    def period_label(self, period: Period | None = None) -> str:
        """Return what a period is called, the page's own where none is given."""
        shown = period or self.period
        if shown.grain == "month":
            return fmt.month(self.language, shown.on).capitalize()
        return self.text("word.latest", day=fmt.long_date(self.language, shown.on))
