-- title = """\
--     Time of each service in which some monitor told one of these states, as error budgets count it: overlaps count \
--     once, eligible maintenance is left out"""
-- [arguments]
-- statuses = "States that count"
-- since = "What had ended by then is not looked at, UTC"
create or replace macro macros.merged_runs(statuses, since) as table
    with changes as (
        select service_id, starts_at as change_at, 1 as told, 0 as maintenance from facts.availability_runs
        where service_id is not null and list_contains(statuses, status) and ends_at > greatest(starts_at, since)
        union all
        select service_id, ends_at, -1, 0 from facts.availability_runs
        where service_id is not null and list_contains(statuses, status) and ends_at > greatest(starts_at, since)
        union all
        select service_id, starts_at, 0, 1 from facts.maintenance where ends_at > since
        union all
        select service_id, ends_at, 0, -1 from facts.maintenance where ends_at > since
    ),

    instants as (
        select service_id, change_at, sum(told) as told, sum(maintenance) as maintenance
        from changes
        group by service_id, change_at
    ),

    segments as (
        select
            service_id, change_at as starts_at, lead(change_at) over in_order as ends_at,
            sum(told) over in_order > 0 and sum(maintenance) over in_order = 0 as is_counted
        from instants
        window in_order as (partition by service_id order by change_at)
    )

    select service_id, starts_at, ends_at from segments where is_counted
