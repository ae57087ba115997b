-- title = """\
--     Capacity-critical resources sampled in the 28 days before the end of each window of a metric, under the service \
--     of their newest sample then"""
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.resources_at(for_metric) as table
    select
        w.as_of, w.grain, w.completeness, c.resource_id, arg_max(c.service_id, c.last_at) as service_id,
        max(c.day) as last_day
    from macros.metric_windows(for_metric) as w
    join (
        select resource_id, service_id, day, max(sampled_at) as last_at
        from facts.capacity_samples
        group by resource_id, service_id, day
    ) as c on c.day <= w."on" and c.day > w."on" - 28
    group by w.as_of, w.grain, w.completeness, c.resource_id
