-- title = { nb = "Isolert sikkerhetskopi", en = "Isolated backup copy" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.3
-- krav = 0.9
-- mal = 1.0
-- weight = 3
-- obligations = ["O71"]
-- applies_to = "platform"
-- needs = ["backup_copies"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     datalagre i klasse A–B med minst én kopi i annet tillitsdomene, uforanderlig eller frakoblet, i annen region / \
--     datalagre i klasse A–B"""
-- formula.en = """\
--     class A–B datastores with at least one copy in another trust domain, immutable or offline, in another region / \
--     class A–B datastores"""
-- why.nb = "En angriper eller feil som når originalen, skal ikke nå kopien."
-- why.en = "An attacker or a fault that reaches the original shall not reach the copy."
-- remedy.nb = "Slå på uforanderlig lagring og egen driftsidentitet."
-- remedy.en = "Turn on immutable storage and a separate operations identity."
-- effort = "M"
-- rests_on = [
--     "backup_copies.has_own_identity", "backup_copies.is_immutable_or_offline", "backup_copies.is_other_region",
-- ]
-- version = 1
with isolated as (
    select
        as_of, grain, datastore_id, count(*) as copies,
        -- One isolated copy is enough; that none is must be known of each.
        case when bool_or(is_isolated) then true when bool_and(is_isolated is not null) then false end as is_isolated
    from facts.backup_copies_at
    group by as_of, grain, datastore_id
),

items as (
    select
        d.team_id, d.as_of, d.grain, d.datastore_id as item_id, cast(null as timestamptz) as item_at,
        cast(case when c.copies is null then false else c.is_isolated end as integer) as numerator, 1 as denominator,
        'class ' || d.data_class || ', ' || coalesce(c.copies, 0) || ' copies' as detail, w.completeness
    from macros.metric_windows('bck_isolation') as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
    left join isolated as c on c.as_of = d.as_of and c.grain = d.grain and c.datastore_id = d.datastore_id
    where d.data_class in ('A', 'B')
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
