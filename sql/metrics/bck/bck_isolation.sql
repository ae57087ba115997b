-- title = { nb = "Isolert sikkerhetskopi", en = "Isolated/immutable copy" }
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
-- formula = { nb = "datalagre i klasse A–B med minst én kopi i annet tillitsdomene, uforanderlig eller frakoblet, i annen region / datalagre i klasse A–B", en = "class A–B datastores with at least one copy in another trust domain, immutable or offline, in another region / class A–B datastores" }
-- why = { nb = "En angriper eller feil som når originalen, skal ikke nå kopien.", en = "An attacker or a fault that reaches the original shall not reach the copy." }
-- remedy = { nb = "Slå på uforanderlig lagring og egen driftsidentitet.", en = "Turn on immutable storage and a separate operations identity." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_isolation'
),
isolated as (
    select as_of, grain, datastore_id, bool_or(is_isolated) as is_isolated, count(*) as copies
    from facts.backup_copies_at
    group by as_of, grain, datastore_id
),
items as (
    select d.team_id, d.as_of, d.grain, d.datastore_id as item_id, cast(null as timestamptz) as item_at,
        cast(coalesce(c.is_isolated, false) as integer) as numerator, 1 as denominator,
        'class ' || d.data_class || ', ' || coalesce(c.copies, 0) || ' copies' as detail, w.completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
    left join isolated as c on c.as_of = d.as_of and c.grain = d.grain and c.datastore_id = d.datastore_id
    where d.data_class in ('A', 'B')
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
