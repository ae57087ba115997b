-- title = """\
--     Capacity-critical resources that a team answered for in each window, with the days of that time on which they \
--     should have been sampled"""
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.resource_windows(for_metric) as table
-- Of one team, whatever services it was under, and however often it came and went: each day once.
    select h.as_of, h.grain, h.team_id, r.resource_id, count(distinct r.day) as base_days
    from macros.held_services(for_metric) as h
    join macros.resource_days() as r
        on r.service_id = h.service_id and macros.within(r.starts_at, h.starts_at, h.ends_at)
    group by h.as_of, h.grain, h.team_id, r.resource_id
