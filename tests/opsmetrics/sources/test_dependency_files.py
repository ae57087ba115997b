"""Manifests and lock files read whole: what each format says is in use, and what it cannot say."""

from __future__ import annotations

import subprocess

import pytest

from opsmetrics.sources.dependencies.files import PATHS, format_of
from opsmetrics.sources.dependencies.inventory import UNTOLD, Inventory
from opsmetrics.sources.dependencies.model import Package
from tests.patience import LIMIT_SECONDS

PNPM = """lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      a:
        specifier: ^1.0.0
        version: 1.2.3(b@2.0.0)
      mine:
        specifier: workspace:*
        version: link:../mine
      old:
        specifier: npm:real@^3.0.0
        version: real@3.1.4
  web:
    devDependencies:
      '@s/b':
        specifier: ~2.0.0
        version: 2.0.5
packages:
  other@9.9.9: {}
"""
PNPM_ITSELF = """---
lockfileVersion: '9.0'
importers:
  .:
    packageManagerDependencies:
      pnpm:
        specifier: 12.0.0
        version: 12.0.0
packages:
  pnpm@12.0.0: {}
snapshots:
  pnpm@12.0.0: {}
---
"""
YARN = """# yarn lockfile v1

"@s/b@^2.0.0", "@s/b@^2.0.1":
  version "2.0.5"

a@^1.0.0:
  version "1.2.3"
  dependencies:
    b "^2.0.0"
"""
BERRY = """__metadata:
  version: 8

"a@npm:^1.0.0, a@npm:^1.1.0":
  version: 1.2.3
  resolution: "a@npm:1.2.3"

"w@workspace:.":
  version: 0.0.0-use.local
"""
LOCK = '{"packages": {"": {}, "node_modules/a": {"version": "1.2.3"}, "web/node_modules/a": {"version": "1.9.0"}, "node_modules/a/node_modules/b": {"version": "7.0.0"}}}'
BUN = """{
  "lockfileVersion": 1,
  "workspaces": {"": {"dependencies": {"a": "^1.0.0"}}},
  "packages": {
    "a": ["a@1.2.3", "", {}, "sha512-x"],
    "@s/b": ["@s/b@2.0.5", "", { "dependencies": { "a": "^1.0.0" } }, "sha512-y"],
    "w": ["w@workspace:w"],
    "@s/b/a": ["a@0.9.0", "", {}, "sha512-z"],
  }
}
"""
COMPILED = """# by pip-compile
django==5.0.1 \\
    --hash=sha256:aa
    # via -r requirements.in
sqlparse==0.4.4
    # via django
Flask_Login[extra]==0.6 ; python_version > "3.8"
ranged>=1.0
git+https://x/y.git#egg=z
"""
PYPROJECT = """
[project]
dependencies = ["A_b==1.0", "c>=2", "d @ https://x/d.whl", "e[x]~=3.0"]
[project.optional-dependencies]
more = ["f===1.1"]
[dependency-groups]
dev = ["g==7.0", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.11"
h = "1.5.0"
i = {version = "^2.0", extras = ["x"]}
j = {path = "../j"}
"""
POETRY = '[[package]]\nname = "c"\nversion = "2.4"\n\n[[package]]\nname = "e"\nversion = "3.0.9"\n\n[[package]]\nname = "i"\nversion = "2.2.0"\n'
CSPROJ = """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><XVersion>4.1.0</XVersion></PropertyGroup><ItemGroup>
<PackageReference Include="One" Version="1.2.3" /><PackageReference Include="Two"><Version>[2.0.0]</Version></PackageReference>
<PackageReference Include="Three" Version="$(XVersion)" /><PackageReference Include="Four" Version="$(Elsewhere)" />
<PackageReference Include="Five" /><PackageReference Include="Six" Version="6.*" /></ItemGroup></Project>"""
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><parent><groupId>org.p</groupId><artifactId>parent</artifactId>
<version>3.2.1</version></parent><properties><x.version>1.4</x.version></properties><dependencies>
<dependency><groupId>org.a</groupId><artifactId>a</artifactId><version>${x.version}</version></dependency>
<dependency><groupId>org.b</groupId><artifactId>managed</artifactId></dependency>
<dependency><groupId>org.c</groupId><artifactId>c</artifactId><version>${parent.version}</version></dependency>
<dependency><groupId>org.own</groupId><artifactId>own</artifactId><version>${project.version}</version></dependency>
</dependencies><build><plugins><plugin><artifactId>maven-jar-plugin</artifactId><version>3.4.0</version></plugin></plugins></build></project>"""
CATALOGUE = """[versions]
ktor = "2.3.7"
rich = { strictly = "[1.0, 2.0[" }
[libraries]
ktor-core = { module = "io.ktor:ktor-core", version.ref = "ktor" }
slf4j = { group = "org.slf4j", name = "slf4j-api", version = "2.0.9" }
short = "org.x:x:1.1"
ranged = { module = "org.y:y", version.ref = "rich" }
bom = { module = "org.z:z" }
[plugins]
kotlin = { id = "org.jetbrains.kotlin.jvm", version = "1.9.0" }
"""
CARGO = """[dependencies]
serde = "1"
exact = "=1.0.2"
mine = { path = "../mine" }
renamed = { package = "real", version = "0.4" }
[workspace.dependencies]
tokio = { version = "1.30", features = ["full"] }
"""
CARGO_LOCK = "".join(
    f'[[package]]\nname = "{name}"\nversion = "{version}"\n\n'
    for name, version in (("serde", "1.0.190"), ("real", "0.4.7"), ("tokio", "1.33.0"), ("tokio", "0.2.1"))
)
GEMS = """GIT
  remote: https://x
  specs:
    forked (1.0)

GEM
  remote: https://y
  specs:
    rails (7.1.2)
      actioncable (= 7.1.2)
    nokogiri (1.15.4-x86_64-linux)

DEPENDENCIES
  forked!
  nokogiri
  rails (~> 7.1)
"""
GO = """module x
go 1.23
require (
\tgithub.com/a/b v1.2.3
\tgithub.com/c/d v0.0.0-20200101000000-abcdefabcdef
\tgithub.com/e/f v1.0.0 // indirect
\tgithub.com/g/h v2.0.0+incompatible
)
replace github.com/a/b => ../b
"""
COMPOSER = '{"require": {"php": "^8.2", "ext-json": "*", "monolog/monolog": "^3.0", "exact/one": "1.0.0"}}'
COMPOSER_LOCK = '{"packages": [{"name": "monolog/monolog", "version": "v3.5.0"}]}'
DOCKERFILE = """ARG NODE=20
FROM node:${NODE}.1-alpine AS build
FROM golang:1.22 AS tool
FROM mcr.microsoft.com/dotnet/aspnet:8.0-alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa AS final
FROM final
"""
NPM = '{"dependencies": {"a": "^1.0.0", "x": "1.0.0", "t": "latest", "old": "npm:real@^3.0.0"}, "devDependencies": {"@s/b": "^2.0.0", "w": "workspace:*", "g": "user/repo"}, "peerDependencies": {"p": "1.0.0"}}'
CASES: dict[str, tuple[dict[str, str], dict[str, str | tuple[str, ...]]]] = {
    "a range alone": ({"package.json": NPM}, {"a": UNTOLD, "x": "1.0.0", "t": UNTOLD, "real": UNTOLD, "@s/b": UNTOLD}),
    "npm's lock file above": (
        {"package-lock.json": LOCK, "web/package.json": '{"dependencies": {"a": "^1.0.0", "b": "^7.0.0"}}'},
        {"a": "1.9.0", "b": UNTOLD},
    ),
    "yarn": ({"package.json": NPM, "yarn.lock": YARN}, {"a": "1.2.3", "@s/b": "2.0.5"}),
    "yarn 2": ({"package.json": NPM, "yarn.lock": BERRY}, {"a": "1.2.3", "@s/b": UNTOLD}),
    "pnpm": (
        {"package.json": NPM, "web/package.json": '{"devDependencies": {"@s/b": "~2.0.0"}}', "pnpm-lock.yaml": PNPM},
        {"a": "1.2.3"},
    ),
    # pnpm 11 writes a document of its own before that of the projects.
    "pnpm 11": ({"package.json": NPM, "pnpm-lock.yaml": PNPM_ITSELF + PNPM}, {"a": "1.2.3", "real": "3.1.4"}),
    # The manifest names a catalogue, the lock file what it comes to.
    "a catalogue of pnpm": (
        {"package.json": '{"dependencies": {"a": "catalog:", "c": "catalog:next"}}', "pnpm-lock.yaml": PNPM},
        {"a": "1.2.3", "c": UNTOLD},
    ),
    "bun": (
        {"package.json": NPM, "bun.lock": BUN},
        {"a": "1.2.3", "x": "1.0.0", "t": UNTOLD, "real": UNTOLD, "@s/b": "2.0.5"},
    ),
    "a folder of requirements": ({"requirements/dev.txt": "a==1.1\n"}, {"a": "1.1"}),
    "what PDM asks for, and a lock file of PEP 751": (
        {
            "pyproject.toml": '[tool.pdm.dev-dependencies]\ntest = ["a>=1"]\n',
            "pylock.toml": 'lock-version = "1.0"\n\n[[packages]]\nname = "a"\nversion = "1.4"\n',
        },
        {"a": "1.4"},
    ),
    "pip-compile": ({"requirements.txt": COMPILED}, {"django": "5.0.1", "flask-login": "0.6", "ranged": UNTOLD}),
    "pyproject": (
        {"pyproject.toml": PYPROJECT, "poetry.lock": POETRY},
        {"a-b": "1.0", "c": "2.4", "e": "3.0.9", "f": "1.1", "g": "7.0", "h": "1.5.0", "i": "2.2.0"},
    ),
    "pipenv": (
        {"Pipfile": '[packages]\na = "*"\n', "Pipfile.lock": '{"default": {"a": {"version": "==1.1"}, "deep": {"version": "==2"}}}'},
        {"a": "1.1"},
    ),
    "project": ({"x/A.csproj": CSPROJ}, {"one": "1.2.3", "two": "2.0.0", "three": "4.1.0", "four": UNTOLD, "six": UNTOLD}),
    "central versions": (
        {"Directory.Packages.props": '<Project><ItemGroup><PackageVersion Include="A" Version="1.0.0"/></ItemGroup></Project>'},
        {"a": "1.0.0"},
    ),
    "tools": ({".config/dotnet-tools.json": '{"version": 1, "tools": {"dotnet-ef": {"version": "8.0.1"}}}'}, {"dotnet-ef": "8.0.1"}),
    "pom": (
        {"pom.xml": POM},
        {"org.p:parent": "3.2.1", "org.a:a": "1.4", "org.c:c": UNTOLD, "org.apache.maven.plugins:maven-jar-plugin": "3.4.0"},
    ),
    "catalogue": (
        {"gradle/libs.versions.toml": CATALOGUE},
        {"io.ktor:ktor-core": "2.3.7", "org.slf4j:slf4j-api": "2.0.9", "org.x:x": "1.1", "org.y:y": UNTOLD},
    ),
    "gradle": (
        {"build.gradle.kts": 'implementation("org.a:a:1.2.3")\nimplementation("org.b:b:$v")\nurl = "jdbc:h2:$name"\n'},
        {"org.a:a": "1.2.3", "org.b:b": UNTOLD},
    ),
    "names that stand for versions in Gradle": (
        {
            "build.gradle": "ext { set('cVersion', \"3.1\") }\next['d.version'] = '4.1'\n",
            "gradle.properties": "bVersion=2.1\n",
            "app/build.gradle.kts": (
                'val aVersion = "1.1"\nimplementation("no.a:a:$aVersion")\nimplementation("no.b:b:${bVersion}")\n'
                'implementation("no.c:c:${rootProject.extra["cVersion"]}")\nimplementation("no.e:e:${Versions.e}")\n'
            ),
            "web/build.gradle": (
                "implementation \"no.d:d:${property('d.version')}\"\n"
                "implementation group: 'no.f', name: 'f', version: '6.1'\n"
                "implementation group: 'no.g', name: 'g', version: bVersion\n"
            ),
        },
        {"no.a:a": "1.1", "no.b:b": "2.1", "no.c:c": "3.1", "no.d:d": "4.1", "no.e:e": UNTOLD, "no.f:f": "6.1", "no.g:g": "2.1"},
    ),
    "properties of a parent of Maven, and of .NET above": (
        {
            "pom.xml": "<project><artifactId>all</artifactId><properties><a.version>1.1</a.version></properties></project>",
            "web/pom.xml": "<project><artifactId>web</artifactId><dependencies><dependency><groupId>no.a</groupId><artifactId>a</artifactId><version>${a.version}</version></dependency></dependencies></project>",
            "Directory.Build.props": "<Project><PropertyGroup><BVersion>2.1.0</BVersion></PropertyGroup></Project>",
            "src/x/X.csproj": '<Project><ItemGroup><PackageReference Include="B" Version="$(BVersion)" /></ItemGroup></Project>',
        },
        {"no.a:a": "1.1", "b": "2.1.0"},
    ),
    "a lock file of NuGet": (
        {
            "a/A.csproj": '<Project><ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.*" /><PackageReference Include="Own.Lib" Version="[1.0,2.0)" /></ItemGroup></Project>',
            "a/packages.lock.json": '{"version": 1, "dependencies": {"net8.0": {"Newtonsoft.Json": {"type": "Direct", "requested": "[13.*, )", "resolved": "13.0.3"}, "own.lib": {"type": "Project"}}}}',
        },
        {"newtonsoft.json": "13.0.3"},
    ),
    "a lock file of Gradle": (
        {
            "build.gradle.kts": 'dependencies { implementation("org.x:y:1.+") }',
            "other/libs.versions.toml": '[libraries]\nz = "org.x:z:2.+"\n',
            "gradle.lockfile": "# This is a Gradle generated file\norg.x:y:1.4.2=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n",
        },
        {"org.x:y": "1.4.2", "org.x:z": UNTOLD},
    ),
    "elixir": (
        {
            "mix.exs": '[\n  # {:old, "~> 1.0"},\n  {:phoenix, "~> 1.7.0"},\n  {:own, path: "../own"},\n  {:jose, "1.11.6", only: [:dev], hex: :jose_x},\n  {:fork, "~> 1.0", github: "a/b"}\n]',
            "mix.lock": '%{\n  "fork": {:git, "https://x.example/a/b.git", "abc", []},\n  "phoenix": {:hex, :phoenix, "1.7.10", "02189", [:mix], [{:castore, ">= 0.0.0", []}], "hexpm", "cf"},\n}\n',
        },
        {"phoenix": "1.7.10", "jose_x": "1.11.6"},
    ),
    "dart": (
        {
            "app/pubspec.yaml": "name: app\ndependencies:\n  flutter:\n    sdk: flutter\n  http: ^1.1.0\n  any_of_them:\n  own:\n    path: ../own\ndev_dependencies:\n  lints: 2.1.1\n",
            "app/pubspec.lock": 'packages:\n  http:\n    dependency: "direct main"\n    source: hosted\n    version: "1.1.2"\n  own:\n    source: path\n    version: "0.0.1"\n',
        },
        {"http": "1.1.2", "any_of_them": UNTOLD, "lints": "2.1.1"},
    ),
    "cargo": (
        {"Cargo.lock": CARGO_LOCK, "crates/x/Cargo.toml": CARGO},
        {"serde": "1.0.190", "exact": "1.0.2", "real": "0.4.7", "tokio": "1.33.0"},
    ),
    "the last stage runs": ({"Dockerfile": DOCKERFILE}, {"dotnet": "8"}),
    "images": ({"a/Dockerfile": "FROM docker.io/library/python:3.11-slim", "b/Dockerfile": "FROM node:lts", "c/api.Dockerfile": "FROM own/x:1"}, {"python": "3.11"}),
    "runtimes": ({".nvmrc": "v22.3.0\n", ".python-version": "3.12\n", "global.json": '{"sdk": {"version": "8.0.100"}}'}, {"nodejs": "22", "python": "3.12", "dotnet": "8"}),
    "frameworks": ({"A.csproj": "<Project><PropertyGroup><TargetFrameworks>net8.0; netstandard2.0</TargetFrameworks></PropertyGroup></Project>"}, {"dotnet": "8"}),
    "gems": ({"Gemfile.lock": GEMS}, {"nokogiri": "1.15.4", "rails": "7.1.2"}),
    "go": ({"go.mod": GO}, {"github.com/c/d": "v0.0.0-20200101000000-abcdefabcdef", "github.com/g/h": "v2.0.0+incompatible"}),
    # The same module in another version, a fork, one version of a module, a folder.
    "what Go takes in place of a module": (
        {"go.mod": "module x\nrequire (\n\ta.no/a v0.30.1\n\ta.no/b v1.0.0\n\ta.no/c v1.0.0\n\ta.no/d v1.0.0\n)\nreplace a.no/a => a.no/a v0.30.2\nreplace (\n\ta.no/b => f.no/b v1.1.0\n\ta.no/c v0.9.0 => f.no/c v9.0.0\n\ta.no/d v1.0.0 => ./d\n)\n"},
        {"a.no/a": "v0.30.2", "f.no/b": "v1.1.0", "a.no/c": "v1.0.0"},
    ),
    "what Yarn changes after it came, and says where from": (
        {
            "package.json": '{"dependencies": {"a": "patch:a@npm%3A^1.0.0#~/.yarn/patches/a.patch", "@s/b": "patch:@s/b@npm%3A2.0.5#./b.patch", "c": "npm:^3.0.0", "7zip": "npm:7z@1.0.0"}}',
            "yarn.lock": BERRY.replace("a@npm:^1.1.0", "a@npm:^1.1.0, c@npm:^3.0.0"),
        },
        {"a": "1.2.3", "@s/b": "2.0.5", "c": "1.2.3", "7z": "1.0.0"},
    ),
    "extensions of a build and processors of annotations": (
        {"pom.xml": "<project><groupId>no.x</groupId><artifactId>x</artifactId><version>1</version><build><extensions><extension><groupId>no.e</groupId><artifactId>e</artifactId><version>1.1</version></extension></extensions><plugins><plugin><artifactId>p</artifactId><configuration><annotationProcessorPaths><path><groupId>no.p</groupId><artifactId>p</artifactId><version>2.1</version></path></annotationProcessorPaths></configuration></plugin></plugins></build></project>"},
        {"no.e:e": "1.1", "no.p:p": "2.1"},
    ),
    "what builds a project of Python, and one package for each system": (
        {
            "pyproject.toml": '[build-system]\nrequires = ["hatchling==1.2.0", "setuptools>=61"]\n[tool.poetry.dependencies]\na = [{version = "<=1.9", python = "<3.9"}, {version = "2.0", python = ">=3.9"}]\n',
            "poetry.lock": '[[package]]\ncategory = "main"\ndescription = "x"\nname = "a"\noptional = false\npython-versions = "*"\nversion = "1.9"\n',
        },
        {"hatchling": "1.2.0", "a": ("1.9", "2.0")},
    ),
    "files of Gradle of any name, in any case": (
        {"gradle/versions.gradle": "ext { aVersion = '1.1' }", "app/Build.gradle": 'implementation "no.a:a:$aVersion"', "PACKAGE.JSON": '{"dependencies": {"b": "1.0.0"}}'},
        {"no.a:a": "1.1", "b": "1.0.0"},
    ),
    "old lines, and releases by name": (
        {"a/Dockerfile": "FROM mcr.microsoft.com/dotnet/core/aspnet:3.1-alpine", "b/Dockerfile": "FROM postgres:9.6", "c/Dockerfile": "FROM debian:bullseye-slim", "d/Dockerfile": "FROM ubuntu:jammy-20240111", "global.json": '{"sdk": {"version": "3.1.100"}}', "A.csproj": "<Project><PropertyGroup><TargetFramework>netcoreapp3.1</TargetFramework></PropertyGroup></Project>"},
        {"dotnet": "3.1", "postgresql": "9.6", "debian": "11", "ubuntu": "22.04"},
    ),
    "composer": ({"composer.json": COMPOSER, "composer.lock": COMPOSER_LOCK}, {"monolog/monolog": "3.5.0", "exact/one": "1.0.0"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_in_use(name):
    files, expected = CASES[name]
    inventory = Inventory()
    inventory.apply(files.items())
    found = {package.name: used for package, used in inventory.versions().items()}
    assert {package: found.get(package) for package in expected} == {
        p: (v,) if isinstance(v, str) else v for p, v in expected.items()
    }
    if name not in {"yarn", "yarn 2", "pnpm", "pnpm 11"}:
        assert set(found) == set(expected), "and nothing else"
    assert not inventory.unread


# What a repository makes itself, and what came from a folder or another repository, is no package of a registry.
_OWN_POM = "<project><groupId>no.own</groupId><artifactId>{name}</artifactId>{more}</project>"
_PARENT = "<parent><groupId>no.own</groupId><artifactId>all</artifactId><version>1.0-SNAPSHOT</version></parent>"
_ASKED = "<dependencies><dependency><groupId>no.own</groupId><artifactId>web</artifactId><version>1.0</version></dependency></dependencies>"
OWN: dict[str, dict[str, str]] = {
    "modules of Maven": {
        "pom.xml": _OWN_POM.format(name="all", more=""),
        "web/pom.xml": f"<project>{_PARENT}<artifactId>web</artifactId></project>",
        "app/pom.xml": f"<project>{_PARENT}<artifactId>app</artifactId>{_ASKED}</project>",
    },
    "a workspace of npm": {
        "a/package.json": '{"name": "@own/a", "dependencies": {"@own/b": "^1.0.0", "@own/c": "1.0.0"}}',
        "b/package.json": '{"name": "@own/b"}',
        "package-lock.json": '{"packages": {"node_modules/@own/b": {"resolved": "b", "link": true}}}',
        "c/package.json": '{"name": "@own/c"}',
    },
    "a workspace of Yarn": {
        "a/package.json": '{"dependencies": {"b": "^1.0.0"}}',
        "yarn.lock": '"b@^1.0.0, b@workspace:b":\n  version: 0.0.0-use.local\n',
    },
    "a workspace of pnpm": {
        "package.json": '{"dependencies": {"b": "^1.0.0", "c": "git@github.com:own/c.git"}}',
        "pnpm-lock.yaml": "importers:\n  .:\n    dependencies:\n      b:\n        specifier: ^1.0.0\n        version: link:b\n",
    },
    "sources of uv": {
        "pyproject.toml": '[project]\nname = "all"\ndependencies = ["web", "fork>=1", "below>=1"]\n[tool.uv.sources]\nweb = {workspace = true}\nfork = {git = "https://x/fork"}\n',
        "uv.lock": '[[package]]\nname = "below"\nversion = "1.0"\nsource = { directory = "below" }\n',
    },
    "crates": {
        "Cargo.toml": '[dependencies]\nforked = "1"\n',
        "Cargo.lock": '[[package]]\nname = "forked"\nversion = "1.2.0"\nsource = "git+https://x/forked#0a1b"\n',
    },
    "modules of Go": {"go.mod": "module own.no/x\n", "tool/go.mod": "module own.no/x/tool\nrequire own.no/x v1.2.0\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_what_a_repository_makes_itself_is_nothing_that_it_takes(name):
    inventory = Inventory()
    inventory.apply(OWN[name].items())
    assert not inventory.versions()
    assert not inventory.unread


def test_what_a_repository_makes_is_own_from_then_on_and_until_it_is_gone():
    inventory = Inventory()
    asked = '{"dependencies": {"own": "1.0.0"}}'
    package = Package("npm", "own")
    assert inventory.apply([("a/package.json", asked)]) == {package: ("1.0.0",)}
    assert inventory.apply([("own/package.json", '{"name": "own"}')]) == {package: ()}
    assert inventory.apply([("own/package.json", None)]) == {package: ("1.0.0",)}


def test_a_property_that_changes_changes_what_is_in_use_below():
    inventory = Inventory()
    inventory.apply(
        [("app/build.gradle", 'implementation "no.a:a:$aVersion"'), ("gradle.properties", "aVersion=1.1\n")]
    )
    assert inventory.apply([("gradle.properties", "aVersion=1.2\n")]) == {Package("maven", "no.a:a"): ("1.2",)}
    assert inventory.apply([("gradle.properties", None)]) == {Package("maven", "no.a:a"): (UNTOLD,)}


def test_a_mark_before_the_first_sign_and_a_crate_before_one_and_what_go_excludes():
    inventory = Inventory()
    crates = '[[package]]\nname = "c"\nversion = "0.2.9"\n\n[[package]]\nname = "c"\nversion = "0.3.1"\n'
    files = {
        "package.json": "\ufeff" + '{"dependencies": {"a": "1.0.0"}}',
        "Cargo.toml": '[dependencies]\nc = "0.3"\n',
        "Cargo.lock": crates,
        "go.mod": "module x\nrequire own.no/g v1.2.0\nexclude (\n\town.no/g v1.1.0\n)\n",
    }
    inventory.apply(files.items())
    found = {package.name: used for package, used in inventory.versions().items()}
    assert found == {"a": ("1.0.0",), "c": ("0.3.1",), "own.no/g": ("v1.2.0",)}


@pytest.mark.parametrize("name", ["yarn", "yarn 2", "bun", "pnpm", "cargo", "pip-compile", "gems", "go"])
def test_ends_of_lines_of_windows_change_nothing(name):
    files, _ = CASES[name]
    as_it_is, as_on_windows = Inventory(), Inventory()
    as_it_is.apply(files.items())
    as_on_windows.apply([(path, text.replace("\n", "\r\n")) for path, text in files.items()])
    assert as_on_windows.versions() == as_it_is.versions()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", "{<<<<<<< HEAD"),
        ("package.json", "[]"),
        ("pom.xml", "<project>"),
        ("pyproject.toml", "a = = b"),
        ("a.csproj", ""),
        ("pnpm-lock.yaml", "a: [b"),
        ("composer.lock", '{"packages": [{"name": "x"}]}'),
        ("dotnet-tools.json", "{}"),
        ("package.json", "[" * 100_000),
    ],
)
def test_what_cannot_be_read_is_counted_and_says_nothing(path, text):
    inventory = Inventory()
    assert inventory.apply([(path, text)]) == {}
    assert dict(inventory.unread) == {path: 1}


def test_a_lock_file_that_changes_or_goes_changes_what_is_in_use():
    inventory = Inventory()
    manifest = '{"dependencies": {"a": "^1.0.0"}}'
    (used,) = inventory.apply([("package.json", manifest), ("package-lock.json", LOCK)]).values()
    assert used == ("1.2.3",)
    (used,) = inventory.apply([("package-lock.json", LOCK.replace("1.2.3", "1.2.4"))]).values()
    assert used == ("1.2.4",)
    (used,) = inventory.apply([("package-lock.json", None)]).values()
    assert used == (UNTOLD,)
    (used,) = inventory.apply([("package.json", None)]).values()
    assert used == ()


def test_what_is_never_rolled_out_is_left_out():
    """As Renovate's recommended preset has it: code of others, examples and tests."""
    assert format_of("web/package.json")
    left_out = ("node_modules/a", "vendor/x", "a/tests/fixtures", "examples/b", "src/__fixtures__", "Test")
    assert [format_of(f"{folder}/package.json") for folder in left_out] == [None] * len(left_out)


def test_git_is_asked_for_every_file_that_is_read(tmp_path):
    """Git's patterns and our own name the same files."""
    paths = {path for files, _ in CASES.values() for path in files}
    assert all(map(format_of, paths))
    git = ("git", "-C", str(tmp_path))
    subprocess.run((*git, "init", "-q"), check=True, timeout=LIMIT_SECONDS)
    blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    index = "".join(f"100644 {blob}\t{path}\n" for path in paths)
    add = (*git, "update-index", "--add", "--index-info")
    subprocess.run(add, input=index.encode(), check=True, timeout=LIMIT_SECONDS)
    said = subprocess.run(
        (*git, "ls-files", "-z", "--", *PATHS), check=True, capture_output=True, timeout=LIMIT_SECONDS
    )
    assert set(said.stdout.decode().split("\0")) - {""} == paths
