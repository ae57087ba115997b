-- title = { nb = "Dekning av sikkerhetskopi", en = "Backup coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.8
-- mal = 1.0
-- weight = 4
-- obligations = ["O71"]
-- needs = ["recovery_points"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     datalagre med regel for sikkerhetskopi og et gjenopprettingspunkt som er nytt nok / datalagre i klasse A–C"""
-- formula.en = "datastores with a policy and a fresh recovery point / datastores of class A–C"
-- why.nb = "Bare full dekning er godt nok: det ene lageret uten kopi er det vi mister."
-- why.en = "Only full coverage is enough: the one store without a copy is the one we lose."
-- remedy.nb = "Legg lagrene som mangler, inn under standardregelen for sikkerhetskopi."
-- remedy.en = "Put the missing store under the standard backup policy."
-- effort = "S"
-- version = 2
with items as (
    select
        team_id, as_of, grain, datastore_id as item_id, taken_at as item_at, cast(is_fresh as integer) as numerator,
        1 as denominator,
        case
            when backup_interval_hours is null then 'no policy' when is_fresh is null then 'not delivered' else
                data_class
        end
            as detail,
        completeness
    from macros.fresh_copies('bck_coverage')
    -- Class D is left out only with an approved rationale.
    where data_class <> 'D' or not has_rebuild_rationale
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
