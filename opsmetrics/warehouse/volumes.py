"""Days whose number of rows is out of the ordinary: a source that answers, but not with what it used to."""

from __future__ import annotations

import duckdb

from opsmetrics.streams import STREAMS

# Fewer rows than this a day say nothing about what is usual.
FEWEST_ROWS = 20
DAYS_LOOKED_BACK = 28
FACTOR = 4

_COUNTS = """
    with days as (
        select w.day, count(r._load_id) as row_count
        from meta.load_days as w
        left join raw."{stream}" as r on r._load_id = w.load_id and r._day = w.day
        where w.stream = '{stream}' and w.is_complete
            and w.day > (select max(day) from meta.load_days where stream = '{stream}' and is_complete) - {span}
        group by w.day
    ),
    newest as (select * from days order by day desc limit 1)
    select n.day, n.row_count, median(d.row_count), count(d.day)
    from newest as n left join days as d on d.day < n.day
    group by n.day, n.row_count
"""


def unusual_volumes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return one text per stream whose newest whole day holds less than a quarter, or more than four times, the median.

    Looks at the winning loads of the last 28 days; a stream of few rows, or with less than a week of days, is left out.
    """
    found: dict[str, str] = {}
    for stream in STREAMS.values():
        if stream.is_register:
            continue
        query = _COUNTS.format(stream=stream.name, span=DAYS_LOOKED_BACK)
        for day, rows, usual, days in con.execute(query).fetchall():
            if days >= 7 and usual >= FEWEST_ROWS and not usual / FACTOR <= rows <= usual * FACTOR:
                found[stream.name] = f"{day}: {rows} rows, where {usual:.0f} a day are usual"
    return found
