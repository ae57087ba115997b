-- title = { nb = "Zabbix: problemer (CSV fra Problems)", en = "Zabbix problems (CSV of Problems)" }
-- stream = "alerts"
-- source = "zabbix"
-- input = "problem"
-- cut_at = [1000, 1001]
-- columns = ["Severity", "Time", "Recovery time", "Status", "Host", "Problem"]
-- naive_time = "local"
-- note.nb = "Bare High og Disaster regnes som vakt; endre siste linje om hos dere også andre vekker noen. Tjenesten er vertens navn. Filen sier ikke hva som skjedde under vedlikehold: det teller med."
-- note.en = "Only High and Disaster count as pages; change the last line if others wake somebody too. The service is the host's name. The file does not say what happened in maintenance: it counts."
with read as (
    select
        *,
        instant("Time", ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %I:%M:%S %p', '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %I:%M:%S %p'], _file)
            as began_at
    from problem
)

select
    _file, _line,
    -- Two exports may write the same time in two ways.
    opaque(concat_ws('/', "Host", "Problem", began_at)) as alert_id,
    "Host" as service_id,
    opaque(concat_ws('/', "Host", "Problem")) as rule_id,
    mapped("Severity", map { 'Disaster': '1', 'High': '2', 'Average': '3', 'Warning': '4', 'Information': '5' }) as severity,
    began_at as fired_at,
    coalesce(
        instant("Recovery time", ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %I:%M:%S %p', '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %I:%M:%S %p'], _file),
        case when lower(trim("Status")) in ('resolved', 'løst') then 'resolved, without a time' end
    ) as closed_at
from read
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by "Host", "Problem", began_at order by made_at(_file, _modified_at) desc) = 1
    and coalesce(lower(trim("Severity")), '') not in ('average', 'warning', 'information', 'not classified')
