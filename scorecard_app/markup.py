"""Semantic HTML as strings: pure functions, every value escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import urlencode

from opsmetrics.texts import text

Header = Sequence[tuple[str, bool]]


def rich(words: str) -> str:
    """Escape a text and make ``*this*`` strong."""
    return re.sub(r"\*(.+?)\*", r"<strong>\1</strong>", escape(words))


def link(href: str, label: str, *, kind: str = "") -> str:
    """Return a link within the app (same tab)."""
    marked = f' class="{kind}"' if kind else ""
    return f'<a href="{escape(href)}" target="_self"{marked}>{escape(label)}</a>'


def url(page: str, **parameters: str | None) -> str:
    """Return the address of a page with its state."""
    kept = {key: value for key, value in parameters.items() if value}
    return f"/{page}" + (f"?{urlencode(kept)}" if kept else "")


def tag(kind: str, mark: str, label: str) -> str:
    """Return a status word with its mark: never colour alone. Kinds: good, warn, bad, plain."""
    return f'<span class="tag {kind}"><span aria-hidden="true">{mark}</span> {escape(label)}</span>'


def small(words: str) -> str:
    """Return a second, quieter line of a cell."""
    return f'<span class="small">{escape(words)}</span>' if words else ""


def heading(title: str, note: str = "", *, level: int = 2) -> str:
    """Return a section's heading with a quiet note at its right."""
    aside = f'<span class="note">{escape(note)}</span>' if note else ""
    return f'<div class="heading"><h{level}>{escape(title)}</h{level}>{aside}</div>'


def table(caption: str, header: Header, rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """Return a table; the first cell of each row is its header. On a phone each row becomes a block with labels.

    Roles are explicit because some browsers drop a table's meaning once its rows are laid out as blocks.

    Args:
        caption: For screen readers.
        header: (label, is a number column).
        rows: Cells as HTML that is already escaped.
        kind: Extra class, for widths; ``wide`` for tables that may scroll sideways.
    """
    head = "".join(f'<th scope="col" role="columnheader"{_number(n)}>{escape(label)}</th>' for label, n in header)
    body = "".join(_row(header, cells) for cells in rows)
    # What may scroll sideways must be reachable by keyboard.
    focus = f' tabindex="0" role="region" aria-label="{escape(caption)}"' if "wide" in kind else ""
    return (
        f'<div class="scroll"{focus}><table role="table" class="rows {kind}"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table></div>'
    )


def _number(is_number: bool) -> str:  # noqa: FBT001 - private, two callers
    return ' class="num"' if is_number else ""


def _row(header: Header, cells: Sequence[str]) -> str:
    first, *rest = cells
    body = "".join(
        f'<td role="cell" data-l="{escape(label)}"{_number(is_number)}>{cell}</td>'
        for cell, (label, is_number) in zip(rest, header[1:], strict=True)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{first}</th>{body}</tr>'


def folded(summary: str, body: str) -> str:
    """Return something that opens on demand."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def strip(items: Iterable[tuple[str, str, str]]) -> str:
    """Return the strip of headline numbers: (label, number, small HTML that is already escaped)."""
    cells = "".join(
        f"<div><dt>{escape(label)}</dt><dd><b>{escape(figure)}</b> <small>{note}</small></dd></div>"
        for label, figure, note in items
    )
    return f'<dl class="strip">{cells}</dl>'


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return a definition list; definitions are HTML that is already escaped."""
    return '<dl class="pairs">' + "".join(f"<dt>{escape(k)}</dt><dd>{v}</dd>" for k, v in items) + "</dl>"


def points(items: Iterable[str], kind: str = "plain") -> str:
    """Return a list of HTML items that are already escaped."""
    return f'<ul class="{kind}">' + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def reason(language: str, code: str | None) -> str:
    """Return the words for a reason code such as ``thin:3/30``."""
    if not code:
        return ""
    name, _, detail = code.partition(":")
    if name == "not_connected":
        detail = ",".join(text(language, f"stream.{stream}") for stream in detail.split(","))
    return text(language, f"reason.{name}", detail=detail.replace(",", ", "))
