-- title = "Whether no person answered a page within an hour, though it lasted; null = not known"
-- [arguments]
-- fired_at = "Page sent, UTC"
-- acknowledged_at = "Acknowledged, UTC"
-- acknowledged_by_kind = "human or bot"
-- closed_at = "Closed, UTC"
-- is_test = "Whether it was a test; null = not known"
-- untold = "Columns that its source cannot tell"
-- known_at = "Instant at which this is judged: what comes later has not happened yet, UTC"
create or replace macro macros.is_unanswered(
    fired_at, acknowledged_at, acknowledged_by_kind, closed_at, is_test, untold, known_at
) as case
    when
        acknowledged_by_kind = 'human' and acknowledged_at <= fired_at + interval 1 hour and acknowledged_at < known_at
        then false
    when closed_at <= fired_at + interval 1 hour and closed_at < known_at then false
    when fired_at + interval 1 hour > known_at or is_test is null then null
    when
        macros.told(untold, 'acknowledged_at') and macros.told(untold, 'acknowledged_by_kind')
        and macros.told(untold, 'closed_at')
        -- Whoever it was that came after an hour came too late.
        and (
            acknowledged_at is null or acknowledged_by_kind is not null or acknowledged_at > fired_at + interval 1 hour
        )
        then true
end
