-- title = "Who answered for which service in which part of each window of a metric"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.held_services(for_metric) as table
    select
        w.as_of, w.grain, o.team_id, o.service_id, s.criticality_weight,
        greatest(w.starts_at, o.valid_from_at) as starts_at, least(w.as_of, o.valid_to_at) as ends_at
    from macros.metric_windows(for_metric) as w
    join ref.service_owners as o on o.valid_from_at < w.as_of and o.valid_to_at > w.starts_at
    join ref.services as s on s.service_id = o.service_id
