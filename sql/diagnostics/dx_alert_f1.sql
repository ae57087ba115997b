-- title = { nb = "Varslingskvalitet samlet (F1)", en = "Alert quality overall (F1)" }
-- unit = "share"
-- why_not_scored.nb = "Presisjon og oppdagelse poengsettes hver for seg; F1 viser balansen."
-- why_not_scored.en = "Precision and recall are scored one by one; F1 shows their balance."
select
    p.team_id, p.as_of, p.grain, '' as entity_id,
    unnest(macros.statistic(
        'f1', 2 * p.value * r.value / nullif(p.value + r.value, 0), cast(p.sample_size + r.sample_size as bigint)
    ))
from metrics.mon_alert_precision as p
join metrics.mon_detection_by_alert as r on r.team_id = p.team_id and r.as_of = p.as_of and r.grain = p.grain
where p.grain in ('month', 'latest') and p.value is not null and r.value is not null
order by p.team_id, p.grain, p.as_of
