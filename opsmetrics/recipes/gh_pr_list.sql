-- title.nb = "GitHub: `gh pr list --json` med oppdateringer fra Renovate og Dependabot"
-- title.en = "GitHub: `gh pr list --json` with updates of Renovate and Dependabot"
-- stream = "update_merges"
-- source = "gh"
-- input = "pull"
-- cut_at = [30, 10000]
-- columns = ["author", "mergeCommit", "mergedAt", "title", "url"]
-- note.nb = "Hent alle: gh pr list --state merged --limit 10000 --json author,mergeCommit,mergedAt,title,url"
-- note.en = "Take all: gh pr list --state merged --limit 10000 --json author,mergeCommit,mergedAt,title,url"
with merged as (
    select
        _file, _line, url, title, mergedAt as merged_at, mergeCommit ->> 'oid' as commit_id,
        case
            when author ->> 'login' in ('app/renovate', 'renovate', 'renovate[bot]') then 'renovate'
            when author ->> 'login' in ('app/dependabot', 'dependabot', 'dependabot[bot]') then 'dependabot'
        end as bot
    from pull
    where mergedAt is not null
)

select
    _file, _line,
    matched(url, '^https://[^/]+/([^/]+/[^/]+)/pull/') as repository,
    commit_id, merged_at, bot,
    regexp_matches(title, '(?i)\b(lock ?file maintenance|(update|bump|pin|replace|upgrade|downgrade)s?)\b')
    and not regexp_matches(title, '(?i)(configure renovate|migrate (renovate )?config)') as is_dependency_update,
    regexp_matches(title, '(?i)\[security\]') as is_security
from merged
where bot is not null
