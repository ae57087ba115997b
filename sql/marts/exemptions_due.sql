-- title = "Waivers and exemptions that fall due, by month and team"
-- key = ["month", "team_id", "kind"]
-- [columns]
-- month = "First day of the month of their last day"
-- team_id = "Team"
-- kind = "waiver or applicability"
-- exemption_count = "How many end in it"
-- subjects = "Metrics"
select
    cast(date_trunc('month', valid_to - 1) as date) as month, team_id, kind, count(*) as exemption_count,
    string_agg(subject, ', ' order by subject) as subjects
from marts.exemptions
where kind <> 'maintenance'
group by all
order by month, team_id, kind
