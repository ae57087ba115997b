-- title = "Published scores beside today's, with the cause of each difference (method 3.15)"
-- key = ["team_id", "area_id", "metric_id", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- area_id = "Area; empty for the team score"
-- metric_id = "Metric; empty for scores"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month or tertial"
-- published_at = """\
--     The publication that counts: the last one up to ten days after the period, else the first later one, UTC"""
-- is_locked = "Ten days have passed since the end of the period"
-- published_score = "Score or points as published"
-- published_level = "Level as published"
-- published_status = "Status as published"
-- restated_score = "The same, computed today"
-- restated_level = "Level today"
-- restated_status = "Status today"
-- difference = "restated_score - published_score"
-- cause = "none, or late_data, rules, ownership, waivers, scope; several are joined with a comma"
-- published_ruleset = "Ruleset version at publication"
with publications as (
    -- A build does not see publications of its own instant: they came after it (architecture D2).
    -- What was published of a team under an earlier name is its own, unless two teams have become one.
    select
        r.* exclude (team_id),
        if(count(distinct r.team_id) over same = 1, coalesce(n.team_id, r.team_id), r.team_id) as team_id,
        r.published_at <= r.as_of + interval 10 day as is_preliminary
    from raw.published_scores as r
    join meta.loads as l on l.stream = 'published_scores' and l.load_id = r._load_id
    left join ref.team_names as n
        on
            n.name = lower(r.team_id)
            and macros.within(r.as_of - interval 1 second, n.valid_from_at, n.valid_to_at)
    where l.loaded_at < (select max(known_at) from meta.known) and r.grain in ('month', 'tertial')
    window same as (partition by coalesce(n.team_id, r.team_id), r.as_of, r.grain, r.published_at)
),

chosen as (
    select * from publications
    qualify row_number() over (
        partition by team_id, area_id, metric_id, as_of, grain
        -- The last one before the tenth day, else the first one after it: either is the nearest to it.
        order by is_preliminary desc, abs(epoch_us(published_at) - epoch_us(as_of + interval 10 day))
    ) = 1
),

today as (
    select team_id, null as area_id, null as metric_id, as_of, grain, score, level, status, null as value
    from scores.team
    union all
    select team_id, area_id, null, as_of, grain, score, level, status, null from scores.area
    union all
    select s.team_id, m.area_id, s.metric_id, s.as_of, s.grain, s.points, null, s.status, s.value
    from scores.metric as s join meta.metrics as m on m.metric_id = s.metric_id
),

owned as (
    select team_id, as_of, grain, md5(string_agg(service_id, ' ' order by service_id)) as services
    from ref.owned_services group by team_id, as_of, grain
),

compared as (
    select
        c.team_id, c.area_id, c.metric_id, c.as_of, c.grain, c.published_at, c.score as published_score,
        c.level as published_level, c.status as published_status, t.score as restated_score,
        t.level as restated_level, t.status as restated_status, c.ruleset_version as published_ruleset,
        (c.ruleset_digest is distinct from r.digest) as is_other_ruleset,
        (
            c.score is not distinct from t.score and c.status is not distinct from t.status
            and c.level is not distinct from t.level
        ) as is_same,
        case
            when is_same then 'none'
            when c.metric_id is null then null
            when (c.status = 'waived') <> (t.status = 'waived') then 'waivers'
            when (c.services is distinct from coalesce(o.services, '')) then 'ownership'
            when t.status is null or (c.status = 'not_applicable') <> (t.status = 'not_applicable') then 'scope'
            when is_other_ruleset and c.status = t.status and (c.value is not distinct from t.value) then 'rules'
            else 'late_data'
        end as own_cause
    from chosen as c
    left join today as t
        on
            t.team_id = c.team_id and t.area_id is not distinct from c.area_id
            and t.metric_id is not distinct from c.metric_id and t.as_of = c.as_of and t.grain = c.grain
    left join owned as o on o.team_id = c.team_id and o.as_of = c.as_of and o.grain = c.grain
    cross join (select max(ruleset_digest) as digest from meta.known) as r
),

-- A score differs because its metrics do; where none does, its weights or gates do.
causes as (
    select
        s.team_id, s.area_id, s.as_of, s.grain,
        string_agg(distinct m.own_cause, ', ' order by m.own_cause) as causes
    from compared as s
    join compared as m
        on
            m.team_id = s.team_id and m.as_of = s.as_of and m.grain = s.grain and m.metric_id is not null
            and m.own_cause <> 'none' and (s.area_id is null or m.area_id = s.area_id)
    where s.metric_id is null
    group by s.team_id, s.area_id, s.as_of, s.grain
)

select
    c.team_id, coalesce(c.area_id, '') as area_id, coalesce(c.metric_id, '') as metric_id, c.as_of, c.grain,
    c.published_at, (select max(known_at) from meta.known) >= c.as_of + interval 10 day as is_locked,
    c.published_score, c.published_level, c.published_status, c.restated_score, c.restated_level, c.restated_status,
    c.restated_score - c.published_score as difference,
    coalesce(c.own_cause, k.causes, case when c.is_other_ruleset then 'rules' else 'late_data' end) as cause,
    c.published_ruleset
from compared as c
left join causes as k
    on
        k.team_id = c.team_id and k.area_id is not distinct from c.area_id and k.as_of = c.as_of and k.grain = c.grain
        and c.metric_id is null
order by c.team_id, c.area_id nulls first, c.metric_id nulls first, c.grain, c.as_of
