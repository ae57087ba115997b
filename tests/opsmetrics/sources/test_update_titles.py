"""Titles of update bots, in the forms that public repositories show."""

from __future__ import annotations

import pytest

from opsmetrics.sources.update_titles import UpdateTitle, is_update_title, read_title

ONE = {
    "Bump lodash from 4.17.20 to 4.17.21": ("lodash", "4.17.20", "4.17.21"),
    "build(deps-dev): bump @types/node from 22.1.0 to 22.2.0 in /src/frontend (#12)": ("@types/node", "22.1.0", "22.2.0"),
    "Merged PR 1234: chore(deps): bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "[Security] Bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "⬆️ Bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "Update polars requirement from <1.2,>=1.0 to >=1.0,<1.3": ("polars", "<1.2,>=1.0", ">=1.0,<1.3"),
    "chore(deps): bump actions/checkout from 4 to 5": ("actions/checkout", "4", "5"),
    "chore(deps): bump nginx from `0a1b2c3` to `1b2c3d4`": ("nginx", "0a1b2c3", "1b2c3d4"),
    "Update dependency vite to v6.2.7 [SECURITY]": ("vite", None, "v6.2.7"),
    "fix(deps): update dependency org.example:starter to v3.3.1 (#13012)": ("org.example:starter", None, "v3.3.1"),
    "chore(deps): update dependency @types/k6 to v1.6.0 (pdf) (#17)": ("@types/k6", None, "v1.6.0"),
    "chore(deps): update resource microsoft.app/jobs to 2024-03-01 - abandoned": ("microsoft.app/jobs", None, "2024-03-01"),
    "chore(deps): update python Docker tag to v3.13": ("python", None, "v3.13"),
    "chore(deps): update host.invalid/static:nonroot docker digest to 2b7c93f": ("host.invalid/static", None, "2b7c93f"),
    "Update actions/setup-go action to v6": ("actions/setup-go", None, "v6"),
    "fix(deps): update module host.invalid/a/b to v2": ("host.invalid/a/b", None, "v2"),
    "Update Helm release redis to v20.1.0": ("redis", None, "v20.1.0"),
    "Update Terraform azurerm to v4": ("azurerm", None, "v4"),
    "Update Rust crate serde to v1.0.200": ("serde", None, "v1.0.200"),
    "chore(deps): update node.js to v22.21.1": ("node.js", None, "v22.21.1"),
    "Pin dependency prettier to 3.1.0": ("prettier", None, "3.1.0"),
    # What stands behind a version is none of it.
    "Bump ini from 1.3.5 to 1.3.8 in the npm group across 1 directory": ("ini", "1.3.5", "1.3.8"),
    "Bump ini from 1.3.5 to 1.3.8 in /web in the small things group": ("ini", "1.3.5", "1.3.8"),
    "Bump ini from 1.3.5 to 1.3.8 (via audit fix) in /web": ("ini", "1.3.5", "1.3.8"),
    "Update polars requirement from ~=1.0 to >=1.0,<3 in the py group": ("polars", "~=1.0", ">=1.0,<3"),
    "Update polars requirement to >=1.0,<3": ("polars", None, ">=1.0,<3"),
    "Update dependency pakke to >=1.0,<3": ("pakke", None, ">=1.0,<3"),
    "Update host.invalid/lager Docker tag to RELEASE.2026-01-02": ("host.invalid/lager", None, "RELEASE.2026-01-02"),
    "Update host.invalid:5000/lager:8.0 Docker digest to 2b7c93f": ("host.invalid:5000/lager", None, "2b7c93f"),
    "Update helm values lager to v2": ("lager", None, "v2"),
    "Update TFLint plugin azurerm to v0.2": ("azurerm", None, "v0.2"),
    "Update go toolchain directive to v1.22": ("go", None, "v1.22"),
    "Update poetry tool constraint to v2": ("poetry", None, "v2"),
    # What stands before the verb is whatever people configure.
    "Draft: chore(deps): update dependency pakke to v2": ("pakke", None, "v2"),
    "[OPS-12] [deps]: bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "OPS-12 bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "⬆️(deps): Bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "deps/npm: bump ini from 1.3.5 to 1.3.8": ("ini", "1.3.5", "1.3.8"),
    "rebase! Update dependency pakke to v2": ("pakke", None, "v2"),
}  # fmt: skip


@pytest.mark.parametrize("title", ONE)
def test_titles_that_name_one_package(title):
    found = read_title(title)
    assert (found.package, found.old, found.new) == ONE[title]
    assert is_update_title(title)


OTHERS = {
    "Bump the npm group with 3 updates": UpdateTitle(count=3),
    "build(deps): bump the go-deps group across 2 directories with 11 updates": UpdateTitle(count=11),
    "Bump the all group in /frontend with 1 update": UpdateTitle(count=1, directory="/frontend"),
    "Bump json5 and webpack in /web": UpdateTitle(packages=("json5", "webpack"), count=2, directory="/web"),
    "chore(deps): bump a, b and c": UpdateTitle(packages=("a", "b", "c"), count=3),
    "Bump lodash in /web": UpdateTitle(packages=("lodash",), count=1, directory="/web"),
    "Replace dependency old-name with @new/name 3.1.0": UpdateTitle("old-name", None, None, ("old-name",), 1),
    "chore(deps): remove dependency old-name from job": UpdateTitle("old-name", None, None, ("old-name",), 1),
    "chore(deps): lock file maintenance": UpdateTitle(has_no_package=True),
    "Lock file maintenance - autoclosed": UpdateTitle(has_no_package=True, is_closed_by_bot=True),
    "Update all non-major dependencies": UpdateTitle(),
    "fix(deps): update npm non-major dependencies (app) (patch) (#19)": UpdateTitle(directory="app"),
    "Update dependency a to v2.1.0 (web) (minor)": UpdateTitle("a", None, "v2.1.0", ("a",), 1, "web"),
    "chore(deps): pin dependencies": UpdateTitle(),
    "Bump lodash across 3 directories": UpdateTitle(packages=("lodash",), count=1),
    "Bump json5 and webpack in the npm group across 1 directory": UpdateTitle(packages=("json5", "webpack"), count=2),
    "Update requirements for a, b and c in /docs": UpdateTitle(packages=("a", "b", "c"), count=3, directory="/docs"),
    'Bump the "all infra" group with 4 updates across multiple ecosystems': UpdateTitle(count=4),
    "Replace old-name Docker tag with host.invalid/new 1.0": UpdateTitle("old-name", None, None, ("old-name",), 1),
    "chore(deps): refresh pip-compile outputs": UpdateTitle(has_no_package=True),
    "Draft: chore(deps): lock file maintenance": UpdateTitle(has_no_package=True),
}  # fmt: skip


@pytest.mark.parametrize("title", OTHERS)
def test_other_titles(title):
    assert read_title(title) == OTHERS[title]
    assert is_update_title(title)


@pytest.mark.parametrize(
    "title",
    [
        *("Configure Renovate", "chore: Configure Renovate", "chore(config): migrate renovate config", "Add renovate.json"),
        *("Deploy app-frontend 4.1.0 to cdn", "fix: updated the text"),
    ],
)  # fmt: skip
def test_what_is_no_update(title):
    assert not is_update_title(title)
    assert read_title(title) == UpdateTitle()


def test_marks():
    assert read_title("Update dependency a to v2 [SECURITY]").is_security
    assert read_title("Update dependency a to v2 - autoclosed").is_closed_by_bot
    assert read_title("Update dependency a to v2 - autoclosed").package == "a"
    assert not read_title("Update dependency a to v2 - abandoned").is_closed_by_bot
