"""Reading versions out of diffs, pull requests and issue forms."""

from __future__ import annotations

import pytest

from opsmetrics.sources.github.issue_forms import form_of
from opsmetrics.sources.manifest_pins import GAP, Line, Pin
from opsmetrics.sources.manifests import changes_of, distinct, pins_of
from opsmetrics.sources.versions import direction_of, highest, update_type


@pytest.mark.parametrize(
    ("path", "line", "package", "version", "digest"),
    [
        ("src/package.json", '    "@scope/pkg": "^1.2.3",', "@scope/pkg", "1.2.3", None),
        ("Directory.Packages.props", '<PackageVersion Include="A.B" Version="8.0.1" />', "A.B", "8.0.1", None),
        ("app.csproj", '  <PackageReference Include="xunit" Version="2.9.0">', "xunit", "2.9.0", None),
        ("global.json", '    "version": "8.0.100",', "dotnet-sdk", "8.0.100", None),
        (
            "Dockerfile",
            "FROM host.invalid/dotnet/sdk:8.0-alpine AS build",
            "host.invalid/dotnet/sdk",
            "8.0-alpine",
            None,
        ),
        ("Dockerfile", f"FROM node:20@sha256:{'ab' * 32}", "node", "20", "ab" * 6),
        (".github/workflows/a.yml", "      - uses: actions/checkout@v4", "actions/checkout", "v4", None),
        (
            ".github/workflows/a.yml",
            f"      uses: actions/checkout@{'c' * 40} # v4.1.0",
            "actions/checkout",
            "v4.1.0",
            "c" * 12,
        ),
        ("docker-compose.yml", "    image: postgres:15.4", "postgres", "15.4", None),
        ("deploy/app.yaml", '          image: "ghcr.invalid/app:1.0"', "ghcr.invalid/app", "1.0", None),
        ("go.mod", "\tgithub.com/a/b v1.4.0", "github.com/a/b", "v1.4.0", None),
        ("requirements.txt", "polars[all]==1.2.0", "polars", "1.2.0", None),
        (".tool-versions", "nodejs 20.1.0", "nodejs", "20.1.0", None),
    ],
)
def test_pins(path, line, package, version, digest):
    (pin,) = pins_of(path, [line])
    assert (pin.package, pin.version, pin.digest) == (package, version, digest)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("package.json", '  "version": "1.0.0",'),
        ("package.json", '  "main": "index.js",'),
        ("app.csproj", '<PackageReference Include="A" Version="$(Shared)" />'),
        ("Dockerfile", "FROM build"),
        (".github/workflows/a.yml", "    uses: ./.github/workflows/own.yml"),
    ],
)
def test_what_is_no_pin(path, line):
    assert pins_of(path, [line]) == []


def test_lock_files_are_no_manifests():
    line = '    "a": "1.0.0",'
    assert [pins_of(name, [line]) for name in ("package-lock.json", "yarn.lock", "README.md")] == [[]] * 3


# Path, lines (with a sign: changed), and what they pin: ecosystem, package, version.
BLOCKS = {
    "a chart's dependency, by the name above it": (
        "deploy/Chart.yaml",
        [" name: own", " version: 0.1.0", " dependencies:", "   - name: redis", "+    version: ~18.1.0", "     repository: oci://charts.invalid"],
        [("helm", "redis", "18.1.0")],
    ),
    "a chart's own version is none": ("deploy/Chart.yaml", [" name: own", "+version: 0.2.0", "+appVersion: 1.2.0"], []),
    "Flux and Argo CD name charts": (
        "apps/redis.yaml",
        [" spec:", "   chart:", "     spec:", "       chart: redis", '+      version: "18.1.0"', "---", " source:", "   chart: nginx", "+  targetRevision: 15.1.0"],
        [("helm", "redis", "18.1.0"), ("helm", "nginx", "15.1.0")],
    ),
    "an image in values": (
        "deploy/values.yaml",
        [" image:", "   registry: host.invalid", "   repository: team/app", '+  tag: "1.2.0"', "   pullPolicy: Always"],
        [("kubernetes-yaml", "host.invalid/team/app", "1.2.0")],
    ),
    "an image with its tag apart": ("config.yaml", [" image: host.invalid/app", '+tag: "1.2.0"'], [("kubernetes-yaml", "host.invalid/app", "1.2.0")]),
    "images of Kustomize": (
        "env/kustomization.yaml",
        [" images:", "   - name: host.invalid/a", "+    newTag: 1.2.0", "   - name: host.invalid/b", "+    newTag: 1.3.0"],
        [("kubernetes-yaml", "host.invalid/a", "1.2.0"), ("kubernetes-yaml", "host.invalid/b", "1.3.0")],
    ),
    "images in lists": ("job.yaml", ["+      - image: nginx:1.27", "+      - name: x"], [("kubernetes-yaml", "nginx", "1.27")]),
    "a version without its name is no pin": ("lgtm.yml", ["     dotnet:", "+      version: 3.1.101"], []),
    "a hook": (".pre-commit-config.yaml", [" repos:", "   - repo: https://host.invalid/ruff", "+    rev: v0.9.1"], [("pre-commit", "https://host.invalid/ruff", "0.9.1")]),
    "a provider by its source": (
        "infra/main.tf",
        [" terraform {", "   required_providers {", "     azurerm = {", '       source  = "hashicorp/azurerm"', '+      version = "~> 4.1.0"', "     }", "   }", '+  required_version = ">= 1.9.0"', " }"],
        [("terraform", "hashicorp/azurerm", "4.1.0"), ("terraform", "hashicorp/terraform", "1.9.0")],
    ),
    "conditions of Terraform, and Terragrunt's sources": (
        "infra/main.tf",
        ["     azurerm = {", '       source  = "hashicorp/azurerm"', '+      version = ">= 4.1.0, < 5.0.0"', "     }", '+  required_version = ">= 1.9.0, < 2.0.0"'],
        [("terraform", "hashicorp/azurerm", "4.1.0, < 5.0.0"), ("terraform", "hashicorp/terraform", "1.9.0, < 2.0.0")],
    ),
    "a source of Terragrunt": ("live/db/terragrunt.hcl", [" terraform {", '+  source = "git::https://host.invalid/db.git//x?ref=v1.4.0"'], [("terraform", "https://host.invalid/db.git//x", "1.4.0")]),
    "a lock file of Terraform is none": (".terraform.lock.hcl", [' provider "host.invalid/hashicorp/dns" {', '+  version = "3.4.0"'], []),
    "a dependency of Maven, a property, and the project's own version": (
        "pom.xml",
        [" <groupId>no.invalid</groupId>", " <artifactId>own</artifactId>", "+<version>2.0.0</version>", "+<felles.version>1.2.0</felles.version>", "+<java.version>21</java.version>",
         " <dependency>", "   <groupId>no.invalid</groupId>", "   <artifactId>a</artifactId>", "+  <version>1.3.0</version>", " </dependency>"],
        [("maven-property", "felles", "1.2.0"), ("maven", "no.invalid:a", "1.3.0")],
    ),
    "coordinates and plugins of Gradle": (
        "app/build.gradle.kts",
        ['+    implementation("no.invalid:a:1.3.0")', '+    id("no.invalid.plugin") version "2.1.0"', '+val fellesVersion = "1.2.0"', '+version = "9.0.0"', '+val appVersion = "9.0.0"'],
        [("maven", "no.invalid:a", "1.3.0"), ("gradle-plugin", "no.invalid.plugin", "2.1.0"), ("maven-property", "felles", "1.2.0")],
    ),
    "a catalogue of Gradle": (
        "gradle/libs.versions.toml",
        ['+felles = "1.2.0"', '+a = { module = "no.invalid:a", version = "1.3.0" }', '+b = "no.invalid:b:1.4.0"', '+c = { module = "no.invalid:c", version.ref = "felles" }'],
        [("maven", "no.invalid:a", "1.3.0"), ("maven", "no.invalid:b", "1.4.0"), ("maven-property", "felles", "1.2.0")],
    ),
    "coordinates of Gradle part by part, and versions that Spring's own start writes": (
        "build.gradle",
        ["+    implementation group: 'no.invalid', name: 'a', version: '1.3.0'", "+    set('springCloudVersion', \"2023.0.3\")", "+ext['groovy.version'] = '4.0.17'"],
        [("maven-property", "springCloud", "2023.0.3"), ("maven-property", "groovy", "4.0.17"), ("maven", "no.invalid:a", "1.3.0")],
    ),
    "a catalogue of Gradle part by part": (
        "gradle/libs.versions.toml", ['+a = { group = "no.invalid", name = "a", version = "1.3.0" }'], [("maven", "no.invalid:a", "1.3.0")]
    ),
    "a property of Maven whose name begins with what it is": ("pom.xml", [" <properties>", "+<version.no.invalid>1.3.0</version.no.invalid>"], [("maven-property", "no.invalid", "1.3.0")]),
    "a property of .NET, and versions of what is made": (
        "Directory.Packages.props",
        [" <PropertyGroup>", "+    <AspnetVersion>8.0.2</AspnetVersion>", "+    <AssemblyVersion>2.0.0</AssemblyVersion>", "+    <Version>2.0.0</Version>", "+    <LangVersion>12</LangVersion>"],
        [("nuget-property", "Aspnet", "8.0.2")],
    ),
    "ranges that begin with their end": (
        "pyproject.toml", ['+    "a[x]<1.0.0,>=0.4.2",', '+    "b (>=2.1,<3.0)",', '+c = "<3,>=2.2"'], [("pypi", "a", "0.4.2"), ("pypi", "b", "2.1"), ("pypi", "c", "2.2")]
    ),
    "a list in one line": ("pyproject.toml", ['+requires = ["setuptools~=68.0.0", "wheel~=0.46.1"]'], [("pypi", "setuptools", "68.0.0"), ("pypi", "wheel", "0.46.1")]),
    "ranges of Rust": ("Cargo.toml", ['+a = ">=0.52, <0.60"', '+b = "<2, >=1.1"'], [("cargo", "a", "0.52"), ("cargo", "b", "1.1")]),
    "a dependency with a table of its own": (
        "Cargo.toml",
        [" [dependencies.uuid]", '+version = "1.18.0"', " [package]", '+version = "0.2.0"'],
        [("cargo", "uuid", "1.18.0")],
    ),
    "any patch of a chart's line": (
        "Chart.yaml", ["   - name: alertmanager", '+    version: "1.16.*"', "     repository: https://charts.invalid"], [("helm", "alertmanager", "1.16.*")]
    ),
    "another document": ("a.yaml", [" image: host.invalid/a", " ---", "+tag: 1.2.0"], []),
    "the programs that build": (
        "gradle/wrapper/gradle-wrapper.properties", ["+distributionUrl=https\\://host.invalid/gradle-8.5-bin.zip"], [("tool", "gradle", "8.5")]
    ),
    "Rust": ("Cargo.toml", ['+version = "0.2.0"', '+edition = "2024"', '+serde = { version = "1.0.2", features = ["a"] }', '+log = "0.4.2"'], [("cargo", "serde", "1.0.2"), ("cargo", "log", "0.4.2")]),
    "Ruby and PHP": ("Gemfile", ['+gem "rails", "~> 7.1"'], [("rubygems", "rails", "7.1")]),
    "PHP": ("composer.json", ['+    "a/b": "^1.1 || ^2.0",', '+    "php": "^8.2",'], [("packagist", "a/b", "1.1 || ^2.0")]),
    "Elixir": (
        "apps/web/mix.exs",
        ['+      version: "0.2.0",', '+      elixir: "~> 1.18",', '+      # {:old, "~> 9.0"},', '+      {:plug, "~> 1.16 or ~> 2.0", only: :dev},', '+      {:own, "1.2.0", hex: :felles},', '+      {:near, path: "../near"}, {:last, ">= 1.0.0"}'],
        [("hex", "plug", "1.16 or ~> 2.0"), ("hex", "felles", "1.2.0"), ("hex", "last", "1.0.0")],
    ),
    "Dart": (
        "pkgs/web/pubspec.yaml",
        ["+version: 1.4.0", " environment:", "+  sdk: ^3.9.0", " dependencies:", "+  analyzer: '>=8.1.1 <15.0.0'", "+  http: ^1.2.0", "+  any_of: any", "+  beside:", "+    path: ../beside"],
        [("pub", "analyzer", "8.1.1 <15.0.0"), ("pub", "http", "1.2.0")],
    ),
    "ranges of npm": ("package.json", ['+    "a": "^1.0.0 || ^2.0.0",', '+    "b": ">=1.0.0 <2.0.0"'], [("npm", "a", "1.0.0 || ^2.0.0"), ("npm", "b", "1.0.0 <2.0.0")]),
    "a catalogue of pnpm": ("pnpm-workspace.yaml", [" catalog:", "+  react: ^19.0.0", '+  "@a/b": 1.1.0', "+minimumReleaseAge: 4320"], [("npm", "react", "19.0.0"), ("npm", "@a/b", "1.1.0")]),
    "requirements in a folder": ("requirements/dev.txt", ["+polars==1.2.0"], [("pypi", "polars", "1.2.0")]),
    "constraints": ("constraints.txt", ["+polars==1.2.0"], [("pypi", "polars", "1.2.0")]),
    "what setup.py asks of Python is none": ("setup.py", ['+    python_requires=">=3.11",', "+        'polars>=1.2.0',"], [("pypi", "polars", "1.2.0")]),
    "tool versions with their maker": (".tool-versions", ["+java temurin-21.0.1+12"], [("tool", "java", "temurin-21.0.1+12")]),
    "tool versions in mise's own folder": (".config/mise/config.toml", ['+node = ["22.1.0", "20"]', '+min_version = "2026.1.0"'], [("tool", "node", "22.1.0")]),
    "what Flux and Argo CD roll out from elsewhere": (
        "apps/a.yaml",
        [" kind: OCIRepository", " spec:", "   url: oci://host.invalid/a", "   ref:", "+    tag: 1.1.0", "---", " spec:", "   source:", "     repoURL: https://host.invalid/b", "+    targetRevision: v2.0.0"],
        [("flux", "host.invalid/a", "1.1.0"), ("git", "https://host.invalid/b", "v2.0.0")],
    ),
    "what Kustomize takes from another repository": ("env/kustomization.yaml", [" resources:", "+  - https://host.invalid/a//base?ref=v1.1.0"], [("kustomize", "https://host.invalid/a//base", "v1.1.0")]),
    "an include of GitLab": (".gitlab-ci.yml", [" include:", "   - project: a/b", "+    ref: v2.0.0"], [("gitlab-ci", "a/b", "v2.0.0")]),
    "a task of Azure Pipelines": ("azure-pipelines.yml", [" steps:", "+  - task: UseDotNet@2"], [("azure-pipelines", "UseDotNet", "2")]),
    "a syntax of Dockerfiles": ("Dockerfile", ["+# syntax=docker/dockerfile:1.7"], [("docker", "docker/dockerfile", "1.7")]),
    "a container to develop in": (
        ".devcontainer/devcontainer.json",
        ['+  "image": "host.invalid/base:2",', '+    "host.invalid/features/node:1": {'],
        [("docker", "host.invalid/base", "2"), ("docker", "host.invalid/features/node", "1")],
    ),
    "an extension of Bicep": ("bicepconfig.json", ['+    "graph": "br:host.invalid/bicep/graph:0.2.0"'], [("bicep", "br:host.invalid/bicep/graph", "0.2.0")]),
    "attributes on lines of their own, and other marks": (
        "a.csproj",
        ["   <PackageReference", '     Include="A.B"', '+    Version="1.2.0" />', "+  <PackageReference Include='C' Version='1.0.0' />"],
        [("nuget", "C", "1.0.0"), ("nuget", "A.B", "1.2.0")],
    ),
    "a provider in one line": ("infra/main.tf", ['+    dns = { source = "hashicorp/dns", version = "3.4.0" }'], [("terraform", "hashicorp/dns", "3.4.0")]),
    "a module of a registry, and one of git": (
        "infra/main.tf",
        [' module "net" {', '   source  = "Azure/network/azurerm"', '+  version = "5.3.0"', " }", ' module "db" {', '+  source = "git::https://host.invalid/db.git//x?ref=v1.4.0"', " }"],
        [("terraform", "Azure/network/azurerm", "5.3.0"), ("terraform", "https://host.invalid/db.git//x", "1.4.0")],
    ),
    "an API version of Bicep": (
        "infra/app.bicep",
        ["+resource app 'Microsoft.App/containerApps@2024-03-01' = {", "+module net 'br/public:avm/res/network:0.5.1' = {"],
        [("bicep", "microsoft.app/containerapps", "2024-03-01"), ("bicep", "br/public:avm/res/network", "0.5.1")],
    ),
    "direct modules of Go, and its own version": (
        "go.mod",
        ["+go 1.25.0", " require (", "+	host.invalid/a/b v1.4.0", "+	host.invalid/c/d v1.5.0 // indirect", "+replace host.invalid/e => host.invalid/f v1.0.0"],
        [("go", "host.invalid/a/b", "v1.4.0"), ("go", "go", "1.25.0"), ("go", "host.invalid/f", "v1.0.0")],
    ),
    "one repository of actions is one package": (
        ".github/workflows/scan.yml",
        [f"+      - uses: github/codeql-action/init@{'c' * 40} # v4.1.0", f"+      - uses: github/codeql-action/analyze@{'c' * 40} # v4.1.0"],
        [("github-actions", "github/codeql-action", "v4.1.0")] * 2,
    ),
    "tools that a workflow asks for": (
        ".github/workflows/build.yml",
        [
            "       - uses: golangci/golangci-lint-action@v8", "         with:", "+          version: v2.5.0",
            "       - uses: actions/setup-dotnet@v5", "         with:", '+          dotnet-version: "9.0.x"',
            "       - run: x", "+        version: 2.0.0",
        ],
        [("toolchain", "dotnet", "9.0.x"), ("tool", "golangci-lint", "2.5.0")],
    ),
    "tool versions": (".mise.toml", [" [tools]", '+node = "22.1.0"', '+"npm:prettier" = "3.1.0"'], [("tool", "node", "22.1.0"), ("tool", "npm:prettier", "3.1.0")]),
    "a version of a makefile": ("Makefile", ["+GOLANGCI_LINT_VERSION ?= v2.5.0"], [("tool", "GOLANGCI_LINT", "v2.5.0")]),
    "a file that is a version": (".nvmrc", ["+v22.1.0"], [("tool", "node", "v22.1.0")]),
    "a version that a comment names, in any file": (
        "scripts/install.sh",
        [" # renovate: datasource=github-releases depName=helm/helm", "+HELM_VERSION=v3.16.0", "+OTHER_VERSION=v1.0.0"],
        [("github-releases", "helm/helm", "3.16.0")],
    ),
    "tools of .NET": ("dotnet-tools.json", ['     "dotnet-ef": {', '+      "version": "9.0.1",'], [("nuget", "dotnet-ef", "9.0.1")]),
    "a version that is an element": ("a.csproj", ['   <PackageReference Include="A.B">', "+    <Version>1.2.0</Version>"], [("nuget", "A.B", "1.2.0")]),
    "the attributes the other way round": ("a.csproj", ['+<PackageReference Version="[1.2.0]" Include="A.B" />'], [("nuget", "A.B", "1.2.0")]),
    "a package manager": ("package.json", ['+  "packageManager": "yarn@4.2.1",'], [("npm", "yarn", "4.2.1")]),
    "requirements": ("pyproject.toml", ['+  "fastapi[all]==0.115.0",', '+httpx = "^0.28.1"', '+version = "1.0.0"'], [("pypi", "fastapi", "0.115.0"), ("pypi", "httpx", "0.28.1")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_pins_that_lines_around_them_name(name):
    path, text, expected = BLOCKS[name]
    lines = [Line(line[1:], line.startswith("+")) for line in text]
    assert [(pin.ecosystem, pin.package, pin.version) for pin in pins_of(path, lines)] == expected


def test_pieces_of_a_diff_are_read_by_themselves():
    """Their lines may stand equally deep, and belong to mappings far from each other."""
    pieces = [
        "       chart: redis",
        "+      version: 4.0.0",
        "@@",
        "       repository: host.invalid/app",
        "       tag: v3.3.2",
    ]
    lines = [GAP if line == "@@" else Line(line[1:], line.startswith("+")) for line in pieces]
    assert pins_of("helm-release.yaml", lines) == [Pin("helm", "redis", "4.0.0")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("package.json", '"a": "1' + "  1" * 40 + '!"'),
        ("composer.json", '"a/b": "1' + "  1" * 40 + '!"'),
        ("main.tf", 'x = { source = "a/b", version = "1' + " ,  1" * 40 + '!" }'),
        ("apps/a.yaml", "- { chart: a }"),
    ],
)
def test_a_line_that_nobody_writes_takes_no_time(path, line):
    """One such line of one repository would have held the source until its bound."""
    assert pins_of(path, [line]) == []
    assert pins_of("Chart.yaml", [Line("- chart: a", False), Line("  version: 1" + "  1" * 40 + "!", True)]) == []
    assert update_type("<1 " + "< 1  " * 400 + "!", "1") != "unknown"


def test_a_change_is_a_pair_in_one_file():
    old, new = (
        [Line(text, True) for text in side]
        for side in (['"a": "1.0.0",', '"b": "1.0.0"'], ['"a": "1.1.0",', '"c": "2.0.0"'])
    )
    (change,) = changes_of("package.json", old, new)
    assert (change.before.version, change.after.version) == ("1.0.0", "1.1.0")


def test_a_package_that_stands_twice_is_compared_place_by_place():
    old, new = ([Line(f"FROM node:{tag}", True) for tag in tags] for tags in (("20", "20-slim"), ("22", "22-slim")))
    found = [(change.before.version, change.after.version) for change in changes_of("Dockerfile", old, new)]
    assert found == [("20", "22"), ("20-slim", "22-slim")]


def test_several_old_api_versions_that_become_one_are_one_change():
    lines = [[Line(f"'Microsoft.Web/sites@{day}'", True)] for day in ("2021-01-01", "2022-01-01", "2024-01-01")]
    found = [change for old in lines[:2] for change in changes_of("a.bicep", old, lines[2])]
    assert [change.after for change in distinct(found)] == [Pin("bicep", "microsoft.web/sites", "2024-01-01")]


@pytest.mark.parametrize(
    ("old", "new", "kind", "direction"),
    [
        ("1.2.3", "2.0.0", "major", "up"),
        ("1.2", "1.3.0", "minor", "up"),
        ("v1.2.3", "1.2.4", "patch", "up"),
        ("^1.2.3", "1.2.2", "patch", "down"),
        ("1.0.0-rc.1", "1.0.0", "prerelease", "same"),
        ("8.0-alpine", "8.0-noble", "suffix", "same"),
        ("0a1b2c3d", "1b2c3d4e", "digest", "unknown"),
        ("v4", "0a1b2c3d4e5f", "pin", "unknown"),
        ("1.2.3.4", "1.2.3.5", "patch", "up"),
        ("<4.0.0,>=3.1.13", ">=3.3.4,<4.0.0", "minor", "up"),
        ("< 8, >= 7.4", "< 9, >= 8.0", "major", "up"),
        ("latest", "1.0.0", "other", "unknown"),
        (None, "1.0.0", "unknown", "unknown"),
    ],
)
def test_kinds_of_change(old, new, kind, direction):
    assert (update_type(old, new), direction_of(old, new)) == (kind, direction)


def test_the_weightiest_kind():
    assert highest(["patch", "major", "digest"]) == "major"
    assert highest([]) == "unknown"


def test_issue_forms_give_instants_and_codes_only():
    body = """### Varslet av alarm

2026-10-02T08:20:00+02:00

### Signatur

kunden mistet alt

### Utløst av

kystetaten/web#12

### Beskrivelse

2026-10-02T09:00:00Z ring 99 99 99 99

### Løst

_No response_
"""
    found = form_of(body).fields
    assert found == {
        "first_alert_at": "2026-10-02T08:20:00+02:00",
        "caused_by_deployment_id": "kystetaten/web#12",
    }
