-- title = "Required duty of each team and local day, and from when on a page of it may leave an hour of it silent"
create or replace macro macros.duty_days() as table
    select
        d.team_id, c.day, c.ends_at as day_ends_at,
        case when d.coverage = 'always' then c.starts_at else c.work_starts_at end as starts_at,
        case when d.coverage = 'always' then c.starts_at - interval 1 hour else c.work_starts_at end as pages_from,
        case when d.coverage = 'always' then c.ends_at else c.work_ends_at end as ends_at
    from ref.oncall_duties as d
    join macros.work_days() as c
        on c.team_id = d.team_id and macros.within(c.starts_at, d.valid_from_at, d.valid_to_at)
    where d.coverage = 'always' or (d.coverage = 'working_hours' and c.is_working_day)
