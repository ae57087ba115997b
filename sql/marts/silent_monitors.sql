-- title = """\
--     Monitors of the configuration that fell silent while their stream delivers, and those never heard of; of a \
--     service that nobody owns any more none is expected"""
-- key = ["name"]
-- [columns]
-- name = "Monitor as provider/monitor_id; of one never heard of, as services.toml writes it"
-- service_id = "Service"
-- state = "silent (no check for more than five usual gaps, at least two days) or never_heard"
-- last_on = "Last local day with a check; null = never heard of"
-- usual_gap_days = "Usual days from one day with checks to the next; null = never heard of"
-- silent_days = "Days without a check up to the newest delivered day; null = never heard of"
with newest as (
    select max(day) as day
    from meta.load_days
    where stream = 'availability_checks' and is_complete and day <= (select "on" from ref.as_of where grain = 'latest')
),

retired as (
    select o.service_id
    from ref.service_owners as o
    cross join ref.as_of as w
    where w.grain = 'latest'
    group by o.service_id, w.as_of
    having max(o.valid_to_at) < w.as_of
),

heard as (
    -- A monitor that another system runs now is the same one.
    select
        arg_max(m.monitor_key, d.day) as monitor_key, m.service_id, max(d.day) as last_on,
        greatest(1, (max(d.day) - min(d.day)) / greatest(1, count(distinct d.day) - 1)) as usual_gap_days
    from facts.monitor_days as d
    join facts.monitors as m on m.provider = d.provider and m.monitor_id = d.monitor_id
    -- A source of changes is silent while nothing changes.
    where m.service_id is not null and m.kind is distinct from 'transitions'
    group by m.monitor_id, m.service_id
)

select
    h.monitor_key as name, h.service_id, 'silent' as state, h.last_on, h.usual_gap_days,
    cast(n.day - h.last_on as bigint) as silent_days
from heard as h
cross join newest as n
anti join retired as r on r.service_id = h.service_id
where n.day - h.last_on > greatest(2, 5 * h.usual_gap_days)
union all
select p.pattern, p.service_id, 'never_heard', null, null, null
from ref.monitor_patterns as p
anti join retired as r on r.service_id = p.service_id
left join facts.monitors as m
    on not p.is_pattern and p.pattern in (m.monitor_id, m.provider || '/' || m.monitor_id)
left join facts.monitors as f
    on p.is_pattern and (f.monitor_id glob p.pattern or f.monitor_key glob p.pattern)
where m.monitor_key is null and f.monitor_key is null and exists (select 1 from facts.monitors)
group by p.pattern, p.service_id
order by name
