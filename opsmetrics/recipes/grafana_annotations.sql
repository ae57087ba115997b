-- title = { nb = "Grafana: merknader fra varsler (/api/annotations)", en = "Grafana annotations of alerts (/api/annotations)" }
-- stream = "alerts"
-- source = "grafana"
-- input = "annotation"
-- columns = ["alertId", "alertName", "newState", "prevState", "time", "timeEnd"]
-- note.nb = "Tjenesten er varselets navn: skriv det som alias i services.toml, eller kutt det i spørringen. Er alle varsler vakt?"
-- note.en = "The service is the alert's name: write it as an alias in services.toml, or cut it in the query. Does each alert page?"
with ordered as (
    select
        _file, _line, id, alertId, alertName, time, timeEnd,
        regexp_matches(newState, '(?i)^(alerting|firing)') as is_firing,
        lead(time) over (partition by alertId order by lpad(time, 20, '0'), lpad(id, 20, '0')) as next_time
    from annotation
    where alertId <> '0' and lower(newState) not in ('pending')
)

select
    _file, _line,
    id as alert_id,
    coalesce(nullif(alertName, ''), alertId) as service_id,
    alertId as rule_id,
    instant_of_ms(time) as fired_at,
    instant_of_ms(case when timeEnd <> time then nullif(timeEnd, '0') else next_time end) as closed_at
from ordered
where is_firing
