-- title = "Who answers for which service at each instant: state belongs to the owner of that day"
-- key = ["service_id", "as_of", "grain"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- on = "Last local day of the period"
-- team_id = "Owner"
-- service_id = "Service"
-- owned_since = "Start of the ownership, UTC"
-- criticality = "critical, important or ordinary"
-- criticality_weight = "3, 2 or 1"
-- last_major_change_on = "Last major change; null = none"
select
    w.as_of, w.grain, w."on", o.team_id, o.service_id, o.valid_from_at as owned_since, s.criticality,
    s.criticality_weight, s.last_major_change_on
from ref.as_of as w
-- The instant is the end of the period: who took over exactly then was not yet the owner.
join ref.service_owners as o on o.valid_from_at < w.as_of and w.as_of <= o.valid_to_at
join ref.services as s on s.service_id = o.service_id
order by o.service_id, w.grain, w.as_of
