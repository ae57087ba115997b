"""Random sequences of deliveries give what the last word on each day says: late, repeated, corrected, by a jumping clock."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.build.cases import write_organisation
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.landing import Batch, land, load_paths
from opsmetrics.organisation import load_organisation
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse import ingest
from opsmetrics.warehouse.declared import create_missing
from opsmetrics.warehouse.materialize import make_macros
from opsmetrics.warehouse.reference import dates, deliveries

ALERTS = STREAMS["alerts"]
STAGING = load_all(default_sql_root())["staging.alerts"]
FIRST = date(2026, 8, 1)
DAYS = 6
TYPES = {"timestamp": pl.Datetime("us", "UTC"), "integer": pl.Int64, "boolean": pl.Boolean}
SCHEMA = {column.name: TYPES.get(column.type, pl.String) for column in ALERTS.columns}
SCHEMA |= {"_day": pl.Date, "_line": pl.Int64, "_reason": pl.String, "_raw": pl.String}


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 8, 1, hour, tzinfo=UTC) + timedelta(days=day)


def told(rolls: random.Random, day: int) -> list[dict]:
    """What the delivery of one day says: pages of this day and of earlier ones, with more or less of how they went."""
    return [
        {
            "alert_id": f"p{number}",
            "service_id": "web",
            "rule_id": "r",
            "severity": rolls.choice([None, 1, 2]),
            "fired_at": at(day, rolls.randint(0, 20)),
            "acknowledged_at": at(day, 21) if rolls.random() < 0.4 else None,
            "closed_at": at(day, 22) if rolls.random() < 0.3 else None,
        }
        for number in rolls.sample(range(5), rolls.randint(0, 4))
    ]


def batch(rows: list[dict], day: int) -> Batch:
    own = [
        {**row, "_day": FIRST + timedelta(days=day), "_line": line, "_reason": None, "_raw": None}
        for line, row in enumerate(rows, start=1)
    ]
    window = (FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1))
    return Batch(pl.DataFrame(own, schema=SCHEMA), window, f"{day}.csv", repr((day, rows)))


def truth(last: dict[int, list[dict]]) -> list[tuple]:
    """One page per id: its earliest start, and of the rest the latest day's word that is one."""
    pages: dict[str, dict] = {}
    for day in sorted(last):
        for row in last[day]:
            page = pages.setdefault(row["alert_id"], dict(row))
            fired = min(page["fired_at"], row["fired_at"])
            page |= {name: value for name, value in row.items() if value is not None} | {"fired_at": fired}
    names = ("alert_id", "severity", "fired_at", "acknowledged_at", "closed_at")
    return sorted(tuple(page[name] for name in names) for page in pages.values())


def staged(landing) -> list[tuple]:
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'; create schema raw; create schema meta; create schema macros")
        ingest(con, landing, only=frozenset({"alerts"}))
        create_missing(con, deliveries.STREAMS_TABLE, deliveries.SOURCES)
        deliveries.choose_loads(con, datetime(9999, 1, 1, tzinfo=UTC), date(9999, 1, 1))
        make_macros(con, STAGING.macros)
        names = "alert_id, severity, fired_at, acknowledged_at, closed_at"
        return con.execute(f"select {names} from ({STAGING.text}) order by all").fetchall()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_staging_says_what_the_last_word_on_each_day_says(tmp_path_factory, seed):
    rolls = random.Random(seed)
    landing = tmp_path_factory.mktemp("landing")
    last: dict[int, list[dict]] = {}
    for _ in range(rolls.randint(1, 12)):
        day = rolls.randrange(DAYS)
        # New, corrected, or the same once more.
        rows = last[day] if day in last and rolls.random() < 0.3 else told(rolls, day)
        last[day] = rows
        clock = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(days=rolls.randint(-2000, 2000))
        land(landing, "alerts", batch(rows, day), loaded_at=clock)
        if rolls.random() < 0.2:
            path = rolls.choice(load_paths(landing, "alerts"))
            number = path.name.split("-")[1]
            shutil.copy(path, path.with_name(path.name.replace(f"-{number}-", f"-{int(number) + 500:06d}-", 1)))
            staged(landing)
    assert staged(landing) == truth(last)


def test_of_days_that_have_not_begun_only_plans_are_known(tmp_path):
    """A load of a clock that stood wrong claims quiet days to come; a plan is told in part, whoever tells it."""
    shift = {"shift_id": "s", "service_id": "web", "starts_at": at(9, 8), "ends_at": at(9, 16)}
    columns = {c.name: TYPES.get(c.type, pl.String) for c in STREAMS["oncall_shifts"].columns}
    plan = pl.DataFrame(
        [shift | {"_day": FIRST + timedelta(days=9), "_line": 1}],
        schema=columns | {name: SCHEMA[name] for name in ("_day", "_line", "_reason", "_raw")},
    )
    window = FIRST, FIRST + timedelta(days=10)
    land(tmp_path, "alerts", Batch(pl.DataFrame(schema=SCHEMA), window, "a", "a"), loaded_at=at(400, 6))
    land(tmp_path, "oncall_shifts", Batch(plan, window, "s", "s"), loaded_at=at(400, 6))
    today = FIRST + timedelta(days=4)
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'; create schema raw; create schema meta")
        ingest(con, tmp_path)
        create_missing(con, deliveries.STREAMS_TABLE, deliveries.SOURCES)
        deliveries.choose_loads(con, datetime(9999, 1, 1, tzinfo=UTC), today)
        found = con.execute(
            "select stream, max(day), max(day) filter (is_complete) from meta.load_days group by all order by all"
        ).fetchall()
        delivered = con.execute("select stream, max(day) from meta.delivered_days group by all order by all").fetchall()
    assert found == [("alerts", today, today), ("oncall_shifts", FIRST + timedelta(days=9), today)]
    assert delivered == [("alerts", today), ("oncall_shifts", today)]


def test_the_calendar_reaches_back_to_the_oldest_row_with_a_deadline(tmp_path):
    """A vulnerability of years ago that is still open has a deadline; without its day in the calendar it had none."""
    stream = STREAMS["vulnerabilities"]
    old, columns = date(2019, 12, 11), {column.name: TYPES.get(column.type, pl.String) for column in stream.columns}
    rows = [{"vulnerability_id": "v", "service_id": "web", "_day": old, "_line": 1}]
    schema = columns | {name: SCHEMA[name] for name in ("_day", "_line", "_reason", "_raw")}
    land(
        tmp_path,
        "vulnerabilities",
        Batch(pl.DataFrame(rows, schema=schema), (old, FIRST), "v", "v"),
        loaded_at=at(4, 6),
    )
    organisation, today = load_organisation(write_organisation(tmp_path / "org")), FIRST + timedelta(days=4)
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'; create schema raw; create schema meta")
        ingest(con, tmp_path)
        assert dates.oldest_deadline(con, at(3, 6)) is None
        assert dates.oldest_deadline(con, at(5, 6)) == old
    usual, long = ([row["day"] for row in dates.calendar(organisation, today, of)] for of in (None, old))
    assert usual[0] > date(2023, 1, 1)
    assert long[0] == old
    assert long[-len(usual) :] == usual
