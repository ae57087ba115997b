-- title = "Instants at which diagnostics, organisation facts, alarms and goals are shown: month ends and now"
create or replace macro macros.shown_instants() as table
    select * from ref.as_of where grain in ('month', 'latest')
