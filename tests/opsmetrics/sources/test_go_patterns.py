"""Expressions that others wrote for Go: read as Go reads them, and never for ever."""

from __future__ import annotations

import pytest

from opsmetrics.sources.alert_routes import matches
from opsmetrics.sources.go_patterns import fits


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("prod", "production", False),
        ("", "", True),
        ("a|", "", True),
        ("team-(a|b).*", "team-a1", True),
        ("[[:digit:]]+", "12", True),
        (r"\d+", "\u0663", False),
        (r"\pL+", "æ", True),
        ("a(?i)B", "ab", True),
        ("a.b", "a\nb", False),
        ("a(?=b)", "ab", None),
        ("(", "(", None),
        ("(a+)+", "a" * 40 + "b", False),
        ("(.*a){20}", "a" * 19 + "b" * 500, False),
        ("a" * 20_000, "a", None),
        ("a.", "\ud800", None),
    ],
)
def test_as_go_reads_it(pattern, text, expected):
    assert fits(pattern, text) is expected


def test_policies_and_inhibitions_too():
    route = {"matchers": ['a=~"(x+)+"'], "object_matchers": [["b", "!~", "(y+)+"]], "match_re": {"c": "(z+)+"}}
    labels = {"a": "x" * 40, "b": "y" * 40 + "!", "c": "z" * 40}
    assert matches(labels, route) is True
    assert matches(labels | {"c": "z" * 40 + "!"}, route) is False
    assert matches(labels, {"match_re": {"c": "("}}) is None
