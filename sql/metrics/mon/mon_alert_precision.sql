-- title = { nb = "Varselpresisjon", en = "Actionable page share (precision)" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.3
-- krav = 0.7
-- mal = 0.9
-- weight = 3
-- n_full = 30
-- obligations = ["O15"]
-- needs = ["alerts"]
-- when_empty = "no_opportunity"
-- formula = { nb = "varslingsepisoder som krevde handling / alle avsluttede episoder; umerket etter 7 dager teller som unødvendig", en = "episodes that needed action / all closed episodes; unlabelled after 7 days counts as noise" }
-- why = { nb = "Hvert varsel til vakten skal kreve at noen gjør noe.", en = "Every page should need somebody to act." }
-- remedy = { nb = "Slett, slå sammen eller nedgrader de tre mest støyende reglene; krev handling og oppskrift per varsel.", en = "Delete, merge or downgrade the three noisiest rules; ask for an action and a runbook per page." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mon_alert_precision'
),
items as (
    select e.team_id, w.as_of, w.grain, e.episode_id as item_id, e.closed_at as item_at,
        cast(coalesce(e.label = 'actionable', false) as integer) as numerator,
        1 as denominator, e.rule_id || ': ' || coalesce(e.label, 'unlabelled') as detail, w.completeness
    from windows as w
    join facts.alert_episodes as e on e.closed_at >= w.starts_at and e.closed_at < w.as_of
    -- The duty has seven days to label an episode.
    where e.label is not null or e.closed_at + interval 7 day <= w.as_of
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
