-- title = "A number, or null where it lies among items without end"
-- [arguments]
-- value = "Number; infinity is an item that has not ended"
create or replace macro macros.finite(value) as case when isfinite(value) then value end
