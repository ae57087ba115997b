-- title = { nb = "Komponenter på støttet versjon", en = "Components on vendor-supported version" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.7
-- krav = 0.95
-- mal = 1.0
-- weight = 4
-- obligations = ["O21"]
-- needs = ["component_states", "eol_dates"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     komponenter som leverandøren støtter (Kubernetes: høyst to nyere) / komponenter; ukjent produkt teller som ikke \
--     støttet etter 30 dager"""
-- formula.en = """\
--     components that their maker supports (Kubernetes: at most two newer) / components; an unknown product counts as \
--     unsupported after 30 days"""
-- why.nb = "Det som ikke lenger støttes, får heller ikke rettet feil og hull."
-- why.en = "What is no longer supported gets no fixes for faults and holes."
-- remedy.nb = "Planlegg oppgradering nå; søk tidsbegrenset unntak bare med kompenserende tiltak."
-- remedy.en = "Plan the upgrade now; ask for a time-limited exemption only with a compensating measure."
-- effort = "L"
-- rests_on = [
--     "component_states.product", "component_states.cycle", "component_states.first_seen_on", "eol_dates.eol_on",
-- ]
-- version = 2
with items as (
    select
        c.team_id, c.as_of, c.grain, c.component_id as item_id, cast(c.eol_on as timestamptz) as item_at,
        case when c.is_known or c.first_seen_on + 30 <= w."on" then cast(c.is_supported as integer) end as numerator,
        1 as denominator,
        coalesce(c.product || ' ' || coalesce(c.cycle, '?'), 'unknown product') as detail, w.completeness
    from macros.metric_windows('mnt_supported_versions') as w
    join facts.components_at as c on c.as_of = w.as_of and c.grain = w.grain
    -- Thirty days to find out what a new component is; whether it is new must be known.
    where c.is_known or c.first_seen_on + 30 <= w."on" or not c.knows_first_seen
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
