-- title = { nb = "Varslingskvalitet samlet (F1)", en = "Alert quality overall (F1)" }
-- unit = "share"
-- why_not_scored = { nb = "Presisjon og oppdagelse poengsettes hver for seg; F1 viser balansen.", en = "Precision and recall are scored one by one; F1 shows their balance." }
select p.team_id, p.as_of, p.grain, '' as entity_id, 'f1' as statistic,
    2 * p.value * r.value / nullif(p.value + r.value, 0) as value,
    cast(p.sample_size + r.sample_size as bigint) as sample_size, null::double as low, null::double as high
from metrics.mon_alert_precision as p
join metrics.mon_detection_by_alert as r on r.team_id = p.team_id and r.as_of = p.as_of and r.grain = p.grain
where p.grain in ('month', 'latest')
order by p.team_id, p.grain, p.as_of
