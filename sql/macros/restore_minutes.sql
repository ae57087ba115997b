-- title = "Minutes from request to verified usable; to data back where the source cannot tell that they were verified"
-- [arguments]
-- requested_at = "When the restore was asked for, UTC"
-- restored_at = "When the data were back, UTC"
-- verified_at = "When they were verified usable, UTC"
-- tells_verified = "Whether the source can tell when they were verified"
create or replace macro macros.restore_minutes(requested_at, restored_at, verified_at, tells_verified) as
epoch_us(coalesce(verified_at, case when not tells_verified then restored_at end) - requested_at) / 60e6
