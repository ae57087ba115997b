-- title = """\
--     Capacity-critical resources in the part of each window in which a team answered for them, with the days on \
--     which they should have been sampled"""
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.resource_windows(for_metric) as table
-- Delivered days before its first sample show that a resource was not there; all others count.
    select
        h.as_of, h.grain, h.team_id, h.service_id, h.criticality_weight, h.starts_at, h.ends_at, r.resource_id,
        count(*) as base_days
    from macros.held_services(for_metric) as h
    join (
        select resource_id, service_id, min(day) as first_on
        from facts.capacity_samples
        group by resource_id, service_id
    ) as r on r.service_id = h.service_id
    join ref.calendar as c on macros.within(c.starts_at, h.starts_at, h.ends_at)
    left join meta.delivered_days as y on y.stream = 'capacity_samples' and y.day = c.day
    where y.day is null or c.day >= r.first_on
    group by all
