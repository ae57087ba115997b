"""Other tools' files as proposals: what is new, what differs, people passed over, bad files named with line and fix."""

from __future__ import annotations

import json
import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.organisation import load_organisation
from opsmetrics.proposals.from_other_tools import READERS, azure_tags, backstage, codeowners, openslo

TODAY = date(2026, 9, 2)
OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-availability}
spec:
  service: Web
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{displayName: up, target: TARGET}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: db-latency}
spec:
  service: db
  objectives: [{targetPercent: 99.5}]
---
apiVersion: openslo/v1
kind: Service
metadata: {name: web}
"""
COMPONENT = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: web}
spec: {type: service, lifecycle: production, owner: OWNER}
"""


@pytest.fixture
def organisation(small):
    return load_organisation(small)


def file(tmp_path, text, name="x.yaml"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_promises_agree_differ_or_are_new(organisation, tmp_path):
    found = openslo(organisation, file(tmp_path, OPENSLO.replace("TARGET", "0.99")), TODAY)
    assert [(item.service, item.state, item.current) for item in found] == [
        ("web", "agrees", "availability 0.99"),
        ("db", "new", None),
    ]
    assert tomllib.loads(found[1].toml)["slo"] == [{"service": "db", "kind": "latency", "target": 0.995, "from": TODAY}]
    other = openslo(organisation, file(tmp_path, OPENSLO.replace("TARGET", "0.999")), TODAY)[0]
    assert (other.state, tomllib.loads(other.toml)["slo"][0]["target"]) == ("differs", 0.999)


def test_a_proposal_can_be_pasted(small, tmp_path):
    found = openslo(load_organisation(small), file(tmp_path, OPENSLO.replace("TARGET", "0.99")), TODAY)[1]
    with (small / "slo.toml").open("a") as sink:
        sink.write(f"\n{found.toml}")
    assert load_organisation(small).slos[-1].target == 0.995
    tagged = azure_tags(
        load_organisation(small),
        file(tmp_path, json.dumps([{"tags": {"Service": "Kø API", "team": "alfa"}}]), "r.json"),
        TODAY,
    )[0]
    with (small / "services.toml").open("a") as sink:
        sink.write(f"\n{tagged.toml}")
    assert [service.id for service in load_organisation(small).services] == ["web", "db", "k--api"]


@pytest.mark.parametrize(
    ("owner", "state", "says"),
    [("group:default/alfa", "agrees", "alfa"), ("Beta", "differs", "Beta"), ("gamma", "unknown", "gamma")],
)
def test_owners_of_backstage(organisation, tmp_path, owner, state, says):
    (found,) = backstage(organisation, file(tmp_path, COMPONENT.replace("OWNER", owner)), TODAY)
    assert (found.service, found.state, found.says, found.current) == ("web", state, says, "alfa")
    assert ("team = " in found.toml) == (state == "differs")


def test_people_are_passed_over(organisation, tmp_path):
    assert backstage(organisation, file(tmp_path, COMPONENT.replace("OWNER", "user:default/somebody")), TODAY) == []
    path = file(tmp_path, "* @somebody\n", "web/.github/CODEOWNERS")
    assert codeowners(organisation, path, TODAY) == []


def test_codeowners_of_a_checkout(organisation, tmp_path):
    (found,) = codeowners(organisation, file(tmp_path, "* @org/beta\n", "web/.github/CODEOWNERS"), TODAY)
    assert (found.service, found.state, found.current) == ("web", "differs", "alfa")


def test_tags_name_services_and_owners(organisation, tmp_path):
    resources = [
        {"id": "/a", "tags": {"service": "web", "team": "alfa"}},
        {"id": "/b", "tags": {"SERVICE": "web", "Team": "alfa"}},
        {"id": "/c", "tags": {"service": "queue", "team": "beta"}},
        {"id": "/d", "tags": {"service": "orphan"}},
        {"id": "/e", "tags": None},
        {"id": "/f", "tags": ["service"]},
        {"id": "/g", "tags": {"service": None, "team": 5}},
    ]
    found = azure_tags(organisation, file(tmp_path, json.dumps({"data": resources}), "r.json"), TODAY)
    assert [(item.service, item.state) for item in found] == [
        ("orphan", "unknown"),
        ("queue", "new"),
        ("web", "agrees"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "line", "said"),
    [
        ("openslo", "kind: SLO\n  - broken: [", 2, "not YAML"),
        ("openslo", OPENSLO.replace("TARGET", "none"), 2, "no target"),
        ("openslo", OPENSLO.replace("TARGET", "99.9"), 2, "not between 0 and 1"),
        ("backstage", "a: &a [*a]\n? [", 2, "not YAML"),
        ("azure-tags", "[\n{", 2, "not JSON"),
        ("azure-tags", "9" * 10_000, None, "not JSON"),
        ("azure-tags", "{}", None, "no list of resources"),
    ],
)
def test_a_bad_file_is_named_with_line_and_fix(organisation, tmp_path, kind, text, line, said):
    with pytest.raises(ConfigurationError) as caught:
        READERS[kind](organisation, file(tmp_path, text), TODAY)
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.line == line
    assert problem.fix


@given(st.sampled_from(sorted(READERS)), st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory, make_small, kind, text):
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    if not (folder / "org").exists():
        make_small(folder / "org")
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    try:
        READERS[kind](load_organisation(folder / "org"), path, TODAY)
    except ConfigurationError as error:
        assert error.problems[0].fix  # noqa: PT017 - any text may be refused, and then with a fix


def test_the_command_changes_nothing(cli, small, tmp_path):
    before = {path: path.read_bytes() for path in small.glob("*.toml")}
    path = file(tmp_path, OPENSLO.replace("TARGET", "0.999"))
    done = cli("import", "openslo", str(path), "--org", str(small))
    assert "differs  web" in done.stdout
    assert "# for slo.toml" in done.stdout
    assert {path: path.read_bytes() for path in small.glob("*.toml")} == before
    wrong = cli("import", "openslo", str(tmp_path / "none.yaml"), "--org", str(small), check=False)
    assert wrong.returncode != 0
    assert "no such file" in wrong.stderr
