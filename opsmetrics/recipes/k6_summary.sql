-- title = { nb = "k6: sammendrag (--summary-export eller handleSummary)", en = "k6 summary (--summary-export or handleSummary)" }
-- stream = "load_tests"
-- source = "k6"
-- input = "summary"
-- columns = ["metrics", "root_group"]
-- note.nb = "Sammendraget sier verken tjeneste, tid eller høyeste last: kall filene web-20260131T120000Z.json, og sett inn toppen (forespørsler i timen) under peaks."
-- note.en = "The summary tells neither service, time nor highest load: name the files web-20260131T120000Z.json, and fill in the peak (requests an hour) below peaks."
with peaks as (
    select * from (values ('web', null)) as known(service_id, per_hour)
),

told as (
    select
        _file, _line, metrics,
        regexp_extract(_file, '([^/]+?)[-_][0-9]{8}T[0-9]{6}Z\.json$', 1) as service_id,
        regexp_extract(_file, '([0-9]{8}T[0-9]{6})Z\.json$', 1) as tested_at
    from summary
),

limits as (
    select
        _file, each_limit.value as held,
        -- The flat form says whether a threshold was crossed, the other one whether it held.
        case json_type(each_limit.value)
            when 'BOOLEAN' then each_limit.value::varchar = 'false' else each_limit.value ->> 'ok' = 'true'
        end as is_held
    from told, json_each(metrics) as metric, json_each(metric.value -> 'thresholds') as each_limit
)

select
    _file, _line,
    concat_ws('-', service_id, tested_at) as test_id,
    service_id,
    instant(tested_at, '%Y%m%dT%H%M%S') || 'Z' as tested_at,
    round(
        coalesce(metrics ->> '$.http_reqs.values.rate', metrics ->> '$.http_reqs.rate')::double * 3600 / peaks.per_hour, 4
    ) as reached_ratio,
    (select bool_and(is_held) from limits where limits._file = told._file) as is_slo_met
from told left join peaks using (service_id)
