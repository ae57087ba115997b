-- title = "Who answered for which service at the end of each window of a metric, with the window"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.owned_services(for_metric) as table
    select o.*, w.starts_at, w.completeness
    from macros.metric_windows(for_metric) as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
