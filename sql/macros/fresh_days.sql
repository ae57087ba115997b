-- title = "Days for which a source's news is fresh: two of its expected intervals, at least two days"
-- [arguments]
-- expected_hours = "Hours between two deliveries"
create or replace macro macros.fresh_days(expected_hours) as cast(greatest(2, ceil(expected_hours / 12.0)) as integer)
