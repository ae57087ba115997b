-- title = { nb = "Trivy: rapporter (`trivy image --format json`)", en = "Trivy reports (`trivy image --format json`)" }
-- stream = "vulnerabilities"
-- source = "trivy"
-- input = "report"
-- columns = ["SchemaVersion", "CreatedAt", "ArtifactName"]
-- note.nb = "La path være et mønster for alle rapportene: en feil er borte den første senere dagen da ingen rapport om bildet har den. Rapporter uten pakker viser ikke at noe er borte. Detaljer landes ikke."
-- note.en = "Let path be a pattern of all reports: a fault is gone on the first later day whose reports of the image do not have it. Reports without packages show nothing to be gone. Details are not landed."
with reports as (
    select
        _file, _line, _json -> 'Results' as results, utc(CreatedAt) as made_at,
        regexp_replace(regexp_replace(ArtifactName, '@.*$', ''), ':[^/:]*$', '') as artifact,
        -- One of settings, secrets or licences did not look for weaknesses, so that it shows none to be gone.
        len(list_filter(items(_json -> 'Results'), lambda target:
            coalesce(target ->> 'Class', '') in ('os-pkgs', 'lang-pkgs') or len(items(target -> 'Vulnerabilities')) > 0)) > 0 as is_look
    from report
),

-- What the reports of an artifact show on one day is one look at it: there may be one for each platform or version.
days as (
    select artifact, left(made_at, 10) as day, max(made_at) as looked_at, lead(max(made_at)) over in_order as next_at
    from reports
    where is_look
    group by artifact, left(made_at, 10)
    window in_order as (partition by artifact, left(made_at, 10) is null order by left(made_at, 10))
),

shown as (
    select
        artifact, fault ->> 'VulnerabilityID' as vulnerability, left(made_at, 10) as day, min(made_at) as shown_at,
        min(_file) as _file, min(_line) as _line
    from reports, unnest(items(results)) as of_report(target), unnest(items(target -> 'Vulnerabilities')) as of_target(fault)
    where coalesce(fault ->> 'Status', '') <> 'not_affected'
    group by artifact, fault ->> 'VulnerabilityID', left(made_at, 10)
),

-- A run of days that all show it is one state; it ends with the day after its last.
runs as (
    select
        shown.*, days.next_at,
        lag(days.next_at) over (partition by shown.artifact, vulnerability order by shown.day) is distinct from days.looked_at as is_first
    from shown
    join days on shown.artifact is not distinct from days.artifact and shown.day is not distinct from days.day
),

numbered as (
    select *, sum(is_first::int) over (partition by artifact, vulnerability order by day) as run from runs
)

select
    min(_file) as _file, min(_line) as _line,
    opaque(concat_ws('/', 'trivy', artifact, vulnerability)) as vulnerability_id,
    regexp_extract(artifact, '([^/]+)$', 1) as service_id,
    min(shown_at) as detected_at,
    min(shown_at) as effective_at,
    nullif(max(coalesce(next_at, 'open')), 'open') as fixed_at
from numbered
group by artifact, vulnerability, run
