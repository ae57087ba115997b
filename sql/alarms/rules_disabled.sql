-- title = { nb = "Nyttige varselregler slått av", en = "Useful alert rules turned off" }
-- why = { nb = "En vaktregel som var på de siste 120 dagene og hadde varslet om noe reelt, er slått av eller borte. Å fjerne en regel som bare støyer, er ønsket og gir ingen alarm.", en = "A paging rule that was on in the last 120 days and had found something real is off or gone. Removing a rule that only makes noise is wanted and raises no alarm." }
with instants as (
    select * from ref.as_of where grain in ('month', 'latest')
),
-- A dead source is not a disabled rule.
alive as (
    select as_of, grain from ref.metric_windows where metric_id = 'mon_alert_coverage' and completeness >= 0.5
),
was_on as (
    select w.as_of, w.grain, o.team_id, n.service_id, s.rule_id, max(s.observed_on) as last_on
    from instants as w
    join alive as a on a.as_of = w.as_of and a.grain = w.grain
    join staging.alert_rule_states as s
        on s.is_enabled and s.is_paging and s.observed_on <= w."on" and s.observed_on > w."on" - 120
    join ref.service_names as n on n.name = s.service_id
    join ref.owned_services as o on o.service_id = n.service_id and o.as_of = w.as_of and o.grain = w.grain
    group by w.as_of, w.grain, o.team_id, n.service_id, s.rule_id
),
gone as (
    select p.*
    from was_on as p
    left join facts.alert_rules_at as r
        on r.as_of = p.as_of and r.grain = p.grain and r.service_id = p.service_id and r.rule_id = p.rule_id
        and r.is_enabled
    where r.rule_id is null
)
select g.team_id, g.as_of, g.grain, g.service_id as subject, count(distinct g.rule_id) as finding_count,
    string_agg(distinct g.rule_id, ', ' order by g.rule_id) as detail
from gone as g
where exists (
    select 1 from facts.alert_episodes as e
    where e.service_id = g.service_id and e.rule_id = g.rule_id and e.label = 'actionable'
        and cast(e.started_at as date) > g.last_on - 365 and e.started_at < g.as_of
)
group by g.team_id, g.as_of, g.grain, g.service_id
order by g.team_id, g.grain, g.as_of, g.service_id
