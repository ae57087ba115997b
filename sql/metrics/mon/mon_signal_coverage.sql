-- title = { nb = "Signaldekning (ytelse, tilgjengelighet, sikkerhet)", en = "Monitoring signal coverage" }
-- unit = "share"
-- kind = "census"
-- window = "28d"
-- floor = 0.5
-- krav = 0.9
-- mal = 1.0
-- weight = 4
-- obligations = ["O11", "O12"]
-- needs = ["signal_hours"]
-- when_empty = "not_applicable"
-- formula.nb = "celler (tjeneste × signal) med data fra registrert verktøy i minst 90 % av timene / alle celler"
-- formula.en = "cells (service × signal) with data from a registered tool in at least 90% of the hours / all cells"
-- why.nb = "Ytelse, tilgjengelighet og sikkerhet skal overvåkes kontinuerlig; uten signal er det ingen overvåking."
-- why.en = """\
--     Performance, availability and security shall be monitored continuously; without a signal there is no \
--     monitoring."""
-- remedy.nb = """\
--     Koble manglende tjeneste eller signal til Application Insights eller Grafana; start med tilgjengelighet for \
--     kritiske tjenester."""
-- remedy.en = """\
--     Connect the missing service or signal to Application Insights or Grafana; start with availability of critical \
--     services."""
-- effort = "M"
-- shows = "window"
-- version = 2
with
-- Only days that the source delivered count: what nobody delivered is unknown, not silence.
days as (
    select w.as_of, w.grain, c.day, c.starts_at, w.completeness, epoch_us(c.ends_at - c.starts_at) / 3600e6 as hours
    from macros.metric_windows('mon_signal_coverage') as w
    join ref.calendar as c on macros.within(c.starts_at, w.starts_at, w.as_of)
    join meta.delivered_days as d on d.stream = 'signal_hours' and d.day = c.day
),

-- Who takes a service over answers for its signals from that day.
cells as (
    select
        o.team_id, o.as_of, o.grain, o.service_id, s.signal, d.day, d.hours, d.completeness,
        (k.told_from <= d.day) is not false as is_told
    from ref.owned_services as o
    left join macros.told_from('signal_hours') as k on k.team_id = o.team_id
    join days as d on d.as_of = o.as_of and d.grain = o.grain and d.starts_at >= o.owned_since
    cross join (values ('availability'), ('performance'), ('security')) as s (signal)
),

told as (
    select team_id, as_of, grain, count(distinct day) filter (is_told) / count(distinct day) as told_share
    from cells
    group by team_id, as_of, grain
),

items as (
    select
        c.team_id, c.as_of, c.grain, c.service_id || ' ' || c.signal as item_id,
        cast(max(d.day) as timestamptz) as item_at,
        cast(
            coalesce(sum(d.hours_with_data) filter (c.is_told), 0)
            >= 0.9 * sum(c.hours) filter (c.is_told) as integer
        ) as numerator,
        1 as denominator,
        cast(coalesce(sum(d.hours_with_data) filter (c.is_told), 0) as varchar)
        || ' / '
        || cast(coalesce(sum(c.hours) filter (c.is_told), 0) as integer)
        || ' h' as detail,
        any_value(c.completeness) * any_value(t.told_share) as completeness
    from cells as c
    join told as t on t.team_id = c.team_id and t.as_of = c.as_of and t.grain = c.grain
    left join facts.signal_days as d on d.day = c.day and d.service_id = c.service_id and d.signal = c.signal
    group by c.team_id, c.as_of, c.grain, c.service_id, c.signal
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
