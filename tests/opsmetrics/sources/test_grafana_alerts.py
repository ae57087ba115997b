"""An alert that fires for weeks is closed by the annotation that says so, whichever days are asked for."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import grafana, pull_stream
from tests.opsmetrics.sources.test_days import World

SOURCES = """
[[connector]]
name = "graf"
kind = "grafana"
url = "http://127.0.0.1:9"
streams = ["alerts"]
from = 2026-08-01
"""
FIRED, CLOSED = datetime(2026, 8, 3, 8, tzinfo=UTC), datetime(2026, 8, 28, 9, tzinfo=UTC)


@pytest.mark.parametrize("first", [5, 30])
def test_an_alert_of_weeks_gets_its_end(small, tmp_path, monkeypatch, first):
    (small / "sources.toml").write_text(SOURCES)
    clock = {}

    def annotations(_http, start, end, **_):
        notes = [(1, FIRED, "Alerting", "Pending"), (2, CLOSED, "Normal", "Alerting")]
        return [
            {
                "id": number,
                "alertId": 7,
                "time": int(at.timestamp() * 1000),
                "newState": state,
                "prevState": previous,
                "text": "Slow {alertname=Slow} - A=1.000000",
            }
            for number, at, state, previous in notes
            if start <= at < end and at <= clock["now"]
        ]

    monkeypatch.setattr(grafana, "_annotations", annotations)
    monkeypatch.setattr(
        grafana, "_client", lambda _: nullcontext(SimpleNamespace(get=lambda _: [{"id": 7, "uid": "u"}]))
    )
    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    for day in (first, 32):
        clock["now"] = datetime(2026, 8, 1, 6, tzinfo=UTC) + timedelta(days=day)
        (result,) = pull_stream(replace(settings, now=clock["now"]), load_organisation(small), "alerts")
        assert result.error is None
    found = World(small, tmp_path / "home").rows("alerts", "rule_id, fired_at, closed_at")
    assert found == [("u", FIRED, CLOSED)]
