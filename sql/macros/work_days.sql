-- title = "Local days of every team, with its own working days and hours where it has them"
create or replace macro macros.work_days() as table
    select
        t.team_id, c.day, c.starts_at, c.ends_at,
        case when d.day is null then c.is_working_day else d.is_working_day end as is_working_day,
        case when d.day is null then c.work_starts_at else d.work_starts_at end as work_starts_at,
        case when d.day is null then c.work_ends_at else d.work_ends_at end as work_ends_at,
        case when d.day is null then c.working_day_number else d.working_day_number end as working_day_number
    from (
        select distinct team_id from ref.oncall_duties
        union
        select team_id from ref.teams
    ) as t
    cross join ref.calendar as c
    left join ref.team_days as d on d.team_id = t.team_id and d.day = c.day
