-- Which alert rules page often and are seldom worth it (labelled noise)?
select a.team_id, a.rule_id, count(*) as alerts, count(*) filter (a.label is not null) as judged,
    round(count(*) filter (a.label = 'actionable') / nullif(count(*) filter (a.label is not null), 0), 2) as actionable
from facts.alerts as a
where a.fired_at > (select max(as_of) from ref.as_of where grain = 'latest') - interval 90 days
group by all
having count(*) >= 5
order by actionable nulls last, alerts desc, a.team_id, a.rule_id
