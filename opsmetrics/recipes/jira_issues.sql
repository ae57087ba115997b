-- title = { nb = "Jira: saker (CSV-eksport)", en = "Jira issues (CSV export)" }
-- stream = "incidents"
-- source = "jira"
-- input = "issue"
-- columns = ["Issue key", "Priority", "Created", "Resolved"]
-- naive_time = "local"
-- note.nb = "Eksporter bare saker som er hendelser. Tjenesten er sakens første komponent, ellers prosjektets nøkkel."
-- note.en = "Export only the issues that are incidents. The service is the issue's first component, else the project's key."
-- names."Issue key" = ["Key", "Saksnøkkel", "Sakens nøkkel"]
-- names.Priority = ["Prioritet"]
-- names.Created = ["Opprettet"]
-- names.Resolved = ["Løst"]
-- names.Components = ["Component/s", "Komponenter"]
-- names."Project key" = ["Prosjektnøkkel"]
with read as (
    select *, english_months("Created") as created_on, english_months("Resolved") as resolved_on from issue
)

select
    _file, _line,
    "Issue key" as incident_id,
    "Components" as service_id, -- if "Components"
    "Project key" as service_id, -- if "Project key" -- unless "Components"
    matched("Issue key", '^([^-]+)-') as service_id, -- unless "Components" "Project key"
    mapped("Priority", map {
        'Highest': '1', 'Blocker': '1', 'Critical': '1', 'High': '2', 'Major': '2', 'Medium': '3', 'Low': '4', 'Minor': '4',
        'Lowest': '4', 'Trivial': '4', 'Høyest': '1', 'Høy': '2', 'Middels': '3', 'Lav': '4', 'Lavest': '4',
        'P1': '1', 'P2': '2', 'P3': '3', 'P4': '4', 'P5': '4'
    }) as severity,
    instant(created_on, [
        '%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%Y %I:%M %p', '%d/%b/%Y %H:%M', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S',
        '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S', '%m/%d/%Y %H:%M', '%d/%m/%Y %H:%M', '%d.%b.%y %H:%M', '%d. %b. %Y %H:%M'
    ], _file) as declared_at,
    instant(resolved_on, [
        '%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%Y %I:%M %p', '%d/%b/%Y %H:%M', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S',
        '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S', '%m/%d/%Y %H:%M', '%d/%m/%Y %H:%M', '%d.%b.%y %H:%M', '%d. %b. %Y %H:%M'
    ], _file) as resolved_at
from read
qualify rank() over (partition by "Issue key" order by made_at(_file, _modified_at) desc) = 1
