"""Whether an update bot is configured in a repository: every file that Renovate and Dependabot read.

A repository without such a file may still be served: through a configuration of the organisation, or of the bot's own
host. What worked lately is configured; where a configuration of the organisation exists, a missing file says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsmetrics.core.yaml_text import YamlError, read_yaml

RENOVATE_FILES = (
    *("renovate.json", "renovate.jsonc", "renovate.json5"),
    *(".renovaterc", ".renovaterc.json", ".renovaterc.jsonc", ".renovaterc.json5"),
    *(".github/renovate.json", ".github/renovate.jsonc", ".github/renovate.json5"),
    *(".gitlab/renovate.json", ".gitlab/renovate.jsonc", ".gitlab/renovate.json5"),
)
DEPENDABOT_FILES = (".github/dependabot.yml", ".github/dependabot.yaml")
PACKAGE_FILE = "package.json"
FILES = (*RENOVATE_FILES, *DEPENDABOT_FILES, PACKAGE_FILE)
# Renovate's defaults for a configuration that every repository of an organisation inherits: repository, and file.
INHERITED_REPOSITORY, INHERITED_FILE = "renovate-config", "org-inherited-config.json"
_COMMENT_OR_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
# A text, a comment, a text in single marks, or a key without any; what nobody ended goes on to the end.
_JSON5 = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\Z)|//[^\n]*|/\*.*?(?:\*/|\Z)|\'(?P<single>(?:[^\'\\]|\\.)*+)(?:\'|\Z)|'
    r"(?<![\w$])(?P<key>[A-Za-z_$][\w$]*+)(?=\s*+:)",
    re.DOTALL,
)
_LAST_COMMA = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True, slots=True)
class BotConfiguration:
    """What the files of a repository say.

    Attributes:
        is_enabled: Whether a bot is on; None where nobody can tell.
        is_valid: Whether the files can be read; None without one, and where only Renovate itself could tell.
    """

    is_enabled: bool | None
    is_valid: bool | None


def read_configuration(
    files: Mapping[str, str | None], *, has_worked: bool = False, may_inherit: bool = False
) -> BotConfiguration:
    """Return what the files of a repository say.

    Args:
        files: Path -> text of those that are there, None for one whose text cannot be had; others are left alone.
        has_worked: Whether a bot did something there lately.
        may_inherit: Whether the organisation has a configuration for all of its repositories.
    """
    found = [_read(path, files[path]) for path in FILES if path in files]
    said = [one for one in found if one is not None]
    if not said:
        return BotConfiguration(True if has_worked else None if may_inherit else False, None)
    enabled = any(one.is_enabled for one in said)
    validities = [one.is_valid for one in said]
    is_valid = False if False in validities else None if None in validities else True
    return BotConfiguration(enabled, is_valid)


def _read(path: str, text: str | None) -> BotConfiguration | None:
    """Read one file; None for a package.json that says nothing of Renovate."""
    if path == PACKAGE_FILE:
        content = _json(text or "")
        own = content.get("renovate") if isinstance(content, dict) else None
        return BotConfiguration(_is_on(own), isinstance(own, dict)) if own is not None else None
    if text is None:
        return BotConfiguration(True, None)
    if path in DEPENDABOT_FILES:
        return _dependabot(text)
    content = _json(_in_json(text) if path.endswith(".json5") else text)
    if isinstance(content, dict):
        return BotConfiguration(_is_on(content), True)
    # JSON5 knows still more, such as numbers of other forms. That it is wrong is not proven.
    return BotConfiguration(True, None if path.endswith(".json5") else False)


def _is_on(content: Any) -> bool:
    return not (isinstance(content, dict) and content.get("enabled") is False)


def _dependabot(text: str) -> BotConfiguration:
    try:
        content: Any = read_yaml(text)
    except YamlError:
        return BotConfiguration(True, False)
    updates = content.get("updates") if isinstance(content, dict) else None
    if not isinstance(updates, list):
        return BotConfiguration(True, False)
    # No open pull requests allowed is how version updates are switched off.
    limits = [entry.get("open-pull-requests-limit") for entry in updates if isinstance(entry, dict)]
    return BotConfiguration(any(limit != 0 for limit in limits), bool(content.get("version")))


def _without_comment(match: re.Match[str]) -> str:
    """Return a text as it is and a comment as a blank; one that nobody ended is none."""
    is_comment = match[0].startswith("//") or (len(match[0]) > 3 and match[0].endswith("*/"))
    return match[0] if match[0].startswith('"') or not is_comment else " "


def _in_json(text: str) -> str:
    """Return JSON5 with the quotation marks of JSON: around keys that have none, and instead of single ones."""

    def told(match: re.Match[str]) -> str:
        if match["single"] is not None:
            return json.dumps(re.sub(r"\\(['\n])", lambda sign: sign[1].strip(), match["single"]))
        return f'"{match["key"]}"' if match["key"] is not None else match[0]

    return _JSON5.sub(told, text)


def _json(text: str) -> Any:
    """Read JSON that may hold comments and last commas, as Renovate does; None where it cannot be read.

    Renovate refuses a name that stands twice in one object.
    """
    plain = _COMMENT_OR_TEXT.sub(_without_comment, text)
    try:
        return json.loads(_LAST_COMMA.sub(r"\1", plain), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found
