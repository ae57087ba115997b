-- title = { nb = "ServiceNow: hendelser (eksportert liste)", en = "ServiceNow incidents (exported list)" }
-- stream = "incidents"
-- source = "servicenow"
-- input = "incident"
-- columns = ["number", "opened_at", "priority", "resolved_at", "state"]
-- naive_time = "local"
-- note.nb = "Tidene er i tidssonen til den som eksporterte. Avlyste hendelser er utelatt."
-- note.en = "Times are those of the time zone of whoever exported. Cancelled incidents are left out."
select
    _file, _line,
    number as incident_id,
    business_service as service_id, -- if "business_service"
    mapped(matched(priority, '^([1-5])'), map { '5': '4' }) as severity,
    instant(opened_at, ['%d.%m.%Y %H:%M:%S', '%Y-%m-%d %H:%M:%S']) as declared_at,
    case
        -- One that was opened again keeps the time at which it was resolved before.
        when lower(state) not in ('new', 'in progress', 'on hold', 'ny', 'pågår', 'på vent', '1', '2', '3')
            then instant(resolved_at, ['%d.%m.%Y %H:%M:%S', '%Y-%m-%d %H:%M:%S'])
    end as resolved_at
from incident
where lower(coalesce(state, '')) not in ('canceled', 'cancelled', 'kansellert', 'avbrutt', '8')
