"""Every answer that connectors rest on has a witness outside this project: docs/witnesses.md is made of what they read.

Each connector is asked for each of its streams. What it asked (path, query, headers, body) and what the stand-in
answered must agree with the witness; what it read must be shown by the witness, or be listed as shown by nobody.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.sources import json_files
from opsmetrics.sources import pull as pulling
from opsmetrics.sources.github.client import API_VERSION, SERVER_VERSION
from opsmetrics.sources.http import Http
from opsmetrics.sources.pull import pull_stream
from simulator.servers.reports import write_reports
from simulator.servers.resourcegraph import TABLES, tables
from tests.connectors.sections import ARGOCD, DESK, FLUX, GRAFANA, JSM, K6, PAGERDUTY, PROBERS, SCANS, ZABBIX
from tests.connectors.test_clone_episodes import CLONES, DEPS_DEV, OWN, lay_history
from tests.connectors.test_git_clones import Repository
from tests.connectors.witnesses import (
    ASKING,
    Answer,
    Exchange,
    Origin,
    Recorder,
    Resource,
    Witness,
    faults,
    fields_of,
    is_shown,
    witnesses,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "witnesses.md"
WINDOW = (date(2026, 11, 9), date(2026, 11, 12))
# Asked through the vendor's own packages, which are the witness of request and answer, or of no service at all.
THROUGH = {
    "azure_logs": "the vendor's package azure-monitor-query; columns by Kusto's own language service (test_kql.py)",
    "azure_metrics": "the vendor's package azure-monitor-querymetrics",
    "azure_resources": "the vendor's package azure-mgmt-resourcegraph; columns by Kusto's own language service (test_kql.py)",
    "git_clones": "git itself (test_git_clones.py); package registries stand above",
    "restore_files": "files of our own format (docs/source-contracts.md)",
}

# Kinds that read files of other programs: the stand-ins lay some.
FILES = {"flux_events", "k6_summaries", "scan_reports"}

PIPELINES = """
[[connector]]
name = "pipelines"
kind = "azure_pipelines"
streams = ["deployments"]
from = 2026-10-24
url = "$SIMULATOR/devops"
organization = "kystetaten"
project = "kaiplan"
token_env = "SIMULATOR_TOKEN"
"""
REGISTRIES = CLONES.replace('"clones"\nkind', '"registries"\nkind').replace(', "component_states"', "") + OWN
SOURCES = (
    (ROOT / "examples" / "demo" / "sources.connected.toml").read_text(encoding="utf-8")
    + JSM
    + PAGERDUTY
    + GRAFANA
    + K6
    + PROBERS
    + SCANS
    + DESK
    + ZABBIX
    + ARGOCD
    + FLUX
    + PIPELINES
    + REGISTRIES
    + REGISTRIES.replace('"registries"', '"deps_dev"').replace(OWN, DEPS_DEV)
)
SUBJECTS = [
    (connector["name"], stream) for connector in tomllib.loads(SOURCES)["connector"] for stream in connector["streams"]
]


class Recorded(httpx.Response):
    """An answer whose content notes what is read of it."""

    recorder: Recorder
    told: Any = None

    def json(self, **arguments: Any) -> Any:
        if self.told is None:
            self.told = self.recorder.add(self.request, super().json(**arguments))
        return self.told


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def recording(recorder, monkeypatch) -> Recorder:
    """What connectors ask and read from now on is noted."""
    bounded, function_of, content_of = Http._bounded, pulling.fetch_function, json_files.content

    def asked(self, *given):
        answer = bounded(self, *given)
        found = Recorded(answer.status_code, headers=answer.headers, content=answer.content, request=answer.request)
        found.recorder = recorder
        return found

    def named(kind, stream):
        function = function_of(kind, stream)

        def called(request):
            before = ASKING.set((kind, stream))
            try:
                return function(request)
            finally:
                ASKING.reset(before)

        return called

    def read(path):
        return recorder.add_file(path.name, content_of(path))

    monkeypatch.setattr(json_files, "content", read)
    monkeypatch.setattr(Http, "_bounded", asked)
    monkeypatch.setattr(pulling, "fetch_function", named)
    return recorder


@pytest.mark.parametrize("name", witnesses())
def test_a_witness_is_well_formed(name):
    witness = witnesses()[name]
    witness.check()
    assert set(witness.kinds) <= set(KINDS)
    for key, origin in witness.origin.items():
        assert origin.package or origin.address or (origin.repository and origin.commit and origin.path), key
        named = {name for part in (*witness.answers, *witness.resources) for name in part.origin}
        assert key in named, f"{key} witnesses nothing"


def test_drift_would_be_found():
    """Of an exchange that fits: one field more, one less, another type, another parameter are each named."""
    witness = Witness.model_validate(
        {
            "source": "x",
            "kinds": ["grafana"],
            "origin": {"a": {"what": "x", "kind": "recorded", "address": "x"}},
            "answers": [
                {
                    "operation": "GET /things/{id}",
                    "origin": ["a"],
                    "query": {"required": ["from"], "properties": {"from": {"pattern": "^[0-9]+$"}}},
                    "headers": {"required": ["accept"]},
                    "answer": {
                        "type": "array",
                        "items": {"$ref": "#/$defs/Thing"},
                    },
                }
            ],
            "$defs": {
                "Thing": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": {"type": "integer"}, "labels": {"additionalProperties": {"type": "string"}}},
                }
            },
        }
    )
    right = Exchange("grafana", "alerts", "GET", "/things/7", {"from": "1"}, {"accept": "*"}, None, [{"id": 1}])
    assert list(faults(right, (witness,))) == []
    wrong = {
        "more": replace(right, answer=[{"id": 1, "uid": "x"}]),
        "missing: id": replace(right, answer=[{}]),
        "type": replace(right, answer=[{"id": "1"}]),
        "missing: from": replace(right, query={}),
        "pattern": replace(right, query={"from": "now"}),
        "limit": replace(right, query={"from": "1", "limit": "2"}),
        "missing: accept": replace(right, headers={}),
        "no witness": replace(right, path="/thing/7"),
    }
    for words, exchange in wrong.items():
        (said,) = faults(exchange, (witness,))
        assert words.replace("more", "uid") in said
    shown = fields_of(witness.answers[0].answer, witness.defs)
    assert is_shown("[].labels.team", shown)
    assert is_shown("[].id", shown)
    assert not is_shown("[].uid", shown)


@pytest.mark.parametrize("subject", SUBJECTS, ids="/".join)
def test_request_and_answer_agree_with_the_witness(connected, recording, records, subject):
    origin, stream = subject
    seen = len(recording.exchanges)
    settings, organisation = connected(SOURCES)
    if any(
        delivery.source.kind in FILES for delivery in organisation.deliveries_of(stream) if delivery.origin == origin
    ):
        write_reports(records, settings.org, *WINDOW)
    if origin in {"registries", "deps_dev"}:
        lay_history(Repository(settings.org / "clones" / "api"))
    (result,) = pull_stream(settings, organisation, stream, WINDOW, origins=(origin,))
    assert result.error is None
    exchanges = recording.exchanges[seen:]
    (kind,) = {d.source.kind for d in organisation.deliveries_of(stream) if d.origin == origin}
    assert exchanges or kind in THROUGH
    assert sorted({fault for exchange in exchanges for fault in faults(as_asked_of_github(exchange))}) == []


def as_asked_of_github(exchange: Exchange) -> Exchange:
    """The witness is of github.com; any other host is taken for a server of the house, which has an older version."""
    name = "x-github-api-version"
    if exchange.headers.get(name) != SERVER_VERSION:
        return exchange
    return replace(exchange, headers={**exchange.headers, name: API_VERSION})


KQL = sorted((ROOT / "opsmetrics" / "sources" / "azure").glob("*.kql"))
TABLE = re.compile(rf"^\s*({'|'.join(TABLES)})\b", re.MULTILINE | re.IGNORECASE)
RESOURCES = [path for path in KQL if TABLE.search(path.read_text(encoding="utf-8"))]


def resources_of(table: str, kind: str | None = None) -> list[tuple[Witness, Resource]]:
    return [
        (witness, resource)
        for witness in witnesses().values()
        for resource in witness.resources
        if resource.table == table and kind in (None, resource.type.lower())
    ]


def test_resources_of_the_stand_in_are_azures(records):
    wrong = set()
    for table, rows in tables(records).items():
        for row in rows:
            found = resources_of(table, row["type"])
            if not found:
                wrong.add(f"{table} {row['type']}: no witness for this type of resource")
            for witness, resource in found:
                said = witness.disagreements(resource.properties, json.loads(row["properties"]))
                wrong |= {f"{table} {row['type']}: {each}" for each in said}
    assert sorted(wrong) == []


@pytest.mark.parametrize("path", RESOURCES, ids=lambda path: path.stem)
def test_queries_of_resources_read_what_azure_has(path):
    """Each ``properties.x.y`` of a query is a field of a resource of the query's tables."""
    text = path.read_text(encoding="utf-8")
    shown = {
        name
        for table in TABLE.findall(text)
        for witness, resource in resources_of(table.lower())
        for name in fields_of(resource.properties, witness.defs)
    }
    listed = {
        item.field for witness in witnesses().values() for item in witness.unwitnessed if item.operation == path.name
    }
    read = {
        re.sub(r"\[['\"]?([A-Za-z_$][^\]'\"]*)['\"]?\]", r".\1", name)
        for name in re.findall(r"\bproperties\.([\w.$\[\]'\"]+)", text)
    }
    assert read or "properties" not in text
    assert sorted(name for name in read - listed if not is_shown(re.sub(r"\[\d*\]", "[]", name), shown)) == []


def test_what_is_read_is_shown_by_a_witness(recorder):
    """A field that is read and that nobody shows is a guess; those that we know of are listed, and no others."""
    if len(recorder.reads) < 5:
        pytest.skip("only after the connectors were asked")
    guessed = defaultdict(set)
    for kind, stream, operation, fields in reads(recorder):
        shown, listed = shown_by(kind, operation), listed_by(kind, operation)
        for name in fields:
            if not is_shown(name, shown) and name not in listed:
                guessed[kind, operation].add(f"{stream}: {name}")
    assert dict(guessed) == {}


def test_the_table_of_witnesses_is_what_was_read(recorder):
    if len({(kind, stream) for kind, stream, _ in recorder.reads}) < 5:
        pytest.skip("only after the connectors were asked")
    text = document(recorder)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text


def reads(recorder: Recorder) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield kind, stream, operation and the fields that were read."""
    for (kind, stream, operation), fields in sorted(recorder.reads.items()):
        yield kind, stream, operation, sorted(fields)


def answers_of(kind: str, operation: str) -> list[tuple[Witness, Answer]]:
    return [
        (witness, answer)
        for witness in witnesses().values()
        if kind in witness.kinds
        for answer in witness.answers
        if answer.operation == operation
    ]


def shown_by(kind: str, operation: str) -> set[str]:
    return {
        name
        for witness, answer in answers_of(kind, operation)
        for name in (fields_of(answer.answer, witness.defs) if not answer.graphql else {"**"})
    }


def listed_by(kind: str, operation: str) -> dict[str, str]:
    return {
        item.field: item.why
        for witness in witnesses().values()
        if kind in witness.kinds
        for item in witness.unwitnessed
        if item.operation == operation
    }


def document(recorder: Recorder) -> str:
    """Return the table: connector, stream, operation, fields that are read, and who shows them."""
    lines = [
        "# Who says what a source answers",
        "",
        "Generated by `tests/connectors/test_witnesses.py` (`UPDATE_GOLDEN=1`) from what the connectors read of answers in",
        "the tests. Each field has a witness that this project did not write: an official specification or schema, a",
        "recorded answer, the server's own source, a real program. The same files (`tests/witnesses/`) hold what the",
        "stand-ins answer and what we ask (path, parameters, headers, body) to the witness: a field or parameter more or",
        "less than shown fails the tests. Fields of *nobody* are optional, and what rests on them is unknown without them.",
        "",
        "| Connector | Stream | Asked | Fields that are read | Shown by |",
        "|---|---|---|---|---|",
    ]
    for kind, stream, operation, fields in reads(recorder):
        listed = listed_by(kind, operation)
        known = [name for name in fields if name not in listed and not name.endswith("*")]
        origins = {
            said(witness.origin[key]) for witness, answer in answers_of(kind, operation) for key in answer.origin
        }
        row = f"| `{kind}` | `{stream}` | `{operation}` |"
        if known:
            lines.append(f"{row} {', '.join(f'`{name}`' for name in known)} | {'; '.join(sorted(origins))} |")
        lines += [f"{row} `{name}` | **nobody**: {listed[name]} |" for name in fields if name in listed]
    lines += [
        "",
        "Of Azure's resources, asked in KQL (`properties`):",
        "",
        "| Table | Type | Shown by |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{resource.table}` | `{resource.type}` | {'; '.join(said(witness.origin[key]) for key in resource.origin)} |"
        for witness in witnesses().values()
        for resource in witness.resources
    ]
    lines += ["", "Through others' programs and packages:", ""]
    lines += [f"- `{kind}`: {what}." for kind, what in sorted(THROUGH.items())]
    return "\n".join(lines) + "\n"


def said(origin: Origin) -> str:
    """Return who says so, in a few words."""
    where = origin.package or origin.address or f"{origin.repository}@{origin.commit[:7]} {origin.path}"
    return f"{origin.kind}: {origin.what} ({where})"
