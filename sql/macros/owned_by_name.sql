-- title = "Who answers for a service at each instant of evaluation, by every name that sources have for it"
create or replace macro macros.owned_by_name() as table
    select n.name, o.*
    from ref.service_names as n
    join ref.owned_services as o on o.service_id = n.service_id
