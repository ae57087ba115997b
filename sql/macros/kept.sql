-- title = "Numerator of an item: 1 or 0 where it is known whether the obligation was kept, null where it is not"
-- [arguments]
-- is_kept = "Whether it was kept; null = no"
-- is_known = "Whether what it rests on is known; null = no"
create or replace macro macros.kept(is_kept, is_known) as
case when is_known then cast(coalesce(is_kept, false) as integer) end
