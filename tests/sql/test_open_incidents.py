"""Leaving the worst incident open never improves a figure (ADR 0010), on random incidents through the real SQL."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.build.cases import AS_OF

METRICS = ("mon_detection_by_alert", "inc_incident_manager_involved", "inc_postmortem_on_time")
END = datetime.fromisoformat(AS_OF)


def incidents(rolls: random.Random) -> list[dict]:
    """Random incidents of one service; the first is the worst: nobody saw it, managed it or learned from it."""
    rows = []
    for number in range(rolls.randint(1, 7)):
        declared = END - timedelta(days=rolls.uniform(0, 420))
        resolved = declared + timedelta(days=rolls.choice((0.1, 1, 5, 40)) * rolls.random())
        rows.append(
            {
                "incident_id": f"i{number}",
                "service_id": "s1",
                "severity": rolls.choice((1, 2, 3)),
                "declared_at": declared,
                "first_alert_at": declared - timedelta(minutes=5) if rolls.random() < 0.6 else None,
                "first_report_at": declared,
                "resolved_at": resolved,
                "manager_assigned_at": declared + timedelta(minutes=rolls.choice((10, 50))),
                "postmortem_published_at": resolved + timedelta(days=rolls.choice((2, 30))),
                "is_postmortem_reviewed": True,
                "is_escalated": False,
                "is_exercise": False,
                "is_data_loss": False,
            }
        )
    # Called severe, or called small although it spends a whole budget: both ask for a post mortem.
    rows[0] |= {
        "severity": rolls.choice((1, 3)),
        "first_alert_at": None,
        "manager_assigned_at": None,
        "postmortem_published_at": None,
    }
    return rows


def figures(con, context, rows) -> dict[str, float | None]:
    """Value of each metric, and whether the gate is tripped (as a figure that is better when lower)."""
    con.execute("delete from staging.incidents")
    names = list(rows[0])
    marks = ", ".join(f"${n}::{kind(name)} as {name}" for n, name in enumerate(names, start=1))
    for row in rows:
        con.execute(f"insert into staging.incidents by name select {marks}", list(row.values()))
    begin, end = rows[0]["declared_at"], rows[0]["declared_at"] + timedelta(hours=9)
    con.execute("delete from facts.availability_runs")
    con.execute(
        """insert into facts.availability_runs by name select 'm' as monitor_key, 1 as run_number, 's1' as service_id,
           'down' as status, $1::timestamptz as starts_at, $2::timestamptz as ends_at""",
        [begin, end],
    )
    con.execute("delete from ref.slos")
    con.execute("insert into ref.slos values ('s1', 'availability', 0.999, '2000-01-01', '2200-01-01')")
    con.execute("delete from facts.incidents")
    con.execute(f"insert into facts.incidents {context.files['facts.incidents'].text}")
    found = {}
    for metric in METRICS:
        values = con.execute(f"select value from ({context.files[f'metrics.{metric}'].text})").fetchall()
        found[metric] = values[0][0] if values else None
    gate = con.execute(f"select finding_count from ({context.files['gates.g_feil_1'].text})").fetchall()
    found["gate"] = -float(gate[0][0]) if gate else 0.0
    return found


def kind(name: str) -> str:
    if name.endswith("_at"):
        return "timestamptz"
    if name.startswith("is_"):
        return "boolean"
    return {"severity": "bigint"}.get(name, "varchar")


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_leaving_the_worst_incident_open_improves_nothing(warehouse, context, seed):
    rows = incidents(random.Random(seed))
    resolved = figures(warehouse, context, rows)
    left_open = figures(warehouse, context, [rows[0] | {"resolved_at": None}, *rows[1:]])
    for name, value in resolved.items():
        if value is not None:
            assert left_open[name] is not None, name
            assert left_open[name] <= value + 1e-12, name
