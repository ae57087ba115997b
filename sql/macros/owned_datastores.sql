-- title = "Who answered for which datastore at the end of each window of a metric, with the window"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.owned_datastores(for_metric) as table
    select d.*, w.starts_at, w.completeness
    from macros.metric_windows(for_metric) as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
