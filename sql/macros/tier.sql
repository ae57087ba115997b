-- title = "Tier of a vulnerability (method 3.9): 3DF, 3D, 14D, 60D or FSU"
-- [arguments]
-- is_exploited = "It is known to be exploited"
-- is_exposed = "It can be reached from outside"
-- is_automatable = "Exploitation can be automated"
-- is_total = "Its technical impact is total"
create or replace macro macros.tier(is_exploited, is_exposed, is_automatable, is_total) as case
    when not is_exploited and not is_exposed then case when is_automatable then '60D' else 'FSU' end
    when not is_exploited
        then case when is_automatable and is_total then '3D' when is_automatable or is_total then '14D' else '60D' end
    when not is_exposed then case when is_automatable and is_total then '3DF' else '14D' end
    else case when is_automatable and not is_total then '3D' when is_total then '3DF' else '14D' end
end
