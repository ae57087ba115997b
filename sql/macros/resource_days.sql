-- title = """\
--     Local days on which each capacity-critical resource should have been sampled, and the service that it was \
--     under: the one of its newest sample so far"""
create or replace macro macros.resource_days() as table
    with sampled as (
        select resource_id, service_id, day, min(sampled_at) as first_at
        from facts.capacity_samples
        group by resource_id, service_id, day
    ),

    placed as (
        select
            resource_id, service_id, day,
            case when row_number() over in_order = 1 then '-infinity'::date else day end as from_on,
            -- On the day on which it moves it is under both.
            greatest(day, coalesce(lead(day) over in_order - 1, 'infinity'::date)) as until_on
        from sampled
        window in_order as (partition by resource_id order by first_at, service_id)
    )

    -- Delivered days before its first sample show that a resource was not there; all others count.
    select distinct p.resource_id, p.service_id, c.day, c.starts_at
    from placed as p
    join ref.calendar as c on c.day >= p.from_on and c.day <= p.until_on
    left join meta.delivered_days as y on y.stream = 'capacity_samples' and y.day = c.day
    where c.day >= p.day or y.day is null
