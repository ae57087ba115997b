-- title = { nb = "Oppdatert overvåkingsdokumentasjon", en = "Current monitoring documentation" }
-- obligations = ["O13"]
-- why.nb = "Veilederen og siden for hver tjeneste skal være gjennomgått siste 180 dager."
-- why.en = "The guide and the page of each service shall be reviewed in the last 180 days."
with pages as (
    select
        w.as_of, w.grain, w.service_id as page, max(d.reviewed_at) filter (d.service_id = w.service_id) as reviewed_at,
        -- A page of which the register does not tell the service may be any service's.
        coalesce(bool_or(d.is_general is null and d.reviewed_at >= w.as_of - interval 180 day), false) as has_candidate
    from macros.services_there() as w
    left join facts.documents as d
        on
            d.kind = 'monitoring' and (d.service_id = w.service_id or d.is_general is null)
            and d.is_reviewed_by_other and d.reviewed_at < w.as_of
    group by w.as_of, w.grain, w.service_id
    union all
    select w.as_of, w.grain, 'guide', max(d.reviewed_at), false
    from macros.shown_instants() as w
    left join facts.documents as d on d.kind = 'monitoring_guide' and d.reviewed_at < w.as_of
    group by w.as_of, w.grain
),

items as (
    select
        as_of, grain, page,
        -- Nothing is known where no register of documents was ever delivered.
        macros.kept(
            reviewed_at >= as_of - interval 180 day,
            exists (select 1 from meta.register_loads as r where r.stream = 'documents' and r.is_complete)
            and (coalesce(reviewed_at >= as_of - interval 180 day, false) or not has_candidate)
        ) as numerator
    from pages
)

select as_of, grain, unnest(macros.share_in_order(numerator))
from items
group by as_of, grain
order by grain, as_of
