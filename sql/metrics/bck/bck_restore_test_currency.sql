-- title = { nb = "Gjenopprettingstest er fersk", en = "Restore-test currency vs plan" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.2
-- krav = 0.8
-- mal = 1.0
-- weight = 4
-- obligations = ["O73"]
-- needs = ["restore_tests"]
-- when_empty = "not_applicable"
-- formula = { nb = "datalagre med plan og vellykket test innen intervallet (A 90, B 180, C 365 dager) / datalagre i klasse A–C", en = "datastores with a plan and a successful test within the interval (A 90, B 180, C 365 days) / datastores of class A–C" }
-- why = { nb = "En kopi som aldri er prøvd, er et håp.", en = "A copy that was never tried is a hope." }
-- remedy = { nb = "Automatiser ukentlig gjenoppretting til isolert miljø, og roter mellom datalagrene.", en = "Automate a weekly restore into an isolated environment and rotate the datastores." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_restore_test_currency'
),
stores as (
    select d.*, w.starts_at, w.completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
),
items as (
    select d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(t.ended_at) as item_at,
        cast(coalesce(bool_or(d.has_restore_plan) and max(t.ended_at) >= any_value(d.as_of)
            - case any_value(d.data_class) when 'A' then 90 when 'B' then 180 else 365 end * interval 1 day,
            false) as integer) as numerator,
        1 as denominator,
        any_value(d.data_class) || case when not bool_or(d.has_restore_plan) then ', no plan' else '' end as detail,
        any_value(d.completeness) as completeness
    from stores as d
    left join facts.restore_tests as t
        on t.datastore_id = d.datastore_id and t.is_successful and t.ended_at < d.as_of
    where d.data_class <> 'D'
    group by d.team_id, d.as_of, d.grain, d.datastore_id
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
