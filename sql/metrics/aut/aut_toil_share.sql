-- title = { nb = "Andel rutinearbeid", en = "Toil share of team time" }
-- unit = "share"
-- kind = "sample"
-- window = "91d"
-- floor = 0.5
-- krav = 0.33
-- mal = 0.2
-- weight = 2
-- n_full = 8
-- obligations = ["O03", "O61", "O63"]
-- needs = ["toil_reports"]
-- when_empty = "no_opportunity"
-- formula.nb = "gjennomsnitt over uker av rutinetimer / arbeidstimer; uker med under fire svar vises ikke"
-- formula.en = "mean over weeks of toil hours / working hours; weeks with fewer than four answers are not shown"
-- why.nb = "Tid brukt på gjentatt håndarbeid er tid som ikke går til forbedring."
-- why.en = "Time spent on repeated manual work is time not spent on improvement."
-- remedy.nb = "Velg én gjentakende oppgave per sprint til automatisering."
-- remedy.en = "Pick one repeated task per sprint to automate."
-- effort = "M"
-- interval = "normal"
-- version = 2
with answered as (
    select
        t.team_id, w.as_of, w.grain, cast(t.week_starts_on as varchar) as item_id,
        c.ends_at as item_at, cast(t.toil_ratio as decimal(18, 6)) as numerator, 1 as denominator,
        case when t.is_shown then 'week' else 'fewer than four answers' end as detail, w.completeness
    from macros.metric_windows('aut_toil_share') as w
    -- Weeks that ended in the window: what is not over has not been answered for.
    join ref.calendar as c on c.ends_at > w.starts_at and c.ends_at <= w.as_of
    join facts.toil_weeks as t on t.week_starts_on = c.day - 6
),

items as (
    from answered
    union all
    -- Whoever was not asked for a whole window is not measured: there is no quiet time of toil.
    select s.team_id, w.as_of, w.grain, 'no answers', null, null, 1, 'no answers', w.completeness
    from macros.metric_windows('aut_toil_share') as w
    join ref.team_streams as s on s.stream = 'toil_reports' and s.connected_on <= w."on"
    anti join answered as a on a.team_id = s.team_id and a.as_of = w.as_of and a.grain = w.grain
)

select
    team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness)),
    stddev_samp(numerator order by item_id) / sqrt(nullif(count(numerator), 0)) as standard_error
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
