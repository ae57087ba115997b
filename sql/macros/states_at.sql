-- title = "States as they stood at each instant of evaluation: of each thing, the newest that still stands"
-- [arguments]
-- for_stream = "Stream of states, as a literal"
-- key = "Column that identifies a thing, or several in parentheses"
-- for_days = "Days for which a state stands"
-- [names_table]
-- for_stream = "staging"
create or replace macro macros.states_at(for_stream, key, for_days := 14) as table
    select w.as_of, w.grain, w."on", s.*
    from ref.as_of as w
    join query_table('staging.' || for_stream) as s on macros.stands(s.observed_on, w."on", days := for_days)
    qualify row_number() over (partition by w.as_of, w.grain, key order by s.observed_on desc) = 1
