-- title = { nb = "Oppdateringer inne innen 30 dager", en = "Routine updates applied within 30 days (Kaplan–Meier)" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.3
-- krav = 0.7
-- mal = 0.9
-- weight = 3
-- n_full = 40
-- obligations = ["O22", "O23"]
-- needs = ["update_episodes"]
-- when_empty = "no_opportunity"
-- formula.nb = "F(30) = 1 − S(30), Kaplan–Meier over oppdateringer som ble tilgjengelige; åpne teller som sensurerte"
-- formula.en = "F(30) = 1 − S(30), Kaplan–Meier over updates that became available; open ones are censored"
-- why.nb = "Oppdateringer retter feil; det som ligger åpent skal telle, ikke bare det som er gjort."
-- why.en = "Updates fix faults; what lies open must count, not only what was done."
-- remedy.nb = """\
--     Slå på automatisk fletting for patch og minor med grønne tester; grupper oppdateringer; rydd de eldste først."""
-- remedy.en = "Turn on automerge for patch and minor with green tests; group updates; clear the oldest first."
-- effort = "M"
-- undecided_days = 30
-- interval = "survival"
-- rests_on = ["update_episodes.applied_at"]
-- better_with = ["update_episodes.dismissed_at"]
-- version = 2
with began as (
    select w.as_of, w.grain, w.completeness, e.*
    from macros.metric_windows('mnt_updates_within_30d') as w
    join facts.update_episodes as e on macros.within(e.available_at, w.starts_at, w.as_of)
),

items as (
    select
        team_id, as_of, grain, episode_id as item_id, available_at as item_at,
        macros.days_waiting(available_at, applied_at, dismissed_at, as_of) as days,
        macros.is_applied(applied_at, dismissed_at, as_of) as is_done,
        macros.kept(is_done and days <= 30, knows_end) as numerator, 1 as denominator,
        repository || ' ' || coalesce(package, '') as detail, completeness
    from began
    where unknown_because is null
    -- While none was taken and none has waited for thirty days, all can still be done in time: nothing is due.
    qualify bool_or(is_done or (knows_end and days >= 30)) over (partition by team_id, as_of, grain) or not knows_end
    union all
    -- A package that nobody can date is one item of which nothing is known, however often it was looked at.
    select
        team_id, as_of, grain, max_by(episode_id, available_at), max(available_at), null, false, null, 1,
        repository || ' ' || coalesce(package, '') || ': ' || max_by(unknown_because, available_at),
        any_value(completeness)
    from began
    where unknown_because is not null
    group by team_id, as_of, grain, repository, package
),

-- Kaplan-Meier: at each time with updates done, the share of those still at risk that got through.
times as (
    select
        team_id, as_of, grain, days, count(*) filter (is_done) as done,
        sum(count(*)) over (partition by team_id, as_of, grain order by days desc) as at_risk
    from items
    where numerator is not null
    group by team_id, as_of, grain, days
),

estimates as (
    select
        team_id, as_of, grain,
        1 - coalesce(product(1 - done / at_risk order by days) filter (days <= 30), 1) as value,
        -- Greenwood; undefined where the last one at risk was done, F(30) = 1.
        (1 - value) * sqrt(coalesce(
            sum(done / nullif(at_risk * (at_risk - done), 0) order by days)
            filter (days <= 30), 0
        )) as standard_error
    from times
    group by team_id, as_of, grain
)

select
    i.team_id, i.as_of, i.grain,
    unnest(struct_update(
        macros.share(i.numerator, i.denominator, i.completeness), value := any_value(k.value)
    )),
    any_value(k.standard_error) as standard_error
from items as i
left join estimates as k on k.team_id = i.team_id and k.as_of = i.as_of and k.grain = i.grain
group by i.team_id, i.as_of, i.grain
order by i.team_id, i.grain, i.as_of
