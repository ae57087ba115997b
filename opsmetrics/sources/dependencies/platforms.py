"""What a service runs on, as its repository says it: base images, runtimes and target frameworks, by release cycle.

Products and cycles are named as end-of-life data name them. What is not in the table, or has no cycle in its tag
(``latest``, ``lts``), is not told: an unknown product would count as unsupported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from opsmetrics.sources.dependencies.dotnet import project
from opsmetrics.sources.dependencies.model import Contents, Need, UnreadableError
from opsmetrics.sources.manifest_pins import image_of

RUNTIME, BASE_IMAGE, FRAMEWORK = "runtime", "base_image", "framework"
KINDS = (RUNTIME, BASE_IMAGE, FRAMEWORK)
# Image -> product, and how many numbers make a cycle.
_IMAGES = {
    "node": ("nodejs", 1),
    "python": ("python", 2),
    "golang": ("go", 2),
    "ruby": ("ruby", 2),
    "php": ("php", 2),
    "nginx": ("nginx", 2),
    "postgres": ("postgresql", 1),
    "redis": ("redis", 2),
    "alpine": ("alpine-linux", 2),
    "debian": ("debian", 1),
    "ubuntu": ("ubuntu", 2),
    "eclipse-temurin": ("eclipse-temurin", 1),
    "mcr.microsoft.com/dotnet/aspnet": ("dotnet", 1),
    "mcr.microsoft.com/dotnet/runtime": ("dotnet", 1),
    "mcr.microsoft.com/dotnet/runtime-deps": ("dotnet", 1),
    "mcr.microsoft.com/dotnet/sdk": ("dotnet", 1),
}
# Lines of a product below a number had two numbers each.
_TWO_BELOW = {"dotnet": 5, "postgresql": 10}
# Names that images of a system have for its releases.
_NAMED = {
    "debian": {"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13"},
    "ubuntu": {"bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04"},
}
PRODUCTS = frozenset(product for product, _ in _IMAGES.values())
_PREFIXES = ("docker.io/library/", "docker.io/", "library/")
_FROM = re.compile(r"^\s*FROM\s+(?:--platform=\S+\s+)?(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)
_ARGUMENT = re.compile(r"^\s*ARG\s+(?P<name>\w+)=[\"']?(?P<value>[^\s\"']+)", re.IGNORECASE)
_USED = re.compile(r"\$\{?(?P<name>\w+)(?::-(?P<default>[^}]*))?\}?")
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")
_TARGET = re.compile(r"<TargetFrameworks?>\s*([^<]*?)\s*</TargetFrameworks?>")
# .NET of today, and .NET Core; .NET Framework is another product.
_MONIKER = re.compile(r"net(?:(?P<major>[5-9]|[1-9]\d)\.0(?:-[\w.]+)?|coreapp(?P<core>[1-3]\.\d))")


def _cycle(product: str, version: str, width: int) -> str | None:
    named = _NAMED.get(product, {}).get(version.partition("-")[0].lower())
    found = _NUMBERS.match(named or version)
    numbers = found[1].split(".") if found else []
    least = 2 if numbers and int(numbers[0][:9]) < _TWO_BELOW.get(product, 0) else width
    return ".".join(numbers[:least]) if len(numbers) >= least else None


def _need(kind: str, product: str, cycle: str | None) -> Iterator[Need]:
    if cycle is not None:
        yield Need(kind, product, cycle)


def dockerfile(text: str) -> Contents:
    """Read what the last stage of a Dockerfile builds on; the stages before it do not run."""
    arguments: dict[str, str] = {}
    stages: dict[str, str] = {}
    image = ""
    for line in text.splitlines():
        argument, stage = _ARGUMENT.match(line), _FROM.match(line)
        if argument is not None:
            arguments.setdefault(argument["name"], argument["value"])
        elif stage is not None:
            image = _USED.sub(lambda use: arguments.get(use["name"], use["default"] or ""), stage["image"])
            image = stages.get(image.lower(), image)
            if stage["name"]:
                stages[stage["name"].lower()] = image
    found = image_of(image)
    if found is None:
        return Contents()
    name, tag, _ = found
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    product, width = _IMAGES.get(name.replace("/dotnet/core/", "/dotnet/"), ("", 0))
    return Contents(tuple(_need(BASE_IMAGE, product, _cycle(product, tag or "", width)) if product else ()))


def runtime(image: str) -> Callable[[str], Contents]:
    """Return the reader of a file that holds one tool's version; the tool is named as its image."""
    product, width = _IMAGES[image]

    def read(text: str) -> Contents:
        return Contents(tuple(_need(RUNTIME, product, _cycle(product, text.strip().removeprefix(f"{image}-"), width))))

    return read


def global_json(text: str) -> Contents:
    """Read the SDK of a global.json."""
    try:
        version = str(json.loads(text.lstrip("\ufeff"))["sdk"]["version"])
    except LookupError:
        return Contents()
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableError from error
    return Contents(tuple(_need(RUNTIME, "dotnet", _cycle("dotnet", version, 1))))


def framework(text: str) -> Contents:
    """Read a project file: its packages, and the frameworks that it is built for."""
    named = {moniker.strip() for said in _TARGET.findall(text) for moniker in said.split(";")}
    cycles = sorted(match["major"] or match["core"] for name in named if (match := _MONIKER.fullmatch(name)))
    read = project(text)
    return replace(read, needs=(*read.needs, *(Need(FRAMEWORK, "dotnet", cycle) for cycle in cycles)))
