-- title = "Of every team and local day, when its work ends so many of its working days later"
-- [arguments]
-- days = "Working days after the day"
create or replace macro macros.deadlines(days) as table
    select c.team_id, c.day, c.starts_at, c.ends_at, d.work_ends_at as due_at
    from macros.work_days() as c
    join macros.work_days() as d
        on d.team_id = c.team_id and d.working_day_number = c.working_day_number + days and d.is_working_day
