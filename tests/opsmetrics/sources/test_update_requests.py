"""Update requests of Renovate and Dependabot: what they change, and what became of them.

The forms are those of public repositories, from the bots' first years to today, with other packages and versions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsmetrics.sources.github.update_bodies import UNKNOWN, Change, read_request
from opsmetrics.sources.github.update_requests import episodes_of
from opsmetrics.sources.update_titles import shape_of

NEW_BADGE = "[![age](https://b.invalid/api/mc/badges/age/{}/{}/{}?slim=true)](https://b.invalid)"
OLD_BADGE = "[![age](https://b.invalid/packages/{}/{}/{}/age-slim)](https://b.invalid)"
DIFF = "[`{0}` -> `{1}`](https://x.invalid/diffs/{0}/{1})"


def table(head: str, *rows: str) -> str:
    return "\n".join(
        (
            "This PR contains the following updates:",
            "",
            head,
            "|---" * (head.count("|") - 1) + "|",
            *rows,
            "",
            "---",
            "text",
        )
    )


# Title, body, branch -> changes.
FORMS: dict[str, tuple[str, str, str, list[Change]]] = {
    "Renovate, one": (
        "Update dependency @a/b to v1.1.0",
        table("| Package | Change | Age | Confidence |", f"| [@a/b](https://x.invalid) ([source](https://x.invalid)) | {DIFF.format('1.0.0', '1.1.0')} | {NEW_BADGE.format('npm', '%40a%2fb', '1.1.0')} |"),
        "renovate/a-b-1.x",
        [Change("npm", "@a/b", "1.0.0", "1.1.0")],
    ),
    "Renovate, one, with the badges of before": (
        "Update dependency pakke to v2",
        table("| Package | Change | Age |", f"| [pakke](https://x.invalid) | {DIFF.format('1.0.0', '2.0.0')} | {OLD_BADGE.format('npm', 'pakke', '2.0.0')} |"),
        "renovate/pakke-2.x",
        [Change("npm", "pakke", "1.0.0", "2.0.0")],
    ),
    "Renovate, a group of several managers": (
        "Update all non-major dependencies",
        table(
            "| Package | Type | Update | Change | Pending |",
            "| [nginx](https://x.invalid) | final | minor | `1.26` -> `1.27` | |",
            "| [actions/checkout](https://x.invalid) | action | digest | `1af3b93` → `08c6903` | |",
            "| host.invalid/static | final | pinDigest | -> `2b7c93f` | |",
            "| [pakke](https://x.invalid) | dependencies | pin | [`^1.0.0` -> `1.2.3`](https://x.invalid) | `1.2.4` |",
            "| lockFileMaintenance | | lockFileMaintenance | All locks refreshed | |",
        ),
        "renovate/all-minor-patch",
        [
            Change(None, "nginx", "1.26", "1.27"),
            Change(None, "actions/checkout", "1af3b93", "08c6903"),
            Change(None, "host.invalid/static", None, "2b7c93f"),
            Change(None, "pakke", "^1.0.0", "1.2.3"),
        ],
    ),
    "Renovate, without badges": (
        "Update dependency cross-spawn to v7.0.5",
        table(
            "| Package | Change |",
            "| [cross-spawn](https://x.invalid) | [`7.0.3` -> `7.0.5`](https://renovatebot.com/diffs/npm/cross-spawn/7.0.3/7.0.5) |",
            "| [@types/node](https://x.invalid) | [`20.1.0` → `20.2.0`](https://renovatebot.com/diffs/npm/@types%2fnode/20.1.0/20.2.0) |",
            "| [node](https://x.invalid) | [`18.1.0` -> `18.2.0`](https://renovatebot.com/diffs/npm/node/18.1.0/18.2.0) |",
        ),
        "renovate/all",
        [
            Change("npm", "cross-spawn", "7.0.3", "7.0.5"),
            Change("npm", "@types/node", "20.1.0", "20.2.0"),
            Change(None, "node", "18.1.0", "18.2.0"),
        ],
    ),
    "Renovate, with the new value only": (
        "Update dependency pakke to v1.1.0",
        table("| Package | Type | Update | New value |", "| [pakke](https://x.invalid) | dependencies | minor | `1.1.0` |"),
        "renovate/pakke-1.x",
        [Change(None, "pakke", None, "1.1.0")],
    ),
    "Renovate, a sentence of its first years": (
        "Update dependency pakke to v1.1.0",
        "This Pull Request updates dependency [pakke](https://x.invalid) from `v1.0.0` to `v1.1.0`\n\n### Release Notes",
        "renovate/pakke-1.x",
        [Change(None, "pakke", "v1.0.0", "v1.1.0")],
    ),
    "Renovate, lock files": ("Lock file maintenance", table("| Update | Change |", "| lockFileMaintenance | All locks refreshed |"), "renovate/lock-file-maintenance", []),
    "Dependabot, one": (
        "build(deps): Bump lodash from 4.17.20 to 4.17.21 in /web",
        "Bumps [lodash](https://x.invalid) from 4.17.20 to 4.17.21.\n<details>\n<summary>Commits</summary>\n\n| Package | x |",
        "dependabot/npm_and_yarn/web/lodash-4.17.21",
        [Change("npm", "lodash", "4.17.20", "4.17.21")],
    ),
    "Dependabot, one whose title has no versions": (
        "Bump lodash in /web",
        "Bumps [lodash](https://x.invalid) from 4.17.20 to 4.17.21. **This update includes a security fix.**",
        "dependabot/npm_and_yarn/web/lodash-4.17.21",
        [Change("npm", "lodash", "4.17.20", "4.17.21")],
    ),
    "Dependabot, a group": (
        "Bump the aws group across 1 directory with 2 updates",
        "Bumps the aws group with 2 updates in the / directory: [host.invalid/a](https://x.invalid) and [host.invalid/b](https://x.invalid).\n\nUpdates `host.invalid/a` from 1.277.0 to 1.279.0\n- [Release notes](https://x.invalid)\n\nUpdates `host.invalid/b` from 1.69.5 to 1.70.0\n",
        "dependabot/go_modules/aws-1a2b3c",
        [Change("go", "host.invalid/a", "1.277.0", "1.279.0"), Change("go", "host.invalid/b", "1.69.5", "1.70.0")],
    ),
    "Dependabot, a group as a table": (
        "Bump the all group with 6 updates",
        "Bumps the all group with 6 updates:\n\n| Package | From | To |\n| --- | --- | --- |\n| [a](https://x.invalid) | `1.0.0` | `1.1.0` |\n| [b](https://x.invalid) | `2.0.0` | `3.0.0` |\n\n\nUpdates `a` from 1.0.0 to 1.1.0\n<details>",
        "dependabot/nuget/all-1a2b3c",
        [Change("nuget", "a", "1.0.0", "1.1.0"), Change("nuget", "b", "2.0.0", "3.0.0")],
    ),
    "Dependabot, what it writes below a commit": (
        "Bump the npm group with 2 updates",
        "---\nupdated-dependencies:\n- dependency-name: a\n  dependency-version: 1.1.0\n  dependency-type: direct:production\n- dependency-name: '@b/c'\n  dependency-type: indirect\n...\n",
        "",
        [Change(None, "a", None, "1.1.0"), Change(None, "@b/c", None, None)],
    ),
    "Dependabot, signs of somebody's own between the parts of a branch": (
        "Oppdater lodash",
        "Bumps [lodash](https://x.invalid) from 4.17.20 to 4.17.21.",
        "dependabot-npm_and_yarn-web-lodash-4.17.21",
        [Change("npm", "lodash", "4.17.20", "4.17.21")],
    ),
    "Dependabot, of Composer": (
        "Bump rector from 2.1.6 to 2.1.7", "Bumps [rector/rector](https://x.invalid) from 2.1.6 to 2.1.7.", "dependabot/composer/rector/rector-2.1.7",
        [Change("packagist", "rector/rector", "2.1.6", "2.1.7")],
    ),
    "Dependabot, two at once": (
        "Bump json5 and webpack in /web",
        "Bumps [json5](https://x.invalid) to 2.2.3 and updates ancestor dependency [webpack](https://x.invalid). These dependencies need to be updated together.\n\nUpdates `json5` from 1.0.1 to 2.2.3\n\nUpdates `webpack` from 4.46.0 to 5.75.0\n",
        "dependabot/npm_and_yarn/web/json5-and-webpack-2.2.3",
        [Change("npm", "json5", "1.0.1", "2.2.3"), Change("npm", "webpack", "4.46.0", "5.75.0")],
    ),
    "Dependabot, one in several folders": (
        "Bump lodash across 2 directories",
        "Bumps [lodash](https://x.invalid) across 2 directories:\n\n- `/a`: 4.1.0 → 4.2.0\n- `/b`: 4.0.0 → 4.2.0\n",
        "dependabot/npm_and_yarn/multi-lodash",
        [Change("npm", "lodash", "4.1.0", "4.2.0"), Change("npm", "lodash", "4.0.0", "4.2.0")],
    ),
    "Dependabot, one in one folder of a group": (
        "Bump lodash in /a",
        "Bumps [lodash](https://x.invalid) in `/a` from 4.1.0 to 4.2.0.\n",
        "dependabot/npm_and_yarn/a/lodash",
        [Change("npm", "lodash", "4.1.0", "4.2.0")],
    ),
    # A property is none of the packages that share it.
    "Dependabot, a property of several packages": (
        "Bump felles.version from 1.0 to 1.1",
        "Bumps `felles.version` from 1.0 to 1.1.\n\nUpdates `no.invalid:a` from 1.0 to 1.1\n\nUpdates `no.invalid:b` from 1.0 to 1.1\n",
        "dependabot/maven/felles.version-1.1",
        [Change("maven", "no.invalid:a", "1.0", "1.1"), Change("maven", "no.invalid:b", "1.0", "1.1")],
    ),
    "Renovate, ranges with blanks and bars, names that call nobody": (
        "Update all non-major dependencies",
        table(
            "| Package | Change |",
            "| [pakke](https://x.invalid) | [`>=1.0.0 <2.0.0` -> `>=1.0.0 <3.0.0`](https://x.invalid) |",
            "| [lager](https://x.invalid) | `^1 \\|\\| ^2` -> `^1 \\|\\| ^2 \\|\\| ^3` |",
            "| @&#8203;a/b | `1` -> `2` |",
        ),
        "renovate/all",
        [
            Change(None, "pakke", ">=1.0.0 <2.0.0", ">=1.0.0 <3.0.0"),
            Change(None, "lager", "^1 || ^2", "^1 || ^2 || ^3"),
            Change(None, "@a/b", "1", "2"),
        ],
    ),
    # One row that nobody understands must not hide behind the others.
    "Renovate, a row of a form that is not known": (
        "Update all non-major dependencies",
        table("| Package | Change |", "| [pakke](https://x.invalid) | `1` -> `2` |", "| [lager](https://x.invalid) | 1 to 2 |"),
        "renovate/all",
        [Change(None, "pakke", "1", "2"), UNKNOWN],
    ),
    "Renovate, a table among what the makers wrote": (
        "Update dependency pakke to v2",
        table("| Package | Change |", "| [pakke](https://x.invalid) | `1` -> `2` |") + "\n### Release Notes\n\n| Package | Change |\n|---|---|\n| other | `3` -> `4` |",
        "renovate/pakke-2.x",
        [Change(None, "pakke", "1", "2")],
    ),
    # Titles are in whatever language somebody configured; the branch says whose it is.
    "Renovate, in another language": ("Oppdater alt", "tekst", "renovate/all", [UNKNOWN]),
    "no update": ("Configure Renovate", "Welcome!\n\n| Package | Change |\n|---|---|\n| a | `1` -> `2` |", "renovate/configure", []),
    "an update of nobody knows what": ("Update all non-major dependencies", "text", "renovate/all", [UNKNOWN]),
    "a table of something else": ("Update a thing", "| Something | else |\n|---|---|\n| `1` | `2` |", "", [UNKNOWN]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms(form):
    title, body, branch, expected = FORMS[form]
    found = read_request(title, body, branch)
    assert list(found.changes) == expected
    assert found.is_understood is (UNKNOWN not in expected)
    assert found.is_update is (form != "no update")


@pytest.mark.parametrize(
    ("title", "body", "is_security"),
    [
        ("Update dependency a to v2 [SECURITY]", "", True),
        ("Oppdater a", "### GitHub Vulnerability Alerts\n\n#### text", True),
        ("Bump a from 1 to 2", "Bumps [a](u) from 1 to 2. **This update includes security fixes.**", True),
        ("Bump a from 1 to 2", "You can disable automated security fix PRs for this repo from the [page](u).", True),
        ("Bump a from 1 to 2", "Bumps [a](u) from 1 to 2.\n\n> a security fix", False),
    ],
)
def test_what_mends_a_weakness(title, body, is_security):
    assert read_request(title, body, "renovate/a").is_security is is_security


@pytest.mark.parametrize("branch", ["renovate/configure", "renovate/reconfigure", "renovate/migrate-config", "deploy"])
def test_branches_that_are_no_updates(branch):
    assert not read_request("Sett opp noe", "tekst", branch).is_update


def test_a_form_names_nothing():
    assert shape_of("Update Kari Plantesen's secret-thing (hemmelig) to 17") == "update ... to N"
    assert shape_of("chore(deps): Update all non-major dependencies") == "chore deps update all non-major dependencies"


BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Pulls:
    """Pull requests under construction; days count from the second of March."""

    def __init__(self) -> None:
        self.rows = []

    def add(self, title, opened, *, merged=None, closed=None, labels=(), comment=None, by="Bot", body="", branch="b"):
        def at(day):
            return None if day is None else (BEGIN + timedelta(days=day)).isoformat()

        says = (
            [{"author": {"__typename": by, "login": {"Bot": "dependabot"}.get(by, "kari")}, "body": comment}]
            if comment
            else []
        )
        self.rows.append(
            {
                "number": len(self.rows) + 1,
                "title": title,
                "body": body,
                "headRefName": f"{branch}-{len(self.rows)}",
                "createdAt": at(opened),
                "mergedAt": at(merged),
                "closedAt": at(closed if merged is None else merged),
                "repository": {"nameWithOwner": "o/r"},
                "labels": {"nodes": [{"name": label} for label in labels]},
                "comments": {"nodes": says},
            }
        )

    def episodes(self):
        def day(at):
            return None if at is None else (at - BEGIN).days

        rows, self.withdrawn = episodes_of(self.rows)
        return {
            row["episode_id"].removeprefix("o/r#"): (day(row["available_at"]), day(row["applied_at"]), day(row["dismissed_at"]))
            for row in rows
        }  # fmt: skip


@pytest.fixture
def pulls():
    return Pulls()


def test_a_superseded_request_hands_its_beginning_on(pulls):
    pulls.add("Bump a from 1.0 to 1.1", 0, closed=10, comment="Superseded by #2.")
    pulls.add("Bump a from 1.0 to 1.2", 10, merged=30)
    assert pulls.episodes() == {"2/a": (0, 30, None)}
    assert pulls.withdrawn == 0


def test_a_superseded_group_is_open_no_more(pulls):
    body = "Updates `a` from 1.0 to {}\n\nUpdates `b` from 2.0 to 2.1\n"
    pulls.add("Bump the x group with 2 updates", 0, closed=5, comment="Superseded by #2.", body=body.format("1.1"))
    pulls.add("Bump the x group with 2 updates", 5, merged=9, body=body.format("1.2"))
    assert pulls.episodes() == {"2/a": (0, 9, None), "2/b": (0, 9, None)}


def test_what_the_bot_takes_back_is_neither_open_nor_applied(pulls):
    pulls.add("Update dependency a to v1.1 - autoclosed", 0, closed=3)
    pulls.add("Bump b from 1 to 2", 0, closed=3, comment="Looks like b is up-to-date now, so this is no longer needed.")
    assert (pulls.episodes(), pulls.withdrawn) == ({}, 2)


def test_what_people_close_or_tell_the_bot_to_ignore_stays_open(pulls):
    pulls.add("Bump a from 1 to 2", 0, closed=3, comment="OK, I won't notify you again about this release.")
    pulls.add("Bump b from 1 to 2", 0, closed=3, comment="no longer needed", by="User")
    pulls.add("Bump c from 1 to 2", 0, closed=3, labels=["wontfix"])
    assert pulls.episodes() == {"1/a": (0, None, None), "2/b": (0, None, None), "3/c": (0, None, 3)}


def test_a_minor_merge_does_not_apply_an_open_major(pulls):
    pulls.add("Update dependency a to v3", 0)
    pulls.add("Update dependency a to v2.5.0", 5, merged=6)
    assert pulls.episodes() == {"1/a": (0, None, None), "2/a": (5, 6, None)}


def test_a_newer_merge_applies_an_older_open_one(pulls):
    pulls.add("Update dependency a to v2.4.0", 0)
    pulls.add("Update dependency a to v3.1.0", 20, merged=26)
    assert pulls.episodes() == {"1/a": (0, 26, None), "2/a": (20, 26, None)}


def test_one_directory_is_not_another(pulls):
    pulls.add("Bump a from 1.0 to 1.1 in /frontend", 0, merged=2)
    pulls.add("Bump a from 1.0 to 1.1 in /backend", 0)
    assert pulls.episodes() == {"1/a /frontend": (0, 2, None), "2/a /backend": (0, None, None)}


def test_one_part_of_renovate_is_not_another(pulls):
    pulls.add("Update dependency a to v1.1 (web)", 0, merged=2)
    pulls.add("Update dependency a to v1.1 (api) (minor)", 0)
    assert pulls.episodes() == {"1/a web": (0, 2, None), "2/a api": (0, None, None)}


def test_the_bots_own_set_up_is_no_episode(pulls):
    pulls.add("Configure Renovate", 0)
    assert pulls.episodes() == {}


def test_what_nobody_understands_is_an_episode_of_its_branch(pulls):
    pulls.add("Update all non-major dependencies", 0, branch="renovate/all")
    pulls.add("Update all non-major dependencies", 9, merged=12, branch="renovate/all")
    assert pulls.episodes() == {"1/renovate/all-0": (0, None, None), "2/renovate/all-1": (9, 12, None)}
