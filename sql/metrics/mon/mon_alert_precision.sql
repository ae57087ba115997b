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
-- rests_on = ["alerts.label", "alerts.closed_at", "alerts.is_test"]
-- better_with = ["alerts.incident_id"]
-- when_empty = "no_opportunity"
-- formula.nb = """\
--     varslingsepisoder som krevde handling / alle avsluttede episoder; umerket etter 7 dager teller som unødvendig"""
-- formula.en = "episodes that needed action / all closed episodes; unlabelled after 7 days counts as noise"
-- why = { nb = "Hvert varsel til vakten skal kreve at noen gjør noe.", en = "Every page should need somebody to act." }
-- remedy.nb = "Slett, slå sammen eller nedgrader de tre mest støyende reglene; krev handling og oppskrift per varsel."
-- remedy.en = "Delete, merge or downgrade the three noisiest rules; ask for an action and a runbook per page."
-- effort = "M"
-- version = 2
with
-- An episode is over when nothing has fired for half an hour after its last page was closed; of one whose source
-- does not tell that, when its last page was sent.
ended as (
    select
        *, macros.told(untold, 'closed_at') as knows_end,
        case when macros.told(untold, 'closed_at') then closed_at else last_fired_at end + interval 30 minute as over_at
    from facts.alert_episodes
),

items as (
    select
        e.team_id, w.as_of, w.grain, e.episode_id as item_id, e.over_at as item_at,
        macros.kept(
            e.label = 'actionable', e.knows_end and macros.told(e.untold, 'label') and not e.is_test
        ) as numerator,
        1 as denominator, e.rule_id || ': ' || coalesce(e.label, 'unlabelled') as detail, w.completeness
    from macros.metric_windows('mon_alert_precision') as w
    join ended as e on macros.within(e.over_at, w.starts_at, w.as_of)
    -- The duty has seven days to label an episode.
    where e.label is not null or e.over_at + interval 7 day <= w.as_of
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
