-- title = "Each day of a metric's windows on which a service promised something, with the team that owned it that day"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
-- for_kind = "Kind of service-level objective: availability or latency"
create or replace macro macros.slo_days(for_metric, for_kind) as table
    -- Owners first: joined the other way round, every day meets every window. Each answers for its own time.
    with owned as materialized (
        select * from macros.held_services(for_metric)
    )

    select o.team_id, o.as_of, o.grain, o.service_id, o.criticality_weight, c.day, c.starts_at, c.ends_at, l.target
    from owned as o
    join ref.calendar as c on macros.within(c.starts_at, o.starts_at, o.ends_at)
    join ref.slos as l
        on
            l.service_id = o.service_id and l.kind = for_kind
            and macros.within(c.starts_at, l.valid_from_at, l.valid_to_at)
