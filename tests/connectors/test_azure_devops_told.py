"""What Azure DevOps really says: ends that are missing, midnights, pages, and the records of YAML pipelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation import load_organisation
from opsmetrics.sources.azure_pipelines import UNKNOWN_RUN
from opsmetrics.sources.looks import GONE
from opsmetrics.sources.pull import pull_stream
from opsmetrics.sources.registry import probe_function
from tests.conftest import settings_in
from tests.connectors.told import Reply, asking, fetched, landed, telling

BASE = "/org/shop/_apis"
SETTINGS = {"organization": "org", "project": "shop", "token_env": "DEVOPS_TOKEN"}
DAY = (date(2026, 8, 3), date(2026, 8, 4))
AT = datetime(2026, 8, 3, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("DEVOPS_TOKEN", "for the loopback")


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def release(number: int, **more: Any) -> dict[str, Any]:
    """A deployment in the form of the official example, which has no end."""
    return {
        "id": number,
        "releaseDefinition": {"id": 1, "name": "web"},
        "releaseEnvironment": {"id": 2, "name": "PROD"},
        "deploymentStatus": "succeeded",
        "reason": "manual",
        "queuedOn": "0001-01-01T00:00:00",
        "startedOn": text(AT),
        "lastModifiedOn": text(AT + timedelta(minutes=9)),
        "preDeployApprovals": [],
        "postDeployApprovals": [],
        **more,
    }


def releases(*said: dict[str, Any]) -> dict[str, Any]:
    def listed(query: dict[str, str], _body: Any) -> Any:
        low, high, changed = query["minStartedTime"], query["maxStartedTime"], query["minModifiedTime"]
        found = [
            item
            for item in said
            if item["deploymentStatus"] == query["deploymentStatus"]
            and low <= item["startedOn"] <= high
            and changed <= item["lastModifiedOn"]
        ]
        return {"count": len(found), "value": found}

    return {f"{BASE}/release/deployments": listed}


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        ({}, AT + timedelta(minutes=9)),
        ({"completedOn": text(AT + timedelta(minutes=5))}, AT + timedelta(minutes=5)),
        ({"completedOn": "0001-01-01T00:00:00"}, AT + timedelta(minutes=9)),
        ({"deploymentStatus": "partiallySucceeded"}, AT + timedelta(minutes=9)),
        # It began on the day before, and ended on this one.
        ({"startedOn": text(AT - timedelta(hours=20))}, AT + timedelta(minutes=9)),
        ({"startedOn": text(AT - timedelta(days=20))}, AT + timedelta(minutes=9)),
        # It waited for a person for three months.
        ({"startedOn": text(AT - timedelta(days=90))}, AT + timedelta(minutes=9)),
        # It began on this day, and ended on the next one.
        ({"lastModifiedOn": text(AT + timedelta(days=1))}, None),
        ({"deploymentStatus": "failed"}, None),
        ({"deploymentStatus": "inProgress"}, None),
    ],
)
def test_the_end_decides_the_day(small, more, ended):
    with telling(releases(release(1, **more))) as server:
        rows = fetched(small, "azure_devops", "deployments", DAY, url=server.url, **SETTINGS).rows
    assert [row["deployed_at"] for row in rows] == ([] if ended is None else [ended])


def test_a_release_without_definition_is_set_aside_and_the_others_are_read(small):
    with telling(releases(release(1, releaseDefinition=None), release(2))) as server:
        rows = landed(small, "azure_devops", "deployments", DAY, url=server.url, **SETTINGS).to_dicts()
    assert sorted((row["deployment_id"], row["_reason"]) for row in rows) == [
        ("source-1", "service_id: missing"),
        ("source-2", None),
    ]


def test_what_was_landed_and_is_shown_no_more_is_counted(small, tmp_path):
    """Somebody removed a release: the newer answer is believed, and that it takes something back is told."""
    with telling(releases(release(1), release(2))) as server:
        connector = 'name = "devops"\nkind = "azure_devops"\nstreams = ["deployments"]\nfrom = 2026-08-03'
        told = "\n".join(f'{name} = "{value}"' for name, value in {"url": server.url, **SETTINGS}.items())
        (small / "sources.toml").write_text(f"[[connector]]\n{connector}\n{told}\n", encoding="utf-8")

        def pull(day: int, *said: dict[str, Any]) -> tuple[str, ...]:
            server.routes.update(releases(*said))
            settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=datetime(2026, 8, day, 6, tzinfo=UTC))
            (result,) = pull_stream(settings, load_organisation(small), "deployments")
            assert result.error is None
            return result.told

        assert pull(4, release(1), release(2)) == ()
        assert pull(5, release(2), release(3)) == (f"devops: {GONE.format(stream='deployments')}: 1",)
        assert pull(6, release(2), release(3)) == ()


def test_pages_are_named_by_a_header(small):
    def listed(query: dict[str, str], _body: Any) -> Any:
        if query["deploymentStatus"] != "succeeded":
            return {"count": 0, "value": []}
        first = "continuationToken" not in query
        value = [release(1 if first else 2)]
        return Reply({"count": 1, "value": value}, headers={"x-ms-continuationtoken": "79"} if first else {})

    with telling({f"{BASE}/release/deployments": listed}) as server:
        found = fetched(small, "azure_devops", "deployments", DAY, url=server.url, **SETTINGS)
    assert [row["deployment_id"] for row in found.rows] == ["source-1", "source-2"]


def test_a_token_that_is_not_known_is_told_so_and_not_tried_again(small):
    """Azure DevOps answers it with status 203 and its sign-in page."""
    with telling({f"{BASE}/release/deployments": Reply("<html>", status=203, is_json=False)}) as server:
        with pytest.raises(SourceError, match="the token is missing, wrong or expired: set DEVOPS_TOKEN"):
            fetched(small, "azure_devops", "deployments", DAY, url=server.url, **SETTINGS)
        assert len(server.asked) == 1


def record(build: int, ended: datetime | None = AT, **more: Any) -> dict[str, Any]:
    """A record of an environment: one deployment job, or one machine of it."""
    return {
        "id": build * 10,
        "environmentId": 1,
        "definition": {"id": 7, "name": "web"},
        "owner": {"id": build, "name": f"2026.{build}"},
        "planType": "Build",
        "stageName": "prod",
        "stageAttempt": 1,
        "jobName": "roll out",
        "result": "succeeded" if ended else None,
        "queueTime": text(AT - timedelta(minutes=30)),
        "startTime": text(AT - timedelta(minutes=20)),
        **({"finishTime": text(ended)} if ended else {}),
        **more,
    }


STAGE = {"id": "s", "parentId": None, "type": "Stage", "name": "Production", "identifier": "prod"}
CHECK = {"id": "c", "parentId": "s", "type": "Checkpoint", "name": "Checkpoint"}
APPROVAL = {"id": "a", "parentId": "c", "type": "Checkpoint.Approval", "name": "Checkpoint.Approval"}


def pipelines(
    *records: dict[str, Any], reason: str = "manual", timeline: list[dict[str, Any]] | None = None, gone: bool = False
) -> dict[str, Any]:
    numbers = {item["owner"]["id"] for item in records}

    def builds(query: dict[str, str], _body: Any) -> Any:
        asked = {int(part) for part in query.get("buildIds", "0").split(",")}
        value = [] if gone else [{"id": number, "reason": reason} for number in sorted(asked & numbers)]
        return {"count": len(value), "value": value}

    return {
        f"{BASE}/distributedtask/environments": {"count": 1, "value": [{"id": 1, "name": "Prod"}]},
        f"{BASE}/distributedtask/environments/1/environmentdeploymentrecords": {
            "count": len(records),
            "value": list(records),
        },
        f"{BASE}/build/builds": builds,
        **{
            f"{BASE}/build/builds/{number}/timeline": {"id": "t", "records": timeline or [STAGE, CHECK]}
            for number in numbers
        },
    }


def deployed(small, routes: dict[str, Any], **settings: Any):
    with telling(routes) as server:
        return fetched(small, "azure_pipelines", "deployments", DAY, url=server.url, **SETTINGS | settings)


def test_a_project_without_an_environment_to_be_seen_is_not_one_without_deployments(small):
    """Azure DevOps leaves environments out of the list that the identity may not see."""
    routes = pipelines(record(5)) | {f"{BASE}/distributedtask/environments": {"count": 0, "value": []}}
    with pytest.raises(SourceError, match="no environments, or none that this identity may see"):
        deployed(small, routes)


def test_what_reached_an_environment_is_a_deployment(small):
    (row,) = deployed(small, pipelines(record(5))).rows
    assert row == {
        "deployment_id": "source-5/Prod/prod.1",
        "service_id": "web",
        "environment": "Prod",
        "deployed_at": AT,
        "actor_kind": "pipeline",
        "has_manual_step": False,
    }


def test_jobs_and_machines_of_one_stage_are_one_deployment(small):
    later = AT + timedelta(minutes=7)
    found = deployed(small, pipelines(record(5), record(5, later, id=51), record(5, later, id=52, resourceId=9)))
    assert [row["deployed_at"] for row in found.rows] == [later]
    again = deployed(small, pipelines(record(5), record(5, later, id=51, stageAttempt=2)))
    assert len(again.rows) == 2, "a stage that was run again rolled out again"


@pytest.mark.parametrize(
    ("records", "count"),
    [
        ([record(5, result="succeededWithIssues")], 1),
        ([record(5, result="failed")], 0),
        ([record(5, result="canceled")], 0),
        ([record(5, result="skipped")], 0),
        ([record(5), record(5, id=51, result="failed")], 0),
        ([record(5), record(5, id=51, result="skipped")], 1),
        # One job of the stage still runs.
        ([record(5), record(5, None, id=51)], 0),
        # It was queued a week before its approval.
        ([record(5, queueTime=text(AT - timedelta(days=7)))], 1),
        ([record(5, AT - timedelta(days=1))], 0),
        ([record(5, AT + timedelta(days=1))], 0),
    ],
)
def test_outcome_and_end_of_all_jobs_decide(small, records, count):
    assert len(deployed(small, pipelines(*records)).rows) == count


def test_what_is_shown_when_the_run_is_over_is_still_asked_for(small, tmp_path):
    """An environment shows a stage when its whole run is over (MicrosoftDocs/vsts-rest-api-specs#635).

    The run waits for the approval of its last stage: for 25 days nobody sees that the first one rolled out.
    """
    names = "\n".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    found: list[dict[str, Any]] = []
    with telling({}) as server:
        source = 'name = "ado"\nkind = "azure_pipelines"\nstreams = ["deployments"]\nfrom = 2026-08-01'
        (small / "sources.toml").write_text(f'[[connector]]\n{source}\nurl = "{server.url}"\n{names}\n')
        for days, shown in ((2, [record(4, AT - timedelta(days=1))]), (25, [record(4), record(5)])):
            server.routes = pipelines(*shown)
            settings = replace(settings_in(tmp_path), now=AT + timedelta(days=days))
            (result,) = pull_stream(settings, load_organisation(small), "deployments")
            assert result.error is None
            found += [row for load in result.loads for row in pl.read_parquet(load.path).to_dicts()]
    assert "ado-5/Prod/prod.1" in {row["deployment_id"] for row in found}


@pytest.mark.parametrize(
    ("reason", "name", "settings", "counts"),
    [
        ("manual", "web", {}, True),
        ("individualCI", "web", {}, True),
        ("schedule", "web", {}, False),
        ("pullRequest", "deploy web", {}, False),
        ("schedule", "web", {"test_events": []}, True),
        ("manual", "use-case tests", {}, False),
        ("manual", "use-case tests", {"test_workflows": []}, True),
        ("manual", "web", {"deploy_environments": ["staging"]}, False),
    ],
)
def test_the_same_rules_as_on_github_tell_tests_from_deployments(small, reason, name, settings, counts):
    said = record(5, definition={"id": 7, "name": name})
    found = deployed(small, pipelines(said, reason=reason), **settings)
    assert len(found.rows) == counts
    assert sum(found.counted.values()) == (not counts)


def test_a_run_without_a_timeline_says_nothing_of_people(small):
    """Status 204 and no body: nothing to read, and nothing wrong."""
    routes = pipelines(record(5))
    routes |= {path: Reply(status=204) for path in routes if path.endswith("/timeline")}
    (row,) = deployed(small, routes).rows
    assert row["has_manual_step"] is None


@pytest.mark.parametrize(
    ("timeline", "manual"),
    [
        ([STAGE, CHECK], False),
        ([STAGE, CHECK, APPROVAL], True),
        (
            [STAGE, {"id": "j", "parentId": "s", "type": "Task", "name": "x", "task": {"name": "ManualValidation"}}],
            True,
        ),
        # Another stage was approved.
        ([STAGE, {**STAGE, "id": "o", "identifier": "test"}, {**CHECK, "parentId": "o"}, APPROVAL], False),
    ],
)
def test_an_approval_of_the_stage_is_a_manual_step(small, timeline, manual):
    (row,) = deployed(small, pipelines(record(5), timeline=timeline)).rows
    assert row["has_manual_step"] is manual


def test_a_run_that_was_deleted_is_told_and_its_step_unknown(small):
    found = deployed(small, pipelines(record(5), gone=True))
    assert [row["has_manual_step"] for row in found.rows] == [None]
    assert found.counted == {UNKNOWN_RUN: 1}


def test_the_smallest_question_needs_both_rights(small):
    with telling(pipelines(record(5))) as server:
        request = asking(small, "azure_pipelines", "deployments", url=server.url, **SETTINGS)
        assert probe_function("azure_pipelines")(request) == "1 environments and runs readable"
        assert {path.rsplit("/", 1)[-1] for path in server.paths()} == {"environments", "builds"}
