"""GraphQL documents against GitHub's published schema; the stand-in's bodies against GitHub's published models."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from githubkit_schemas.v2026_03_10 import models
from graphql import build_schema, parse, validate
from pydantic import TypeAdapter, ValidationError

from opsmetrics.sources.github.client import document
from tests.asking import http_get

FOLDER = Path(__file__).resolve().parents[2] / "opsmetrics" / "sources" / "github"
DOCUMENTS = sorted(path.stem for path in FOLDER.glob("*.graphql"))
SCHEMA = Path(sys.prefix) / "oracles" / "npm" / "octokit-graphql-schema" / "schema.graphql"


@pytest.fixture(scope="module")
def github_schema():
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_validate_against_githubs_schema(github_schema, name):
    assert validate(github_schema, parse(document(name))) == []


def test_a_wrong_document_would_be_found(github_schema):
    wrong = document("issues").replace("closedAt", "closedOn")
    assert "closedOn" in str(validate(github_schema, parse(wrong))[0])


# Path below /github -> GitHub's published model of one item, and where the items are.
SHAPES: dict[str, tuple[type[Any], str | None]] = {
    "repos/kystetaten/sjokart-api": (models.FullRepository, None),
    "repos/kystetaten/sjokart-api/actions/runs?created=2026-11-20T00:00:00Z..2026-11-21T00:00:00Z": (
        models.WorkflowRun,
        "workflow_runs",
    ),
    "repos/kystetaten/sjokart-api/actions/runs/9000001/jobs": (models.Job, "jobs"),
    "repos/kystetaten/havneavgift-api/deployments": (models.Deployment, ""),
    "repos/kystetaten/havneavgift-api/dependabot/alerts": (models.DependabotAlert, ""),
    "repos/kystetaten/losbestilling-api/contents/restore-test.json": (models.ContentFile, None),
}


LEFT_OUT: dict[str, list[str]] = {}
GOLDEN = Path(__file__).parent / "github_left_out.json"


def items_of(body: Any, place: str | None) -> list[Any]:
    return [body] if place is None else body if place == "" else body[place]


@pytest.mark.parametrize("path", SHAPES)
def test_what_the_stand_in_says_github_could_say(simulated, path):
    """Every field that the stand-in sends has the type that GitHub publishes; what it leaves out is named.

    A drift test: a field of ours that GitHub's model of this version does not know, or types otherwise, fails.
    """
    model, place = SHAPES[path]
    body = http_get(f"{simulated.url}/github/{path}", verify=simulated.trust).json()
    items = items_of(body, place)
    assert items
    try:
        TypeAdapter(model).validate_python(items[0])
        wrong: list[Any] = []
    except ValidationError as error:
        wrong = error.errors()
    # Left out is allowed: connectors must not need it. Any other disagreement is a lie about the wire format.
    left_out = {".".join(map(str, item["loc"])) for item in wrong if item["type"] == "missing"}
    LEFT_OUT[model.__name__] = sorted({str(item["loc"][0]) for item in wrong if item["type"] == "missing"})
    lies = [item for item in wrong if item["type"] != "missing" and not beside_a_gap(item["loc"], left_out)]
    assert [(item["loc"], item["msg"]) for item in lies] == []
    known = set(model.model_fields) | {field.alias for field in model.model_fields.values() if field.alias}
    assert set(items[0]) <= known, "fields that GitHub does not send"


def beside_a_gap(loc: tuple[Any, ...], left_out: set[str]) -> bool:
    """Whether a problem stands in a union of which one branch lacks fields: pydantic reports the other branches too."""
    head = ".".join(map(str, loc[:1]))
    return any(name == head or name.startswith(f"{head}.") for name in left_out)


def test_what_the_stand_in_leaves_out_is_known():
    """Fields that GitHub always sends and our stand-in does not: the list changes only on purpose (UPDATE_GOLDEN=1)."""
    if len(LEFT_OUT) < len(SHAPES):
        pytest.skip("only after all bodies were looked at")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(LEFT_OUT, indent=1, sort_keys=True) + "\n")
    assert json.loads(GOLDEN.read_text()) == LEFT_OUT
