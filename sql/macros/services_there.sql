-- title = """\
--     Services that are there at each shown instant. One whose last ownership is over is retired, unless production \
--     still told of it in the last 28 days"""
create or replace macro macros.services_there() as table
    with spans as (
        select service_id, min(valid_from_at) as begun_at, max(valid_to_at) as ended_at
        from ref.service_owners
        group by service_id
    ),

    -- What registers say of a service does not run.
    unowned as (
        select distinct u.service_id, unnest(u.unowned_days) as day
        from facts.unmatched_rows as u
        join meta.streams as m on m.stream = u.stream and not m.is_register
    ),

    living as (
        select u.service_id, u.day
        from unowned as u
        join spans as p on p.service_id = u.service_id
        join ref.calendar as c on c.day = u.day
        -- On its last day it may still have been switched off.
        where c.starts_at > p.ended_at
    )

    select w.as_of, w.grain, s.service_id
    from macros.shown_instants() as w
    cross join ref.services as s
    left join spans as p on p.service_id = s.service_id
    -- Of the time before its first owner nobody knows whether a service was there.
    where
        (p.begun_at < w.as_of) is not false
        and (
            (w.as_of <= p.ended_at) is not false
            or exists (
                select 1 from living as l where l.service_id = s.service_id and l.day between w."on" - 27 and w."on"
            )
        )
