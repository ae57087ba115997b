-- title = "Backup copies as they stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "datastore_id", "copy_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- datastore_id = "Datastore"
-- copy_id = "Copy"
-- is_isolated = "Own identity, immutable or offline, and in another region"
select
    as_of, grain, lower(datastore_id) as datastore_id, copy_id,
    has_own_identity and is_immutable_or_offline and is_other_region as is_isolated
from macros.states_at('backup_copies', (lower(datastore_id), copy_id))
order by datastore_id, copy_id, grain, as_of
