"""Reading versions out of diffs, pull requests and issue forms."""

from __future__ import annotations

import pytest

from opsmetrics.sources.github.issues import fields_of
from opsmetrics.sources.github.updates import Change as PullChange
from opsmetrics.sources.github.updates import changes_of as pull_changes
from opsmetrics.sources.manifests import changes_of, ecosystem_of, pin_of
from opsmetrics.sources.versions import direction_of, highest, is_update_title, update_type


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
    ecosystem = ecosystem_of(path)
    assert ecosystem is not None
    pin = pin_of(ecosystem, line)
    assert pin is not None
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
    assert pin_of(ecosystem_of(path) or "", line) is None


def test_lock_files_are_no_manifests():
    assert [ecosystem_of(name) for name in ("package-lock.json", "yarn.lock", "README.md")] == [None] * 3


def test_a_change_is_a_pair_in_one_file():
    diff = [
        "diff --git a/package.json b/package.json",
        '-    "a": "1.0.0",',
        '+    "a": "1.1.0",',
        '+    "new": "2.0.0",',
        "diff --git a/x/package.json b/x/package.json",
        '-    "b": "1.0.0",',
        "diff --git a/y/package.json b/y/package.json",
        '+    "b": "2.0.0",',
    ]
    (change,) = changes_of(diff)
    assert (change.before.version, change.after.version) == ("1.0.0", "1.1.0")


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
        ("latest", "1.0.0", "other", "unknown"),
        (None, "1.0.0", "unknown", "unknown"),
    ],
)
def test_kinds_of_change(old, new, kind, direction):
    assert (update_type(old, new), direction_of(old, new)) == (kind, direction)


def test_the_weightiest_kind():
    assert highest(["patch", "major", "digest"]) == "major"
    assert highest([]) == "unknown"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("chore(deps): update dependency a to v2", True),
        ("Bump x from 1 to 2", True),
        ("Deploy app-frontend 4.1.0 to cdn", False),
        ("fix: updated the text", False),
    ],
)
def test_titles(title, expected):
    assert is_update_title(title) is expected


BADGE = "[![age](https://b.invalid/badges/age/{}/{}/{}?slim=true)](https://b.invalid)"


def test_grouped_pull_requests_are_many_updates():
    """Badges first (encoded names), back-ticked arrows second; other tables are no updates."""
    body = "\n".join(
        [
            "| Package | Change | Age | Confidence |",
            "|---|---|---|---|",
            f"| [@a/b](https://x.invalid) | [`1.0.0` -> `1.1.0`](https://x.invalid) | {BADGE.format('npm', '%40a%2fb', '1.1.0')} |",
            "| node | `20` → `22` | |",
            "| Something | else |",
        ]
    )
    assert pull_changes("update all", body) == [
        PullChange("npm", "@a/b", "1.0.0", "1.1.0"),
        PullChange(None, "node", "20", "22"),
    ]


def test_dependabot_titles_and_the_unreadable():
    assert pull_changes("build(deps): Bump lodash from 4.17.20 to 4.17.21", "") == [
        PullChange(None, "lodash", "4.17.20", "4.17.21")
    ]
    assert pull_changes("Lock file maintenance", "text") == [PullChange(None, None, None, None)]


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
    found = fields_of(body)
    assert {name: str(value) for name, value in found.items()} == {
        "first_alert_at": "2026-10-02 08:20:00+02:00",
        "caused_by_deployment_id": "kystetaten/web#12",
    }
