-- title = "Backup copies as they stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "datastore_id", "copy_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- datastore_id = "Datastore"
-- copy_id = "Copy"
-- is_isolated = "Own identity, immutable or offline, and in another region"
with states as (
    select w.as_of, w.grain, s.*
    from ref.as_of as w
    join staging.backup_copies as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.datastore_id, s.copy_id order by s.observed_on desc) = 1
)
select as_of, grain, datastore_id, copy_id,
    has_own_identity and is_immutable_or_offline and is_other_region as is_isolated
from states
order by datastore_id, copy_id, grain, as_of
