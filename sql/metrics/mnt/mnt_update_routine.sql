-- title = { nb = "Oppdateringsrutine i jevn takt", en = "Update routine regularity" }
-- unit = "share"
-- kind = "sample"
-- window = "168d"
-- floor = 0.4
-- krav = 0.85
-- mal = 1.0
-- weight = 2
-- n_full = 24
-- obligations = ["O22"]
-- needs = ["update_episodes"]
-- when_empty = "no_opportunity"
-- formula.nb = "28-dagersperioder per kodelager der minst én oppdatering ble tatt / perioder der minst én var åpen"
-- formula.en = "28-day periods per repository with at least one update applied / periods with at least one open"
-- why.nb = "En rutine viser seg i jevnheten, ikke bare i resultatet."
-- why.en = "A routine shows in its regularity, not only in its result."
-- remedy.nb = "Legg en fast oppdateringsdag i teamets kalender, og roter ansvaret."
-- remedy.en = "Put a fixed update day in the calendar and rotate the responsibility."
-- effort = "S"
-- shows = "spread"
-- rests_on = ["update_episodes.applied_at"]
-- better_with = ["update_episodes.dismissed_at"]
-- version = 2
with
-- Four weeks of local days each: across a change of clocks they are not 672 hours.
periods as (
    select w.*, p as period, b.starts_at as period_starts_at, e.ends_at as period_ends_at
    from macros.metric_windows('mnt_update_routine') as w
    cross join unnest(generate_series(0, 5)) as t (p)
    join ref.calendar as b on b.day = w."on" - cast(28 * p as integer) - 27
    join ref.calendar as e on e.day = w."on" - cast(28 * p as integer)
    -- A shorter window (a month of the trend series) holds fewer periods.
    where b.starts_at >= w.starts_at
),

items as (
    -- A period is its owner's who had the repository when it began.
    select
        o.team_id, w.as_of, w.grain, e.repository || ' ' || w.period as item_id, w.period_starts_at as item_at,
        bool_or(coalesce(
            macros.within(least(e.applied_at, e.dismissed_at), w.period_starts_at, w.period_ends_at), false
        )) as is_taken,
        -- Where days are missing, an update that nobody knows of may have been taken. Where nobody can date a package,
        -- none may have been there; what was taken of it is known, so that it hides no other that lay open.
        macros.kept(
            is_taken,
            is_taken or (bool_and(e.knows_end) filter (where e.unknown_because is null) and count(s.ends_at) > 0)
        ) as numerator,
        1 as denominator, cast(count(*) as varchar) as detail, any_value(w.completeness) as completeness
    from periods as w
    join facts.update_episodes as e
        on
            e.available_at < w.period_ends_at
            -- What nobody can date is told of again in each period.
            and coalesce(
                least(e.applied_at, e.dismissed_at),
                case when e.unknown_because is null then 'infinity'::timestamptz else e.available_at end
            ) >= w.period_starts_at
    join ref.service_owners as o
        on o.service_id = e.service_id and macros.within(w.period_starts_at, o.valid_from_at, o.valid_to_at)
    left join macros.delivered_spans('update_episodes') as s
        on s.starts_at <= w.period_starts_at and s.ends_at >= w.period_ends_at
    group by o.team_id, w.as_of, w.grain, e.repository, w.period, w.period_starts_at
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
