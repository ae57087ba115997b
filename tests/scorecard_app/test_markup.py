"""Markup is a type: what is text is escaped, and nothing but Markup gets through the one door to raw HTML."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from scorecard_app import raw_html
from scorecard_app.markup import attribute_list, element, hint, join, link, pairs, points, rich, small, strip, tag

APP = Path(__file__).resolve().parents[2] / "scorecard_app"
MODULES = {path.relative_to(APP).as_posix(): ast.parse(path.read_text()) for path in sorted(APP.rglob("*.py"))}
MARKUP = re.compile(r"</?[a-z][\w-]*[\s/>]|&[a-z#0-9]+;")
# Plotly's own language of labels: a line break, and a hover box without the trace's name.
OF_PLOTLY = {"<br>", "%{text}<extra></extra>", "%{y:.0f}<extra></extra>"}
# What is looked for in Streamlit's own page.
OF_THE_SHELL = {r"<title>.*?</title>", "<script>(.*?)</script>"}


class Parsed(HTMLParser):
    """What a browser would find: elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def calls(tree: ast.Module) -> list[str]:
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def docstrings(tree: ast.Module) -> set[ast.AST]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, holders)]
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


@given(st.text())
def test_a_text_stays_a_text_wherever_it_is_put(words):
    """As content, as attribute, in every piece; a browser finds the words and no element of theirs."""
    shown = [
        (element("p", words), ["p"]),
        (element("p", element("b", words), class_=words), ["p", "b"]),
        (link(words, words), ["a"]),
        (rich(words.replace("*", "")), []),
        (tag("good", "✓", words), ["span"]),
        (hint(words), ["p"]),
        (points([words]), ["ul", "li"]),
        (pairs([(words, words)]), ["dl", "dt", "dd"]),
        (strip([(words, words, words)]), ["dl", "div", "dt", "dd", "b", "small"]),
        (join(words, [words, None], by=words), []),
    ]
    for html, tags in shown:
        assert isinstance(html, Markup)
        # A browser takes carriage returns and zero bytes for other signs.
        parsed = Parsed(html)
        assert [name for name, _ in parsed.elements] == tags
        assert parsed.open == []
    parsed = Parsed(element("p", words, title=words))
    assert parsed.text == words
    assert parsed.elements == [("p", {"title": words})]


def test_attributes_have_the_names_of_html():
    found = attribute_list(
        class_="a b", data_l="x", aria_hidden="true", download=True, hidden=False, lang=None, colspan=3
    )
    assert found == ' class="a b" data-l="x" aria-hidden="true" download colspan="3"'
    assert element("img", src="x", alt='"') == '<img src="x" alt="&#34;">'
    assert rich("a *b* <c>") == "a <strong>b</strong> &lt;c&gt;"
    assert small("") == small(None) == ""


def test_markup_goes_through_and_text_does_not(monkeypatch):
    written: list[str] = []
    monkeypatch.setattr(raw_html.st, "html", written.append)
    raw_html.show(element("p", "<b>"))
    assert written == ['<div class="ops" lang="nb"><p>&lt;b&gt;</p></div>']
    with pytest.raises(TypeError, match="markup is shown, not text"):
        raw_html.show("<p>")  # type: ignore[arg-type]


def test_there_is_one_door_to_raw_html():
    """Nobody else writes HTML to the screen, and nothing says that a text is safe but where it is made."""
    doors = {
        name for name, tree in MODULES.items() if any(re.fullmatch(r"st\..*html|.*iframe", c) for c in calls(tree))
    }
    assert doors == {"raw_html.py"}
    assert calls(MODULES["raw_html.py"]).count("st.html") == 1
    for name, tree in MODULES.items():
        keywords = {word.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords}
        assert "unsafe_allow_html" not in keywords, name
    makers = {name for name, tree in MODULES.items() if "Markup" in calls(tree)}
    assert makers == {"markup.py", "raw_html.py"}


@pytest.mark.parametrize("name", [name for name in MODULES if name != "markup.py"])
def test_no_module_writes_html_as_text(name):
    """No tag and no entity in any string, f-string or not; and nobody escapes by hand, because nobody needs to."""
    tree = MODULES[name]
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings(tree)
    ]
    allowed = OF_PLOTLY if name.startswith("charts/") else OF_THE_SHELL if name == "headers.py" else set()
    assert [text for text in texts if MARKUP.search(text) and text not in allowed] == []
    if name != "charts/base.py":  # Plotly's labels know a language of their own
        assert not [call for call in calls(tree) if call.endswith("escape")]
