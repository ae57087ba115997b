"""Days whose number of rows is out of the ordinary: a source that answers, but not with what it used to."""

from __future__ import annotations

import duckdb

# Fewer rows than this a day say nothing about what is usual.
FEWEST_ROWS = 20
FEWEST_DAYS = 7
DAYS_LOOKED_BACK = 28
FACTOR = 4

_COUNTS = """
    with days as (
        select w.stream, w.day, coalesce(sum(r.rows), 0) as row_count
        from meta.load_days as w
        left join meta.day_rows as r on r.stream = w.stream and r.load_id = w.load_id and r.day = w.day
        where w.is_complete
        group by w.stream, w.day
        qualify w.day > max(w.day) over (partition by w.stream) - $span
    ),
    newest as (select * from days qualify day = max(day) over (partition by stream))
    select n.stream, n.day, n.row_count, median(d.row_count), count(d.day)
    from newest as n left join days as d on d.stream = n.stream and d.day < n.day
    group by n.stream, n.day, n.row_count
    order by n.stream
"""


def row_count_anomalies(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return one text per stream whose newest whole day holds less than a quarter, or more than four times, the median.

    Looks at the winning loads of the last 28 days; a stream of few rows, or with less than a week of days, is left out.
    """
    return {
        stream: f"{day}: {rows} rows, where {usual:.0f} a day are usual"
        for stream, day, rows, usual, days in con.execute(_COUNTS, {"span": DAYS_LOOKED_BACK}).fetchall()
        if days >= FEWEST_DAYS and usual >= FEWEST_ROWS and not usual / FACTOR <= rows <= usual * FACTOR
    }
