-- Which outages took longest to restore in the last 90 days, and who owned the service when they began?
select o.service_id, w.team_id, o.started_at, round(o.restore_minutes) as minutes
from facts.outages as o
left join ref.service_owners as w
    on w.service_id = o.service_id and o.started_at >= w.valid_from_at and o.started_at < w.valid_to_at
where o.started_at > (select max(as_of) from ref.as_of where grain = 'latest') - interval 90 days
order by o.restore_minutes desc nulls first, o.service_id
limit 15
