"""Which packages an update request changes: what its body lists, else what its title says.

Belongs here: the tables and sentences that Renovate and Dependabot write, of today and of before. Does not belong here:
titles by themselves (``update_titles``) and what became of a request (``update_requests``). What no form fits is a
change of unknown package: it is counted, and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from opsmetrics.core.yaml_text import YamlError, read_yaml
from opsmetrics.sources.update_titles import UpdateTitle, is_of_the_bot, is_update_title, read_title


@dataclass(frozen=True, slots=True)
class Change:
    """One package in one request; what is not told is None.

    Attributes:
        ecosystem: Datasource of Renovate, or ecosystem that Dependabot's branch names.
        package: Package.
        old: Version or digest before.
        new: Version or digest after.
    """

    ecosystem: str | None
    package: str | None
    old: str | None
    new: str | None


UNKNOWN = Change(None, None, None, None)
# GitHub takes 65,536 signs of a body, GitLab a million; rows of tables with all their badges are shorter.
_LONGEST, _LONGEST_LINE = 200_000, 4_000
# [![age](https://host/badges/age/{datasource}/{package}/{version})], before 2023 .../packages/{...}/{version}/age-slim;
# the package may hold encoded slashes.
_BADGE = re.compile(
    r"/badges/age/(?P<source>[^/\s)]+)/(?P<package>[^\s)?]+)/(?P<version>[^/\s)?]+?)(?:\?[^\s)]*)?\)"
    r"|/packages/(?P<source_>[^/\s)]+)/(?P<package_>[^\s)?]+)/(?P<version_>[^/\s)?]+)/age-slim\)"
)
# Where badges are off, a link to what changed in a package of npm still says whose it is; Node.js has one too.
_DIFF = re.compile(r"https://renovatebot\.com/diffs/npm/(?!node/)[^/\s)]+/[^\s)]+\)")
# A range has blanks in it.
_ARROW = re.compile(r"`(?P<old>[^`]+)`\s*(?:->|→)\s*`(?P<new>[^`]+)`")
_PIN = re.compile(r"(?<!`)\s*(?:->|→)\s*`(?P<new>[^`]+)`")
_CELLS = re.compile(r"(?<!\\)\|")
# What the bots put behind an @ so that nobody is called.
_UNCALLED = re.compile(r"&#8203;|\u200b")
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\([^)]*\)")
_QUOTED = re.compile(r"`(?P<value>[^`]+)`")
# Sentences of Dependabot, and of Renovate's first years.
_SENTENCE = re.compile(
    r"^\s*(?P<verb>Bumps|Updates|This Pull Request updates dependency)\s+"
    r"(?:\[(?P<linked>[^\]]+)\]\([^)]*\)|`(?P<quoted>[^`]+)`)"
    r"(?:\s*\([^)]*\)|\s+in\s+`[^`]+`)?\s+from\s+`?(?P<old>[^\s`]+)`?\s+to\s+`?(?P<new>[^\s`]+?)`?\.?(?:\s|$)",
    re.IGNORECASE,
)
# One dependency in several folders, and the lines below it.
_IN_FOLDERS = re.compile(
    r"^Bumps\s+(?:\[(?P<linked>[^\]]+)\]\([^)]*\)|(?P<plain>\S+))\s+across\s+\d+\s+directories:", re.IGNORECASE
)
_FOLDER = re.compile(r"^- `[^`]+`:\s+(?P<old>\S+)\s+(?:->|→)\s+(?P<new>\S+)\s*$")
# What only a request says that fixes a vulnerability.
_MENDS = re.compile(
    r"^#+ GitHub Vulnerability Alerts\s*$|\*\*This update includes (?:a )?security fix(?:es)?\.\*\*"
    r"|\bYou can disable automated security fix PRs for this repo\b",
    re.IGNORECASE | re.MULTILINE,
)
_TRAILER = re.compile(r"^---\nupdated-dependencies:\n(?P<entries>(?:[ -].*\n?)+)", re.MULTILINE)
_LOCK_FILES = re.compile(r"lockFileMaintenance|All locks refreshed", re.IGNORECASE)
_RELEASE_NOTES = re.compile(r"^#+ Release Notes|^<details", re.IGNORECASE | re.MULTILINE)
_DIRECTORY = re.compile(r"\bin the (?P<directory>/\S*) directory", re.IGNORECASE)
_HEADS = {"package": "package", "change": "change", "from": "old", "to": "new", "new value": "new"}
# dependabot/{ecosystem}/{directory}/...: Dependabot's names of ecosystems -> ours.
_DEPENDABOT = {
    "npm_and_yarn": "npm",
    "nuget": "nuget",
    "pip": "pypi",
    "uv": "pypi",
    "go_modules": "go",
    "cargo": "cargo",
    "bundler": "rubygems",
    "maven": "maven",
    "gradle": "maven",
    "docker": "docker",
    "docker_compose": "docker-compose",
    "github_actions": "github-actions",
    "terraform": "terraform",
    "opentofu": "terraform",
    "helm": "helm",
    "composer": "packagist",
    "bun": "npm",
    "dotnet_sdk": "dotnet-sdk",
    "devcontainers": "docker",
    "pre_commit": "pre-commit",
}
# Branches that only the bots make; of Renovate's some are about itself. Other signs may join Dependabot's parts.
_BRANCH = re.compile(
    r"renovate/(?!configure$|reconfigure$|migrate-config$)\S|dependabot/\S"
    rf"|dependabot[-_](?:{'|'.join(_DEPENDABOT)}|submodules|hex|pub|swift|elm|conda|julia|vcpkg|rust_toolchain)[-_]\S"
)
_OF_DEPENDABOT = re.compile(rf"dependabot(?P<sign>[/_-])(?P<ecosystem>{'|'.join(_DEPENDABOT)})(?P=sign)")


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """What an update request says of itself.

    Attributes:
        is_update: Whether it changes versions at all.
        is_understood: Whether it says which packages, or that there are none.
        is_security: Whether its title or body says that it fixes a vulnerability.
        is_closed_by_bot: Whether its title says that the bot closed it.
        scope: Where in the repository; empty for all of it.
        changes: Packages; one of unknown package where it does not say which.
    """

    is_update: bool
    is_understood: bool
    is_security: bool
    is_closed_by_bot: bool
    scope: str
    changes: tuple[Change, ...]

    @property
    def packages(self) -> set[str]:
        """Names of its packages."""
        return {change.package for change in self.changes if change.package}


def read_request(title: str, body: str, branch: str = "") -> UpdateRequest:
    """Return what a request says.

    Args:
        title: Its title.
        body: Its text, of which only packages, versions and directories are read.
        branch: Branch that it would merge.
    """
    said, body = read_title(title), _UNCALLED.sub("", body[:_LONGEST])
    ecosystem = _ecosystem_of(branch)
    found = list(dict.fromkeys((*_of_tables(body), *_of_sentences(body)))) or list(_of_trailer(body))
    if not found and said.packages:
        found = [Change(None, name, said.old, said.new) for name in said.packages]
    has_no_package = said.has_no_package or (not found and _LOCK_FILES.search(body) is not None)
    # Titles are written by whoever configures the bot, in any language; branches and bodies are not.
    is_made_by_bot = bool(found) or _BRANCH.match(branch) is not None
    is_update = is_update_title(title) or (is_made_by_bot and not is_of_the_bot(title))
    if ecosystem is not None:
        found = [Change(one.ecosystem or ecosystem, one.package, one.old, one.new) for one in found]
    changes = tuple(found) if is_update else ()
    if is_update and not changes and not has_no_package:
        changes = (UNKNOWN,)
    return UpdateRequest(
        is_update,
        not is_update or UNKNOWN not in changes,
        said.is_security or _MENDS.search(body) is not None,
        said.is_closed_by_bot,
        _scope_of(said, body),
        changes,
    )


def _ecosystem_of(branch: str) -> str | None:
    found = _OF_DEPENDABOT.match(branch)
    return _DEPENDABOT[found["ecosystem"]] if found is not None else None


def _scope_of(said: UpdateTitle, body: str) -> str:
    if said.directory:
        return said.directory
    directories = {match["directory"] for match in _DIRECTORY.finditer(body)} - {"/"}
    return " ".join(sorted(directories))


def _of_tables(body: str) -> Iterator[Change]:
    """Yield the rows of tables whose head names packages and versions; Renovate's badges know names best.

    What makers write of their releases comes below, and may hold tables of its own.
    """
    heads: list[str] = []
    for whole in _RELEASE_NOTES.split(body, maxsplit=1)[0].splitlines():
        line = whole[:_LONGEST_LINE]
        cells = [cell.strip() for cell in _CELLS.split(line.strip().strip("|"))]
        if not line.lstrip().startswith("|"):
            heads = []
        elif not heads:
            heads = [_HEADS.get(cell.strip("* ").lower(), "") for cell in cells]
        elif not set(line) <= set("|-: "):
            named = dict(zip(heads, cells, strict=False))
            change = _of_row(line, named)
            if change is not None:
                yield change
            elif named.get("package") and named.get("change") and not _LOCK_FILES.search(line):
                yield UNKNOWN


def _of_row(line: str, cells: dict[str, str]) -> Change | None:
    badge = _BADGE.search(line)
    source = (badge["source"] or badge["source_"]) if badge else "npm" if _DIFF.search(line) else None
    package = unquote(badge["package"] or badge["package_"]) if badge else _name_of(cells.get("package", ""))
    arrow = _ARROW.search(line)
    if arrow is not None:
        return Change(source, package, _value(arrow["old"]), _value(arrow["new"])) if package else None
    pin = _PIN.search(cells.get("change", ""))
    if pin is not None:
        return Change(source, package, None, _value(pin["new"])) if package else None
    old, new = (_QUOTED.search(cells.get(side, "")) for side in ("old", "new"))
    if new is not None and package:
        return Change(source, package, old and old["value"], new["value"])
    return None


def _value(text: str) -> str:
    return text.replace("\\|", "|").strip()


def _name_of(cell: str) -> str | None:
    """Return the name in a cell: the text of its first link, without marks and without what stands in brackets."""
    link = _LINK.search(cell)
    name = (link["text"] if link else re.sub(r"\s*\([^)]*\)", "", cell)).strip("`* ")
    return name or None


def _of_sentences(body: str) -> Iterator[Change]:
    found: list[tuple[bool, Change]] = []
    folders: str | None = None
    for line in body.splitlines():
        match, opened, folder = _SENTENCE.match(line), _IN_FOLDERS.match(line), _FOLDER.match(line)
        if opened is not None:
            folders = opened["linked"] or opened["plain"].strip("`")
        elif folder is not None and folders is not None:
            found.append((False, Change(None, folders, folder["old"], folder["new"])))
        elif match is not None:
            # A property that several packages share is none of them.
            may_be_property = match["verb"].lower() == "bumps" and match["quoted"] is not None
            change = Change(None, match["linked"] or match["quoted"], match["old"], match["new"])
            found.append((may_be_property, change))
        elif line.strip():
            folders = None
    names_others = any(not may_be_property for may_be_property, _ in found)
    yield from (change for may_be_property, change in found if not (may_be_property and names_others))


def _of_trailer(body: str) -> Iterator[Change]:
    """Yield what Dependabot writes below a commit's message; it tells no version before."""
    match = _TRAILER.search(body.replace("\r\n", "\n") + "\n")
    if match is None:
        return
    try:
        entries = read_yaml(match["entries"])
    except YamlError:
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("dependency-name"):
            version = entry.get("dependency-version")
            yield Change(None, str(entry["dependency-name"]), None, None if version is None else str(version))
