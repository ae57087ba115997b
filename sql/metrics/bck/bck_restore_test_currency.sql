-- title = { nb = "Gjenopprettingstester etter planen", en = "Restore tests as planned" }
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
-- formula.nb = """\
--     datalagre med plan og vellykket test innen intervallet (A 90, B 180, C 365 dager) / datalagre i klasse A–C"""
-- formula.en = """\
--     datastores with a plan and a successful test within the interval (A 90, B 180, C 365 days) / datastores of \
--     class A–C"""
-- why = { nb = "En kopi som aldri er prøvd, er et håp.", en = "A copy that was never tried is a hope." }
-- remedy.nb = "Automatiser ukentlig gjenoppretting til isolert miljø, og roter mellom datalagrene."
-- remedy.en = "Automate a weekly restore into an isolated environment and rotate the datastores."
-- effort = "M"
-- better_with = ["restore_tests.restored_at", "restore_tests.verified_at"]
-- version = 2
with items as (
    select
        d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(t.ended_at) as item_at,
        cast(coalesce(
            bool_or(d.has_restore_plan) and max(t.ended_at) >= any_value(d.as_of)
            - case any_value(d.data_class) when 'A' then 90 when 'B' then 180 else 365 end * interval 1 day,
            false
        ) as integer) as numerator,
        1 as denominator,
        any_value(d.data_class) || case when not bool_or(d.has_restore_plan) then ', no plan' else '' end as detail,
        any_value(d.completeness) as completeness
    from macros.owned_datastores('bck_restore_test_currency') as d
    left join macros.restore_tests_at('bck_restore_test_currency') as t
        on t.datastore_id = d.datastore_id and t.as_of = d.as_of and t.grain = d.grain and t.is_successful
    where d.data_class <> 'D'
    group by d.team_id, d.as_of, d.grain, d.datastore_id
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
