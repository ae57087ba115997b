-- title = { nb = "Grype: rapporter (`grype -o json`)", en = "Grype reports (`grype -o json`)" }
-- stream = "vulnerabilities"
-- source = "grype"
-- input = "report"
-- columns = ["matches", "source", "descriptor"]
-- formats = ["json"]
-- says."descriptor.name" = "grype"
-- note.nb = "La path være et mønster for alle rapportene: en feil er borte den første senere dagen da ingen rapport har den. Det som en regel bare ser bort fra, er ikke rettet. Rapporter uten tidspunkt settes til side. Detaljer landes ikke."
-- note.en = "Let path be a pattern of all reports: a fault is gone on the first later day whose reports do not have it. What a rule only ignores is not fixed. Reports without a time are set aside. Details are not landed."
with reports as (
    select
        _file, _line, matches, _json -> 'ignoredMatches' as ignored, utc(descriptor ->> '$.timestamp') as made_at,
        -- Tools that are built on it write the same form, of other things.
        case when descriptor ->> '$.name' is distinct from 'grype' then null when source ->> '$.type' = 'image'
            then regexp_replace(regexp_replace(source ->> '$.target.userInput', '@.*$', ''), ':[^/:]*$', '')
            else source ->> '$.target' end as artifact
    from report
),

-- What the reports of an artifact show on one day is one look at it: there may be one for each platform or version.
days as (
    select artifact, left(made_at, 10) as day, max(made_at) as looked_at, lead(max(made_at)) over in_order as next_at
    from reports
    group by artifact, left(made_at, 10)
    window in_order as (partition by artifact, left(made_at, 10) is null order by left(made_at, 10))
),

shown as (
    select artifact, made_at, match -> 'vulnerability' as fault, match -> 'relatedVulnerabilities' as related, true as is_shown, _file, _line
    from reports, unnest(items(matches)) as of_report(match)
    union all
    -- Ignored by a rule of somebody's own; what the scanner or a VEX document says is none, is none.
    select artifact, made_at, match -> 'vulnerability', null, false, _file, _line
    from reports, unnest(items(ignored)) as of_report(match)
    where len(list_filter(items(match -> 'appliedIgnoreRules'), lambda rule:
        coalesce(rule ->> '$."vex-status"', '') in ('not_affected', 'fixed')
        or coalesce(rule ->> '$.reason', '') in ('DistroPackageFixed', 'CPE not vulnerable', 'Explicit APK NAK'))) = 0
),

seen as (
    select
        artifact, fault ->> '$.id' as vulnerability, left(made_at, 10) as day,
        min(made_at) filter (is_shown) as shown_at, bool_or(is_shown) as is_shown,
        max(list_max(list_transform(items(fault -> 'epss') || flatten(list_transform(items(related), lambda other: items(other -> 'epss'))),
            lambda each: (each ->> '$.epss')::double))) as epss,
        min(_file) as _file, min(_line) as _line
    from shown
    group by all
),

-- A run of days that all have it is one state; it ends with the day after its last.
runs as (
    select
        seen.*, days.looked_at, days.next_at,
        lag(days.next_at) over (partition by seen.artifact, vulnerability order by seen.day) is distinct from days.looked_at as is_first
    from seen
    join days on seen.artifact is not distinct from days.artifact and seen.day is not distinct from days.day
),

numbered as (
    select *, sum(is_first::int) over (partition by artifact, vulnerability order by day) as run from runs
)

select
    min(_file) as _file, min(_line) as _line,
    opaque(concat_ws('/', 'grype', artifact, vulnerability)) as vulnerability_id,
    regexp_extract(artifact, '([^/]+)$', 1) as service_id,
    min(shown_at) as detected_at,
    min(shown_at) as effective_at,
    nullif(max(coalesce(next_at, 'open')), 'open') as fixed_at,
    max(epss) as epss_ratio
from numbered
group by artifact, vulnerability, run
having bool_or(is_shown)
