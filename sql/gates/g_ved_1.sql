-- title = "G-VED-1: a production component more than 90 days past its end of support, without waiver"
-- key = ["team_id", "as_of", "grain"]
-- area = "mnt"
-- cap = 2
-- lifted_by = "mnt_supported_versions"
-- needs = ["component_states", "eol_dates"]
-- reason.nb = "{} [n:komponent|komponenter] mer enn 90 dager etter slutt på støtte"
-- reason.en = "{} [n:component more than 90 days past its|components more than 90 days past their] end of support"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select c.team_id, c.as_of, c.grain, count(*) as finding_count
from facts.components_at as c
join facts.measured_windows as m
    on m.metric_id = 'mnt_supported_versions' and m.as_of = c.as_of and m.grain = c.grain and m.completeness >= 0.5
where
    c.eol_on + 90 < m."on"
    -- The method asks whether there is a waiver, not whether the area has room for it: by its weight it never has.
    and not exists (
        select 1 from ref.waivers as w
        where
            w.team_id = c.team_id and w.metric_id = 'mnt_supported_versions'
            and w.valid_from <= m."on" and m."on" < w.valid_to
    )
group by c.team_id, c.as_of, c.grain
order by c.team_id, c.grain, c.as_of
