-- title = "Whether an incident alone spent more than a fifth of a 28-day error budget; null = not known"
-- [arguments]
-- target = "Availability that the service promised; null = it promised nothing, so there is nothing to spend"
-- ratio = "Share of the budget that was seen to be spent; null = nothing was seen"
-- is_watched = "Whether a monitor looked on each of its days"
create or replace macro macros.spends_budget(target, ratio, is_watched) as case
    when target is null then false
    when ratio > 0.2 then true
    when is_watched then false
end
