-- title = { nb = "Trivy: rapporter (`trivy image --format json`)", en = "Trivy reports (`trivy image --format json`)" }
-- stream = "vulnerabilities"
-- source = "trivy"
-- input = "report"
-- columns = ["SchemaVersion", "CreatedAt", "ArtifactName"]
-- note.nb = "La path være et mønster for alle rapportene: en feil er borte ved den første rapporten som ikke har den. Detaljer landes ikke."
-- note.en = "Let path be a pattern of all reports: a fault is gone with the first report that does not have it. Details are not landed."
with reports as (
    select
        _file, _line, _json -> 'Results' as results, CreatedAt as made_at,
        regexp_replace(regexp_replace(ArtifactName, '@.*$', ''), ':[^/:]*$', '') as artifact,
        lead(CreatedAt) over (partition by artifact order by CreatedAt) as next_at
    from report
),

shown as (
    select distinct on (artifact, vulnerability, made_at)
        artifact, fault ->> 'VulnerabilityID' as vulnerability, made_at, next_at, _file, _line
    from reports, unnest(items(results)) as of_report(target), unnest(items(target -> 'Vulnerabilities')) as of_target(fault)
    where coalesce(fault ->> 'Status', '') <> 'not_affected'
),

-- A run of reports that all show it is one state; it ends with the report after its last.
runs as (
    select *, lag(next_at) over (partition by artifact, vulnerability order by made_at) is distinct from made_at as is_first
    from shown
),

numbered as (
    select *, sum(is_first::int) over (partition by artifact, vulnerability order by made_at) as run from runs
)

select
    min(_file) as _file, min(_line) as _line,
    opaque(concat_ws('/', 'trivy', artifact, vulnerability)) as vulnerability_id,
    regexp_extract(artifact, '([^/]+)$', 1) as service_id,
    min(made_at) as detected_at,
    min(made_at) as effective_at,
    nullif(max(coalesce(next_at, 'open')), 'open') as fixed_at
from numbered
group by artifact, vulnerability, run
