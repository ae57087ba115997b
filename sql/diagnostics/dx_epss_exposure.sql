-- title = { nb = "Forventede angrep mot åpne sårbarheter", en = "Expected exploitation of open vulnerabilities" }
-- unit = "count"
-- why_not_scored.nb = "Modellens tall endrer seg daglig uten at teamet gjør noe."
-- why_not_scored.en = "The model changes daily without the team doing anything."
with
-- The newest state of each vulnerability at the instant decides whether it is exposed, and open.
newest as (
    select w.as_of, w.grain, v.*
    from macros.shown_windows(0) as w
    join staging.vulnerabilities as v on v.effective_at < w.as_of
    qualify row_number() over (partition by w.as_of, w.grain, v.vulnerability_id order by v.effective_at desc) = 1
),

-- What may be open and exposed, or of which the model says nothing, is counted beside the sum.
items as (
    select
        *,
        coalesce(
            is_exposed and epss_ratio is not null and coalesce(fixed_at >= as_of, macros.told(untold, 'fixed_at')),
            false
        ) as is_known
    from newest
    where is_exposed is distinct from false and coalesce(fixed_at >= as_of, true)
)

select
    o.team_id, n.as_of, n.grain, '' as entity_id,
    unnest(macros.statistic(
        'sum', sum(cast(n.epss_ratio as decimal(18, 6))) filter (n.is_known)::double, count(*) filter (n.is_known),
        not_known := count(*) filter (not n.is_known)
    ))
from items as n
join macros.owned_by_name() as o on o.name = lower(n.service_id) and o.as_of = n.as_of and o.grain = n.grain
group by o.team_id, n.as_of, n.grain
having bool_or(n.is_known)
order by o.team_id, n.grain, n.as_of
