"""Cases of an organisation's own metric run from its folder, and say what does not hold."""

from __future__ import annotations

from click.testing import CliRunner

from opsmetrics.cli import main
from tests.own_metric import HEADER

SELECT = """with items as (
    select
        d.team_id, w.as_of, w.grain, d.deployment_id as item_id, d.deployed_at as item_at,
        cast(d.is_automated as integer) as numerator, 1 as denominator, w.completeness
    from macros.metric_windows('own_x') as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
"""
GIVEN = """deployment_id,service_id,team_id,deployed_at,is_automated,is_rework
a,s1,t1,2026-08-01T10:00:00Z,true,false
b,s1,t1,2026-08-02T10:00:00Z,false,false
old,s1,t1,2026-07-16T10:00:00Z,true,false
"""


def test_a_case_that_holds_one_that_does_not_and_none(small):
    metrics = small / "metrics"
    metrics.mkdir()
    (metrics / "own_x.sql").write_text(HEADER + SELECT)
    ask = ["metric", "test", "own_x", "--org", str(small)]
    without = CliRunner().invoke(main, ask)
    assert without.exit_code == 1
    assert "the metric has no case" in without.output
    assert (
        "own_y.sql: there is no such metric"
        in CliRunner().invoke(main, ["metric", "test", "own_y", "--org", str(small)]).output
    )
    # The window of 45 days ends with August: the 16th of July is before it.
    for name, numerator in (("one_of_two", 1), ("wrong", 2)):
        case = metrics / "cases" / "own_x" / name
        case.mkdir(parents=True)
        (case / "given.facts.deployments.csv").write_text(GIVEN)
        (case / "expect.csv").write_text(f"team_id,numerator,denominator\nt1,{numerator},2\n")
    found = CliRunner().invoke(main, ask)
    assert found.exit_code == 1
    assert found.output.splitlines()[0] == "ok     one_of_two"
    assert found.output.splitlines()[1].startswith(
        "FAILED wrong: ['team_id', 'numerator', 'denominator']: ('t1', 1.0, 2.0)"
    )
