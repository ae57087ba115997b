"""Where a tree of notification policies sends an alert: Alertmanager's routing, over what is known of its labels.

A rule's labels are not all that its alerts carry: a query adds its own. So a matcher on a label that the rule does not
have, or whose value is made by a template, is neither true nor false, and what rests on it is not known. All labels of
an alert may be known: one that it does not have is empty then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsmetrics.sources.go_patterns import fits

Row = dict[str, Any]
Matcher = tuple[str, str, str]
# A comma between matchers: those in quotes are parts of a value, and an escaped quote begins or ends none.
_PART = re.compile(r'(?:"(?:\\.|[^"\\])*"|\\.|[^",\\])+', re.DOTALL)
_MATCHER = re.compile(
    r'\s*(?P<label>[^=!~\s"{}]+|"(?:\\.|[^"\\])+")\s*(?P<operator>=~|!~|!=|=)\s*'
    r'(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>(?:\\.|[^"\\])*?))\s*',
    re.DOTALL,
)
# What a backslash stands before to mean another sign; before any other sign it is one itself.
_ESCAPED: Mapping[str, str] = {'"': '"', "n": "\n", "\\": "\\"}
# Of a matcher that nobody can read it is not known whether it holds.
UNREADABLE: Matcher = ("", "?", "")


def receivers_of(labels: Mapping[str, str], tree: Row) -> set[str] | None:
    """Return the receivers that alerts with these labels reach, None where that depends on what is not known.

    Args:
        labels: Known labels of the rule.
        tree: Root of the policies: ``receiver``, ``object_matchers``, ``continue`` and ``routes``, as Grafana's
            provisioning API answers.
    """
    found = policies_of(labels, tree)
    return None if found is None else {receiver for receiver, _ in found}


def policies_of(labels: Mapping[str, str], tree: Row, *, is_all: bool = False) -> list[tuple[str, Row]] | None:
    """Return receiver and policy of all that alerts with these labels reach, None where that is not known.

    Args:
        labels: Known labels.
        tree: As for :func:`receivers_of`.
        is_all: Whether these are all labels.
    """
    return _reached(labels, tree, str(tree.get("receiver") or ""), is_all=is_all)


def _reached(labels: Mapping[str, str], route: Row, receiver: str, *, is_all: bool) -> list[tuple[str, Row]] | None:
    found: list[tuple[str, Row]] = []
    for child in route.get("routes") or []:
        matched = matches(labels, child, is_all=is_all)
        if matched is None:
            return None
        if matched:
            below = _reached(labels, child, str(child.get("receiver") or receiver), is_all=is_all)
            if below is None:
                return None
            found += below
            if not child.get("continue"):
                return found
    return found or [(receiver, route)]


def matches(labels: Mapping[str, str], route: Row, prefix: str = "", *, is_all: bool = False) -> bool | None:
    """Whether all matchers of a policy hold; one that fails decides, whatever is not known of the others.

    Args:
        labels: Known labels.
        route: With ``object_matchers``, ``matchers``, ``match`` and ``match_re``.
        prefix: Before these names, such as ``source_``.
        is_all: Whether these are all labels.
    """
    matchers = [tuple(matcher) for matcher in route.get(f"{prefix}object_matchers") or []]
    matchers += [(label, "=", value) for label, value in (route.get(f"{prefix}match") or {}).items()]
    matchers += [(label, "=~", value) for label, value in (route.get(f"{prefix}match_re") or {}).items()]
    for text in route.get(f"{prefix}matchers") or []:
        matchers += matchers_in(text) if isinstance(text, str) else [UNREADABLE]
    judged = [_holds(labels, *matcher, is_all=is_all) for matcher in matchers]
    return False if False in judged else None if None in judged else True


def matchers_in(text: str) -> list[Matcher]:
    """Return label, operator and value of all matchers in one text of a configuration, as Alertmanager reads it.

    Several may stand in one text, separated by commas, and in braces.

    Args:
        text: ``severity="page"``, or ``{severity="page", team=~"a|b"}``.
    """
    inner = text.strip()
    inner = inner.removeprefix("{").removesuffix("}")
    found: list[Matcher] = []
    place = 0
    for part in _PART.finditer(inner):
        between, place = inner[place : part.start()], part.end()
        match = _MATCHER.fullmatch(part[0])
        if match is None and not part[0].strip() and place == len(inner):
            # Blanks after the last comma.
            break
        if match is None or between not in {"", ","}:
            return [*found, UNREADABLE]
        value = match["plain"] if match["quoted"] is None else match["quoted"]
        found.append((_plain(match["label"].strip('"')), match["operator"], _plain(value)))
    return found if inner[place:].strip() in {"", ","} else [*found, UNREADABLE]


def _plain(text: str) -> str:
    return re.sub(r'\\(["n\\])', lambda match: _ESCAPED[match[1]], text)


def _holds(labels: Mapping[str, str], label: str, operator: str, value: str, *, is_all: bool) -> bool | None:
    known = labels.get(label, "" if is_all else None)
    if known is None or is_template(known) or operator not in {"=", "!=", "=~", "!~"}:
        return None
    if operator in {"=", "!="}:
        return (known == value) == (operator == "=")
    found = fits(value, known)
    return None if found is None else found == (operator == "=~")


def is_template(value: str) -> bool:
    """Whether a label's value is made anew for each alert."""
    return "{{" in value or "$labels" in value
