"""HTML as a type: whatever is not :class:`Markup` is escaped where it is put in, so no caller can forget it.

Elements are made here alone; pages put them together. What reaches the screen goes through ``raw_html.show``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from markupsafe import Markup, escape

TagName: TypeAlias = Literal[
    "a", "b", "body", "button", "caption", "circle", "code", "dd", "details", "div", "dl", "dt", "footer", "form", "h1",
    "h2", "h3", "head", "header", "html", "i", "img", "li", "main", "meta", "nav", "ol", "p", "polyline", "pre", "rect",
    "section", "small", "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "th", "thead", "title",
    "tr", "ul",
]  # fmt: skip
Node: TypeAlias = "str | int | Iterable[Node] | None"
"""What may stand inside an element: text (escaped), :class:`Markup` (as it is), None (nothing), and any of these."""
Attribute: TypeAlias = str | int | None
NOTHING = Markup()
_WITHOUT_CONTENT = {"img", "meta"}


def element(tag: TagName, *content: Node, **attributes: Attribute) -> Markup:
    """Return one element.

    Args:
        tag: Its name.
        content: What stands in it, escaped unless it is Markup.
        attributes: Escaped; ``class_`` is written class, ``data_l`` data-l; True alone by its name; None and False
            are left out.
    """
    parts = ["<", tag, *_written(attributes), ">"]
    if tag not in _WITHOUT_CONTENT:
        _add(parts, content)
        parts += ("</", tag, ">")
    return Markup("".join(parts))  # noqa: S704 - a name of the list above, the rest escaped where it is added


def attribute_list(**attributes: Attribute) -> Markup:
    """Return attributes as they stand in a tag, each with a space before it."""
    return Markup("".join(_written(attributes)))  # noqa: S704 - each escaped where it is written


def _written(attributes: Mapping[str, Attribute]) -> list[str]:
    shown: list[str] = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        written = name.rstrip("_").replace("_", "-")
        shown.append(f" {written}" if value is True else f' {written}="{escape(value)}"')
    return shown


def join(*nodes: Node, by: str = "") -> Markup:
    """Return nodes after each other, escaped unless they are Markup, with something between them."""
    parts: list[str] = []
    _add(parts, nodes)
    return Markup(str(escape(by)).join(parts))  # noqa: S704 - each escaped where it is added


def _add(parts: list[str], nodes: Iterable[Node]) -> None:
    """Add what nodes hold to parts of HTML, escaped unless it is Markup."""
    for node in nodes:
        if isinstance(node, Markup):
            parts.append(node)
        elif isinstance(node, str | int):
            parts.append(str(escape(node)))
        elif node is not None:
            _add(parts, node)


def rich(words: str) -> Markup:
    """Escape a text and make ``*this*`` strong."""
    return join(
        element("strong", part) if index % 2 else part for index, part in enumerate(re.split(r"\*(.+?)\*", words))
    )


def link(href: str, label: Node, **attributes: Attribute) -> Markup:
    """Return a link within the app (same tab)."""
    return element("a", label, href=href, target="_self", **attributes)


def outward(href: str, label: str, where: str) -> Markup:
    """Return a link out of the app, in a tab of its own: the other side gets neither handle nor referrer.

    Raises:
        ValueError: It is no https address, nor http of this machine.
    """
    if not href.startswith(("https://", "http://127.", "http://localhost", "http://[::1]")):
        raise ValueError("a link out of the app is an https address")
    seen = join(label, element("span", f" ({where})", class_="unseen"), mark(" ↗"))
    return element("a", seen, href=href, target="_blank", rel="noopener noreferrer", title=where, class_="outward")


def mark(sign: str) -> Markup:
    """Return a sign that is decoration for the eye; the words beside it say the same."""
    return element("span", sign, aria_hidden="true")


def tag(kind: str, sign: str, label: str) -> Markup:
    """Return a status word; the style writes its sign before it: never colour alone. Kinds: good, warn, bad, plain."""
    return element("span", label, class_=f"tag {kind}", data_sign=sign)


def small(words: Node) -> Markup:
    """Return a second, quieter line of a cell; nothing of nothing."""
    return element("span", words, class_="small") if words else NOTHING


def hint(*words: Node) -> Markup:
    """Return a quiet paragraph."""
    return element("p", words, class_="hint")


def lead(words: str) -> Markup:
    """Return the page's answer; ``*this*`` is strong."""
    return element("p", rich(words), class_="lead")


def paragraph(*words: Node, kind: str | None = None, anchor: str | None = None) -> Markup:
    """Return a paragraph; links on the page jump to its anchor."""
    return element("p", words, class_=kind, id=anchor)


def heading(title: str, note: str = "", anchor: str | None = None) -> Markup:
    """Return a section's heading with a quiet note at its right; links on the page jump to its anchor."""
    aside = element("span", note, class_="note") if note else None
    return element("div", element("h2", title), aside, class_="heading", id=anchor)


def folded(summary: str, *body: Node) -> Markup:
    """Return something that opens on demand."""
    return element("details", element("summary", summary), body)


def strip(items: Iterable[tuple[str, str, Node]]) -> Markup:
    """Return the strip of headline numbers: label, number, and what stands small beside it."""
    return element(
        "dl",
        (
            element("div", element("dt", label), element("dd", element("b", figure), " ", element("small", note)))
            for label, figure, note in items
        ),
        class_="strip",
    )


def pairs(items: Iterable[tuple[str, Node]]) -> Markup:
    """Return a list of names and what they mean."""
    return element("dl", ((element("dt", name), element("dd", words)) for name, words in items), class_="pairs")


def points(items: Iterable[Node], kind: str = "plain") -> Markup:
    """Return a list."""
    return element("ul", (element("li", item) for item in items), class_=kind)


def choices(label: str, items: Iterable[Node]) -> Markup:
    """Return links of which one is chosen, such as the pages of a list, as a navigation with a name."""
    return element("nav", element("ul", items, class_="choice"), aria_label=label)


def navigation(label: str, items: Iterable[Node]) -> Markup:
    """Return a list of links as a navigation with a name."""
    return element("nav", element("ul", items), aria_label=label)


def code_block(code: str, name: str) -> Markup:
    """Return code that can be copied, by the name that its button knows."""
    return element("pre", element("code", code, id=name), tabindex="0")


def copy_button(target: str, label: str, done: str) -> Markup:
    """Return a button that copies a block of code."""
    button = element("button", label, type="button", data_copy=target, data_done=done)
    return paragraph(button, kind="downloads")
