-- title = { nb = "Forventede angrep mot åpne sårbarheter", en = "Expected exploitation of open vulnerabilities" }
-- unit = "count"
-- why_not_scored = { nb = "Modellens tall endrer seg daglig uten at teamet gjør noe.", en = "The model changes daily without the team doing anything." }
with windows as (
    select * from ref.windows where window_days = 0 and grain in ('month', 'latest')
),
-- The newest state of each vulnerability at the instant decides whether it is exposed.
newest as (
    select w.as_of, w.grain, v.*
    from windows as w
    join staging.vulnerabilities as v on v.effective_at < w.as_of and coalesce(v.fixed_at >= w.as_of, true)
    qualify row_number() over (partition by w.as_of, w.grain, v.vulnerability_id order by v.effective_at desc) = 1
)
select o.team_id, n.as_of, n.grain, '' as entity_id, 'sum' as statistic,
    sum(cast(coalesce(n.epss_ratio, 0) as decimal(18, 6)))::double as value, count(*) as sample_size,
    null::double as low, null::double as high
from newest as n
join ref.service_names as s on s.name = n.service_id
join ref.owned_services as o on o.service_id = s.service_id and o.as_of = n.as_of and o.grain = n.grain
where n.is_exposed
group by o.team_id, n.as_of, n.grain
order by o.team_id, n.grain, n.as_of
