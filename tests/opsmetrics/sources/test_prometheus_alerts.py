"""One alert that fires for days is one page, however the days are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from urllib.parse import parse_qs

import pytest

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import alertmanager, prometheus, pull_stream
from tests.connectors.conftest import Answers
from tests.listening import listening
from tests.opsmetrics.sources.test_days import World

SOURCES = """
[[connector]]
name = "prom"
kind = "prometheus"
url = "http://127.0.0.1:9"
streams = ["alerts"]
from = 2026-08-20
"""

FIRED, CLOSED = datetime(2026, 8, 26, 8, tzinfo=UTC), datetime(2026, 8, 30, 10, tzinfo=UTC)


def samples(_request, _query, start, end, step, _notes):
    """One series that fires from the one instant up to the other, and one that fires for an hour each day."""
    instants = [start + n * step for n in range((end - start) // step + 1)]
    for name, fires in (("long", lambda at: FIRED <= at < CLOSED), ("daily", lambda at: at.hour == 12)):
        values = [(at, 1.0) for at in instants if fires(at)]
        if values:
            yield {"alertname": name, "alertstate": "firing", "service": "web"}, values


@pytest.mark.parametrize("hours", [24, 72])
def test_an_alert_of_four_days_is_one_page_with_its_own_start_and_end(small, tmp_path, monkeypatch, hours):
    (small / "sources.toml").write_text(SOURCES)
    monkeypatch.setattr(prometheus, "_range", samples)
    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    world, organisation = World(small, tmp_path / "home"), load_organisation(small)
    now = datetime(2026, 8, 27, 4, tzinfo=UTC)
    while now < datetime(2026, 9, 4, tzinfo=UTC):
        (result,) = pull_stream(replace(settings, now=now), organisation, "alerts")
        assert result.error is None
        now += timedelta(hours=hours)
    rows = world.rows("alerts", "rule_id, fired_at, closed_at")
    assert [row for row in rows if row[0] == "long"] == [("long", FIRED, CLOSED)]
    assert len([row for row in rows if row[0] == "daily"]) == len(rows) - 1 >= 10


def test_what_was_silenced_stays_no_page_when_its_silence_is_forgotten(small, tmp_path, monkeypatch):
    """The day of the long alert is asked for again, for longer than Alertmanager keeps the silence of the other one."""
    (small / "sources.toml").write_text(SOURCES)
    clock = {}

    def tells_nobody(_self, labels, _first, last, _during):
        return labels["alertname"] == "daily" and clock["now"] - last < timedelta(days=5)

    monkeypatch.setattr(prometheus, "_range", samples)
    monkeypatch.setattr(alertmanager.Alertmanager, "tells_nobody", tells_nobody)
    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    for day in range(9):
        clock["now"] = datetime(2026, 8, 27, 4, tzinfo=UTC) + timedelta(days=day)
        (result,) = pull_stream(replace(settings, now=clock["now"]), load_organisation(small), "alerts")
        assert result.error is None
    rows = World(small, tmp_path / "home").rows("alerts", "rule_id, fired_at")
    # Of what was over for longer when the first pull came nobody knew that any more.
    assert [row for row in rows if row[1] >= datetime(2026, 8, 23, tzinfo=UTC)] == [("long", FIRED)]


@pytest.mark.parametrize(("interval", "count"), [(900, 1), (60, 16), (None, 16)])
def test_a_rule_that_is_evaluated_every_quarter_of_an_hour_fires_once(small, tmp_path, interval, count):
    """Each sample is seen for five minutes; from 21 to 01 over a midnight there are sixteen of them."""
    begin, clock = datetime(2026, 8, 26, 19, tzinfo=UTC), {}

    def answer(asked):
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        instants = [start + number * step for number in range(int((end - start) // step) + 1)]
        seen = [
            at
            for at in instants
            if 0 <= at - begin.timestamp() < 4 * 3600 and (at - begin.timestamp()) % 900 < 300
            if at <= clock["now"].timestamp()
        ]
        labels = {"alertname": "Slow", "alertstate": "firing", "service": "web"}
        series = (
            [{"metric": labels, "values": [[at, "1"] for at in seen]}] if seen and "ALERTS" in asked["query"] else []
        )
        return {"status": "success", "data": {"resultType": "matrix", "result": series}}

    rules = {"groups": [{"name": "g", "interval": interval, "rules": [{"name": "Slow", "type": "alerting"}]}]}

    def told(path, _query, body):
        if path.endswith("/rules"):
            return (404, {}) if interval is None else (200, {"status": "success", "data": rules})
        return 200, answer({name: values[0] for name, values in parse_qs(body).items()})

    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    handler = type("Answering", (Answers,), {"answer": staticmethod(told)})
    with listening(HTTPServer(("127.0.0.1", 0), handler)) as url:
        (small / "sources.toml").write_text(SOURCES.replace("http://127.0.0.1:9", url))
        for day in (27, 28, 29):
            clock["now"] = datetime(2026, 8, day, 4, tzinfo=UTC)
            (result,) = pull_stream(replace(settings, now=clock["now"]), load_organisation(small), "alerts")
            assert result.error is None
    rows = World(small, tmp_path / "home").rows("alerts", "fired_at, closed_at")
    assert len(rows) == count
    if count == 1:
        assert rows == [(begin, begin + timedelta(hours=3, minutes=50))]
