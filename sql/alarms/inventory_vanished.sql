-- title = { nb = "Det som feilet, forsvant fra oversikten", en = "What failed vanished from the inventory" }
-- why.nb = """\
--     Komponenter uten støtte eller kodelagre uten oppdateringsrobot som var der de siste 120 dagene, er borte uten \
--     noe i stedet, mens tjenesten består."""
-- why.en = """\
--     Unsupported components or repositories without update bot that were there in the last 120 days are gone with \
--     nothing in their place, while the service lives on."""
with instants as (
    select w.*, m.metric_id
    from ref.as_of as w
    join facts.measured_windows as m on m.as_of = w.as_of and m.grain = w.grain and m.completeness >= 0.5
    where w.grain in ('month', 'latest') and m.metric_id in ('mnt_supported_versions', 'aut_update_bot_coverage')
),

-- Every earlier month end at which the component was unsupported.
failing as (
    select w.as_of, w.grain, w."on", c.service_id, c.kind, c.component_id as item_id, max(e."on") as seen_on
    from instants as w
    join ref.as_of as e on e.grain = 'month' and e.as_of < w.as_of and e."on" > w."on" - 120
    join facts.components_at as c on c.as_of = e.as_of and c.grain = e.grain and not c.is_supported
    where w.metric_id = 'mnt_supported_versions'
    group by w.as_of, w.grain, w."on", c.service_id, c.kind, c.component_id
),

components as (
    select f.* from failing as f
    left join facts.components_at as now
        on now.as_of = f.as_of and now.grain = f.grain and now.service_id = f.service_id and now.kind = f.kind
    -- What runs under another service now has not vanished.
    anti join facts.components_at as moved
        on moved.as_of = f.as_of and moved.grain = f.grain and moved.component_id = f.item_id
    -- What the source no longer shows has not vanished.
    where
        now.component_id is null
        and not exists (
            select 1 from facts.hidden_services as h
            where
                h.stream = 'component_states' and h.service_id = f.service_id
                and h.day > f."on" - 28 and h.day <= f."on"
        )
),

repositories as (
    select
        w.as_of, w.grain, w."on", r.service_id, 'repository' as kind, r.current_name as item_id,
        max(s.observed_on) as seen_on
    from instants as w
    join staging.repository_states as s on macros.stands(s.observed_on, w."on", days := 120)
    join facts.repositories as r on r.repository = s.repository
    where
        w.metric_id = 'aut_update_bot_coverage' and r.service_id is not null
        and not exists (
            select 1 from facts.hidden_services as h
            where
                h.stream = 'repository_states' and h.service_id = r.service_id
                and h.day > w."on" - 28 and h.day <= w."on"
        )
    group by w.as_of, w.grain, w."on", r.service_id, r.current_name
    having max(s.observed_on) <= w."on" - 28 and not arg_max(s.is_bot_enabled, s.observed_on)
),

vanished as (
    select * from components
    union all
    select * from repositories
)

select
    o.team_id, v.as_of, v.grain, v.service_id as subject, count(*) as finding_count,
    string_agg(v.item_id, ', ' order by v.item_id) as detail
from vanished as v
join ref.owned_services as o on o.service_id = v.service_id and o.as_of = v.as_of and o.grain = v.grain
group by o.team_id, v.as_of, v.grain, v.service_id
order by o.team_id, v.grain, v.as_of, v.service_id
