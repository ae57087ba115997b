"""Manifests whose packages are spread over lines: YAML of Helm, Kustomize and Flux, Terraform and MSBuild.

A diff holds a few lines around a change. What it leaves out is not guessed: a version without its name is no pin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opsmetrics.sources.manifest_pins import Line, Pin, Reader, image_of

# Actions that are named for the one tool that they bring.
_TOOL_ACTION = re.compile(r"/(?:setup-[\w-]+|[\w-]+-action)(?:/|$)")
_YAML = re.compile(r"^(?P<indent>\s*)(?P<dash>(?:-\s+)*)(?P<key>[\w./-]+|\"[^\"]+\"):(?:\s+(?P<value>[^#]*))?(?:#.*)?$")
_ITEM = re.compile(r"^(?P<indent>\s*)-\s")
_VERSION = re.compile(r"[~^<>=v\s]*\d[\w.+-]*")
# Of a chart: also any patch of a line, and conditions.
_CHART_VERSION = re.compile(r"[~^<>=v\s]*\d[\w.+*-]*(?:[\s,|]+(?:[~^<>=v-]+\s*)?\d[\w.+*-]*)*")
# A table of its own for one dependency of Cargo or Poetry.
_TOML_TABLE = re.compile(r"^\s*\[(?:[^\[\]]*\.)?(?:dev-|build-)?dependencies\.[\"']?(?P<name>[\w-]+)[\"']?\]")
_TOML_VERSION = re.compile(r"^\s*version\s*=\s*[\"'][~^<>=\s]*(?P<version>\d[\w.+-]*)")
# Of Terraform: several conditions, of which the first says from where.
_CONDITIONS = re.compile(r"[~^<>=!v\s]*\d[\w.+-]*(?:\s*,[~^<>=!v\s]*\d[\w.+-]*)*")
_OPEN = re.compile(
    r"^\s*(?:(?P<kind>[\w-]+)\s+\"(?P<label>[^\"]*)\".*|\"?(?P<name>[\w-]+)\"?\s*=\s*)\{\s*(?P<rest>[^}]*)"
)
_ASSIGN = re.compile(r"\b(?P<key>source|version|required_version)\s*=\s*\"(?P<value>[^\"]*)\"")
_REFERENCE = re.compile(r"^(?:git::)?(?P<address>[^?]+)\?(?:.*&)?ref=(?P<ref>[\w.+-]+)")
_DOTTED = re.compile(r'^\s*"(?P<name>[\w.-]+)"\s*:\s*\{')
_DOTTED_VERSION = re.compile(r'^\s*"version"\s*:\s*"(?P<version>\d[\w.+-]*)"')
_INCLUDED = re.compile(
    r"<(?:PackageReference|PackageVersion|GlobalPackageReference)\s[^>]*(?:Include|Update)=\"(?P<name>[^\"$]+)\""
)
_NAME_ATTRIBUTE = re.compile(r"^\s*(?:Include|Update)=[\"'](?P<name>[^\"'$]+)[\"']\s*$")
_VERSION_ATTRIBUTE = re.compile(r"^\s*Version(?:Override)?=[\"'](?P<version>[^\"'$*]+)[\"']")
# A version that has a name of its own, which says so behind or before it.
_NAMED = r"^\s*<(?:(?P<name>[\w.-]+?)[._-]?[vV]ersion|version\.(?P<of>[\w.-]+))>\s*(?P<version>\d[\w.+-]*)\s*</"
_MAVEN_NAMED = re.compile(_NAMED)
_MAVEN_BLOCK = re.compile(r"<(?P<end>/?)(?:dependency|plugin|parent|extension|path|annotationProcessorPath)>")
_MAVEN_PART = re.compile(r"<(?P<key>groupId|artifactId|version)>\s*+(?P<value>[^<$]*?[^<$\s])\s*+</")
# A version of Maven's own model, and of Java's language.
_NO_PACKAGES = frozenset({"model", "java"})
_VERSION_ELEMENT = re.compile(r"<Version>\s*+(?P<version>[^<$*]*?[^<$*\s])\s*+</Version>")


@dataclass(slots=True)
class _Block:
    """A mapping that is being read."""

    indent: int
    is_item: bool
    parent: str
    found: dict[str, str] = field(default_factory=dict[str, str])
    is_changed: bool = False


def yaml_blocks(ecosystem: str) -> _Yaml:
    """Return the reader of charts and images that YAML spreads over keys of one mapping."""
    return _Yaml(ecosystem)


class _Yaml:
    """Reads mappings by their indentation, as far as a diff shows them."""

    def __init__(self, ecosystem: str) -> None:
        self.ecosystem = ecosystem

    def __call__(self, lines: Sequence[Line]) -> Iterator[Pin]:
        blocks: list[_Block] = []
        key_above = ""
        for line in lines:
            match = _YAML.match(line.text)
            if line.text.rstrip() == "---":
                # Another document begins.
                yield from self._closed(blocks, -1)
            if match is None:
                item = _ITEM.match(line.text)
                if item is not None:
                    yield from self._closed(blocks, len(item["indent"]))
                continue
            indent, dash = len(match["indent"]), match["dash"]
            # A new item ends the one before, whose keys stand deeper than the dash.
            yield from self._closed(blocks, indent if dash else indent + 1, is_item=bool(dash))
            place = indent + len(dash)
            if not blocks or blocks[-1].indent < place:
                blocks.append(_Block(place, bool(dash), key_above))
            key_above = match["key"].strip('"')
            value = (match["value"] or "").strip().strip("\"'")
            if value:
                blocks[-1].found[key_above] = value
                blocks[-1].is_changed |= line.is_changed
        yield from self._closed(blocks, -1)

    def _closed(self, blocks: list[_Block], indent: int, *, is_item: bool = False) -> Iterator[Pin]:
        """End the mappings that stand at an indentation or deeper; of an item's dash, those that stand deeper."""
        while blocks and blocks[-1].indent >= indent + (1 if is_item else 0):
            block = blocks.pop()
            if block.is_changed:
                pin = self._pin(block) or _of_the_one_above(block, blocks)
                if pin is not None:
                    yield pin

    def _pin(self, block: _Block) -> Pin | None:
        found = block.found
        if found.get("newTag") or (found.get("name") and found.get("digest")):
            return self._image(found.get("newName") or found.get("name"), found.get("newTag"), found.get("digest"))
        if "repository" in found and ("tag" in found or "digest" in found):
            registry = f"{found['registry']}/" if found.get("registry") else ""
            return self._image(registry + found["repository"], found.get("tag"), found.get("digest"))
        if found.keys() >= {"image", "tag"}:
            return self._image(found["image"], found["tag"], None)
        repository = _of_a_repository(found)
        if repository is not None:
            return repository
        chart, version = _chart(block), found.get("version") or found.get("targetRevision")
        if chart and version and _CHART_VERSION.fullmatch(version):
            return Pin("helm", chart, version.lstrip("~^<>=v "))
        return None

    def _image(self, package: str | None, tag: str | None, digest: str | None) -> Pin | None:
        text = f"{package}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
        found = image_of(text) if package else None
        return Pin(self.ecosystem, *found) if found and (found[1] or found[2]) else None


def _of_a_repository(found: Mapping[str, str]) -> Pin | None:
    """Return a hook of pre-commit, an include of GitLab, or a repository that Argo CD rolls out at a version."""
    if "rev" in found and "repo" in found:
        return Pin("pre-commit", found["repo"], found["rev"].removeprefix("v"))
    if found.keys() >= {"project", "ref"} and _VERSION.fullmatch(found["ref"]):
        return Pin("gitlab-ci", found["project"], found["ref"])
    if "repoURL" in found and "chart" not in found and _VERSION.fullmatch(found.get("targetRevision", "")):
        return Pin("git", found["repoURL"], found["targetRevision"])
    return None


def _of_the_one_above(block: _Block, blocks: Sequence[_Block]) -> Pin | None:
    """Return what Flux's ``ref`` pins: its mapping holds the version, the one around it the address."""
    version = block.found.get("tag") or block.found.get("semver")
    if block.parent != "ref" or not blocks or not version or not _VERSION.fullmatch(version):
        return None
    address = blocks[-1].found.get("url")
    return Pin("flux", address.removeprefix("oci://"), version) if address else None


def _chart(block: _Block) -> str | None:
    found = block.found
    if "chart" in found:
        return found["chart"].rsplit("/", 1)[-1]
    # A dependency of a chart is an item with a name; a chart's own name and version are none.
    is_dependency = block.is_item and {"name", "version"} <= found.keys() and found.keys() & {"repository", "repo"}
    return found["name"] if is_dependency else None


def action_inputs(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the tool whose version a workflow hands to an action as ``version``."""
    action = ""
    for line in lines:
        match = _YAML.match(line.text)
        if match is None:
            continue
        key, value = match["key"], (match["value"] or "").strip("\"' ")
        if key == "uses":
            action = value.split("@", 1)[0]
        elif match["dash"]:
            action = ""
        elif key == "version" and _TOOL_ACTION.search(action) and line.is_changed and _VERSION.fullmatch(value):
            yield Pin("tool", _tool(action), value.lstrip("v"))


def _tool(action: str) -> str:
    return action.split("/")[1].removeprefix("setup-").removesuffix("-action")


def terraform(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield providers by their source, modules by theirs or by the ref in it, and Terraform itself."""
    name, found, is_changed = "", dict[str, str](), False
    for line in lines:
        opened = _OPEN.match(line.text)
        if opened is not None:
            yield from _terraform_pins(name, found, is_changed=is_changed)
            name, found, is_changed = opened["label"] or opened["name"] or "", {}, False
        for assigned in _ASSIGN.finditer(line.text):
            if assigned["key"] == "required_version":
                if line.is_changed and _CONDITIONS.fullmatch(assigned["value"]):
                    yield Pin("terraform", "hashicorp/terraform", assigned["value"].lstrip("~^<>=v "))
                continue
            found[assigned["key"]] = assigned["value"]
            is_changed |= line.is_changed
        if line.text.strip() == "}" or (opened is not None and line.text.rstrip().endswith("}")):
            yield from _terraform_pins(name, found, is_changed=is_changed)
            name, found, is_changed = "", {}, False
    yield from _terraform_pins(name, found, is_changed=is_changed)


def _terraform_pins(name: str, found: Mapping[str, str], *, is_changed: bool) -> Iterator[Pin]:
    source, version = found.get("source", ""), found.get("version", "")
    reference = _REFERENCE.match(source)
    if not is_changed:
        return
    if reference is not None:
        yield Pin("terraform", reference["address"], reference["ref"].lstrip("v"))
    elif (source or name) and _CONDITIONS.fullmatch(version):
        yield Pin("terraform", source or name, version.lstrip("~^<>=v "))


# Versions of what the project itself makes or is made with.
_NO_NUGET = re.compile(
    r"(?:assembly|assemblyinformational|assemblyfile|file|informational|package|product|app|application|applicationdisplay|"
    r"lang|schema|tools|minimumvisualstudio|visualstudio|platform|targetplatform|targetplatformmin|"
    r"supportedosplatform|targetframework|sdk|netcore|windowssdk|user|semantic|sem|base|build|release)?",
    re.IGNORECASE,
)


def nuget_elements(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the packages of a project file whose version is an element or a property of its own."""
    name = ""
    for line in lines:
        named = _MAVEN_NAMED.match(line.text) if line.is_changed else None
        if named is not None and not _NO_NUGET.fullmatch(named["name"] or named["of"]):
            yield Pin("nuget-property", named["name"] or named["of"], named["version"])
        included = _INCLUDED.search(line.text)
        if included is not None:
            name = included["name"]
        written = _NAME_ATTRIBUTE.match(line.text)
        if written is not None:
            name = written["name"]
        version = _VERSION_ELEMENT.search(line.text) or _VERSION_ATTRIBUTE.match(line.text)
        if version is not None and name and line.is_changed:
            yield Pin("nuget", name, version["version"].strip("[]() "))


def maven(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the dependencies, plugins and parents of a pom.xml, and the versions that it names as properties.

    A version outside of such an element is the project's own.
    """
    found: dict[str, str] | None = None
    for line in lines:
        block, part, named = (pattern.search(line.text) for pattern in (_MAVEN_BLOCK, _MAVEN_PART, _MAVEN_NAMED))
        if block is not None:
            found = None if block["end"] else {}
        if part is not None and found is not None:
            found[part["key"]] = part["value"]
            if part["key"] == "version" and line.is_changed and "artifactId" in found:
                group = found.get("groupId", "org.apache.maven.plugins")
                yield Pin("maven", f"{group}:{found['artifactId']}", part["value"])
        elif named is not None and line.is_changed and (name := named["name"] or named["of"]) not in _NO_PACKAGES:
            yield Pin("maven-property", name, named["version"])


def toml_tables(ecosystem: str) -> Reader:
    """Return the reader of dependencies that have a table of their own."""

    def read(lines: Sequence[Line]) -> Iterator[Pin]:
        name = ""
        for line in lines:
            opened, version = _TOML_TABLE.match(line.text), _TOML_VERSION.match(line.text)
            if opened is not None:
                name = opened["name"]
            elif line.text.lstrip().startswith("["):
                name = ""
            elif version is not None and name and line.is_changed:
                yield Pin(ecosystem, name, version["version"])

    return read


def dotnet_tools(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the tools of a dotnet-tools.json."""
    name = ""
    for line in lines:
        named, version = _DOTTED.match(line.text), _DOTTED_VERSION.match(line.text)
        if named is not None:
            name = named["name"]
        elif version is not None and name and line.is_changed:
            yield Pin("nuget", name, version["version"])
