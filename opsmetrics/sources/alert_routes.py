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
_STRING_MATCHER = re.compile(r'\s*(?P<label>[^=!~\s"]+|"[^"]+")\s*(?P<operator>=~|!~|!=|=)\s*"?(?P<value>.*?)"?\s*')


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
        match = _STRING_MATCHER.fullmatch(text) if isinstance(text, str) else None
        matchers.append((match["label"].strip('"'), match["operator"], match["value"]) if match else ("", "?", ""))
    judged = [_holds(labels, *matcher, is_all=is_all) for matcher in matchers]
    return False if False in judged else None if None in judged else True


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
