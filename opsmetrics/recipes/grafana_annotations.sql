-- title = { nb = "Grafana: merknader fra varsler (/api/annotations)", en = "Grafana annotations of alerts (/api/annotations)" }
-- stream = "alerts"
-- source = "grafana"
-- input = "annotation"
-- cut_at = [100, 5000]
-- columns = ["alertId", "alertName", "newState", "prevState", "time", "timeEnd"]
-- note.nb = "Tjenesten er varselets navn: skriv det som alias i services.toml, eller kutt det i spørringen. Er alle varsler vakt?"
-- note.en = "The service is the alert's name: write it as an alias in services.toml, or cut it in the query. Does each alert page?"
with told as (
    select
        _file, _line, id, alertId, alertName, time, timeEnd,
        -- One rule may watch many: which one it is of stands before the state in the text. Of that only a digest goes on.
        opaque(concat_ws('/', alertId, regexp_replace("text", '\s*- [^-{}]*$', ''))) as series, -- if "text"
        alertId as series, -- unless "text"
        regexp_matches(newState, '(?i)^(alerting|firing)') as is_firing
    from annotation
    -- Neither begins nor ends a page: not sure yet, and nothing to measure.
    qualify
        row_number() over (partition by id order by made_at(_file, _modified_at) desc, _line) = 1
        and alertId <> '0' and not regexp_matches(newState, '(?i)^(pending|nodata|no_data|error|unknown|recovering)')
),

ordered as (
    select
        *,
        coalesce(lag(is_firing) over one, false) as was_firing,
        min(lpad(time, 20, '0')) filter (where not is_firing) over (
            one rows between 1 following and unbounded following
        ) as ended
    from told
    window one as (partition by series order by lpad(time, 20, '0'), lpad(id, 20, '0'))
)

select
    _file, _line,
    id as alert_id,
    coalesce(nullif(alertName, ''), alertId) as service_id,
    alertId as rule_id,
    instant_of_ms(time) as fired_at,
    instant_of_ms(case when timeEnd <> time and timeEnd <> '0' then timeEnd else ltrim(ended, '0') end) as closed_at
from ordered
where is_firing and not was_firing
