"""Azure DevOps' YAML pipelines as deployments: what reached which environment (contracts, H).

An environment keeps a record of every deployment job that named it, and of every machine that it ran on; the records of
one stage of one run are one deployment. The run says what started it, its timeline whether a person approved. Records
are shown when the whole run is over (MicrosoftDocs/vsts-rest-api-specs#635), so days are asked for again for 35.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors.deployers import AzurePipelines
from opsmetrics.sources.azure_devops import VERSION, client, instant, pages
from opsmetrics.sources.deploy_rules import DeployRules, Run
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import Http, RefusedError

Row = dict[str, Any]
PAGE = 100
UNKNOWN_RUN = "deployments kept although their run is not known any more"
# Outcomes of a job that do not speak against its deployment; one that was skipped did nothing.
_GOOD = frozenset({"succeeded", "succeededwithissues", "skipped"})
# How long before its end a job may have been queued: approvals and checks wait for 30 days at most.
WAITING = timedelta(days=31)
_APPROVAL = "checkpoint.approval"
_BY_HAND = "manualvalidation"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stage of one run in one environment.

    Attributes:
        environment: Name of the environment.
        build: Number of the run.
        pipeline: Name of its definition.
        stage: Name and attempt of the stage.
        deployed_at: When the last of its jobs ended.
        is_successful: Whether all went well and one did something.
    """

    environment: str
    build: int
    pipeline: str
    stage: str
    deployed_at: datetime
    is_successful: bool


def _path(request: FetchRequest[AzurePipelines], rest: str) -> str:
    return f"{request.connector.organization}/{request.connector.project}/_apis/{rest}"


def probe(request: FetchRequest[AzurePipelines]) -> str:
    """Ask for the environments, and for one run."""
    with client(request) as http:
        found = _environments(request, http)
        http.get(_path(request, "build/builds"), **{"api-version": VERSION, "$top": 1})
    return f"{len(found)} environments and runs readable"


def deployments(request: FetchRequest[AzurePipelines]) -> FetchResult:
    """Return stages that reached an environment in the asked days; the pipeline's name is the service.

    Raises:
        SourceError: No environment can be seen: those that an identity may not see are left out of the list.
    """
    settings = request.connector
    rules = DeployRules(
        settings.deploy_environments, settings.test_events, settings.test_workflows, settings.deploy_workflows
    )
    rows: list[Row] = []
    counted: Counter[str] = Counter()
    with client(request) as http:
        done: list[Deployment] = []
        environments = _environments(request, http)
        if not environments:
            message = "the project has no environments, or none that this identity may see"
            path = _path(request, "distributedtask/environments")
            raise http.error(path, message, "make the identity a Reader of the environments, or check the project")
        for environment in environments:
            done += [
                item
                for item in _deployments(request, http, environment)
                if item.is_successful and request.covers(item.deployed_at)
            ]
        builds = _builds(request, http, {item.build for item in done})
        for item in done:
            build = builds.get(item.build)
            run = Run(build["reason"], (item.pipeline,)) if build else None
            why = rules.left_out(item.environment, run)
            if why is not None:
                counted[why] += 1
                continue
            counted[UNKNOWN_RUN] += build is None
            rows.append(_row(request, http, item, is_known=build is not None))
    return FetchResult(rows, source=f"{settings.url} pipelines", counted=+counted)


def _environments(request: FetchRequest[AzurePipelines], http: Http) -> list[Row]:
    params = {"api-version": VERSION, "$top": PAGE}
    return [item for page in pages(http, _path(request, "distributedtask/environments"), params) for item in page]


def _deployments(request: FetchRequest[AzurePipelines], http: Http, environment: Row) -> Iterator[Deployment]:
    path = _path(request, f"distributedtask/environments/{environment['id']}/environmentdeploymentrecords")
    jobs: dict[tuple[int, str, str], list[Row]] = defaultdict(list)
    # Newest first; a record is made when its job is queued, before anybody approved.
    for page in pages(http, path, {"api-version": VERSION, "top": PAGE}):
        for record in page:
            owner, pipeline = record.get("owner") or {}, (record.get("definition") or {}).get("name") or ""
            if owner.get("id") is not None:
                stage = f"{record.get('stageName') or ''}.{record.get('stageAttempt') or 1}"
                jobs[owner["id"], pipeline, stage].append(record)
        queued = [at for record in page if (at := instant(record.get("queueTime"))) is not None]
        if queued and max(queued) < request.starts_at - WAITING:
            break
    for (build, pipeline, stage), records in jobs.items():
        ends = [instant(record.get("finishTime")) for record in records]
        # One of its jobs still runs: it has not been rolled out yet.
        if None not in ends:
            outcomes = {str(record.get("result") or "").lower() for record in records}
            good = outcomes <= _GOOD and outcomes != {"skipped"}
            last = max(at for at in ends if at is not None)
            yield Deployment(environment["name"], build, pipeline, stage, last, good)


def _builds(request: FetchRequest[AzurePipelines], http: Http, numbers: set[int]) -> dict[int, Row]:
    """Return the runs by number; one that was deleted is not there."""
    found: dict[int, Row] = {}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), PAGE):
        asked = ",".join(map(str, ordered[start : start + PAGE]))
        params = {"api-version": VERSION, "buildIds": asked}
        for page in pages(http, _path(request, "build/builds"), params):
            found |= {build["id"]: build for build in page}
    return found


def _row(request: FetchRequest[AzurePipelines], http: Http, item: Deployment, *, is_known: bool) -> Row:
    return {
        "deployment_id": f"{request.connector.name}-{item.build}/{item.environment}/{item.stage}",
        "service_id": request.connector.service(item.pipeline),
        "environment": item.environment,
        "deployed_at": item.deployed_at,
        # The pipeline did it even when a person pressed start; what a person did in it is the manual step.
        "actor_kind": "pipeline",
        "has_manual_step": _has_manual_step(request, http, item) if is_known else None,
    }


def _has_manual_step(request: FetchRequest[AzurePipelines], http: Http, item: Deployment) -> bool | None:
    """Whether the stage waited for a person: an approval, or a task that asks for validation by hand."""
    try:
        path = _path(request, f"build/builds/{item.build}/timeline")
        answer = http.answer("GET", path, params={"api-version": VERSION}).json()
    except RefusedError as error:
        if error.status != 404:
            raise
        return None
    records = (answer or {}).get("records")
    if not records:
        return None
    above = {record["id"]: record.get("parentId") for record in records}
    name = item.stage.rsplit(".", 1)[0]
    stages = {
        record["id"]
        for record in records
        if (record.get("type") or "").lower() == "stage" and name in {record.get("identifier"), record.get("name")}
    }
    by_hand = [
        record["id"]
        for record in records
        if (record.get("type") or "").lower() == _APPROVAL
        or ((record.get("task") or {}).get("name") or "").lower() == _BY_HAND
    ]
    return any(stages & _above(number, above) for number in by_hand)


def _above(number: str, above: dict[str, str | None]) -> set[str]:
    """Return all records that a record lies in."""
    found: set[str] = set()
    at = above.get(number)
    while at is not None and at not in found:
        found.add(at)
        at = above.get(at)
    return found
