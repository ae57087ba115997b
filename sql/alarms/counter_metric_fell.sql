-- title = { nb = "Ett tall steg mens motmålet falt", en = "One number rose while its counter-metric fell" }
-- why.nb = """\
--     Et tall steg og motmålet ble verre samtidig, begge mer enn tilfeldigheter forklarer, sammenlignet med et halvt \
--     år før."""
-- why.en = """\
--     A number rose and its counter-metric got worse at the same time, both beyond chance, against half a year \
--     before."""
with pairs as (
    select * from (
        values
        ('mon_alert_precision', 'mon_detection_by_alert'), ('mon_pager_load_ok', 'mon_detection_by_alert'),
        ('inc_ack_within_target', 'mon_detection_by_alert'), ('mnt_updates_within_30d', 'aut_change_fail_rate'),
        ('mnt_update_routine', 'mnt_updates_within_30d'), ('aut_automated_deploy_share', 'aut_change_fail_rate')
    ) as p (metric_id, counter_id)
),

-- Against the newest month end that is half a year away, so that no windows overlap; the z value asks whether chance
-- alone explains the change.
changes as (
    select
        n.team_id, n.metric_id, n.as_of, n.grain, n.value - b.value as change,
        (n.numerator + b.numerator) / nullif(n.denominator + b.denominator, 0) as pooled,
        change / nullif(sqrt(pooled * (1 - pooled) * (1 / n.denominator + 1 / b.denominator)), 0)
        * case when m.mal > m.floor then 1 else -1 end as z
    from scores.metric as n
    join meta.metrics as m on m.metric_id = n.metric_id and m.kind = 'sample' and m.unit = 'share'
    join ref.as_of as w on w.as_of = n.as_of and w.grain = n.grain
    join ref.as_of as e on e.grain = 'month' and e."on" = last_day(cast(w."on" + 1 - interval 7 month as date))
    join scores.metric as b
        on b.team_id = n.team_id and b.metric_id = n.metric_id and b.as_of = e.as_of and b.grain = 'month'
    -- What a tenth or more is not known of may have moved by what is left out.
    where
        n.grain in ('month', 'latest') and n.status in ('ok', 'low_evidence') and b.status in ('ok', 'low_evidence')
        and n.completeness >= 0.9 and b.completeness >= 0.9
)

select
    g.team_id, g.as_of, g.grain, g.metric_id || ' / ' || l.metric_id as subject, 1 as finding_count,
    'z ' || round(g.z, 1) || ' / ' || round(l.z, 1) as detail
from changes as g
join pairs as p on p.metric_id = g.metric_id
join changes as l on l.metric_id = p.counter_id and l.team_id = g.team_id and l.as_of = g.as_of and l.grain = g.grain
where g.z >= 2.58 and l.z <= -1.96
order by g.team_id, g.grain, g.as_of, subject
