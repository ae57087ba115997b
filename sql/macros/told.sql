-- title = "Whether a row's source can tell a column at all: only then an empty value says that there is none"
-- [arguments]
-- untold = "Columns that the row's source cannot tell, of staging"
-- name = "Column of the contract"
create or replace macro macros.told(untold, name) as
coalesce(not list_contains(untold, name), true)
