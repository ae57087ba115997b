-- title = { nb = "Jira: saker (CSV-eksport)", en = "Jira issues (CSV export)" }
-- stream = "incidents"
-- source = "jira"
-- input = "issue"
-- cut_at = [1000, 10000]
-- columns = ["Issue key", "Priority", "Created", "Resolved"]
-- naive_time = "local"
-- note.nb = "Eksporter bare saker som er hendelser. Tjenesten er sakens første komponent, ellers prosjektets nøkkel."
-- note.en = "Export only the issues that are incidents. The service is the issue's first component, else the project's key."
-- names."Issue key" = ["Key", "Saksnøkkel", "Sakens nøkkel"]
-- names.Priority = ["Prioritet"]
-- names.Created = ["Opprettet"]
-- names.Resolved = ["Løst"]
-- names.Components = ["Component/s", "Komponenter"]
-- names.Status = ["Tilstand"]
-- names."Status Category" = ["Statuskategori"]
-- names."Status Category Changed" = ["Statuskategori endret"]
-- names."Project key" = ["Prosjektnøkkel"]
with read as (
    select
        *,
        english_months("Created") as created_on,
        -- Without a resolution an issue is over since its category is what it is.
        english_months(case -- if "Status Category" -- if "Status Category Changed"
            when lower(trim("Status Category")) in ('done', 'ferdig', 'fullført') -- if "Status Category" -- if "Status Category Changed"
                then coalesce(nullif(trim("Resolved"), ''), "Status Category Changed") -- if "Status Category" -- if "Status Category Changed"
            else "Resolved" -- if "Status Category" -- if "Status Category Changed"
        end) as resolved_on, -- if "Status Category" -- if "Status Category Changed"
        english_months("Resolved") as resolved_on, -- unless "Status Category"
        english_months("Resolved") as resolved_on, -- if "Status Category" -- unless "Status Category Changed"
        case -- if "Status Category"
            when lower(trim("Status Category")) in ('done', 'ferdig', 'fullført') then 'over' -- if "Status Category"
            when lower(trim("Status Category")) in ('to do', 'in progress', 'no category', 'å gjøre', 'pågår', 'under arbeid') then 'open' -- if "Status Category"
        end as phase -- if "Status Category"
        case -- if "Status" -- unless "Status Category"
            when lower(trim("Status")) in ( -- if "Status" -- unless "Status Category"
                'done', 'closed', 'resolved', 'completed', 'ferdig', 'fullført', 'lukket', 'løst', 'avsluttet' -- if "Status" -- unless "Status Category"
            ) then 'over' -- if "Status" -- unless "Status Category"
            when lower(trim("Status")) in ( -- if "Status" -- unless "Status Category"
                'to do', 'open', 'new', 'backlog', 'selected for development', 'in progress', 'work in progress', 'reopened', -- if "Status" -- unless "Status Category"
                'in review', 'under review', 'on hold', 'pending', 'blocked', 'escalated', 'investigating', 'waiting for support', -- if "Status" -- unless "Status Category"
                'waiting for customer', 'å gjøre', 'åpen', 'ny', 'pågår', 'under arbeid', 'under behandling', 'venter', 'på vent', -- if "Status" -- unless "Status Category"
                'gjenåpnet', 'undersøkes' -- if "Status" -- unless "Status Category"
            ) then 'open' -- if "Status" -- unless "Status Category"
        end as phase -- if "Status" -- unless "Status Category"
        'untold' as phase -- unless "Status Category" "Status"
    from issue
)

select
    _file, _line,
    "Issue key" as incident_id,
    coalesce(nullif(trim("Components"), ''), "Project key") as service_id, -- if "Components" -- if "Project key"
    coalesce(nullif(trim("Components"), ''), matched("Issue key", '^([^-]+)-')) as service_id, -- if "Components" -- unless "Project key"
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
    -- An issue that was opened again may keep its resolution, and the day of it.
    coalesce(instant(case when phase is distinct from 'open' then resolved_on end, [
        '%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%Y %I:%M %p', '%d/%b/%Y %H:%M', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S',
        '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S', '%m/%d/%Y %H:%M', '%d/%m/%Y %H:%M', '%d.%b.%y %H:%M', '%d. %b. %Y %H:%M'
    ], _file), case
        when phase = 'over' then 'over, without a time'
        -- A state of somebody's own may mean that it is over.
        when phase is null then unknown_word("Status Category") -- if "Status Category"
        when phase is null then unknown_word("Status") -- if "Status" -- unless "Status Category"
    end) as resolved_at
from read
qualify rank() over (partition by "Issue key" order by made_at(_file, _modified_at) desc) = 1
