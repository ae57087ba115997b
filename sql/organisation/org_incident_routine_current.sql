-- title = { nb = "Hendelsesrutinen er fersk og øvd", en = "The incident routine is current and exercised" }
-- obligations = ["O34"]
-- why = { nb = "Rutinen skal være gjennomgått og øvd siste 365 dager.", en = "The routine shall be reviewed and exercised in the last 365 days." }
with instants as (
    select * from ref.as_of where grain in ('month', 'latest')
),
items as (
    select w.as_of, w.grain, k.kind,
        cast(coalesce(max(d.reviewed_at) >= w.as_of - interval 365 day, false) as integer) as numerator
    from instants as w
    cross join (values ('incident_routine'), ('incident_exercise')) as k(kind)
    left join facts.documents as d on d.kind = k.kind and d.reviewed_at < w.as_of
    group by w.as_of, w.grain, k.kind
)
select as_of, grain, sum(numerator)::double as numerator, count(*)::double as denominator,
    avg(numerator) as value
from items
group by as_of, grain
order by grain, as_of
