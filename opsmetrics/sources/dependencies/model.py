"""The words of this package: what a file asks for, what a lock file holds, and what could not be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsmetrics.core.yaml_text import YamlError, read_yaml

# Stands in a lock file for what no registry released: another project of the repository, a folder, a repository.
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Need:
    """One package that a manifest asks for itself.

    Attributes:
        ecosystem: As in ``dependency_updates``.
        package: Its name in the registry.
        version: The one version that it names; None where it names a range, and a lock file must tell.
        wanted: The range as it is written; ``${name}`` is a property that another file may tell.
        name: What the manifest calls it, where that is not the package's own name.
    """

    ecosystem: str
    package: str
    version: str | None
    wanted: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package of a registry."""

    ecosystem: str
    name: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What one file says.

    Attributes:
        needs: What it asks for.
        locked: Of a lock file: key -> versions, or ``ELSEWHERE``; the keys are those of its format.
        makes: The package that the file itself describes: what a repository makes is nothing that it takes.
        properties: Names that stand for versions, here and in files of folders below.
    """

    needs: tuple[Need, ...] = ()
    locked: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    makes: Package | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


class UnreadableError(Exception):
    """A file whose format is another than its name says."""


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON file whose content is one object.

    Raises:
        UnreadableError: It is none.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error
    if not isinstance(content, dict):
        raise UnreadableError
    return content


def yaml_object(text: str) -> dict[Any, Any]:
    """Read an object in YAML.

    Raises:
        UnreadableError: It is none.
    """
    try:
        content = read_yaml(text)
    except YamlError as error:
        raise UnreadableError from error
    if not isinstance(content, dict):
        raise UnreadableError
    return content
