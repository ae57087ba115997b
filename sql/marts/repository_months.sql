-- title = "Update bots and commits of each repository and local month"
-- key = ["repository", "month"]
-- [columns]
-- repository = "owner/name"
-- service_id = "Service, or null where no pattern fits"
-- month = "First day of the month; only months with commits on the default branch"
-- update_merges = """\
--     Merged dependency updates by Renovate or Dependabot (deploys under a bot's name left out); null = none, and \
--     no day of the month was delivered"""
-- security_update_merges = "Those marked as security updates; null = none of them says, or as update_merges"
-- package_updates = """\
--     Package version changes by Renovate or Dependabot; a grouped merge holds many; null = none, and no \
--     day of the month was delivered"""
-- commits = "Commits on the first-parent line of the default branch"
-- human_commits = "Those by people"
-- ai_agent_commits = "Those by AI agents"
-- update_bot_share = "Share by Renovate or Dependabot, 0..1"
-- all_bots_share = "Share by any bot that is no AI agent, 0..1"
-- offhours_share = "Share outside working hours of the update merges that say when, 0..1"
-- human_touched_share = "Share that people also committed to of the update merges that say so, 0..1"
-- security_not_known = "Update merges that do not say whether they are security updates; null = no merges"
-- offhours_not_known = "Those that do not say whether they were outside working hours; null = no merges"
-- human_touched_not_known = "Those that do not say whether people committed to them; null = no merges"
with zone as (select timezone from meta.organisation),

commits as (
    select
        r.current_name as repository, any_value(r.service_id) as service_id, date_trunc('month', committed_on) as month,
        sum(commits_first_parent) as commits,
        coalesce(sum(commits_first_parent) filter (actor_kind = 'human'), 0) as human_commits,
        coalesce(sum(commits_first_parent) filter (actor_kind = 'ai_agent'), 0) as ai_agent_commits,
        coalesce(sum(commits_first_parent) filter (actor_kind in ('renovate', 'dependabot')), 0) as update_bot_commits,
        coalesce(sum(commits_first_parent) filter (
            actor_kind in ('renovate', 'dependabot', 'ci_bot', 'other_bot')
        ), 0) as all_bots_commits
    from staging.commits_daily as c
    join facts.repositories as r on r.repository = c.repository
    group by r.current_name, date_trunc('month', committed_on)
),

merged as (
    select
        r.current_name as repository, cast(date_trunc('month', timezone(z.timezone, u.merged_at)) as date) as month,
        count(*) as update_merges,
        case when count(u.is_security) > 0 then count(*) filter (u.is_security) end as security_update_merges,
        avg(cast(u.is_offhours as integer)) as offhours_share,
        avg(cast(u.human_coauthor_count > 0 as integer)) as human_touched_share,
        count(*) - count(u.is_security) as security_not_known, count(*) - count(u.is_offhours) as offhours_not_known,
        count(*) - count(u.human_coauthor_count) as human_touched_not_known
    from staging.update_merges as u
    join facts.repositories as r on r.repository = u.repository
    cross join zone as z
    where u.is_dependency_update
    group by all
),

-- None is known only of a month of which the stream delivered a day and showed the service, or before the first row of
-- a file: commits reach back further than what a connector was asked for, and go on where exports ended.
told as (
    select
        date_trunc('month', day) as month, count(*) filter (stream = 'update_merges') as merge_days,
        count(*) filter (stream = 'dependency_updates') as package_days
    from meta.delivered_days
    group by all
),

hidden as (
    select
        service_id, date_trunc('month', day) as month, count(*) filter (stream = 'update_merges') as merge_days,
        count(*) filter (stream = 'dependency_updates') as package_days
    from facts.hidden_services
    group by all
),

filed as (
    select
        min(d.day) filter (d.stream = 'update_merges') as merges_from,
        min(d.day) filter (d.stream = 'dependency_updates') as packages_from
    from meta.delivered_days as d
    semi join (select stream from meta.sources where kind = 'files') as f on f.stream = d.stream
),

nothing as (
    select
        c.*,
        case when t.merge_days > coalesce(h.merge_days, 0) or c.month < f.merges_from then 0 end as no_merges,
        case when t.package_days > coalesce(h.package_days, 0) or c.month < f.packages_from then 0 end as no_packages
    from commits as c
    cross join filed as f
    left join told as t on t.month = c.month
    left join hidden as h on h.service_id = c.service_id and h.month = c.month
),

packages as (
    select
        u.repository, cast(date_trunc('month', timezone(z.timezone, u.merged_at)) as date) as month,
        count(*) filter (u.is_bot) as package_updates
    from facts.updates as u, zone as z
    group by all
)

select
    c.repository, c.service_id, cast(c.month as date) as month,
    coalesce(m.update_merges, c.no_merges) as update_merges,
    case when m.repository is null then c.no_merges else m.security_update_merges end as security_update_merges,
    coalesce(p.package_updates, c.no_packages) as package_updates,
    cast(c.commits as bigint) as commits, cast(c.human_commits as bigint) as human_commits,
    cast(c.ai_agent_commits as bigint) as ai_agent_commits,
    c.update_bot_commits / c.commits as update_bot_share, c.all_bots_commits / c.commits as all_bots_share,
    m.offhours_share, m.human_touched_share, m.security_not_known, m.offhours_not_known, m.human_touched_not_known
from nothing as c
left join merged as m on m.repository = c.repository and m.month = c.month
left join packages as p on p.repository = c.repository and p.month = c.month
where c.commits > 0
order by c.repository, c.month
