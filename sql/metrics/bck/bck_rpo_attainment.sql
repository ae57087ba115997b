-- title = { nb = "Innenfor kravet til datatap (RPO)", en = "Within the requirement for data loss (RPO)" }
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
-- formula.nb = """\
--     levert tid der nyeste brukbare punkt er innenfor RPO / all levert tid, vektet etter kritikalitet"""
-- formula.en = """\
--     delivered time with the newest usable point within the RPO / all delivered time, weighted by criticality"""
-- why.nb = "Mange vellykkede jobber kan skjule ett langt hull."
-- why.en = "Many successful jobs can hide one long gap."
-- remedy = { nb = "Rett tidsplanen; varsle om jobber som feiler.", en = "Fix the schedule; alert on failing jobs." }
-- effort = "M"
-- shows = "spread"
-- version = 2
with spans as (
    select d.datastore_id, d.rpo_hours * interval 1 hour as rpo, s.starts_at, s.ends_at
    from ref.datastores as d
    cross join macros.delivered_spans('recovery_points') as s
),

-- The first hours of a span, in which a point taken before it may keep the objective: known only where a point does.
heads as (
    select datastore_id, starts_at, least(ends_at, starts_at + rpo) as ends_at from spans where rpo is not null
),

parts as (
    select datastore_id, starts_at, ends_at, null::timestamptz as taken_at, 0 as kept, 1 as known from spans
    union all
    select datastore_id, starts_at, ends_at, null, 0, -1 from heads
    union all
    select
        s.datastore_id, greatest(p.taken_at, s.starts_at), least(p.keeps_rpo_until, s.ends_at), p.taken_at, 1, 0
    from spans as s
    join facts.recovery_points as p
        on p.datastore_id = s.datastore_id and p.taken_at < s.ends_at and p.keeps_rpo_until > s.starts_at
    union all
    select s.datastore_id, greatest(p.taken_at, s.starts_at), least(p.keeps_rpo_until, s.ends_at), p.taken_at, 0, 1
    from heads as s
    join facts.recovery_points as p
        on p.datastore_id = s.datastore_id and p.taken_at < s.ends_at and p.keeps_rpo_until > s.starts_at
),

owned as (
    select
        h.*, d.datastore_id, d.rpo_hours,
        least(h.ends_at, greatest(h.starts_at, coalesce(c.starts_at, k.told_from::timestamptz))) as told_at,
        -- A point of before may keep the objective in the first hours, as it may at the start of a span.
        case
            when told_at > h.starts_at
                then least(h.ends_at, told_at + coalesce(d.rpo_hours, 0) * interval 1 hour)
            else told_at
        end as sure_at
    from macros.held_services('bck_rpo_attainment') as h
    join ref.datastores as d on d.service_id = h.service_id
    left join macros.told_from('recovery_points') as k on k.team_id = h.team_id
    left join ref.calendar as c on c.day = k.told_from
    where d.data_class <> 'D'
),

measured as (
    select
        o.*, epoch_us(o.ends_at) - epoch_us(o.starts_at) as all_us, max(p.taken_at) as taken_at,
        coalesce(sum(p.kept * greatest(
            0, epoch_us(least(p.ends_at, o.ends_at)) - epoch_us(greatest(p.starts_at, o.told_at))
        )), 0) as kept_us,
        coalesce(sum(p.known * greatest(
            0, epoch_us(least(p.ends_at, o.ends_at)) - epoch_us(greatest(p.starts_at, o.sure_at))
        ) + p.kept * greatest(
            0, epoch_us(least(p.ends_at, o.sure_at)) - epoch_us(greatest(p.starts_at, o.told_at))
        )), 0) as known_us
    from owned as o
    left join parts as p
        on p.datastore_id = o.datastore_id and p.starts_at < o.ends_at and p.ends_at > o.starts_at
    group by all
),

items as (
    select
        team_id, as_of, grain, datastore_id as item_id, taken_at as item_at,
        cast(criticality_weight * kept_us / 3600e6 as decimal(18, 6)) as numerator,
        cast(criticality_weight * known_us / 3600e6 as decimal(18, 6)) as denominator,
        'RPO ' || rpo_hours || ' h' as detail, 1.0 as completeness
    from measured
    where known_us > 0
    union all
    select
        team_id, as_of, grain, datastore_id, null, null,
        cast(criticality_weight * (all_us - known_us) / 3600e6 as decimal(18, 6)), 'not delivered', 1.0
    from measured
    where known_us < all_us
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
