"""What was published, kept as a stream of its own (architecture D2): the scores that leadership saw.

Each publication lands the newest month, tertial and latest day as they stood. ``scores.published`` lays them beside
today's scores with the cause of every difference. A publication is known after it happened: a build at the same
instant does not see itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.landing import Batch, land, names, short_digest
from opsmetrics.streams import PUBLISHED_SCORES

# What a publication says about: the newest instant of each grain that leadership looks at.
_ROWS = """
    with newest as (
        select grain, max(as_of) as as_of from ref.as_of where grain in ('month', 'tertial', 'latest') group by grain
    ),
    owned as (
        select o.team_id, o.as_of, o.grain, md5(string_agg(o.service_id, ' ' order by o.service_id)) as services
        from ref.owned_services as o group by o.team_id, o.as_of, o.grain
    ),
    scored as (
        select team_id, null as area_id, null as metric_id, as_of, grain, score, level, status, null as numerator,
            null as denominator, null as value
        from scores.team
        union all
        select team_id, area_id, null, as_of, grain, score, level, status, null, null, null from scores.area
        union all
        select s.team_id, m.area_id, s.metric_id, s.as_of, s.grain, s.points, null, s.status, s.numerator,
            s.denominator, s.value
        from scores.metric as s join meta.metrics as m on m.metric_id = s.metric_id
    )
    select s.team_id, s.area_id, s.metric_id, s.as_of, s.grain, $day::date as published_on,
        $at::timestamptz as published_at, s.score::double as score, s.level::bigint as level, s.status,
        s.numerator::double as numerator, s.denominator::double as denominator, s.value::double as value,
        coalesce(o.services, '') as services, b.ruleset_version, b.ruleset_digest, b.build_id
    from scored as s
    join newest as n on n.grain = s.grain and n.as_of = s.as_of
    cross join meta.build as b
    left join owned as o on o.team_id = s.team_id and o.as_of = s.as_of and o.grain = s.grain
    order by s.team_id, s.area_id nulls first, s.metric_id nulls first, s.grain, s.as_of
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """A snapshot that became the current one.

    Attributes:
        path: The snapshot.
        build_id: Its build.
        at: When, UTC.
        day: Local day of it.
    """

    path: Path
    build_id: str
    at: datetime
    day: date


def land_publication(landing: Path, publication: Publication) -> bool:
    """Land what a snapshot says, once per build.

    A process killed between publishing and landing leaves the publication unlanded; the next run lands it.

    Returns:
        Whether it was new.
    """
    digest = short_digest(publication.build_id)
    if any(name.digest == digest for name in names(landing, PUBLISHED_SCORES.name)):
        return False
    with duckdb.connect(str(publication.path), read_only=True, config={"enable_external_access": False}) as con:
        con.execute("set timezone = 'UTC'")
        rows = con.sql(_ROWS, params={"day": publication.day, "at": publication.at}).pl()
    frame = rows.with_columns(
        _day=pl.lit(publication.day),
        _line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        _reason=pl.lit(None, pl.String),
        _raw=pl.lit(None, pl.String),
    )
    window = (publication.day, publication.day + timedelta(days=1))
    batch = Batch(frame, window, publication.path.name, publication.build_id)
    land(landing, PUBLISHED_SCORES.name, batch, loaded_at=publication.at)
    return True
