"""What a title of Renovate or Dependabot says, of a commit or a pull request, in the forms of today and of before.

Belongs here: titles. Does not belong here: bodies (``github.update_bodies``) and manifests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

# Nobody writes more into a title. There is one way only to read it in each of these patterns, whatever it says: with
# two for each word of it, 50 words would be read for ever.
_LONGEST = 500
# What stands before the verb, in any order: signs, tags in brackets, a scope, types of conventional commits (GitLab's
# ``Draft:`` among them), the number of a ticket, what Azure DevOps writes before the title of a request, and the word
# by which Renovate is told to rebase.
_PREFIX = (
    r"^(?:\s*(?::\w+:|[^\w\s\[(:]++|\[[^\]]*\]:?+|\([\w\s./,-]+\):?+|[\w./-]++(?:\([^)]*\))?!?:|rebase!(?!:)|"
    r"[a-z][a-z0-9]+-\d+(?=\s)|merged pr \d+:))*\s*"
)
_VERB = re.compile(
    rf"{_PREFIX}(?:\[?lock ?file maintenance\b|roll back\b|remove dependency\b|refresh (?:lock ?files?|pip-compile)\b|"
    r"(?:update|bump|pin|replace|upgrade|downgrade)s?\b)",
    re.IGNORECASE,
)
# What the bots say of themselves.
_OF_THE_BOT = re.compile(
    rf"{_PREFIX}(?:configure renovate|add renovate\b|migrate (?:renovate )?config|update renovate config)",
    re.IGNORECASE,
)
_LOCK_FILES = re.compile(
    rf"{_PREFIX}\[?(?:(?:(?:update|refresh)\s+)?lock ?files?(?: maintenance)?\b|refresh pip-compile outputs\b)",
    re.IGNORECASE,
)
_SECURITY = re.compile(r"\[security\]", re.IGNORECASE)
_CLOSED_BY_BOT = re.compile(r"\s+-\s+(?P<why>autoclosed|abandoned)\b", re.IGNORECASE)
# A number or range, a commit, or a release that begins with a word, such as RELEASE.2026-01-02.
_VERSION = r"(?>(?:[~^<>=!]+\s*)?v?\d[^\s,]*|[a-z](?=[\w.+-]*\d)[\w.+-]*|[0-9a-f]{7,40})"
_RANGE = rf"{_VERSION}(?:\s*,\s*{_VERSION})*"
_DIRECTORY = r"(?:\s+in\s+(?P<directory>/\S*))?"
_FROM_TO = re.compile(
    rf"{_PREFIX}(?:bump|update|upgrade|downgrade)\s+(?P<package>\S+)(?P<requirement>\s+requirements?)?"
    rf"\s+from\s+(?P<old>.+?)\s+to\s+(?P<new>.+?){_DIRECTORY}\s*$",
    re.IGNORECASE,
)
# Words of Renovate around a package's name, which say what kind of package it is.
_BEFORE = (
    r"(?:(?:dependency|module|resource|package|image|rust crate|helm (?:release|chart|values)|terraform|"
    r"terragrunt dependency|tflint plugin|buildkite plugin|homebrew formula|builder|buildpack|bundle|vendir|"
    r"pre-commit hook|github action|plugin|ruby gem|nuget package)\s+)?"
)
_AFTER = (
    r"(?:\s+(?:action|orb|docker tag|docker digest|docker image|digest|commit hash|git submodule|buildpack|"
    r"(?:module|toolchain) directive|(?:tool )?constraint|requirement))?"
)
_TO = re.compile(
    rf"{_PREFIX}(?:update|bump|upgrade|pin|roll back)\s+{_BEFORE}(?P<package>\S+){_AFTER}"
    rf"\s+to\s+(?P<new>{_RANGE}|(?<=tag to )[\w.-]+)(?:\s*(?:\|\|?|or)\s*{_RANGE})*{_DIRECTORY}\s*$",
    re.IGNORECASE,
)
_REPLACE = re.compile(
    rf"{_PREFIX}(?:replace\s+(?:dependency\s+)?(?P<package>\S+)(?:\s+docker tag)?\s+with\s+\S+"
    r"|remove dependency\s+(?P<removed>\S+))",
    re.IGNORECASE,
)
_GROUP = re.compile(
    rf"{_PREFIX}(?:bump|update)\s+the\s+(?P<group>.*?)\s*group(?:\s+across\s+\d+\s+director(?:y|ies))?{_DIRECTORY}"
    r"\s+with\s+(?P<count>\d{1,9})\s+updates?(?:\s+in\s+(?P<below>/\S*))?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"{_PREFIX}(?:bump|update\s+requirements\s+for)\s+(?P<packages>\S+(?:(?:,\s+|,?\s+and\s+)\S+)*?){_DIRECTORY}\s*$",
    re.IGNORECASE,
)
# What Dependabot writes behind a single update: how it found it, its group, in how many folders.
_MADE_BY = re.compile(r"\s+\(via audit fix\)", re.IGNORECASE)
_OF_A_GROUP = re.compile(
    r"(?:\s+in\s+the\s+(?P<group>\S.*?)\s+group)?(?:\s+across\s+\d+\s+director(?:y|ies))?\s*$", re.IGNORECASE
)
# An image in such a title of Renovate has the tag whose digest changes.
_DIGEST_OF = re.compile(r"\sdocker digest\s", re.IGNORECASE)
_TAGGED = re.compile(r"(?P<name>[^:\s]+(?::\d+/[^:\s]+)?):[\w.-]+")
# Renovate's last words: a part of the repository, a base branch, and which versions are apart from the others.
_KIND = re.compile(r"\s+\((?:major|minor|patch)\)\s*$", re.IGNORECASE)
_PART = re.compile(r"\s+\((?P<part>[\w./-]+)\)\s*$")
_PULL_NUMBER = re.compile(r"\s*\(#\d+\)\s*$")


@dataclass(frozen=True, slots=True)
class UpdateTitle:
    """What a title says of an update.

    Attributes:
        package: The one package, where it names one.
        old: Version before, where it says so.
        new: Version after, where it says so.
        packages: The packages that it names.
        count: How many updates it says there are; None where it does not say.
        directory: Where in the repository, where it says so: a folder, or Renovate's name of a part.
        has_no_package: Whether it is of a kind that changes no package that a manifest names.
        is_security: Whether it says that it fixes a vulnerability.
        is_closed_by_bot: Whether the bot closed it itself and says so.
    """

    package: str | None = None
    old: str | None = None
    new: str | None = None
    packages: tuple[str, ...] = ()
    count: int | None = None
    directory: str | None = None
    has_no_package: bool = False
    is_security: bool = False
    is_closed_by_bot: bool = False


def _short(title: str) -> str:
    return " ".join(title[: 2 * _LONGEST].split())[:_LONGEST]


def is_update_title(title: str) -> bool:
    """Whether a bot's title announces an update, and not the bot's own set-up or a deployment of another house."""
    return _VERB.match(_short(title)) is not None and not is_of_the_bot(title)


def is_of_the_bot(title: str) -> bool:
    """Whether a title is of the bot's own set-up."""
    return _OF_THE_BOT.match(_short(title)) is not None


def read_title(title: str) -> UpdateTitle:
    """Return what a title says; what it does not say is None."""
    title = _short(title)
    closed, is_security = _CLOSED_BY_BOT.search(title), _SECURITY.search(title) is not None
    marks = {
        "is_security": is_security,
        "is_closed_by_bot": closed is not None and closed["why"].lower() == "autoclosed",
    }
    plain = title
    for pattern in (_PULL_NUMBER, _SECURITY, _CLOSED_BY_BOT, _KIND, _MADE_BY):
        plain = pattern.sub("", plain)
    part = _PART.search(plain)
    plain, named_part = _PART.sub("", plain).strip(), part and part["part"]
    if not is_update_title(plain):
        return UpdateTitle(**marks)
    if _LOCK_FILES.match(plain):
        return UpdateTitle(has_no_package=True, directory=named_part, **marks)
    group = _GROUP.match(plain)
    if group is not None:
        place = group["directory"] or group["below"] or named_part
        return UpdateTitle(count=int(group["count"]), directory=place, **marks)
    plain = _OF_A_GROUP.sub("", plain)
    one = _FROM_TO.match(plain) or _TO.match(plain) or _REPLACE.match(plain)
    if one is not None:
        parts = one.groupdict()
        package = (one["package"] or parts.get("removed") or "").strip("`'\"")
        tagged = _TAGGED.fullmatch(package) if _DIGEST_OF.search(plain) else None
        package = tagged["name"] if tagged else package
        old, new = (said and said.strip("`'\"") for said in (parts.get("old"), parts.get("new")))
        return UpdateTitle(package, old, new, (package,), 1, parts.get("directory") or named_part, **marks)
    named = _NAMED.match(plain)
    if named is not None:
        packages = tuple(re.split(r",?\s+and\s+|,\s+", named["packages"]))
        return UpdateTitle(None, None, None, packages, len(packages), named["directory"] or named_part, **marks)
    return UpdateTitle(directory=named_part, **marks)


def read_titles(titles: Sequence[str]) -> UpdateTitle:
    """Return what titles say together: one request that brings in several updates has a title for each."""
    found = [read_title(title) for title in titles]
    if len(found) == 1:
        return found[0]
    counts = [one.count or (0 if one.has_no_package else None) for one in found]
    packages = tuple(dict.fromkeys(package for one in found for package in one.packages))
    are_named = all(one.packages or one.has_no_package for one in found)
    # A title that nobody understands leaves open how many there are.
    said = UpdateTitle() if None in counts else UpdateTitle(count=sum(count or 0 for count in counts) or None)
    return replace(
        said,
        packages=packages if are_named else (),
        has_no_package=all(one.has_no_package for one in found),
        is_security=any(one.is_security for one in found),
    )


# Words that bots write in titles; every other one may be a name, and is not repeated.
_WORD = re.compile(
    "a|across|action|all|and|autoclosed|branch|build|bump|chart|chore|ci|config|configure|dependenc(?:y|ies)|deps|dev|"
    "develop|digest|director(?:y|ies)|docker|downgrade|feat|files?|fix|for|from|github|groups?|helm|image|in|lock|"
    "lockfile|main|maintenance|major|master|merge|migrate|minor|module|monorepo|new|non-major|npm|packages?|patch|pin|"
    "plugin|pull|refresh|release|renovate|replace|request|requirements?|resource|roll|back|rollback|security|tag|"
    "terraform|the|to|tools?|updates?|upgrade|versions?|with"
)


def shape_of(title: str) -> str:
    """Return the form of a title: words of bots as they are, numbers as ``N``, and ``...`` for everything else."""
    shape: list[str] = []
    for word in re.findall(r"[\w.@/+-]+", _short(title).lower()):
        known = word if _WORD.fullmatch(word) else "N" if word.isdigit() else "..."
        if known != "..." or shape[-1:] != ["..."]:
            shape.append(known)
    return " ".join(shape)[:120]
