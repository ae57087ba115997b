"""A source that is down: an alarm while its days can still be fetched, a named gap when they cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from opsmetrics.build import run
from opsmetrics.snapshots.store import open_current

SOURCES = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["latency_daily"]
from = 2026-10-20
url = "$SIMULATOR/logs"
workspaces = ["33333333-3333-3333-3333-333333333333"]
"""


def gaps(settings) -> list[tuple]:
    with open_current(settings.snapshots) as con:
        return con.execute("select state, day_count from marts.missing_days order by starts_on").fetchall()


def test_down_then_at_risk_then_healed_but_for_what_was_forgotten(connected, simulated):
    settings, _ = connected(SOURCES)
    settings = replace(settings, now=datetime(2026, 11, 23, 6, tzinfo=UTC))
    simulated.faults.set("/logs", "500")
    down = run(settings)
    assert not down.ok
    # Thirty days are remembered: on 22 November the first three are gone, eight go within a week, the rest waits.
    assert [state for state, _ in gaps(settings)] == ["lost", "at_risk", "late"]
    assert sum(days for _, days in gaps(settings)) == 34
    (alarm,) = down.at_risk
    assert alarm.startswith("latency_daily from logs: 2026-10-")
    with open_current(settings.snapshots) as con:
        scored = con.execute(
            "select distinct s.status, s.points from scores.metric as s join meta.metrics as m using (metric_id)"
            " where list_contains(m.needs, 'latency_daily') and s.grain = 'latest'"
        ).fetchall()
    assert {points for _, points in scored} == {None}, f"a source that is down gives nobody a number: {scored}"

    simulated.faults.clear()
    healed = run(settings)
    assert (healed.ok, healed.at_risk) == (True, [])
    ((state, days),) = gaps(settings)
    assert (state, days) == ("lost", 4), "what was forgotten stays a named gap"
