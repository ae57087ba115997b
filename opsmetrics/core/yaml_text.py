"""YAML that others wrote: read within bounds, and wrong in one way.

PyYAML raises errors of four kinds at odd text (an impossible day, endless brackets), and 400 bytes of merges (``<<``)
fill any memory. Does not belong here: what a document says.
"""

from __future__ import annotations

from typing import Any

import yaml

MOST_MERGED = 100_000


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


def read_yaml(text: str) -> Any:
    """Return what a YAML document says.

    Raises:
        YamlError: It says nothing that can be read.
    """
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise YamlError(type(error).__name__) from error
