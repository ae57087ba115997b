-- title = "Vulnerabilities as they stood at the end of each window of a metric"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.vulnerabilities_at(for_metric) as table
-- Only what was in force at the instant; a later upgrade can shorten the deadline, never lengthen it.
    select
        w.as_of, w.grain, w.starts_at, w.completeness, v.vulnerability_id,
        arg_max(v.service_id, v.effective_at) as service_id, min(v.detected_at) as detected_at,
        min(v.due_at) as due_at, min(v.latest_due_at) as latest_due_at,
        case when bool_or(v.is_urgent) then true when bool_and(v.is_urgent is not null) then false end as is_urgent,
        arg_max(coalesce(v.tier, 'not known'), v.effective_at) as tier,
        -- The newest state knows best whether it was mended.
        arg_max(coalesce(v.fixed_at, 'infinity'::timestamptz), v.effective_at) as fixed_at,
        arg_max(v.knows_fix, v.effective_at) as knows_fix
    from macros.metric_windows(for_metric) as w
    join facts.vulnerabilities as v on v.effective_at < w.as_of
    group by w.as_of, w.grain, w.starts_at, w.completeness, v.vulnerability_id
