-- title = "Status page reports of each provider, kind, severity and year"
-- key = ["provider", "kind", "severity", "period"]
-- [columns]
-- provider = "Status page"
-- kind = "incident or maintenance"
-- severity = "As the page writes it; null where it names none"
-- period = "Local year of the start, or ALL"
-- report_count = "Reports with a start"
-- valid_duration_count = "Those with an end at or after the start"
-- negative_duration_count = "Those with an end before the start: typing errors, left out of durations"
-- resolve_hours_p50 = "Median hours from start to end"
-- resolve_hours_p90 = "90th percentile"
-- announce_minutes_p50 = "Median minutes from start to first publication; negative for planned work"
with reports as (
    select
        r.provider, r.kind, r.severity,
        strftime(timezone(o.timezone, r.started_at), '%Y') as year,
        epoch_us(r.resolved_at - r.started_at) / 3600e6 as hours,
        epoch_us(r.announced_at - r.started_at) / 60e6 as announce_minutes
    from staging.incident_reports as r, meta.organisation as o
    where r.started_at is not null
)

select
    provider, kind, severity, coalesce(year, 'ALL') as period, count(*) as report_count,
    count(*) filter (hours >= 0) as valid_duration_count, count(*) filter (hours < 0) as negative_duration_count,
    quantile_cont(hours, 0.5) filter (hours >= 0) as resolve_hours_p50,
    quantile_cont(hours, 0.9) filter (hours >= 0) as resolve_hours_p90,
    quantile_cont(announce_minutes, 0.5) as announce_minutes_p50
from reports
group by provider, kind, severity, rollup(year)
order by provider, kind, severity nulls first, period
