-- title.nb = "Vedlikehold av varsler og overvåkingsdokumentasjon"
-- title.en = "Alert rules and monitoring docs reviewed"
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.3
-- krav = 0.8
-- mal = 0.95
-- weight = 2
-- obligations = ["O13", "O15"]
-- needs = ["alert_rule_states", "documents"]
-- rests_on = ["alert_rule_states.last_changed_at", "alert_rule_states.last_reviewed_at", "documents.service_id"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     påslåtte varselregler og overvåkingssider endret eller gjennomgått siste 180 dager / påslåtte regler og én side \
--     per tjeneste; høyst 50 gjennomganger per dag teller"""
-- formula.en = """\
--     enabled alert rules and monitoring pages changed or reviewed in the last 180 days / enabled rules and one page \
--     per service; at most 50 reviews a day count"""
-- why.nb = "Varsling skal vedlikeholdes kontinuerlig, og det skal stå skrevet hva som overvåkes og hvordan."
-- why.en = "Alerting shall be maintained continuously, and it shall be written down what is monitored and how."
-- remedy.nb = "Sett av én halvdag per kvartal til varselgjennomgang; oppdater overvåkingssiden."
-- remedy.en = "Set aside half a day a quarter to review alerts; update the monitoring page."
-- effort = "S"
-- version = 2
with
-- A page of which the register does not tell the service may be any service's.
pages as (
    select
        o.as_of, o.grain, o.team_id, o.service_id,
        max(d.reviewed_at) filter (d.service_id = o.service_id) as tended_at,
        coalesce(bool_or(d.is_general is null and d.reviewed_at >= o.as_of - interval 180 day), false) as has_candidate
    from ref.owned_services as o
    left join facts.documents as d
        on
            d.kind = 'monitoring' and (d.service_id = o.service_id or d.is_general is null)
            and d.is_reviewed_by_other and d.reviewed_at < o.as_of
    group by o.as_of, o.grain, o.team_id, o.service_id
),

tended as (
    select
        as_of, grain, team_id, service_id || ': ' || rule_id as item_id, tended_at, 'rule' as detail,
        macros.told(untold, 'last_changed_at') and macros.told(untold, 'last_reviewed_at') as is_known
    from facts.alert_rules_at where is_enabled
    union all
    select
        as_of, grain, team_id, service_id || ': page', tended_at,
        case when tended_at is null then 'no page' else 'page' end,
        not has_candidate or coalesce(tended_at >= as_of - interval 180 day, false)
    from pages
),

-- Touching everything in one go is no review: beyond fifty a local day and team, the rest does not count.
numbered as (
    select
        t.*, row_number() over (
            partition by t.as_of, t.grain, t.team_id, c.day order by t.tended_at, t.item_id
        ) as number_of_day
    from tended as t
    left join ref.calendar as c on macros.within(t.tended_at, c.starts_at, c.ends_at)
),

items as (
    select
        n.team_id, n.as_of, n.grain, n.item_id, n.tended_at as item_at,
        macros.kept(n.tended_at >= n.as_of - interval 180 day and n.number_of_day <= 50, n.is_known) as numerator,
        1 as denominator, n.detail, w.completeness
    from macros.metric_windows('mon_review_currency') as w
    join numbered as n on n.as_of = w.as_of and n.grain = w.grain
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
