-- title = { nb = "Oppdatert sikkerhetsvurdering", en = "Up-to-date security assessment" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.3
-- krav = 0.9
-- mal = 1.0
-- weight = 3
-- obligations = ["O52"]
-- needs = ["assessments"]
-- when_empty = "not_applicable"
-- formula.nb = "tjenester med vurdering siste 365 dager og etter siste store endring / tjenester"
-- formula.en = "services assessed in the last 365 days and after the last major change / services"
-- why = { nb = "Sikkerhetsvurderinger skal gjøres regelmessig.", en = "Security assessments shall be made regularly." }
-- remedy.nb = "Avtal en risikogjennomgang; start med tjenester med personopplysninger."
-- remedy.en = "Book a risk workshop; start with services that hold personal data."
-- effort = "M"
-- version = 2
with assessed as (
    select o.as_of, o.grain, o.service_id, max(a.approved_at) as approved_at, arg_max(a.kind, a.approved_at) as kind
    from macros.owned_services('sec_assessment_currency') as o
    join facts.assessments as a on a.service_id = o.service_id and a.approved_at < o.as_of
    group by o.as_of, o.grain, o.service_id
),

items as (
    select
        o.team_id, o.as_of, o.grain, o.service_id as item_id, a.approved_at as item_at,
        -- A change that is still to come voids nothing; the day of a change is a local day.
        macros.kept(
            a.approved_at >= o.as_of - interval 365 day
            and (
                o.last_major_change_on > o."on" or o.last_major_change_on is null
                or a.approved_at >= timezone(z.timezone, cast(o.last_major_change_on as timestamp))
            ),
            true
        ) as numerator,
        1 as denominator, coalesce(a.kind, 'none') as detail, o.completeness
    from macros.owned_services('sec_assessment_currency') as o
    cross join meta.organisation as z
    left join assessed as a on a.as_of = o.as_of and a.grain = o.grain and a.service_id = o.service_id
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
