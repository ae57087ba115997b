"""Matchers as people write them in a configuration of Alertmanager: several in one text, in braces, quoted, escaped."""

from __future__ import annotations

import json
import subprocess

import pytest

from opsmetrics.sources.alert_routes import UNREADABLE, matchers_in, receivers_of
from tests.connectors.test_real_prometheus import program
from tests.patience import LIMIT_SECONDS

LABELS = {"severity": "page", "team": "web", "instance": "10.0.0.7:9100", "note": 'a "b", c', "path": "C:\\new"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("severity = page", [("severity", "=", "page")]),
        ('{severity="page", team!~".*db", env=""}', [("severity", "=", "page"), ("team", "!~", ".*db"), ("env", "=", "")]),
        ("severity=page,team!=db", [("severity", "=", "page"), ("team", "!=", "db")]),
        ('team =~ "web,db" , severity != "\\"" , ', [("team", "=~", "web,db"), ("severity", "!=", '"')]),
        (r'instance=~"10\\.0\..*"', [("instance", "=~", r"10\.0\..*")]),
        ("tricky=~~~", [("tricky", "=~", "~~")]),
        (r"trickier==\\=\=\"", [("trickier", "=", r'=\=\="')]),
        ('"with blank"=x', [("with blank", "=", "x")]),
        ("severity", [UNREADABLE]),
        ('severity=page", team=web', [("severity", "=", "page"), UNREADABLE]),
        ('team=web, severity="page', [("team", "=", "web"), ("severity", "=", ""), UNREADABLE]),
    ],
)  # fmt: skip
def test_a_text_may_hold_several_matchers(text, told):
    assert matchers_in(text) == told


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ('severity="page",team="web"', "duty"),
        ('{severity="page", team="web", }', "duty"),
        ("severity=page, team=db", "root"),
        (r'instance=~"10\\.0\\.0\\.[0-9]+:9100"', "duty"),
        (r'note="a \"b\", c"', "duty"),
        (r'path="C:\\new"', "duty"),
        (r'path="C:\new"', "root"),
        ('team=~"web|db",severity!~"info|warning"', "duty"),
        ("env=,team=web", "duty"),
    ],
)
def test_policies_lead_where_alertmanagers_own_tool_says(tmp_path, text, reached):
    route = {"receiver": "root", "routes": [{"receiver": "duty", "matchers": [text]}]}
    told = {"route": route, "receivers": [{"name": "root"}, {"name": "duty"}]}
    # JSON is YAML.
    (tmp_path / "alertmanager.yml").write_text(json.dumps(told), encoding="utf-8")
    given = [f"{name}={json.dumps(value)}" for name, value in LABELS.items()]
    command = [program("amtool"), "config", "routes", "test", "--config.file=alertmanager.yml", *given]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    assert said.stdout.strip() == reached
    assert receivers_of(LABELS | {"env": ""}, route) == {reached}
