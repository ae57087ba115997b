-- title = "Rows of a stream under the team that their name meant at the time; a name that is no team's stays as it is"
-- [arguments]
-- for_stream = "Stream with a team_id, as a literal"
-- instant = "Column that says when, UTC"
-- [names_table]
-- for_stream = "staging"
create or replace macro macros.rows_of_teams(for_stream, instant) as table
    select s.* replace (coalesce(n.team_id, s.team_id) as team_id)
    from query_table('staging.' || for_stream) as s
    left join ref.team_names as n
        on n.name = lower(s.team_id) and macros.within(instant, n.valid_from_at, n.valid_to_at)
