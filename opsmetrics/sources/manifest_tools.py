"""Lines that pin what software is built and run with: images, actions, tools, resource types, toolchains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from opsmetrics.sources.manifest_pins import IMAGE, NUMBER, Line, Pin, Reader, patterns

_COMMIT = re.compile(r"[0-9a-f]{40}")
_USES = re.compile(
    r"^\s*(?:-\s*)?uses:\s*[\"']?(?P<package>[\w.-]+/[\w.-]+)(?P<below>/[\w./-]+)?@(?P<ref>[\w./-]+)[\"']?"
    rf"(?:\s*#\s*(?:tag=|pin\s*@?|ratchet:\S+@)?(?P<comment>{NUMBER}))?"
)


def images(ecosystem: str) -> Reader:
    """Return a reader of images in Dockerfiles and YAML, as a key or in a list."""
    return patterns(
        ecosystem,
        rf"^\s*(?i:FROM)\s+(?:--platform=\S+\s+)?[\"']?{IMAGE}",
        rf"^\s*(?:-\s+)?[\"']?image[\"']?:\s*[\"']?(?:docker://)?{IMAGE}",
        rf"^\s*(?i:COPY)\s+--from={IMAGE}",
        rf"^\s*(?:-\s*)?uses:\s*[\"']?docker://{IMAGE}",
        rf"^\s*container:\s*[\"']?{IMAGE}",
    )


def actions(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the actions of a workflow: one repository of actions is one package, whatever it holds."""
    for line in lines:
        match = _USES.match(line.text) if line.is_changed else None
        if match is None:
            continue
        commit = match["ref"] if _COMMIT.fullmatch(match["ref"]) else None
        is_workflow = "/.github/workflows/" in (match["below"] or "")
        package = match["package"] + (match["below"] if is_workflow and match["below"] else "")
        yield Pin("github-actions", package, match["comment"] if commit else match["ref"], commit and commit[:12])


# Of Java and the like the maker stands before the number.
TOOL_VERSIONS = patterns("tool", r"^(?P<package>[a-z][\w-]*)\s+(?P<version>(?:[a-z]+-)*\d[\w.+-]*)(?:\s|#|$)")
# Of several versions of a tool the first is the one in use.
MISE = patterns(
    "tool",
    rf"^\s*[\"']?(?P<package>[\w:/.@-]+)[\"']?\s*=\s*\[?\s*(?:\{{\s*version\s*=\s*)?[\"'](?P<version>{NUMBER}|[a-z]+-\d[\w.+-]*)",
    but={"min_version"},
)
SDKMAN = patterns("tool", r"^(?P<package>[a-z]\w*)=(?P<version>\d[\w.+-]*)\s*$")
ARGUMENTS = patterns(
    "docker",
    rf"^#\s*syntax\s*=\s*{IMAGE}",
    rf"^\s*(?:ARG|ENV)\s+(?P<package>[A-Z][A-Z0-9_]*?)_VERSION[=\s]\s*[\"']?(?P<version>{NUMBER})",
)
MAKE = patterns(
    "tool", rf"^\s*(?:export\s+)?(?P<package>[A-Z][A-Z0-9_]*?)_VERSION\s*[?:]?=\s*[\"']?(?P<version>{NUMBER})"
)
_BICEP = patterns(
    "bicep",
    r"'(?P<package>[A-Za-z]\w*(?:\.\w+)+/[\w/]+)@(?P<version>\d{4}-\d{2}-\d{2}[\w-]*)'",
    r"['\"](?P<package>br(?:/[\w-]+)?:[\w./-]+):(?P<version>v?\d[\w.-]*)['\"]",
)


def bicep(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the API versions of resource types, whose names know no case, and the versions of modules."""
    for pin in _BICEP(lines):
        yield Pin("bicep", pin.package.lower(), pin.version)


# Tasks of Azure Pipelines, and files of Kustomize that another repository holds.
TASKS = patterns(
    "azure-pipelines", r"^\s*-?\s*task:\s*[\"']?(?P<package>[\w.-]+)@(?P<version>\d+(?:\.\d+)*)[\"']?\s*(?:#|$)"
)
KUSTOMIZE = patterns(
    "kustomize",
    r"^\s*-\s+[\"']?(?P<package>[\w.:@/-]+)\?(?:\S*&)?ref=(?P<version>v?\d[\w.+-]*)(?:&\S*)?[\"']?\s*(?:#|$)",
)
DEVCONTAINER = patterns(
    "docker",
    rf"^\s*\"image\"\s*:\s*\"{IMAGE}\"",
    r"^\s*\"(?P<package>[\w.-]+(?:/[\w.-]+)+):(?P<version>\d[\w.-]*)\"\s*:\s*\{",
)


WRAPPER = patterns(
    "tool",
    r"^distributionUrl=.*/(?:apache-)?(?P<package>gradle|maven)-(?P<version>\d[\w.]*(?:-(?:rc|milestone|alpha|beta)-\d+)?)-",
)


TOOLCHAIN = patterns(
    "toolchain", rf"^\s*(?:-\s+)?(?P<package>[a-z]+)-version:\s*\[?\s*[\"']?(?P<version>{NUMBER})", but={"api"}
)


def one_version(tool: str) -> Reader:
    """Return the reader of a file that holds nothing but one tool's version."""
    return patterns("tool", rf"^(?:{tool}-)?(?P<version>{NUMBER})\s*$", package=tool)
