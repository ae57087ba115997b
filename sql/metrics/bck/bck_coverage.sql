-- title = { nb = "Backupdekning", en = "Backup coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.8
-- mal = 1.0
-- weight = 4
-- obligations = ["O71"]
-- needs = ["recovery_points"]
-- when_empty = "not_applicable"
-- formula = { nb = "datalagre med policy og ferskt gjenopprettingspunkt / datalagre i klasse A–C", en = "datastores with a policy and a fresh recovery point / datastores of class A–C" }
-- why = { nb = "Bare fulldekning er godt nok: det ene lageret uten kopi er det vi mister.", en = "Only full coverage is enough: the one store without a copy is the one we lose." }
-- remedy = { nb = "Legg manglende lager inn i standard policy for sikkerhetskopi.", en = "Put the missing store under the standard backup policy." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_coverage'
),
stores as (
    select d.*, w.starts_at, w.completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
),
items as (
    select d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(p.taken_at) as item_at,
        cast(coalesce(max(p.taken_at) >= any_value(d.as_of) - 2 * any_value(d.backup_interval_hours) * interval 1 hour,
            false) as integer) as numerator,
        1 as denominator,
        case when any_value(d.backup_interval_hours) is null then 'no policy' else any_value(d.data_class) end as detail,
        any_value(d.completeness) as completeness
    from stores as d
    left join facts.recovery_points as p
        on p.datastore_id = d.datastore_id and p.is_usable and p.taken_at < d.as_of
    -- Class D is left out only with an approved rationale.
    where d.data_class <> 'D' or not d.has_rebuild_rationale
    group by d.team_id, d.as_of, d.grain, d.datastore_id
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
