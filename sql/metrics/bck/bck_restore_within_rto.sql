-- title = { nb = "Restore målt og innenfor RTO", en = "Restore time measured and within RTO" }
-- unit = "share"
-- kind = "census"
-- window = "365d"
-- floor = 0.2
-- krav = 0.8
-- mal = 1.0
-- weight = 3
-- obligations = ["O74"]
-- needs = ["restore_tests"]
-- when_empty = "not_applicable"
-- formula = { nb = "datalagre der siste test lyktes innenfor RTO / datalagre i klasse A–C; ikke målt er ikke oppfylt", en = "datastores whose last test succeeded within the RTO / datastores of class A–C; unmeasured is not met" }
-- why = { nb = "Vi skal vite hvor lang tid gjenoppretting tar.", en = "We shall know how long a restore takes." }
-- remedy = { nb = "Mål full gjenoppretting av den største databasen; juster RTO eller løsning.", en = "Measure a full restore of the largest database; adjust the RTO or the solution." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_restore_within_rto'
),
stores as (
    select d.*, w.starts_at, w.completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
),
latest as (
    select d.team_id, d.as_of, d.grain, d.datastore_id, d.rto_minutes, d.data_class, d.completeness,
        t.ended_at, t.is_successful, t.restore_minutes
    from stores as d
    left join facts.restore_tests as t
        on t.datastore_id = d.datastore_id and t.ended_at < d.as_of and t.ended_at >= d.starts_at
    where d.data_class <> 'D'
    qualify row_number() over (
        partition by d.team_id, d.as_of, d.grain, d.datastore_id order by t.ended_at desc nulls last, t.test_id
    ) = 1
),
items as (
    select team_id, as_of, grain, datastore_id as item_id, ended_at as item_at,
        cast(coalesce(is_successful and restore_minutes <= rto_minutes, false) as integer) as numerator,
        1 as denominator,
        case
            when ended_at is null then 'no_measurement'
            when not is_successful then 'failed'
            when rto_minutes is null then 'no RTO'
            else round(restore_minutes) || ' of ' || round(rto_minutes) || ' min'
        end as detail,
        completeness
    from latest
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
