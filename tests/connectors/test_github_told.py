"""What GitHub really says, case by case: deployments of tests, dismissed alerts, vectors, names, forms, steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from opsmetrics.build import runs
from opsmetrics.core.errors import SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.sources import pull_stream
from opsmetrics.sources.github import deployments as deploying
from opsmetrics.sources.github import owners
from opsmetrics.sources.github.client import api_version
from opsmetrics.sources.github.issue_forms import NO_TIME, form_of
from opsmetrics.sources.github.issues import DUPLICATES
from opsmetrics.sources.github.security import NO_FINDING
from opsmetrics.sources.registry import fetch_function
from opsmetrics.sources.vulnerability_facts import automatable_and_total
from tests.connectors.told import NOW, Reply, Server, asking, fetched, landed, telling

REPO = "kystetaten/web"
AT = datetime(2026, 8, 3, 8, tzinfo=UTC)
ACTIONS = {"slug": "github-actions", "name": "GitHub Actions", "id": 15368}
BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 41898282}
PERSON = {"login": "somebody", "type": "User", "id": 7}
GITHUB: dict[str, Any] = {"owner": "kystetaten", "repositories": ["web"]}


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def deployment(number: int, at: datetime = AT, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"DE_{number}",
        "sha": "a" * 40,
        "ref": "main",
        "task": "deploy",
        "payload": {},
        "environment": "Prod",
        "description": None,
        "creator": BOT,
        "created_at": text(at),
        "updated_at": text(at),
        "performed_via_github_app": ACTIONS,
        **more,
    }


def states(number: int, at: datetime = AT, run: int | None = None, more: tuple = ()) -> dict[str, Any]:
    log = f"https://github.com/{REPO}/actions/runs/{run}/job/{run}1" if run else ""
    told = [("SUCCESS", at + timedelta(minutes=2), ""), ("IN_PROGRESS", at, ""), *more]
    return {
        "databaseId": number,
        "commit": {"authoredDate": text(at - timedelta(hours=1))},
        "statuses": {
            "pageInfo": {"hasNextPage": False},
            "nodes": [
                {"state": state, "createdAt": text(when), "description": said, "logUrl": log}
                for state, when, said in told
            ],
        },
    }


def run(number: int, event: str, path: str, name: str, at: datetime = AT) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "path": f".github/workflows/{path}",
        "event": event,
        "run_number": number,
        "run_attempt": 1,
        "status": "completed",
        "conclusion": "success",
        "created_at": text(at),
        "run_started_at": text(at),
    }


def repository(
    made: list[dict[str, Any]], histories: list[dict[str, Any]], runs: list[dict[str, Any]]
) -> dict[str, Any]:
    """The routes of one repository with deployments."""
    by_id = {f"DE_{history['databaseId']}": history for history in histories}

    def graphql(_query: Any, body: Any) -> Any:
        return {"data": {"nodes": [by_id.get(number) for number in body["variables"]["ids"]]}}

    def listed(query: dict[str, str], _body: Any) -> Any:
        first, last = query["created"].split("..")
        found = [item for item in runs if first <= item["created_at"] <= last]
        page = found[(int(query.get("page", "1")) - 1) * 100 :][:100]
        return {"total_count": len(found), "workflow_runs": page}

    return {
        f"/repos/{REPO}": {"full_name": REPO},
        f"/repos/{REPO}/deployments": made,
        f"/repos/{REPO}/actions/runs": listed,
        **{f"/repos/{REPO}/actions/runs/{item['id']}": item for item in runs},
        "/graphql": graphql,
    }


def asked(small, routes: dict[str, Any], stream: str = "deployments", **settings: Any):
    with telling(routes) as server:
        return fetched(small, "github", stream, url=server.url, **GITHUB | settings), server


def test_a_use_case_test_of_every_quarter_is_no_deployment(small, monkeypatch):
    """A job that names an environment makes a deployment, whatever it does (wire findings): 96 a day, none counts."""
    times = [AT + number * timedelta(minutes=15) for number in range(96)]
    made = [deployment(number, at) for number, at in enumerate(times, start=1)]
    told = [states(number, at, run=1000 + number) for number, at in enumerate(times, start=1)]
    runs = [
        run(1000 + number, "schedule", "use-case-PROD.yml", "Use Case PROD", at)
        for number, at in enumerate(times, start=1)
    ]
    made.append(deployment(500, AT))
    told.append(states(500, AT, run=9))
    runs.append(run(9, "push", "deploy.yml", "Deploy to production"))
    one_by_one, server = asked(small, repository(made, told, runs))
    assert [row["deployment_id"] for row in one_by_one.rows] == [f"{REPO}#500"]
    assert dict(one_by_one.counted) == {"deployments left out, run by an event of test_events (schedule)": 96}
    assert server.paths().count(f"/repos/{REPO}/actions/runs") == 0
    # Of many runs the list is asked for, day by day.
    monkeypatch.setattr(deploying, "RUNS_ONE_BY_ONE", 10)
    listed, server = asked(small, repository(made, told, runs))
    assert (listed.rows, listed.counted) == (one_by_one.rows, one_by_one.counted)
    assert not [path for path in server.paths() if path.startswith(f"/repos/{REPO}/actions/runs/")]


@pytest.mark.parametrize(
    ("event", "path", "name", "settings", "counts"),
    [
        ("push", "deploy.yml", "Deploy", {}, True),
        ("workflow_dispatch", "test-and-deploy.yml", "Test and deploy", {}, True),
        ("push", "ci.yml", "CI", {}, True),
        ("workflow_dispatch", "use-case-PROD.yml", "Use Case PROD", {}, False),
        ("push", "regression-test-PROD.yml", "Regression", {}, False),
        ("push", "verify.yml", "E2E tests", {}, False),
        ("schedule", "deploy-nightly.yml", "Deploy every night", {}, False),
        ("schedule", "deploy-nightly.yml", "Deploy every night", {"test_events": []}, True),
        ("push", "verify.yml", "E2E tests", {"test_workflows": []}, True),
        ("push", "deploy.yml", "Deploy", {"deploy_environments": ["production"]}, False),
        ("push", "deploy.yml", "Deploy", {"deploy_environments": ["prod*"]}, True),
        ("push", "contest.yml", "Contest", {}, True),
    ],
)
def test_which_deployments_count_users_can_see_and_change(small, event, path, name, settings, counts):
    routes = repository([deployment(1)], [states(1, run=9)], [run(9, event, path, name)])
    found, _ = asked(small, routes, **settings)
    assert len(found.rows) == counts
    assert sum(found.counted.values()) == (not counts)


@pytest.mark.parametrize(
    ("event", "ref", "settings", "counts"),
    [
        ("pull_request", "refs/pull/7/merge", {}, False),
        ("pull_request", "lighter", {}, False),
        ("pull_request", "main", {}, True),
        ("pull_request_target", "main", {}, False),
        ("merge_group", "gh-readonly-queue/main/pr-7", {}, False),
        ("pull_request", "refs/pull/7/merge", {"test_events": ["schedule"]}, True),
    ],
)
def test_what_is_not_merged_yet_is_no_deployment(small, event, ref, settings, counts):
    """A job of a request that names the environment for its secrets; what runs when it is merged has its target."""
    ran = run(9, event, "deploy.yml", "Deploy") | {"head_branch": "lighter"}
    found, _ = asked(small, repository([deployment(1, ref=ref)], [states(1, run=9)], [ran]), **settings)
    assert len(found.rows) == counts
    assert sum(found.counted.values()) == (not counts)


def test_a_deployment_whose_run_is_gone_counts_and_is_told(small):
    routes = repository(
        [deployment(1), deployment(2, performed_via_github_app=None)], [states(1, run=9), states(2)], []
    )
    found, _ = asked(small, routes)
    assert len(found.rows) == 2
    assert dict(found.counted) == {deploying.UNKNOWN_RUN: 1}


def test_what_was_left_out_the_pull_says(small, tmp_path):
    routes = repository([deployment(1)], [states(1, run=9)], [run(9, "schedule", "use-case-PROD.yml", "Use Case PROD")])
    with telling(routes) as server:
        (small / "sources.toml").write_text(
            f'[[connector]]\nname = "hub"\nkind = "github"\nurl = "{server.url}"\nowner = "kystetaten"\n'
            'repositories = ["web"]\nstreams = ["deployments"]\nfrom = 2026-06-01\n'
        )
        settings = Settings(home=tmp_path / "home", org=small, data=None, now=NOW, sql=default_sql_root())
        (result,) = pull_stream(settings, load_organisation(small), "deployments")
    assert result.error is None
    assert len(result.loads) > 1
    assert result.told == ("hub: deployments left out, run by an event of test_events (schedule): 1",)


@pytest.mark.parametrize("said", ["rollback of 12", "Rollback to 1.2", "Rolled back: too slow", "ROLL-BACK"])
def test_what_was_taken_back_is_read_in_any_case_and_only_where_it_is_written(small, said):
    undone = AT + timedelta(hours=1)
    routes = repository([deployment(1)], [states(1, run=9, more=(("FAILURE", undone, said),))], [])
    (row,) = asked(small, routes, undone_statuses=True)[0].rows
    assert (row["rolled_back_at"], row["hotfixed_at"]) == (undone, None)
    (silent,) = asked(small, routes)[0].rows
    assert "rolled_back_at" not in silent, "nobody writes it: that is no 'never'"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "pipeline"),
        ({"performed_via_github_app": None, "creator": PERSON}, "human"),
        ({"performed_via_github_app": None, "creator": {"login": "deploy[bot]", "type": "Bot"}}, "pipeline"),
        ({"performed_via_github_app": None, "creator": {"login": "talbot", "type": "User"}}, "human"),
        ({"performed_via_github_app": None, "creator": None}, "human"),
        ({"payload": '{"manual_step": true}'}, "pipeline"),
        ({"payload": "a text"}, "pipeline"),
    ],
)
def test_who_rolled_out(small, more, kind):
    (row,) = asked(small, repository([deployment(1, **more)], [states(1)], []))[0].rows
    assert row["actor_kind"] == kind
    assert row["has_manual_step"] == (True if "{" in str(more.get("payload")) else None)


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("https://api.github.com", "2026-03-10"),
        ("https://api.etaten.ghe.com", "2026-03-10"),
        ("https://github.etaten.invalid/api/v3", "2022-11-28"),
        ("https://api.github.com.etaten.invalid", "2022-11-28"),
    ],
)
def test_a_server_of_the_house_is_asked_in_a_version_that_it_has(url, version):
    assert api_version(url) == version


def test_items_that_graphql_keeps_back(small):
    routes = repository([deployment(1), deployment(2)], [states(1)], [])
    data = {"nodes": [states(1), None]}
    gone = {"type": "NOT_FOUND", "path": ["nodes", 1], "message": "no node"}
    found, _ = asked(small, routes | {"/graphql": {"data": data, "errors": [gone]}})
    assert (len(found.rows), found.is_complete) == (1, True), "a deployment that was deleted is no error"
    hidden = gone | {"type": "FORBIDDEN"}
    found, _ = asked(small, routes | {"/graphql": {"data": data, "errors": [hidden]}})
    assert (len(found.rows), found.is_complete) == (1, False)
    assert found.notes == ("GitHub kept back 1 items (FORBIDDEN)",)
    with pytest.raises(SourceError, match="GraphQL answered FORBIDDEN"):
        asked(small, routes | {"/graphql": {"data": None, "errors": [{"type": "FORBIDDEN"}]}})


@pytest.mark.parametrize("word", ["RATE_LIMIT", "RATE_LIMITED"])
def test_a_limit_of_graphql_is_waited_out_whatever_it_is_called(small, monkeypatch, word):
    """As answered in 2026 (yanyongyu/githubkit#271), with status 200, and as documented before."""
    limited = {"type": word, "code": "graphql_rate_limit", "message": "API rate limit already exceeded"}
    told = iter([{"errors": [limited]}, {"data": {"nodes": [states(1)]}}])
    routes = repository([deployment(1)], [states(1)], []) | {
        "/graphql": lambda _query, _body: next(told),
        "/rate_limit": {"resources": {"graphql": {"limit": 5000, "remaining": 0, "reset": 1}}},
    }
    waited: list[float] = []
    monkeypatch.setattr("opsmetrics.sources.github.client.time.sleep", waited.append)
    found, _ = asked(small, routes)
    assert (len(found.rows), waited) == (1, [1.0])


def test_a_renamed_repository_is_read_under_its_new_name_and_told(small):
    new = repository([deployment(1)], [states(1)], [])
    moved = {f"/repos/{REPO}": Reply(status=301, headers={"location": "/repositories/7"})}
    moved |= {"/repositories/7": {"full_name": "kystetaten/portal"}}
    moved |= {path.replace(REPO, "kystetaten/portal"): said for path, said in new.items() if path != f"/repos/{REPO}"}
    with telling(moved) as server:
        found = fetched(small, "github", "deployments", url=server.url, **GITHUB)
    (row,) = found.rows
    assert row["deployment_id"] == "kystetaten/portal#1"
    assert found.notes == ("kystetaten/web is called kystetaten/portal now: write that into the configuration",)


def pull_request(repository: str, **more: Any) -> dict[str, Any]:
    return {
        "number": 1,
        "title": "Update dependency pakke to v2",
        "state": "MERGED",
        "createdAt": text(AT),
        "mergedAt": text(AT),
        "closedAt": text(AT),
        "headRefName": "renovate/pakke-2.x",
        "body": "",
        "repository": {"nameWithOwner": repository},
        "author": {"__typename": "Bot", "login": "renovate"},
        "mergedBy": None,
        "mergeCommit": {"oid": "a" * 40},
        "labels": {"nodes": []},
        "comments": {"nodes": []},
        **more,
    }


def searching(said: dict[str, list[dict[str, Any]]]):
    """Answer a search of one owner with its requests; of the bots the first has them."""

    def answer(_query, body):
        words = body["variables"]["q"]
        found = [pull for owner, pulls in said.items() if f"org:{owner} " in words for pull in pulls]
        nodes = found if "renovate" in words else []
        page = {"issueCount": len(nodes), "pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}
        return {"data": {"search": page}}

    return answer


def test_update_requests_of_a_renamed_repository_are_found_under_its_new_name_and_told(small):
    routes = {
        f"/repos/{REPO}": Reply(status=301, headers={"location": "/repositories/7"}),
        "/repositories/7": {"full_name": "kystetaten/portal-2"},
        "/graphql": searching({"kystetaten": [pull_request("kystetaten/portal-2"), pull_request("kystetaten/other")]}),
    }
    with telling(routes) as server:
        for stream in ("update_merges", "update_episodes", "dependency_updates"):
            request = asking(small, "github", stream, url=server.url, **GITHUB)
            for question in (request, replace(request)):
                found = fetch_function("github", stream)(question)
                assert {row["repository"] for row in found.rows} == {"kystetaten/portal-2"}
                told = f"{REPO} is called kystetaten/portal-2 now: write that into the configuration"
                assert told in found.notes
    assert server.paths().count(f"/repos/{REPO}") == 3, "a name is looked up once a pull, whatever it asks for"


OF_MANY = (
    "availability_checks",
    "deployments",
    "restore_tests",
    "update_merges",
    "update_episodes",
    "repository_states",
)


@pytest.mark.parametrize("stream", OF_MANY)
@pytest.mark.parametrize("refusal", [404, 403])
def test_a_repository_that_is_not_to_be_seen_ends_no_other_and_is_not_quiet(small, stream, refusal):
    """It was removed, or the token has fewer rights than yesterday: a search leaves it out without a word."""
    routes = repository([], [], [])
    state = {"pushedAt": text(AT), "isArchived": False, "dashboard": {"nodes": []}}
    state |= dict.fromkeys(f"file{number}" for number in range(16))
    search = searching({"kystetaten": [pull_request(REPO)]})

    def graphql(query, body):
        return search(query, body) if "q" in body["variables"] else {"data": {"repository": state}}

    routes |= {"/graphql": graphql, "/repos/kystetaten/borte": Reply({"message": "x"}, refusal)}
    found, server = asked(small, routes, stream, repositories=["borte", "web"])
    assert not found.is_complete
    assert found.notes == ("not there, or not to be seen with this token: kystetaten/borte",)
    assert len(found.rows) == (stream in {"update_merges", "update_episodes", "repository_states"})
    assert server.paths().count("/repos/kystetaten/borte") == 1
    with pytest.raises(SourceError, match=str(refusal)):
        asked(small, routes, stream, repositories=["borte"])


@pytest.mark.parametrize(("stream", "path"), [("deployments", "deployments"), ("availability_checks", "actions/runs")])
def test_a_repository_that_refuses_one_of_its_parts_ends_no_other(small, stream, path):
    other = {name.replace(REPO, "kystetaten/annen"): said for name, said in repository([], [], []).items()}
    routes = repository([], [], []) | other | {"/repos/kystetaten/annen": {"full_name": "kystetaten/annen"}}
    routes[f"/repos/{REPO}/{path}"] = Reply({"message": "Resource not accessible by personal access token"}, 403)
    found, _ = asked(small, routes, stream, repositories=["web", "annen"])
    assert (found.is_complete, found.notes) == (False, (f"not there, or not to be seen with this token: {REPO}",))


def test_owners_of_a_repository_that_is_not_to_be_seen_are_an_error(small):
    with telling({f"/repos/{REPO}": {"full_name": REPO}}) as server:
        request = asking(small, "github", "deployments", url=server.url, **GITHUB | {"repositories": ["borte", "web"]})
        with pytest.raises(SourceError, match="404"):
            owners.proposals(request)


def test_a_renamed_repository_that_refuses_its_deployments_is_missed(small):
    """The configuration knows its old name only, that of the answer nobody owns."""
    services = small / "services.toml"
    told = services.read_text().replace('id = "web"', 'id = "web"\nrepositories = ["kystetaten/web", "kystetaten/db"]')
    services.write_text(told)
    routes = repository([], [], []) | {"/repos/kystetaten/db": {"full_name": "kystetaten/base"}}
    found, _ = asked(small, routes, repositories=[])
    assert (found.is_complete, found.hidden) == (True, {"web"})
    assert "not there, or not to be seen with this token: kystetaten/base" in found.notes


@pytest.mark.parametrize(("until", "missed"), [("2026-07-01", set()), ("2026-08-15", {"gammel"}), ("", {"gammel"})])
def test_nobody_misses_the_repository_of_a_service_that_is_over(small, until, missed):
    owner = f'team = "alfa", from = 2026-01-01{f", to = {until}" if until else ""}'
    service = f'[[service]]\nid = "gammel"\nname = "Gammel"\ncriticality = "ordinary"\nowners = [{{ {owner} }}]\n'
    services = small / "services.toml"
    services.write_text(f'{services.read_text()}\n{service}repositories = ["kystetaten/gammel", "kystetaten/web"]\n')
    found, _ = asked(small, repository([], [], []), repositories=[])
    assert (found.is_complete, found.hidden) == (True, missed)
    assert found.notes == ("not there, or not to be seen with this token: kystetaten/gammel",)


def test_a_repository_that_is_not_to_be_seen_costs_its_own_service_alone(small, tmp_path):
    """Its days are asked for again; those that were seen whole keep what is known of it; no load is landed twice."""
    services = small / "services.toml"
    hidden = '[[service]]\nid = "hid"\nname = "Hid"\ncriticality = "ordinary"\nrepositories = ["kystetaten/hid"]\n'
    told = f'{services.read_text()}\n{hidden}owners = [{{ team = "beta", from = 2026-01-01 }}]\n'
    services.write_text(told.replace('id = "web"', 'id = "web"\nrepositories = ["kystetaten/web"]'))
    both = repository([deployment(1, payload={"manual_step": False})], [states(1)], [])
    seen = {"/repos/kystetaten/hid": {"full_name": "kystetaten/hid"}, "/repos/kystetaten/hid/deployments": []}
    with telling(both | seen) as server:
        (small / "sources.toml").write_text(
            f'[[connector]]\nname = "hub"\nkind = "github"\nurl = "{server.url}"\nowner = "kystetaten"\n'
            'streams = ["deployments"]\nfrom = 2026-03-01\n'
        )

        def pull(day):
            now = datetime(2026, 8, day, 5, tzinfo=UTC)
            settings = Settings(home=tmp_path / "home", org=small, data=None, now=now, sql=default_sql_root())
            (result,) = pull_stream(settings, load_organisation(small), "deployments")
            loads = sorted(result.loads, key=lambda load: load.window_start)
            return bool(result.error), [(load.window_start.day, load.is_complete, load.hidden) for load in loads]

        failed, loads = pull(10)
        assert not failed
        assert {load[2] for load in loads} == {()}
        server.routes = both
        assert pull(12) == (True, [(10, True, ("hid",))])
        assert pull(12) == (True, [])
        now = datetime(2026, 8, 12, 5, tzinfo=UTC)
        runs.run(Settings(home=tmp_path / "home", org=small, data=None, now=now, sql=default_sql_root()))
        with store.opened(store.current(tmp_path / "home" / "snapshots")) as con:
            found = con.execute(
                "select team_id, round(completeness, 3) from scores.metric"
                " where grain = 'latest' and metric_id = 'aut_automated_deploy_share' order by team_id"
            ).fetchall()
        # Of two services of the one team one is missing for two of ninety days, and of the other team none.
        assert found == [("alfa", 1.0), ("beta", 0.989)]
        server.routes = both | seen
        failed, loads = pull(13)
        assert not failed
        assert {load[2] for load in loads} == {()}


def test_a_bot_that_works_in_a_renamed_repository_is_on(small):
    """Without a file of its own a repository says by its requests alone that a bot is on: they bear the new name."""
    search = searching({"kystetaten": [pull_request("kystetaten/portal-2")]})
    state = {"pushedAt": text(AT), "isArchived": False, "dashboard": {"nodes": []}}

    def answer(query, body):
        found = {"data": {"repository": state | dict.fromkeys(f"file{number}" for number in range(16))}}
        return search(query, body) if "q" in body["variables"] else found

    routes = {
        f"/repos/{REPO}": Reply(status=301, headers={"location": "/repositories/7"}),
        "/repositories/7": {"full_name": "kystetaten/portal-2"},
        "/graphql": answer,
    }
    with telling(routes) as server:
        found = fetched(small, "github", "repository_states", url=server.url, **GITHUB)
    assert [(row["repository"], row["is_bot_enabled"]) for row in found.rows] == [(REPO, True)]
    assert found.notes == (f"{REPO} is called kystetaten/portal-2 now: write that into the configuration",)


def test_update_requests_of_every_owner_that_is_named_are_asked_for(small):
    routes = {"/graphql": searching({"kystetaten": [], "annen": [pull_request("annen/app")]})}
    routes |= {f"/repos/{name}": {"full_name": name} for name in (REPO, "annen/app")}
    with telling(routes) as server:
        settings = GITHUB | {"repositories": ["web", "annen/app"]}
        found = fetched(small, "github", "update_merges", url=server.url, **settings)
    assert [row["repository"] for row in found.rows] == ["annen/app"]


@pytest.mark.parametrize("payload", ["{not json", '"{}"', "[1]", "deploy", 7, None])
def test_a_payload_that_is_somebody_elses_says_nothing_and_breaks_nothing(small, payload):
    (row,) = asked(small, repository([deployment(1, payload=payload)], [states(1)], []))[0].rows
    assert row["has_manual_step"] is None


def test_a_next_page_that_was_read_already_is_no_end(small):
    """An answer that leads back to itself is not whole, whatever it holds."""
    with telling({f"/repos/{REPO}": {"full_name": REPO}}) as server:
        path = f"/repos/{REPO}/dependabot/alerts"
        link = {"link": f'<{server.url}{path}?after=x>; rel="next"'}
        server.routes[path] = Reply([dependabot()], headers=link)
        with pytest.raises(SourceError, match="the same page came twice"):
            fetched(small, "github", "vulnerabilities", url=server.url, **GITHUB)


def dependabot(**more: Any) -> dict[str, Any]:
    return {
        "number": 1,
        "state": "open",
        "dependency": {"scope": "runtime"},
        "security_advisory": {
            "ghsa_id": "GHSA-1",
            "cve_id": "CVE-2026-1",
            "severity": "critical",
            "published_at": text(AT - timedelta(days=1)),
            "withdrawn_at": None,
            "cvss_severities": {"cvss_v3": {"vector_string": None, "score": 0.0}, "cvss_v4": None},
            "epss": None,
        },
        "created_at": text(AT),
        "fixed_at": None,
        "dismissed_at": None,
        "dismissed_reason": None,
        "auto_dismissed_at": None,
        **more,
    }


@pytest.mark.parametrize(
    ("scope", "is_exposed"), [("runtime", True), ("development", False), (None, None), ("unknown", None), ("", None)]
)
def test_a_scope_that_is_not_known_is_no_development(small, scope, is_exposed):
    found = alerts(small, "dependabot", dependabot(dependency={"scope": scope}))
    assert [row["is_exposed"] for row in found.rows] == [is_exposed]


def alerts(small, kind: str, *said: dict[str, Any], **settings: Any):
    routes = {f"/repos/{REPO}": {"full_name": REPO}}
    for name in ("dependabot", "code-scanning", "secret-scanning"):
        routes[f"/repos/{REPO}/{name}/alerts"] = list(said) if name == kind else []
    stream = "vulnerabilities" if kind == "dependabot" else "security_alerts"
    return asked(small, routes, stream, **settings)[0]


LATER = text(AT + timedelta(days=2))


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({"state": "fixed", "fixed_at": LATER}, True),
        ({"state": "dismissed", "dismissed_at": LATER, "dismissed_reason": "inaccurate"}, True),
        ({"state": "dismissed", "dismissed_at": LATER, "dismissed_reason": "not_used"}, True),
        ({"state": "dismissed", "dismissed_at": LATER, "dismissed_reason": "no_bandwidth"}, False),
        ({"state": "dismissed", "dismissed_at": LATER, "dismissed_reason": "tolerable_risk"}, False),
        ({"state": "dismissed", "dismissed_at": LATER, "dismissed_reason": "fix_started"}, False),
        ({"state": "auto_dismissed", "auto_dismissed_at": LATER}, False),
        # Opened again: times of its first end may still be there.
        ({"state": "open", "dismissed_at": LATER, "dismissed_reason": "inaccurate"}, False),
        ({"state": "open", "fixed_at": LATER}, False),
    ],
)
def test_setting_an_alert_aside_is_not_mending_it(small, more, ends):
    found = alerts(small, "dependabot", dependabot(**more))
    (row,) = found.rows
    assert (row["fixed_at"] is not None) == ends
    assert sum(found.counted.values()) == (not ends and more["state"] != "open")


def test_alerts_that_were_set_aside_are_counted_with_their_own_days(small):
    """Every answer holds the alerts of all days; a pull of several windows sums what each counted."""
    old = text(AT - timedelta(days=200))
    said = dependabot(state="dismissed", dismissed_at=LATER, dismissed_reason="no_bandwidth", created_at=old)
    found = alerts(small, "dependabot", said)
    assert (len(found.rows), sum(found.counted.values())) == (1, 0)


def test_an_archived_repository_has_no_alerts_and_makes_no_part(small):
    routes = {
        f"/repos/{REPO}": {"full_name": REPO, "archived": True},
        "/repos/kystetaten/db": {"full_name": "kystetaten/db", "archived": False},
        "/repos/kystetaten/db/dependabot/alerts": [dependabot()],
    }
    found, _ = asked(small, routes, "vulnerabilities", repositories=["web", "db"])
    assert (len(found.rows), found.is_complete) == (1, True)
    assert found.notes == (f"{REPO} is archived: GitHub has no alerts of it",)


def test_a_withdrawn_advisory_is_no_finding_any_more(small):
    alert = dependabot()
    alert["security_advisory"]["withdrawn_at"] = LATER
    assert alerts(small, "dependabot", alert).rows[0]["fixed_at"] == AT + timedelta(days=2)


@pytest.mark.parametrize(
    ("epss", "ratio"),
    [
        ({"percentage": 0.25, "percentile": 0.9}, 0.25),
        ([{"percentage": 0.1}, {"percentage": 0.3}], 0.3),
        ([], None),
        (None, None),
        ({}, None),
    ],
)
def test_epss_is_an_object_a_list_or_nothing(small, epss, ratio):
    alert = dependabot()
    alert["security_advisory"]["epss"] = epss
    assert alerts(small, "dependabot", alert).rows[0]["epss_ratio"] == ratio


@pytest.mark.parametrize(
    ("v3", "v4", "facts"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None, (True, True)),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H", None, (False, False)),
        (None, None, (None, None)),
        ("", "", (None, None)),
        # An advisory with a vector of version 4 only (advisory-database#7385) says neither (method 3.9).
        (None, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", (None, None)),
        (None, "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N/AU:Y", (None, None)),
        # With one of version 3 beside it, that one is read.
        (
            "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N",
            (False, True),
        ),
        # A vector that lacks a measure does not say it.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N", None, (True, None)),
    ],
)
def test_facts_of_vectors(small, v3, v4, facts):
    alert = dependabot()
    alert["security_advisory"]["cvss_severities"] = {
        "cvss_v3": {"vector_string": v3, "score": 0.0},
        "cvss_v4": v4 and {"vector_string": v4, "score": 9.3},
    }
    (row,) = alerts(small, "dependabot", alert).rows
    assert (row["is_automatable"], row["is_total_impact"]) == facts


def test_other_versions_measure_other_things():
    assert automatable_and_total("AV:N/AC:L/Au:N/C:C/I:C/A:C") == (None, None)
    assert automatable_and_total("CVSS:5.0/AV:N/AC:L/PR:N/UI:N/C:H/I:H/A:H") == (None, None)


def test_an_alert_that_says_little_is_not_known(small):
    alert = dependabot(dependency={"package": {"ecosystem": "actions", "name": "x"}})
    frame_row = alerts(small, "dependabot", alert).rows[0]
    assert frame_row["is_exposed"] is None
    assert "is_exploited" not in frame_row, "no list of exploited ones is configured"


@pytest.mark.parametrize(
    ("kind", "more", "ends"),
    [
        ("code-scanning", {"state": "fixed", "fixed_at": LATER}, True),
        ("code-scanning", {"state": "dismissed", "dismissed_reason": "false positive"}, True),
        ("code-scanning", {"state": "dismissed", "dismissed_reason": "used in tests"}, True),
        ("code-scanning", {"state": "dismissed", "dismissed_reason": "won't fix"}, False),
        ("code-scanning", {"state": "dismissed", "dismissed_reason": None}, False),
        ("secret-scanning", {"state": "resolved", "resolution": "revoked"}, True),
        ("secret-scanning", {"state": "resolved", "resolution": "false_positive"}, True),
        ("secret-scanning", {"state": "resolved", "resolution": "wont_fix"}, False),
        ("secret-scanning", {"state": "open", "resolution": None}, False),
    ],
)
def test_scanner_alerts_end_when_they_are_mended_or_none(small, kind, more, ends):
    alert: dict[str, Any] = {"number": 1, "created_at": text(AT)}
    if kind == "code-scanning":
        alert |= {"fixed_at": None, "dismissed_at": LATER, "rule": {"severity": None, "security_severity_level": None}}
    else:
        alert |= {"resolved_at": LATER}
    (row,) = alerts(small, kind, alert | more).rows
    assert (row["closed_at"] is not None) == ends
    assert row["severity"] == (None if kind == "code-scanning" else "critical"), "no severity is not a low one"


def test_every_reason_is_one_that_github_has(small):
    published = {"fix_started", "inaccurate", "no_bandwidth", "not_used", "tolerable_risk"}
    published |= {"false positive", "won't fix", "used in tests", "mitigated"}
    published |= {"false_positive", "wont_fix", "revoked", "used_in_tests", "pattern_deleted", "pattern_edited"}
    assert published >= NO_FINDING


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("### Resolved 2026-08-03 08:40", {"resolved_at": "2026-08-03 08:40"}),
        ("### Resolved: 2026-08-03T08:40:00+02:00", {"resolved_at": "2026-08-03T08:40:00+02:00"}),
        ("### Løst\n\n2026-08-03T08:40Z", {"resolved_at": "2026-08-03T08:40Z"}),
        ("### Løst\n\n_No response_\n\n### Declared\n2026-08-03T08:00Z", {"declared_at": "2026-08-03T08:00Z"}),
        ("### Resolved\nabout noon, they said", {"resolved_at": NO_TIME}),
        ("### Resolved\n2026-08-03T08:40Z or so", {"resolved_at": NO_TIME}),
        ("### Resolved at 08:40", {"resolved_at": NO_TIME}),
        ("### Incident number 42", {"own_id": "42"}),
        ("### Signature\nthe customer lost\neverything", {}),
        ("### Resolved issues\n2026-08-03T08:40Z", {}),
        ("### Incident-42 in short\n2026-08-03T08:40Z", {}),
    ],
)
def test_headings_of_forms(body, fields):
    assert form_of(body).fields == fields


def issue(body: str, **more: Any) -> dict[str, Any]:
    return {
        "number": 1,
        "state": "CLOSED",
        "stateReason": "COMPLETED",
        "createdAt": text(AT),
        "closedAt": text(AT + timedelta(hours=3)),
        "body": body,
        "labels": {"nodes": [{"name": "incident"}, {"name": "service:web"}, {"name": "sev2"}]},
        "milestone": None,
        "timelineItems": {"nodes": []},
        **more,
    }


def issues(found: dict[str, Any]) -> dict[str, Any]:
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [found]}
    return {"/graphql": {"data": {"repository": {"issues": page}}}}


@pytest.mark.parametrize(
    ("body", "resolved", "why"),
    [
        ("", AT + timedelta(hours=3), None),
        ("### Resolved 2026-08-03T08:40:00Z", AT + timedelta(minutes=40), None),
        # Not silently the time at which the issue was closed.
        ("### Resolved 2026-08-03 08:40", None, "resolved_at: no offset from UTC"),
        ("### Resolved\nabout noon", None, "resolved_at: no instant"),
        ("### Resolved\n2026-13-45T08:40Z", None, "resolved_at: no instant"),
    ],
)
def test_a_time_that_cannot_be_read_sets_the_incident_aside(small, body, resolved, why):
    with telling(issues(issue(body))) as server:
        settings = GITHUB | {"incident_repository": "kystetaten/incidents"}
        (row,) = landed(small, "github", "incidents", url=server.url, **settings).to_dicts()
    if why is None:
        assert (row["_reason"], row["resolved_at"]) == (None, resolved)
    else:
        assert why in row["_reason"]
        assert "noon" not in str(row), "nothing of the issue's words is kept"


def test_a_due_day_is_over_when_the_day_is(small):
    with telling(issues(issue("### Frist\n2026-09-30", stateReason=None, closedAt=None, state="OPEN"))) as server:
        settings = GITHUB | {"incident_repository": "kystetaten/incidents"}
        (row,) = landed(small, "github", "action_items", url=server.url, **settings).to_dicts()
    assert row["first_due_at"] == datetime(2026, 9, 30, 21, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "is_done"), [("COMPLETED", True), (None, True), ("NOT_PLANNED", False), ("SOMETHING_NEW", False)]
)
def test_only_what_was_done_is_done(small, reason, is_done):
    with telling(issues(issue("", stateReason=reason))) as server:
        settings = GITHUB | {"incident_repository": "kystetaten/incidents", "url": server.url}
        for stream, end in (("action_items", "done_at"), ("maintenance_tasks", "completed_at")):
            (row,) = fetched(small, "github", stream, **settings).rows
            assert (row[end] is not None) is is_done
        (row,) = fetched(small, "github", "incidents", **settings).rows
        assert row["resolved_at"] is not None, "an incident that is closed is over, whatever the reason"


@pytest.mark.parametrize("stream", ["incidents", "action_items", "maintenance_tasks"])
def test_a_duplicate_is_the_other_issue_and_counted(small, stream):
    with telling(issues(issue("", stateReason="DUPLICATE"))) as server:
        settings = GITHUB | {"incident_repository": "kystetaten/incidents"}
        found = fetched(small, "github", stream, url=server.url, **settings)
    assert (list(found.rows), found.counted) == ([], {DUPLICATES: 1})


def steps(*said: tuple[str, str]) -> dict[str, Any]:
    times = [AT + number * timedelta(seconds=30) for number in range(len(said) + 1)]
    found = [
        {
            "name": name,
            "status": "completed",
            "conclusion": end,
            "number": place,
            "started_at": text(a),
            "completed_at": text(b),
        }
        for place, ((name, end), (a, b)) in enumerate(zip(said, pairwise(times), strict=True), start=1)
    ]
    return {"total_count": 1, "jobs": [{"name": "use-case", "conclusion": "failure", "steps": found}]}


@pytest.mark.parametrize(
    ("said", "settings", "status"),
    [
        ([("Set up job", "success"), ("Run k6 use case", "success")], {}, "up"),
        ([("Set up job", "success"), ("Run k6 use case", "failure")], {}, "down"),
        # A step that only prepares is no probe (wire findings).
        ([("Create k6 secrets file", "failure"), ("Run k6 use case", "skipped")], {}, "unknown"),
        ([("Run grafana/setup-k6-action@v1", "failure"), ("Run k6 use case", "skipped")], {}, "unknown"),
        ([("Install test tools", "failure"), ("Run tests", "skipped")], {}, "unknown"),
        ([("Run tests", "success"), ("Upload test report", "failure")], {}, "up"),
        ([("Check login page", "failure")], {}, "unknown"),
        ([("Check page", "failure")], {"probe_steps": ["check page"]}, "down"),
        ([("Run k6 use case", "cancelled")], {}, "unknown"),
    ],
)
def test_only_the_step_that_probes_decides(small, said, settings, status):
    routes = repository([], [], [run(9, "schedule", "use-case-PROD.yml", "Use Case PROD")])
    routes[f"/repos/{REPO}/actions/runs/9/jobs"] = steps(*said)
    found, _ = asked(small, routes, "availability_checks", **settings)
    assert [row["status"] for row in found.rows] == [status]
    assert sum(found.counted.values()) == (status == "unknown")


def test_a_restore_test_that_was_cancelled_tested_nothing(small):
    runs = [
        run(1, "schedule", "restore-test-db.yml", "Restore") | {"conclusion": end, "id": number}
        for number, end in enumerate(("success", "failure", "cancelled", "skipped", "startup_failure"), start=1)
    ]
    routes = repository([], [], runs)
    for number in range(1, 6):
        routes[f"/repos/{REPO}/actions/runs/{number}/jobs"] = {"total_count": 1, "jobs": [{"completed_at": LATER}]}
    found, _ = asked(small, routes, "restore_tests")
    assert [row["is_successful"] for row in found.rows] == [True, False]


def test_the_server_of_these_tests_says_what_it_is_given():
    server = Server({"/a": {"b": 1}})
    assert server.reply("/a?c=1", None) == Reply({"b": 1})
    assert server.reply("/x", None).status == 404


@pytest.mark.parametrize("stream", ["deployments", "availability_checks", "vulnerabilities", "update_merges"])
def test_an_owner_of_whom_services_toml_names_no_repository_is_told(small, stream):
    """A misspelt owner asks for nothing, which is not an owner with nothing."""
    with telling({"/graphql": {"data": {"search": None}}}) as server:
        answer = fetched(small, "github", stream, url=server.url, owner="kystetatn", update_authors=[])
    assert list(answer.rows) == []
    assert answer.notes == ("nothing was asked: no repository of services.toml belongs to kystetatn",)
