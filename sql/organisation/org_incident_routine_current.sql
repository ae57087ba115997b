-- title = { nb = "Oppdatert og øvd hendelsesrutine", en = "Current and exercised incident routine" }
-- obligations = ["O34"]
-- why.nb = "Rutinen skal være gjennomgått og øvd siste 365 dager."
-- why.en = "The routine shall be reviewed and exercised in the last 365 days."
with items as (
    select
        w.as_of, w.grain, k.kind,
        -- Nothing is known where no register of documents was ever delivered.
        macros.kept(
            max(d.reviewed_at) >= w.as_of - interval 365 day,
            exists (select 1 from meta.register_loads as r where r.stream = 'documents' and r.is_complete)
        ) as numerator
    from macros.shown_instants() as w
    cross join (values ('incident_routine'), ('incident_exercise')) as k (kind)
    left join facts.documents as d on d.kind = k.kind and d.reviewed_at < w.as_of
    group by w.as_of, w.grain, k.kind
)

select as_of, grain, unnest(macros.share_in_order(numerator))
from items
group by as_of, grain
order by grain, as_of
