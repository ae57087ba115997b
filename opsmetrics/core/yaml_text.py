"""YAML that others wrote: read within bounds, and wrong in one way.

PyYAML raises errors of four kinds at odd text (an impossible day, endless brackets), and 400 bytes of merges (``<<``)
fill any memory. Does not belong here: what a document says.
"""

from __future__ import annotations

from typing import Any

import yaml

MOST_MERGED = 100_000
# Values that a document may hold when each reference (``*name``) is written out.
MOST_VALUES = 1_000_000


class YamlError(ValueError):
    """The text is no YAML, or more than a document may be."""


class Loader(yaml.SafeLoader):
    """PyYAML's own, which merges so much and no more."""

    _merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Bring the pairs of merged mappings in; of merges of merges there may be billions."""
        before = len(node.value)
        super().flatten_mapping(node)
        self._merged += max(len(node.value) - before, 0)
        if self._merged > MOST_MERGED:
            raise yaml.constructor.ConstructorError(None, None, "too much is merged", node.start_mark)

    def construct_document(self, node: yaml.Node) -> Any:
        """Make values of a document; one that holds itself, or billions by references to references, is none."""
        if _size(node, {}) > MOST_VALUES:
            raise yaml.constructor.ConstructorError(None, None, "it holds too much", node.start_mark)
        return super().construct_document(node)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node holds with all that it refers to."""
    if id(node) not in known:
        # What is met again before it ends holds itself.
        known[id(node)] = MOST_VALUES + 1
        parts: list[Any] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def read_yaml(text: str) -> Any:
    """Return what a YAML document says.

    Raises:
        YamlError: It says nothing that can be read.
    """
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise YamlError(type(error).__name__) from error
