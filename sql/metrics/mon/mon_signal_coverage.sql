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
-- formula = { nb = "celler (tjeneste × signal) med data fra registrert verktøy i minst 90 % av timene / alle celler", en = "cells (service × signal) with data from a registered tool in at least 90 % of the hours / all cells" }
-- why = { nb = "Ytelse, tilgjengelighet og sikkerhet skal overvåkes kontinuerlig; uten signal er det ingen overvåking.", en = "Performance, availability and security shall be monitored continuously; without a signal there is no monitoring." }
-- remedy = { nb = "Koble manglende tjeneste eller signal til Application Insights eller Grafana; start med tilgjengelighet for kritiske tjenester.", en = "Connect the missing service or signal to Application Insights or Grafana; start with availability of critical services." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mon_signal_coverage'
),
-- Only days that the source delivered count: what nobody delivered is unknown, not silence.
days as (
    select w.as_of, w.grain, c.day, w.completeness, epoch_us(c.ends_at - c.starts_at) / 3600e6 as hours
    from windows as w
    join ref.calendar as c on c.starts_at >= w.starts_at and c.starts_at < w.as_of
    join meta.delivered_days as d on d.stream = 'signal_hours' and d.day = c.day
),
expected as (
    select as_of, grain, sum(hours) as hours, any_value(completeness) as completeness from days group by as_of, grain
),
delivered as (
    select d.as_of, d.grain, s.service_id, s.signal, sum(s.hours_with_data) as hours, max(s.day) as last_day
    from days as d
    join facts.signal_days as s on s.day = d.day
    group by d.as_of, d.grain, s.service_id, s.signal
),
cells as (
    select o.team_id, o.as_of, o.grain, o.service_id, unnest(['availability', 'performance', 'security']) as signal
    from ref.owned_services as o
),
items as (
    select c.team_id, c.as_of, c.grain, c.service_id || ' ' || c.signal as item_id,
        cast(d.last_day as timestamptz) as item_at,
        cast(coalesce(d.hours, 0) >= 0.9 * e.hours as integer) as numerator, 1 as denominator,
        cast(coalesce(d.hours, 0) as varchar) || ' / ' || cast(e.hours as integer) || ' h' as detail, e.completeness
    from expected as e
    join cells as c on c.as_of = e.as_of and c.grain = e.grain
    left join delivered as d
        on d.as_of = c.as_of and d.grain = c.grain and d.service_id = c.service_id and d.signal = c.signal
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
