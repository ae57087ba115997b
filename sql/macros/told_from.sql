-- title = """\
--     From which local day on the sources of a stream tell of each team: what they delivered before was about other \
--     teams, and its silence is no quiet"""
-- [arguments]
-- for_stream = "Stream, as a literal"
create or replace macro macros.told_from(for_stream) as table
    select
        t.team_id,
        case
            when s.connected_on > t.onboarded_on then s.connected_on
            -- A source that was there when the team came into the scorecard tells of the time before too.
            when s.team_id is not null then '-infinity'::date
            when exists (select 1 from ref.team_streams as x where x.stream = for_stream) then 'infinity'::date
            else '-infinity'::date
        end as told_from
    from ref.teams as t
    left join ref.team_streams as s on s.team_id = t.team_id and s.stream = for_stream
