-- title = { nb = "Jira: saker (CSV-eksport)", en = "Jira issues (CSV export)" }
-- stream = "incidents"
-- source = "jira"
-- input = "issue"
-- columns = ["Issue key", "Issue Type", "Status", "Priority", "Created", "Resolved"]
-- naive_time = "local"
-- note.nb = "Eksporter bare saker som er hendelser. Tjenesten er sakens første komponent, ellers prosjektets nøkkel."
-- note.en = "Export only the issues that are incidents. The service is the issue's first component, else the project's key."
with read as (
    select
        *,
        replace(replace(replace(lower("Created"), 'mai', 'may'), 'okt', 'oct'), 'des', 'dec') as created_on,
        replace(replace(replace(lower("Resolved"), 'mai', 'may'), 'okt', 'oct'), 'des', 'dec') as resolved_on
    from issue
)

select
    _file, _line,
    "Issue key" as incident_id,
    "Components" as service_id, -- if "Components"
    "Component/s" as service_id, -- if "Component/s"
    "Project key" as service_id, -- unless "Components" "Component/s"
    mapped("Priority", map {
        'Highest': '1', 'Blocker': '1', 'Critical': '1', 'High': '2', 'Major': '2', 'Medium': '3', 'Low': '4', 'Minor': '4',
        'Lowest': '4', 'Trivial': '4'
    }) as severity,
    instant(created_on, [
        '%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%Y %I:%M %p', '%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M', '%m/%d/%Y %H:%M'
    ]) as declared_at,
    instant(resolved_on, [
        '%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%Y %I:%M %p', '%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M', '%m/%d/%Y %H:%M'
    ]) as resolved_at
from read
