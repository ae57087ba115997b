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
from tests.connectors.told import telling
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


def annotation(number: int, at: datetime, state: str, previous: str, pod: str) -> dict:
    text = f"Slow {{alertname=Slow, pod={pod}}} - A=1.000000"
    told = {"id": number, "alertId": 7, "newState": state, "prevState": previous, "text": text}
    return told | {"time": int(at.timestamp() * 1000), "timeEnd": int(at.timestamp() * 1000)}


@pytest.mark.parametrize(
    ("first", "step", "pods"),
    [
        (4, 1, {"long", "page"}),
        # Nobody looked while it was known, or only before it had ended.
        (20, 1, {"long", "page", "silenced"}),
        (4, 9, {"long", "page"}),
    ],
)
def test_why_nobody_was_called_is_forgotten_and_nobody_was(small, tmp_path, monkeypatch, first, step, pods):
    """Grafana keeps a silence for five days after its end; another alert of the same day is open for weeks."""
    monkeypatch.setenv("GRAFANA_TOKEN", "loopback-only")
    at, clock = datetime(2026, 8, 3, 8, tzinfo=UTC), {}
    spans = {"long": timedelta(days=25), "page": timedelta(minutes=20), "silenced": timedelta(minutes=30)}
    notes = [
        annotation(2 * number + is_end, at + is_end * lasts, *(("Normal", "Alerting") if is_end else ("Alerting", "Normal")), pod)
        for number, (pod, lasts) in enumerate(spans.items(), 1)
        for is_end in (0, 1)
    ]  # fmt: skip
    silence = {
        "startsAt": (at - timedelta(hours=1)).isoformat(),
        "endsAt": (at + timedelta(hours=4)).isoformat(),
        "matchers": [{"name": "pod", "value": "silenced", "isRegex": False, "isEqual": True}],
    }

    def annotations(query, _body):
        start, end = (datetime.fromtimestamp(int(query[name]) / 1000, UTC) for name in ("from", "to"))
        shown = [note for note in notes if start.timestamp() <= note["time"] / 1000 <= end.timestamp()]
        return [note for note in shown if note["time"] / 1000 <= clock["now"].timestamp()]

    def timings(_query, _body):
        # Since the 12th nobody is called for that pod any more.
        is_muted = clock["now"].day >= 12
        return [{"name": "never", "time_intervals": [{"weekdays": ["sunday:saturday"]}]}] if is_muted else []

    policy = {"receiver": "duty", "object_matchers": [["pod", "=", "page"]], "mute_time_intervals": ["never"]}
    routes = {
        "/api/v1/provisioning/alert-rules": [{"id": 7, "uid": "u", "title": "Slow"}],
        "/api/annotations": annotations,
        "/api/alertmanager/grafana/api/v2/silences": lambda *_: [silence] if clock["now"].day <= 8 else [],
        "/api/v1/provisioning/policies": {"receiver": "duty", "routes": [policy]},
        "/api/v1/provisioning/mute-timings": timings if first == 4 else [],
    }
    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    with telling(routes) as server:
        (small / "sources.toml").write_text(
            SOURCES.replace("http://127.0.0.1:9", server.url) + 'token_env = "GRAFANA_TOKEN"\n'
        )
        for day in range(first, 27, step):
            clock["now"] = datetime(2026, 8, day, 6, tzinfo=UTC)
            (result,) = pull_stream(replace(settings, now=clock["now"]), load_organisation(small), "alerts")
            assert result.error is None
    found = World(small, tmp_path / "home").rows("alerts", "closed_at - fired_at")
    assert {row[0] for row in found} == {None if pod == "long" else spans[pod] for pod in pods}
