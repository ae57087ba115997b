-- title = "What exemptions are worth: the score with and without waivers, and the weight that is set aside"
-- key = ["team_id", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month or latest"
-- waived_count = "Metrics under a waiver"
-- waived_weight_ratio = "Their share of the weight that applies to the team"
-- score = "Team score, 0..100"
-- score_without_waivers = "Team score as if no waiver existed"
-- debt_points = "score - score_without_waivers: points that rest on waivers"
with waived as (
    select
        s.team_id, s.as_of, s.grain, count(*) filter (s.status = 'waived') as waived_count,
        coalesce(sum(s.weight) filter (s.status = 'waived'), 0)
        / nullif(sum(s.weight) filter (s.status <> 'not_applicable'), 0) as waived_weight_ratio
    from scores.metric as s
    where s.grain in ('month', 'latest')
    group by s.team_id, s.as_of, s.grain
)

select w.*, t.score, t.score_without_waivers, t.score - t.score_without_waivers as debt_points
from waived as w
join scores.team as t on t.team_id = w.team_id and t.as_of = w.as_of and t.grain = w.grain
order by w.team_id, w.grain, w.as_of
