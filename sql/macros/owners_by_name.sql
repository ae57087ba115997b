-- title = "Who answered for a service and when, by every name that sources have for it"
create or replace macro macros.owners_by_name() as table
    select n.name, o.*
    from ref.service_names as n
    join ref.service_owners as o on o.service_id = n.service_id
