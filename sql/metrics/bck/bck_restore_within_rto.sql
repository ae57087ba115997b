-- title = { nb = "Gjenopprettet innen kravet (RTO)", en = "Restored within the requirement (RTO)" }
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
-- formula.nb = "datalagre der siste test lyktes innenfor RTO / datalagre i klasse A–C; ikke målt er ikke oppfylt"
-- formula.en = "datastores whose last test succeeded within the RTO / datastores of class A–C; unmeasured is not met"
-- why = { nb = "Vi skal vite hvor lang tid gjenoppretting tar.", en = "We shall know how long a restore takes." }
-- remedy.nb = "Mål full gjenoppretting av den største databasen; juster RTO eller løsning."
-- remedy.en = "Measure a full restore of the largest database; adjust the RTO or the solution."
-- effort = "M"
-- shows = "work"
-- rests_on = ["restore_tests.restored_at"]
-- better_with = ["restore_tests.verified_at"]
-- version = 2
with latest as (
    select
        d.team_id, d.as_of, d.grain, d.datastore_id, d.rto_minutes, d.data_class, d.completeness,
        t.ended_at, t.is_successful, t.restore_minutes, t.knows_time
    from macros.owned_datastores('bck_restore_within_rto') as d
    left join macros.restore_tests_at('bck_restore_within_rto') as t
        on
            t.datastore_id = d.datastore_id and t.as_of = d.as_of and t.grain = d.grain
            and t.ended_at >= d.starts_at
    where d.data_class <> 'D'
    qualify row_number() over (
        partition by d.team_id, d.as_of, d.grain, d.datastore_id order by t.ended_at desc nulls last, t.test_id
    ) = 1
),

items as (
    select
        team_id, as_of, grain, datastore_id as item_id, ended_at as item_at,
        -- No test, no success or no RTO decides alone; else the time must be known, or known not to be measured.
        macros.kept(
            is_successful and restore_minutes <= rto_minutes,
            ended_at is null or not is_successful or rto_minutes is null or knows_time
        ) as numerator,
        1 as denominator,
        case
            when ended_at is null then 'no_measurement'
            when not is_successful then 'failed'
            when rto_minutes is null then 'no RTO'
            when restore_minutes is null then 'not measured'
            else round(restore_minutes) || ' of ' || round(rto_minutes) || ' min'
        end as detail,
        completeness
    from latest
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
