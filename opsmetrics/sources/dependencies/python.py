"""Python's manifests, and the lock files of Poetry, uv, PDM and Pipenv."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opsmetrics.sources.dependencies import toml
from opsmetrics.sources.dependencies.model import Contents, Need, Package, UnreadableError

_REQUIREMENT = re.compile(
    r"^(?P<package>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?P<wanted>\(?(?:[=<>!~]=?=?|===)[^;#@]*)?(?P<rest>[;#@\s].*)?$"
)
_EXACT = re.compile(r"\(?\s*===?\s*(?P<version>\d[^,*\s)]*)\s*\)?")
_POETRY_EXACT = re.compile(r"(?:==?)?\s*(?P<version>\d+(?:\.\d+)*(?:[.-]?[a-z]+\d*)?)")
_VIA = re.compile(r"#\s*via\b")
# pip-compile names the file or the project that asked; a package that only packages ask for is nobody's own need.
_ASKED_BY_HAND = re.compile(r"(?:^|\s)-r\s|\(pyproject\.toml\)|\(setup\.(?:py|cfg)\)|[\w./-]+\.in\b")


def normal(name: str) -> str:
    """Return the name under which the index knows a Python package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _need(text: str) -> Need | None:
    """Read one requirement; None for what is no package of an index."""
    found = _REQUIREMENT.match(text.strip())
    if found is None or (found["rest"] or "").lstrip().startswith("@"):
        return None
    wanted = (found["wanted"] or "").strip()
    exact = _EXACT.fullmatch(wanted)
    return Need("pypi", normal(found["package"]), exact["version"] if exact else None, wanted)


def requirements(text: str) -> Contents:
    """Read a requirements file; of one that pip-compile wrote, what the project itself asks for."""
    found: list[Need] = []
    lines = text.replace("\\\n", " ").splitlines()
    for place, line in enumerate(lines):
        if not line.strip() or line[0] in "#-" or line[0].isspace():
            continue
        need = _need(re.sub(r"\s--hash=\S+", "", line))
        if need is not None and not _is_asked_by_packages(
            line, (lines[later] for later in range(place + 1, len(lines)))
        ):
            found.append(need)
    return Contents(tuple(found))


def _is_asked_by_packages(line: str, following: Iterable[str]) -> bool:
    said = [line.partition("#")[1] + line.partition("#")[2]]
    for other in following:
        if not other.lstrip().startswith("#") or not other[:1].isspace():
            break
        said.append(other)
    comment = " ".join(said)
    return _VIA.search(comment) is not None and _ASKED_BY_HAND.search(comment) is None


def pyproject(text: str) -> Contents:
    """Read a pyproject.toml: PEP 621 and 735, Poetry, uv, PDM."""
    content = toml.whole(text)
    project, tool = toml.table(content, "project"), toml.table(content, "tool")
    lists = [project.get("dependencies"), *toml.table(project, "optional-dependencies").values()]
    lists += [*toml.table(content, "dependency-groups").values(), toml.table(tool, "uv").get("dev-dependencies")]
    lists += toml.table(toml.table(tool, "pdm"), "dev-dependencies").values()
    # Of what builds, ranges are met anew by each build, and no lock file holds it.
    built = toml.table(content, "build-system").get("requires")
    texts = [entry for entry in (built if isinstance(built, list) else []) if isinstance(entry, str) and "==" in entry]
    texts += [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, str)]
    poetry = toml.table(tool, "poetry")
    tables = [toml.table(poetry, "dependencies"), toml.table(poetry, "dev-dependencies")]
    tables += [
        toml.table(group, "dependencies") for group in toml.table(poetry, "group").values() if isinstance(group, dict)
    ]
    needs = [need for text in texts if (need := _need(text)) is not None]
    # Poetry may repeat a project's own dependency, to say where it comes from.
    named = {need.package for need in needs}
    needs += [need for table in tables for need in _poetry(table) if need.package not in named]
    elsewhere = {
        normal(name) for name, said in toml.table(toml.table(tool, "uv"), "sources").items() if _is_elsewhere(said)
    }
    name = project.get("name") or poetry.get("name")
    return Contents(
        tuple(need for need in needs if need.package not in elsewhere),
        makes=Package("pypi", normal(name)) if isinstance(name, str) else None,
    )


def _is_elsewhere(said: Any) -> bool:
    """Whether uv takes a package from a folder, a repository or a file; under conditions there are several places."""
    places = said if isinstance(said, list) else [said]
    return all(isinstance(place, dict) and {"workspace", "path", "git", "url"} & place.keys() for place in places)


def lock(text: str) -> Contents:
    """Read a lock file of Poetry, uv, PDM, or one of PEP 751; older ones write names as their makers do."""
    return Contents(locked={normal(name): versions for name, versions in toml.lock(text).locked.items()})


def pipfile(text: str) -> Contents:
    """Read a Pipfile."""
    content = toml.whole(text)
    return Contents(tuple(need for part in ("packages", "dev-packages") for need in _poetry(toml.table(content, part))))


def _poetry(table: Mapping[str, Any]) -> Iterator[Need]:
    for name, places in table.items():
        # One for each version of Python, or system.
        for said in places if isinstance(places, list) else [places]:
            wanted = said.get("version") if isinstance(said, dict) else said
            if normal(name) == "python" or not isinstance(wanted, str):
                continue
            exact = _POETRY_EXACT.fullmatch(wanted.strip())
            yield Need("pypi", normal(name), exact["version"] if exact else None, wanted)


def pipfile_lock(text: str) -> Contents:
    """Read Pipenv's lock file."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error
    found: dict[str, tuple[str, ...]] = {}
    for part in ("default", "develop"):
        for name, entry in toml.table(content, part).items():
            if str(entry.get("version", "")).startswith("=="):
                found[normal(name)] = (entry["version"][2:],)
    return Contents(locked=found)
