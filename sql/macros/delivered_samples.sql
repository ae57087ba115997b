-- title = """\
--     Samples of capacity-critical resources in the part of each window in which a team answered for them, of days \
--     that were delivered whole"""
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.delivered_samples(for_metric) as table
    select
        h.as_of, h.grain, h.team_id, h.service_id, h.criticality_weight, c.resource_id, b.base_days, c.day,
        c.sampled_at, c.utilisation_ratio, c.is_at_ceiling
    from macros.held_services(for_metric) as h
    join facts.capacity_samples as c
        on c.service_id = h.service_id and macros.within(c.sampled_at, h.starts_at, h.ends_at)
    join macros.resource_windows(for_metric) as b
        on b.as_of = h.as_of and b.grain = h.grain and b.team_id = h.team_id and b.resource_id = c.resource_id
    -- Days that were not delivered whole leave the base.
    semi join meta.delivered_days as y on y.stream = 'capacity_samples' and y.day = c.day
