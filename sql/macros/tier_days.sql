-- title = "Days that a tier of vulnerabilities leaves; null = no deadline"
-- [arguments]
-- tier = "3DF, 3D, 14D, 60D or FSU"
create or replace macro macros.tier_days(tier) as
case tier when '3D' then 3 when '3DF' then 3 when '14D' then 14 when '60D' then 60 end
