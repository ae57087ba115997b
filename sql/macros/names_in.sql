-- title = "Rows of a stream by a name that they carry and by local day"
-- [arguments]
-- for_stream = "Stream, as a literal"
-- of_kind = """\
--     What the name is of: service, team, repository, datastore or environment; or, of another stream, rule, \
--     resource, deployment, product with cycle, or subject of a page about restoring"""
-- named = "Column with the name"
-- instant = "When the row was, UTC; of a register, whose rows have no day of their own"
-- [names_table]
-- for_stream = "staging"
create or replace macro macros.names_in(for_stream, of_kind, named, instant := null) as table
    select
        for_stream as stream, of_kind as kind, named as name,
        coalesce(s.day, cast(timezone(z.timezone, cast(instant as timestamptz)) as date)) as day, count(*) as row_count
    from query_table('staging.' || for_stream) as s
    cross join meta.organisation as z
    where named is not null
    group by all
