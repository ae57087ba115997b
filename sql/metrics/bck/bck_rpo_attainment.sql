-- title = { nb = "RPO oppnådd", en = "RPO attainment (time-weighted)" }
-- unit = "share"
-- kind = "census"
-- window = "90d"
-- floor = 0.95
-- krav = 0.995
-- mal = 1.0
-- weight = 4
-- obligations = ["O71"]
-- needs = ["recovery_points"]
-- when_empty = "not_applicable"
-- formula = { nb = "tid der nyeste brukbare punkt er innenfor RPO / all tid, vektet etter kritikalitet", en = "time with the newest usable point within the RPO / all time, weighted by criticality" }
-- why = { nb = "Mange vellykkede jobber kan skjule ett langt hull.", en = "Many successful jobs can hide one long gap." }
-- remedy = { nb = "Rett tidsplanen; varsle om jobber som feiler.", en = "Mend the schedule; alert on failing jobs." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_rpo_attainment'
),
stores as (
    select d.*, w.starts_at, w.completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
),
items as (
    select d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(p.taken_at) as item_at,
        cast(any_value(d.criticality_weight) * coalesce(sum(greatest(0,
            epoch_us(least(p.keeps_rpo_until, d.as_of)) - epoch_us(greatest(p.taken_at, d.starts_at))))
            -- least and greatest pass over nulls: a store without any recovery point would keep its RPO all the time.
            filter (p.taken_at is not null), 0) / 3600e6
            as decimal(18, 6)) as numerator,
        cast(any_value(d.criticality_weight) * (epoch_us(any_value(d.as_of)) - epoch_us(any_value(d.starts_at))) / 3600e6
            as decimal(18, 6)) as denominator,
        'RPO ' || any_value(d.rpo_hours) || ' h' as detail, any_value(d.completeness) as completeness
    from stores as d
    left join facts.recovery_points as p
        on p.datastore_id = d.datastore_id and p.is_usable
        and p.taken_at < d.as_of and p.keeps_rpo_until > d.starts_at
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
