"""GitLab: deployments and the merge requests of update bots are those that the simulated organisation had."""

from __future__ import annotations

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation.connectors.code_hosts import GitLab
from opsmetrics.sources import gitlab
from tests.connectors.landed import landed_from, request_of, table
from tests.connectors.sections import GITLAB
from tests.connectors.test_equals_records import since
from tests.connectors.told import Reply, fetched, telling


def pulled(connected, stream, sources=GITLAB):
    return landed_from(connected, sources, stream)


def test_deployments_of_every_project(connected, records, monkeypatch):
    monkeypatch.setattr(gitlab, "PAGE", 20)
    found = pulled(connected, "deployments")
    columns = ("service_id", "environment", "deployed_at")
    expected = since(records.rows["deployments"], "deployed_at")
    assert table(found, *columns) == table(expected, *columns)
    assert set(found["actor_kind"]) == {"pipeline", "human"}, "a deployment without a job was made by an account"


def test_update_requests(connected, records):
    episodes = pulled(connected, "update_episodes")
    rows = since(records.rows["update_episodes"], "available_at")
    columns = ("repository", "package", "available_at")
    assert table(episodes, *columns) == table(rows, *columns)


def test_merged_updates_package_by_package(connected, records):
    rows = [row for row in records.rows["update_episodes"] if row["applied_at"]]
    rows = since(rows, "applied_at")
    merges = pulled(connected, "update_merges")
    assert merges.height == len(rows)
    assert set(merges["is_dependency_update"]) == {True}
    assert set(merges["bot"]) == {"renovate"}
    updates = pulled(connected, "dependency_updates")
    columns = ("repository", "package")
    assert table(updates, *columns) == table(rows, *columns)


def request(connected, sources=GITLAB, stream="deployments"):
    return request_of(connected, sources, stream)


def test_the_probe_counts_projects(connected, records):
    count = len(records.organisation.services)
    assert gitlab.probe(request(connected)) == f"{count} projects readable"
    one = GITLAB.replace('group = "kystetaten"', 'group = "kystetaten"\nprojects = ["glob:kystetaten/sjokart-*"]')
    wanted = [service for service in records.organisation.services if service.id.startswith("sjokart-")]
    assert gitlab.probe(request(connected, one)) == f"{len(wanted)} projects readable"


def item(**more):
    plain = {"iid": 7, "title": "chore(deps): update x to v2", "state": "opened", "created_at": "2026-11-02T08:00:00Z"}
    plain |= {"source_branch": "renovate/x", "author": {"username": "update-account"}, "labels": ["Security"]}
    return plain | more


def test_a_merge_request_has_a_pull_requests_form():
    merged = item(state="merged", merged_at="2026-11-03T08:00:00Z", merge_commit_sha=None, squash_commit_sha="abc")
    found = gitlab._in_github_form(merged, "group/sub/project")
    assert (found["closedAt"], found["mergeCommit"]) == (merged["merged_at"], {"oid": "abc"})
    assert gitlab._in_github_form(item(closed_at="2026-11-03T08:00:00Z"), "a/b")["closedAt"] is None, "opened again"
    closed = gitlab._in_github_form(item(state="closed", closed_at="2026-11-03T08:00:00Z"), "a/b")
    assert closed["closedAt"] == "2026-11-03T08:00:00Z"
    assert found["labels"]["nodes"] == [{"name": "Security"}]


@pytest.mark.parametrize(
    ("account", "branch", "bot"),
    [
        ("renovate-bot", "x", "renovate"),
        ("update-account", "renovate/x", "renovate"),
        ("project_12_bot_6f2b0dec", "dependabot/x", "dependabot"),
        ("update-account", "dependabot-npm_and_yarn-lodash-4.17.21", "dependabot"),
        ("update-account", "x", "other_bot"),
    ],
)
def test_a_bot_is_told_by_its_account_or_its_branch(connected, account, branch, bot):
    mine = GITLAB.replace('["renovate-bot"]', '["renovate-bot", "update-account"]')
    pull = gitlab._in_github_form(item(author={"username": account}, source_branch=branch), "a/b")
    assert gitlab._bot(request(connected, mine), pull) == bot


def test_bots_need_names():
    plain = {"name": "x", "kind": "gitlab", "group": "g", "streams": ["update_merges"]}
    with pytest.raises(ValueError, match="update_authors"):
        GitLab.model_validate(plain)
    assert GitLab.model_validate(plain | {"streams": ["deployments"]})


def test_a_deployment_without_a_job_ends_with_its_last_change(connected):
    plain = {"id": 1, "environment": {"name": "production"}, "updated_at": "2026-11-02T08:00:00Z"}
    by_job = plain | {"deployable": {"finished_at": "2026-11-02T07:59:00Z"}, "user": {"username": "zxq"}}
    by_account = plain | {"deployable": None, "user": {"username": "group_7_bot"}}
    rows = [gitlab._deployment(request(connected), "kystetaten/x", row, "x") for row in (by_job, by_account)]
    assert [row["deployed_at"] for row in rows] == ["2026-11-02T07:59:00Z", "2026-11-02T08:00:00Z"]
    assert [row["actor_kind"] for row in rows] == ["pipeline", "pipeline"]


@pytest.mark.parametrize(
    ("job", "started_by", "ref", "environment", "said"),
    [
        ("deploy", "schedule", "main", "production", "run by an event of test_events (schedule)"),
        ("deploy", "merge_request_event", "x", "production", "run by an event of test_events (merge_request_event)"),
        (
            *("deploy", "parent_pipeline", "refs/merge-requests/7/train", "production"),
            "run by an event of test_events (merge_request_event)",
        ),
        ("e2e-production", "push", "main", "production", "workflow matches test_workflows"),
        ("deploy-e2e", "push", "main", "production", None),
        ("build", "push", "main", "review/x", "environment not in deploy_environments"),
        ("", "", "main", "production", None),
    ],
)
def test_tests_that_gitlab_calls_deployments_are_left_out_and_counted(
    connected, monkeypatch, job, started_by, ref, environment, said
):
    """A pipeline that a schedule starts, a job of tests, an environment that does not count; no job tells nothing."""
    done = {"name": job, "finished_at": "2026-11-02T07:59:00Z", "pipeline": {"id": 1, "source": started_by}}
    told = {
        "id": 1,
        "environment": {"name": environment},
        "ref": ref,
        "updated_at": "2026-11-02T08:00:00Z",
        "user": None,
        "deployable": done if job else None,
    }
    asked = request(connected, GITLAB + 'deploy_environments = ["prod*"]\n')
    monkeypatch.setattr(gitlab, "_projects", lambda *_: {7: "kystetaten/x"})
    monkeypatch.setattr(gitlab.Http, "pages", lambda *_, **__: iter([[told]]))
    result = gitlab.deployments(asked)
    assert len(result.rows) == (said is None)
    assert dict(result.counted) == ({f"deployments left out, {said}": 1} if said else {})


FORBIDDEN = Reply({"message": "403 Forbidden"}, 403)
GONE = Reply({"message": "404 Project Not Found"}, 404)


def done(number: int) -> dict:
    at = "2026-08-04T07:59:00Z"
    job = {"name": "deploy", "finished_at": at, "pipeline": {"id": 1, "source": "push"}}
    return {"id": number, "environment": {"name": "production"}, "updated_at": at, "user": None, "deployable": job}


def told(small, stream, projects, routes):
    """Ask a group with the projects ``acme/web-frontend`` (12) and ``acme/docs`` (14)."""
    listed = [{"id": 12, "path_with_namespace": "acme/web-frontend"}, {"id": 14, "path_with_namespace": "acme/docs"}]
    plain = {
        "/api/v4/groups/acme/projects": listed,
        "/api/v4/projects/12": listed[0],
        "/api/v4/projects/14": listed[1],
        "/api/v4/projects/12/deployments": [done(1)],
        "/api/v4/projects/14/deployments": [done(2)],
    }
    more = {"group": "acme", "projects": projects, "update_authors": ["renovate-bot"], "services": {"acme/web": "web"}}
    with telling(plain | routes) as server:
        return fetched(small, "gitlab", stream, url=server.url, **more), server.paths()


def test_a_project_that_was_renamed_is_followed_and_named(small):
    """GitLab answers 301 for a project under the path that it had, with its number (since 16.5)."""
    moved = Reply({"message": "301 Moved Permanently"}, 301, {"location": "/api/v4/projects/12"})
    answer, _ = told(small, "deployments", ["acme/web"], {"/api/v4/projects/acme%2Fweb": moved})
    assert [(row["deployment_id"], row["service_id"]) for row in answer.rows] == [("acme/web-frontend#1", "web")]
    assert answer.is_complete
    assert answer.notes == ("acme/web is called acme/web-frontend now: write that into the configuration",)


def test_a_project_that_cannot_be_seen_is_not_one_without_deployments(small):
    answer, asked = told(small, "deployments", ["acme/docs", "acme/other", "glob:acme/x-*"], {})
    assert len(answer.rows) == 1
    assert not answer.is_complete
    assert answer.notes == ("not in the group, or not to be seen with this token: acme/other, glob:acme/x-*",)
    assert asked.count("/api/v4/projects/acme%2Fother") == 1
    with pytest.raises(SourceError, match="no project of the group acme"):
        told(small, "update_merges", ["acme/other"], {})


@pytest.mark.parametrize(("until", "is_missed"), [("2026-07-01", False), ("2026-08-15", True), ("", True)])
def test_the_project_of_a_service_that_somebody_owns_is_missed(small, until, is_missed):
    """The token has fewer rights than yesterday: what services.toml names is not quiet, unless its service is over."""
    owner = f'team = "alfa", from = 2026-01-01{f", to = {until}" if until else ""}'
    service = f'[[service]]\nid = "skjult"\nname = "Skjult"\ncriticality = "ordinary"\nowners = [{{ {owner} }}]\n'
    services = small / "services.toml"
    services.write_text(f'{services.read_text()}\n{service}repositories = ["acme/skjult", "acme/docs"]\n')
    for stream in ("deployments", "update_episodes", "update_merges", "dependency_updates"):
        answer, _ = told(small, stream, [], {"/api/v4/groups/acme/merge_requests": []})
        assert (answer.is_complete, answer.hidden) == (True, {"skjult"} if is_missed else set())
        assert answer.notes == ("not in the group, or not to be seen with this token: acme/skjult",)


def test_an_archived_project_is_named(small):
    archived = {"id": 9, "path_with_namespace": "acme/old", "archived": True}
    answer, _ = told(small, "deployments", ["acme/old"], {"/api/v4/projects/acme%2Fold": archived})
    assert (answer.rows, answer.is_complete, answer.notes) == ([], True, ("acme/old is archived: it is left out",))


@pytest.mark.parametrize(
    ("project", "is_complete", "note"),
    [
        ({"environments_access_level": "disabled", "builds_access_level": "enabled"}, True, "nothing is deployed in"),
        ({"environments_access_level": "enabled", "builds_access_level": "disabled"}, True, "nothing is deployed in"),
        ({"environments_access_level": "enabled", "builds_access_level": "private"}, False, "not to be seen"),
        (None, False, "not to be seen"),
    ],
    ids=["environments off", "ci off", "not allowed", "hidden"],
)
def test_one_project_that_refuses_its_deployments_does_not_stop_the_others(small, project, is_complete, note):
    """GitLab answers 403 where environments are turned off (apache/devlake#8550), and where the role is too low."""
    path = {"id": 14, "path_with_namespace": "acme/docs"}
    routes = {
        "/api/v4/projects/14/deployments": FORBIDDEN,
        "/api/v4/projects/14": GONE if project is None else path | project,
    }
    answer, _ = told(small, "deployments", ["acme/docs", "acme/web-frontend"], routes)
    assert [row["deployment_id"] for row in answer.rows] == ["acme/web-frontend#1"]
    assert answer.is_complete is is_complete
    (said,) = answer.notes
    assert note in said
    assert "acme/docs" in said


@pytest.mark.parametrize("stream", ["update_merges", "dependency_updates", "update_episodes"])
def test_a_request_that_was_merged_nobody_knows_when_is_counted_and_is_no_open_one(small, stream):
    """Old versions of GitLab leave the instant out (apache/devlake#5522)."""
    body = "Bumps [x](https://x.invalid) from 1.0.0 to 2.0.0."
    plain = {"project_id": 12, "created_at": "2026-08-03T08:00:00Z", "state": "merged", "description": body}
    requests = [
        item(id=1, iid=1, **plain),
        item(id=2, iid=2, merged_at=None, **plain),
        item(id=3, iid=3, merged_at="2026-08-04T08:00:00Z", **plain),
    ]
    answer, _ = told(small, stream, ["acme/web-frontend"], {"/api/v4/groups/acme/merge_requests": requests})
    assert len(answer.rows) == 1
    assert answer.counted == {gitlab.UNDATED: 2}
    assert answer.rows[0].get("applied_at", 1) is not None
