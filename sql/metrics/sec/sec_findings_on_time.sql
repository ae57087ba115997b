-- title = { nb = "Funn lukket i tide", en = "Assessment findings closed on time" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.4
-- krav = 0.8
-- mal = 0.95
-- weight = 2
-- n_full = 10
-- obligations = ["O52"]
-- needs = ["findings"]
-- when_empty = "no_opportunity"
-- formula.nb = """\
--     funn lukket innen første frist / alle funn med frist i perioden; fristen er høyst 30, 90 eller 180 dager etter \
--     alvorlighet"""
-- formula.en = """\
--     findings closed by their first due date / all due in the window; due at most 30, 90 or 180 days by severity"""
-- why.nb = "En vurdering er verdt noe først når funnene er lukket."
-- why.en = "An assessment is worth something only when its findings are closed."
-- remedy.nb = "Legg funnene i oppgavelisten med eier og frist."
-- remedy.en = "Put findings into the backlog with an owner and a due date."
-- effort = "S"
-- rests_on = ["findings.closed_at"]
-- better_with = ["findings.first_due_at"]
-- version = 2
with items as (
    select
        f.team_id, w.as_of, w.grain, f.finding_id as item_id, f.due_at as item_at,
        macros.kept(f.closed_at <= f.due_at, f.knows_closing) as numerator, 1 as denominator,
        f.severity || case when f.closed_at < w.as_of then ': closed' else ': open' end as detail, w.completeness
    from macros.metric_windows('sec_findings_on_time') as w
    join facts.findings as f on macros.within(f.due_at, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
