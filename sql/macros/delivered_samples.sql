-- title = """\
--     Samples of capacity-critical resources in the part of each window in which a team answered for them, of days \
--     that were delivered whole"""
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.delivered_samples(for_metric) as table
    select w.*, c.day, c.sampled_at, c.utilisation_ratio, c.is_at_ceiling
    from macros.resource_windows(for_metric) as w
    join facts.capacity_samples as c
        on
            c.resource_id = w.resource_id and c.service_id = w.service_id
            and macros.within(c.sampled_at, w.starts_at, w.ends_at)
    -- Days that were not delivered whole leave the base.
    semi join meta.delivered_days as y on y.stream = 'capacity_samples' and y.day = c.day
