"""XML of manifests: names without their spaces, and properties that a file gives itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from opsmetrics.sources.dependencies.model import UnreadableError

# No name and no version is longer, and what a property puts in for a name must not grow without bounds.
_LONGEST = 200
_PROPERTY = re.compile(r"\$[({](?P<name>[\w.-]+)[)}]")


def tree(text: str) -> ET.Element:
    """Read a whole file."""
    try:
        # Expat itself refuses entities that grow without bounds; nothing outside of the text is ever read.
        return ET.fromstring(text.lstrip("\ufeff"))  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise UnreadableError from error


def tag(element: ET.Element) -> str:
    """Return the name of an element without its space."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: ET.Element, name: str) -> str:
    """Return the text of a child, empty where there is none."""
    return next(((child.text or "").strip() for child in element if tag(child) == name), "")


def resolved(text: str, properties: Mapping[str, str]) -> str:
    """Put in the properties that the file itself gives; twice, since one may name another."""
    for _ in range(2):
        if len(text) > _LONGEST:
            break
        text = _PROPERTY.sub(lambda match: properties.get(match["name"], match[0])[:_LONGEST], text)
    return text


def properties_in(root: ET.Element, *groups: str) -> dict[str, str]:
    """Return what the groups of properties of a file say."""
    found: dict[str, str] = {}
    for group in root.iter():
        if tag(group) in groups:
            found |= {tag(child): (child.text or "").strip() for child in group}
    return found
