-- title = "Services that promised nothing in a metric's window, from 90 days after the team took them over"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
-- for_kind = "Kind of service-level objective: availability or latency"
create or replace macro macros.services_without_slo(for_metric, for_kind) as table
    select o.*
    from macros.owned_services(for_metric) as o
    where
        o.owned_since + interval 90 day <= o.as_of
        and not exists (
            select 1 from ref.slos as l
            where
                l.service_id = o.service_id and l.kind = for_kind
                and l.valid_from_at < o.as_of and l.valid_to_at > o.starts_at
        )
