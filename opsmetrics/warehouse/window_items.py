"""Read the items that today's windows hold, for the dates of plans: the metrics' own evidence, in groups of a day."""

from __future__ import annotations

from opsmetrics.catalogue import Catalogue, Metric

DUE_SELECT = """
    select d.team_id, d.metric_id, d.as_of, d.grain, c.day as due_on, count(*) as item_count,
        count(*) filter (d.is_missed) as missed_count
    from facts.due_items as d
    join ref.calendar as c on macros.within(d.due_at, c.starts_at, c.ends_at)
    group by all
"""


def items_select(catalogue: Catalogue) -> str:
    """The query that reads the items of the latest day, of all metrics that show as items leave their window."""
    selects = [_items(metric) for metric in catalogue.metrics if metric.shows == "items"]
    return " union all ".join(selects)


def _items(metric: Metric) -> str:
    entity = "i.entity_id" if metric.header.entity else "cast(null as varchar)"
    weight = "i.entity_weight" if metric.header.entity else "cast(null as double)"
    worse = "<" if metric.header.floor < metric.header.mal else ">"
    # An item without a day of its own is no past: work alone improves it.
    return f"""
        (select i.team_id, '{metric.id}' as metric_id, i.as_of, i.grain, {entity} as entity_id,
            cast({weight} as double) as entity_weight, c.day as item_on,
            cast(sum(i.numerator) as double) as numerator, cast(sum(i.denominator) as double) as denominator,
            count(*) as item_count,
            coalesce(i.numerator / nullif(i.denominator, 0) {worse} {metric.header.mal}, i.item_at is null) as is_missed
        from ({metric.file.evidence()}) as i
        left join ref.calendar as c on macros.within(i.item_at, c.starts_at, c.ends_at)
        where i.grain = 'latest' and i.numerator is not null
        group by all)"""
