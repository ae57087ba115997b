-- title = "G-BCK-2: any class A or B datastore without a successful restore test in 365 days"
-- key = ["team_id", "as_of", "grain"]
-- area = "bck"
-- cap = 2
-- lifted_by = "bck_restore_test_currency"
-- needs = ["restore_tests"]
-- reason.nb = "{} [n:datalager|datalagre] i klasse A/B uten vellykket gjenopprettingstest siste 365 dager"
-- reason.en = "{} class A/B [n:datastore|datastores] without a successful restore test in 365 days"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
with untested as (
    select d.team_id, d.as_of, d.grain, d.datastore_id
    from macros.owned_datastores('bck_restore_test_currency') as d
    left join macros.restore_tests_at('bck_restore_test_currency') as t
        on
            t.datastore_id = d.datastore_id and t.as_of = d.as_of and t.grain = d.grain and t.is_successful
            and t.ended_at >= d.as_of - interval 365 day
    left join macros.told_from('restore_tests') as k on k.team_id = d.team_id
    join ref.as_of as w on w.as_of = d.as_of and w.grain = d.grain
    where
        d.data_class in ('A', 'B') and d.completeness >= 0.5 and (k.told_from <= w."on") is not false
    group by d.team_id, d.as_of, d.grain, d.datastore_id
    having count(t.test_id) = 0
)

select team_id, as_of, grain, count(*) as finding_count
from untested
group by team_id, as_of, grain
order by team_id, grain, as_of
