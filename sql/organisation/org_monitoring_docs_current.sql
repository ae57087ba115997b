-- title = { nb = "Overvåkingsdokumentasjonen er fersk", en = "The monitoring documentation is current" }
-- obligations = ["O13"]
-- why = { nb = "Veilederen og siden for hver tjeneste skal være gjennomgått siste 180 dager.", en = "The guide and the page of each service shall be reviewed in the last 180 days." }
with instants as (
    select * from ref.as_of where grain in ('month', 'latest')
),
pages as (
    select w.as_of, w.grain, s.service_id as page, max(d.reviewed_at) as reviewed_at
    from instants as w
    cross join ref.services as s
    left join facts.documents as d
        on d.kind = 'monitoring' and d.service_id = s.service_id and d.is_reviewed_by_other and d.reviewed_at < w.as_of
    group by w.as_of, w.grain, s.service_id
    union all
    select w.as_of, w.grain, 'guide', max(d.reviewed_at)
    from instants as w
    left join facts.documents as d on d.kind = 'monitoring_guide' and d.reviewed_at < w.as_of
    group by w.as_of, w.grain
),
items as (
    select as_of, grain, page, cast(coalesce(reviewed_at >= as_of - interval 180 day, false) as integer) as numerator
    from pages
)
select as_of, grain, sum(numerator)::double as numerator, count(*)::double as denominator,
    avg(numerator) as value
from items
group by as_of, grain
order by grain, as_of
