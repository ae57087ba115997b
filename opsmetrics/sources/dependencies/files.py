"""Which files are manifests or lock files of which ecosystem, and what is asked where (ADR 39)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath

from opsmetrics.sources.dependencies import dotnet, hex_pub, jvm, npm, others, platforms, python, toml
from opsmetrics.sources.dependencies.model import Contents


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        ecosystem: Whose.
        read: Its reader.
        is_lock: Whether it tells the versions of others' needs.
    """

    ecosystem: str
    read: Callable[[str], Contents]
    is_lock: bool = False


# Pattern of a file's name in lower case -> what it is; the first that fits.
_FORMATS: dict[str, Format] = {
    "package.json": Format("npm", npm.manifest),
    "package-lock.json": Format("npm", npm.package_lock, is_lock=True),
    "npm-shrinkwrap.json": Format("npm", npm.package_lock, is_lock=True),
    "yarn.lock": Format("npm", npm.yarn_lock, is_lock=True),
    "pnpm-lock.yaml": Format("npm", npm.pnpm_lock, is_lock=True),
    "bun.lock": Format("npm", npm.bun_lock, is_lock=True),
    "*requirements*.txt": Format("pypi", python.requirements),
    "pyproject.toml": Format("pypi", python.pyproject),
    "pipfile": Format("pypi", python.pipfile),
    "poetry.lock": Format("pypi", python.lock, is_lock=True),
    "uv.lock": Format("pypi", python.lock, is_lock=True),
    "pdm.lock": Format("pypi", python.lock, is_lock=True),
    "pylock*.toml": Format("pypi", python.lock, is_lock=True),
    "pipfile.lock": Format("pypi", python.pipfile_lock, is_lock=True),
    "*.csproj": Format("nuget", platforms.framework),
    "*.fsproj": Format("nuget", platforms.framework),
    "*.vbproj": Format("nuget", platforms.framework),
    "*.props": Format("nuget", platforms.framework),
    "*.targets": Format("nuget", dotnet.project),
    "packages.config": Format("nuget", dotnet.project),
    "packages.lock.json": Format("nuget", dotnet.lock, is_lock=True),
    "dotnet-tools.json": Format("nuget", dotnet.tools),
    "pom.xml": Format("maven", jvm.pom),
    "*.versions.toml": Format("maven", jvm.catalogue),
    "*.gradle": Format("maven", jvm.gradle),
    "*.gradle.kts": Format("maven", jvm.gradle),
    "gradle.properties": Format("maven", jvm.gradle_properties),
    "gradle.lockfile": Format("maven", jvm.gradle_lock, is_lock=True),
    "go.mod": Format("go", others.go_mod),
    "cargo.toml": Format("cargo", toml.cargo),
    "cargo.lock": Format("cargo", toml.lock, is_lock=True),
    "gemfile.lock": Format("rubygems", others.gemfile_lock),
    "composer.json": Format("packagist", others.composer),
    "*dockerfile*": Format(platforms.BASE_IMAGE, platforms.dockerfile),
    "*containerfile*": Format(platforms.BASE_IMAGE, platforms.dockerfile),
    ".nvmrc": Format(platforms.RUNTIME, platforms.runtime("node")),
    ".node-version": Format(platforms.RUNTIME, platforms.runtime("node")),
    ".python-version": Format(platforms.RUNTIME, platforms.runtime("python")),
    ".ruby-version": Format(platforms.RUNTIME, platforms.runtime("ruby")),
    "global.json": Format(platforms.RUNTIME, platforms.global_json),
    "composer.lock": Format("packagist", others.composer_lock, is_lock=True),
    "mix.exs": Format("hex", hex_pub.mix),
    "mix.lock": Format("hex", hex_pub.mix_lock, is_lock=True),
    "pubspec.yaml": Format("pub", hex_pub.pubspec),
    "pubspec.lock": Format("pub", hex_pub.pubspec_lock, is_lock=True),
}
# What git is asked for, as its own patterns: the same files, in whatever case their names are written.
PATHS = tuple(sorted({f":(icase)*{pattern.lstrip('*')}" for pattern in (*_FORMATS, "requirements/*.txt")}))
# A folder of requirements, one file for each purpose.
_REQUIREMENTS = "requirements"
# What Renovate's recommended preset leaves alone too: code of others, and what is never rolled out.
LEFT_OUT = frozenset(
    {"node_modules", "bower_components", "vendor", "examples", "__tests__", "test", "tests", "__fixtures__"}
)


@lru_cache(maxsize=16_384)
def format_of(path: str) -> Format | None:
    """Return what a file is; None for what is left out, or is neither manifest nor lock file."""
    file = PurePosixPath(path.lower())
    if LEFT_OUT & set(file.parts[:-1]):
        return None
    if file.parent.name == _REQUIREMENTS and file.suffix == ".txt":
        return _FORMATS["*requirements*.txt"]
    return next((found for pattern, found in _FORMATS.items() if fnmatchcase(file.name, pattern)), None)
