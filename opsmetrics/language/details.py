"""Words that the SQL writes beside its rows, in both languages; names and numbers among them stay as they are.

A detail is pieces with a comma or a colon between them, such as ``high: passed`` or ``C, no plan``. What a
metric of the organisation's own writes is not known here, and is shown as it is written.
"""

from __future__ import annotations

import re

from opsmetrics.language.fmt import MINUS
from opsmetrics.language.texts import texts

_PIECES = re.compile(r"(: |, )")
# A piece with a name or a number in it, and the text that says it; its groups fill the text in their order.
_PATTERNS = (
    (re.compile(r"from (\S+)"), "detail.from"),
    (re.compile(r"(\S+) (availability|performance|security)"), "detail.of"),
    (re.compile(r"(?:class )?([A-D])"), "detail.class"),
    (re.compile(r"(\d+)D"), "detail.tier"),
    (re.compile(r"(\d+) or (\d+) min"), "detail.minutes_or"),
    (re.compile(r"x(\d+(?:\.\d+)?)"), "detail.of_highest_load"),
    (re.compile(r"(\d+) cop(?:y|ies)"), "detail.copies"),
    (re.compile(r"(\d+(?:\.\d+)?) of (\d+(?:\.\d+)?) min"), "detail.minutes_of"),
    (re.compile(r"P(\d) (done|open)"), "detail.priority"),
    (re.compile(r"SEV(\d)"), "detail.severity"),
    (re.compile(r"severity_(\d)"), "detail.severity"),
    (re.compile(r"p(\d\d)"), "detail.percentile"),
    (re.compile(r"z (-?[\d.]+) / (-?[\d.]+)"), "detail.spread"),
)
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")
_MINUS = re.compile(r"(?<![\w.,-])-(?=\d)")


def detail(language: str, words: str | None) -> str:
    """Return a detail of a row in a language; nothing of nothing."""
    return "".join(_piece(language, piece) for piece in _PIECES.split(words or ""))


def sentences(language: str, formula: str) -> str:
    """Return a formula such as ``restored in time / all; unmeasured is not met`` as sentences."""
    first, *rest = formula.split("; ")
    part, slash, whole = first.partition(" / ")
    said = texts(language)["metric.formula_of"].format(part=part, whole=whole) if slash else first
    return " ".join(f"{words[:1].upper()}{words[1:]}." for words in (said, *rest))


def _piece(language: str, piece: str) -> str:
    known = texts(language)
    key = f"detail.{re.sub(r'[^a-z0-9]+', '_', piece.lower()).strip('_')}"
    if key in known and "{" not in known[key]:
        return known[key]
    for pattern, name in _PATTERNS:
        if found := pattern.fullmatch(piece):
            said = known[name].format(*(known.get(f"detail.{part}", part) for part in found.groups()))
            return _local(language, _MINUS.sub(MINUS, said) if name == "detail.spread" else said)
    return _local(language, piece)


def _local(language: str, words: str) -> str:
    """Numbers with the language's decimal sign, hours by their own letter."""
    if language != "nb":
        return words
    return re.sub(r"(?<=\d) h\b", "\u00a0t", _DECIMAL.sub(",", words))
