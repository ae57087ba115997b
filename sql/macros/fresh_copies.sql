-- title = "Owned datastores at the end of a metric's windows, and whether a usable copy is at most two intervals old"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.fresh_copies(for_metric) as table
    with oldest as (
        select
            d.*, d.as_of - 2 * d.backup_interval_hours * interval 1 hour as oldest_at,
            coalesce(c.starts_at, k.told_from::timestamptz, '-infinity'::timestamptz) as told_from_at
        from macros.owned_datastores(for_metric) as d
        left join macros.told_from('recovery_points') as k on k.team_id = d.team_id
        left join ref.calendar as c on c.day = k.told_from
    ),

    newest as (
        select d.as_of, d.grain, d.datastore_id, max(p.taken_at) as taken_at
        from oldest as d
        join facts.recovery_points as p
            on p.datastore_id = d.datastore_id and p.is_usable and p.taken_at < d.as_of
        group by d.as_of, d.grain, d.datastore_id
    )

    -- None is there only where all the time in which it could have been taken was delivered, or without a policy.
    select
        d.* exclude (told_from_at), n.taken_at,
        case
            when d.oldest_at is null then false
            when n.taken_at >= d.oldest_at then true
            when s.ends_at is not null and d.told_from_at <= d.oldest_at then false
        end as is_fresh
    from oldest as d
    left join newest as n on n.as_of = d.as_of and n.grain = d.grain and n.datastore_id = d.datastore_id
    left join macros.delivered_spans('recovery_points') as s on s.ends_at >= d.as_of and s.starts_at <= d.oldest_at
