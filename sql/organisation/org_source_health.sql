-- title = { nb = "Datastrømmer med nye data", en = "Data streams with new data" }
-- obligations = ["O12"]
-- why.nb = "Et tall er bare så godt som kilden; her ser du om datastrømmene leverer."
-- why.en = "A number is only as good as its source; this shows whether data streams deliver."
with items as (
    select
        w.as_of, w.grain, s.stream,
        cast(case when s.is_register then max(r.stream) is not null else max(d.day) is not null end as integer)
            as numerator
    from macros.shown_instants() as w
    join meta.streams as s on s.is_connected
    -- What was not connected yet, or is to deliver no more, is not silent.
    left join (
        select stream, min(due_from) as due_from, max(due_to) as due_to from meta.sources group by stream
    ) as x on x.stream = s.stream
    left join meta.register_loads as r on r.stream = s.stream and r.is_complete
    left join meta.delivered_days as d
        on
            d.stream = s.stream and d.day <= w."on"
            and d.day > w."on" - macros.fresh_days(s.expected_hours)
    where macros.within(w."on", x.due_from, x.due_to) is not false
    group by w.as_of, w.grain, s.stream, s.is_register
)

select as_of, grain, unnest(macros.share_in_order(numerator))
from items
group by as_of, grain
order by grain, as_of
