-- title = { nb = "Nyttige varselregler slått av", en = "Useful alert rules turned off" }
-- why.nb = """\
--     En vaktregel som var på de siste 120 dagene og hadde varslet om noe reelt, er slått av eller borte. Å fjerne en \
--     regel som bare støyer, er ønsket og gir ingen alarm."""
-- why.en = """\
--     A paging rule that was on in the last 120 days and had found something real is off or gone. Removing a rule \
--     that only makes noise is wanted and raises no alarm."""
with
-- A dead source is not a disabled rule.
alive as (
    select as_of, grain from facts.measured_windows where metric_id = 'mon_alert_coverage' and completeness >= 0.5
),

was_on as (
    select
        w.as_of, w.grain, o.team_id, o.service_id, arg_max(s.rule_id, s.observed_on) as rule_id,
        max(s.observed_on) as last_on
    from macros.shown_instants() as w
    join alive as a on a.as_of = w.as_of and a.grain = w.grain
    join staging.alert_rule_states as s
        on s.is_enabled and s.is_paging and macros.stands(s.observed_on, w."on", days := 120)
    join macros.owned_by_name() as o on o.name = lower(s.service_id) and o.as_of = w.as_of and o.grain = w.grain
    group by w.as_of, w.grain, o.team_id, o.service_id, lower(s.rule_id)
),

gone as (
    select p.*
    from was_on as p
    left join facts.alert_rules_at as r
        on
            r.as_of = p.as_of and r.grain = p.grain and r.service_id = p.service_id
            and lower(r.rule_id) = lower(p.rule_id) and r.is_enabled
    where r.rule_id is null
)

select
    g.team_id, g.as_of, g.grain, g.service_id as subject, count(distinct g.rule_id) as finding_count,
    string_agg(distinct g.rule_id, ', ' order by g.rule_id) as detail
from gone as g
where
    exists (
        select 1
        from facts.alert_episodes as e
        join ref.calendar as c on macros.within(e.started_at, c.starts_at, c.ends_at)
        where
            e.service_id = g.service_id and lower(e.rule_id) = lower(g.rule_id) and e.label = 'actionable'
            -- Known to be over: a later page of the same episode may change its label.
            and c.day > g.last_on - 365 and e.closed_at + interval 30 minute < g.as_of
    )
group by g.team_id, g.as_of, g.grain, g.service_id
order by g.team_id, g.grain, g.as_of, g.service_id
