"""Write ``ref.*`` from the configuration, ``meta.metrics``/``meta.areas`` from the catalogue, and the winning loads."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.tables import DESCRIPTIONS, reference_frames
from opsmetrics.scoring.intervals import median_ranks
from opsmetrics.sources.notes import read_notes
from opsmetrics.streams import FILES, STREAMS
from opsmetrics.warehouse.connection import comment, replace_table, transaction

# The winning load of a stream, source and day: complete before partial, then the newest (architecture D1, D2).
# Newest is what was landed last by number: a clock may jump, the order of landing does not.
_WINNERS = """
    create or replace table meta.load_days as
    with known as (select * from meta.loads where loaded_at <= $1),
    days as (
        select stream, origin, load_id, is_complete, loaded_at, sequence,
            cast(unnest(generate_series(window_start, window_end - 1, interval 1 day)) as date) as day
        from known
        where stream not in (select stream from meta.streams where is_register)
    )
    select stream, origin, day, load_id, is_complete
    from days
    qualify row_number() over (
        partition by stream, origin, day order by is_complete desc, sequence desc) = 1
    order by stream, day, origin
"""
# A day is delivered when every source that was due has delivered it; where none was due, when any did.
_DELIVERED = """
    create or replace table meta.delivered_days as
    select d.stream, d.day
    from meta.load_days as d
    left join meta.sources as s
        on s.stream = d.stream and s.origin = d.origin and d.day >= s.due_from and d.day < s.due_to
    group by d.stream, d.day
    having count(*) filter (d.is_complete and s.stream is not null) = (
            select count(*) from meta.sources as due
            where due.stream = d.stream and d.day >= due.due_from and d.day < due.due_to
        )
        and bool_or(d.is_complete)
    order by d.stream, d.day
"""
_CURRENT = """
    create or replace table meta.register_loads as
    select stream, origin, load_id, is_complete, loaded_at, sequence
    from meta.loads
    where loaded_at <= $1 and stream in (select stream from meta.streams where is_register)
    qualify accumulates or row_number() over (
        partition by stream, origin order by is_complete desc, sequence desc) = 1
    order by stream, sequence
"""
META_COMMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "ref.median_ranks": (
        "Ranks of the items that bound a median with at least 95 % (method 3.10); none below six items",
        {
            "sample_size": "Items",
            "low_rank": "Rank of the lower end, 1 = smallest",
            "high_rank": "Rank of the upper end",
            "coverage": "Probability that the median lies between them",
        },
    ),
    "meta.unscored": (
        "Diagnostics, organisation facts and alarms: shown, never scored",
        {
            "table_id": "Table in the schema",
            "kind": "diagnostics, organisation or alarms: the schema",
            "title_nb": "Name, Norwegian",
            "title_en": "Name, English",
            "unit": "Unit of a diagnostic",
            "explanation_nb": "Why it is not scored, or what it is for, Norwegian",
            "explanation_en": "The same, English",
            "sql": "The SQL behind it",
        },
    ),
    "meta.obligations": (
        "Sentences of the handbook and what measures each",
        {
            "obligation_id": "Sentence",
            "area_id": "Area, or all",
            "text_nb": "The sentence, shortened, Norwegian",
            "text_en": "The same, English",
            "strength": "shall, fact, strive or aim",
            "who": "both, product, platform or organisation",
            "measured_by": "Metrics and organisation facts; empty where the scores themselves are the measure",
        },
    ),
    "meta.load_days": (
        "The load that counts for each stream, source and local day",
        {
            "stream": "Stream",
            "origin": "Source",
            "day": "Local day",
            "load_id": "Winning load",
            "is_complete": "False: only a partial answer is known",
        },
    ),
    "meta.delivered_days": (
        "Local days of which every source that was due has delivered the whole",
        {"stream": "Stream", "day": "Local day"},
    ),
    "meta.sources": (
        "Sources of each stream as configured: files and connectors",
        {
            "stream": "Stream",
            "origin": "Source: files, or a connector of sources.toml",
            "kind": "Kind of connector, or files",
            "due_from": "First local day that it is to deliver",
            "due_to": "Local day from which it no longer is",
            "remembers_days": "Days after which the source has forgotten; null = years",
            "attempted_at": "Last pull, UTC",
            "succeeded_at": "Last pull without error, UTC",
            "error": "What went wrong last, or null",
        },
    ),
    "meta.register_loads": (
        "The loads that count for each register and source",
        {
            "stream": "Stream",
            "origin": "Source",
            "load_id": "Winning load",
            "is_complete": "False: only a partial answer is known",
            "loaded_at": "When, UTC",
            "sequence": "Number of the load within its stream",
        },
    ),
    "meta.streams": (
        "Streams of the contract and whether this organisation has connected them",
        {
            "stream": "Stream",
            "doc": "What a row is",
            "is_register": "Every load is the whole state",
            "is_connected": "Named in sources.toml",
            "expected_hours": "Hours between new data",
        },
    ),
    "meta.metrics": (
        "The catalogue of scored metrics: the only place where thresholds and weights stand is each header",
        {
            "metric_id": "Metric",
            "area_id": "Area",
            "title_nb": "Title, Norwegian",
            "title_en": "Title, English",
            "unit": "share, budgets, count or utilisation",
            "kind": "census or sample",
            "is_entity": "Scored per SLO, resource or datastore before averaging",
            "window_days": "Window in local days; 0 = state",
            "floor": "0 points",
            "krav": "60 points: the requirement; null = straight line",
            "mal": "100 points: the target",
            "weight": "Weight in the area",
            "n_full": "Events for full evidence weight",
            "obligations": "Sentences of the handbook",
            "applies_to": "both, product or platform",
            "needs": "Streams without which it says nothing",
            "when_empty": "What no rows mean",
            "formula_nb": "Formula in words, Norwegian",
            "formula_en": "Formula in words, English",
            "why_nb": "Why it is measured, Norwegian",
            "why_en": "Why it is measured, English",
            "remedy_nb": "What to do, Norwegian",
            "remedy_en": "What to do, English",
            "effort": "S, M or L",
            "lifecycle": "stable or experimental (weight 0)",
            "metric_version": "Version of the definition",
            "sql": "The metric's SQL",
            "evidence_sql": "Select of the rows behind the numbers",
        },
    ),
    "meta.areas": (
        "The seven ops areas",
        {
            "area_id": "Area",
            "position": "Order",
            "name_nb": "Name, Norwegian",
            "name_en": "Name, English",
            "short_nb": "Short name, Norwegian",
            "short_en": "Short name, English",
            "weight": "Weight in the team score",
        },
    ),
    "meta.gates": (
        "Must-haves that cap an area's level",
        {
            "gate_id": "Gate",
            "area_id": "Area",
            "cap": "Highest level while tripped",
            "needs": "Streams it reads",
            "reason_nb": "Reason, Norwegian",
            "reason_en": "Reason, English",
        },
    ),
}


def write_reference(
    con: duckdb.DuckDBPyConnection,
    organisation: Organisation,
    catalogue: Catalogue,
    *,
    now: datetime,
    horizon: datetime,
    pulls: Path,
) -> None:
    """Write the reference tables and choose the winning loads, in one transaction.

    Args:
        con: The working file.
        organisation: The configuration.
        catalogue: Metrics, areas and gates.
        now: The clock; decides which periods are complete.
        horizon: Loads landed later are left out (architecture D2).
        pulls: Folder of the pull notes.
    """
    frames = {f"ref.{name}": frame for name, frame in reference_frames(organisation, catalogue, now).items()}
    frames |= {
        "ref.median_ranks": median_ranks(),
        "meta.streams": _streams(organisation),
        "meta.sources": _sources(organisation, pulls),
        "meta.metrics": _metrics(catalogue),
        "meta.areas": _areas(catalogue),
        "meta.gates": _gates(catalogue),
        "meta.unscored": _unscored(catalogue),
        "meta.obligations": _obligations(catalogue),
    }
    with transaction(con):
        for table, frame in frames.items():
            replace_table(con, table, frame)
        con.execute(_WINNERS, [horizon])
        con.execute(_DELIVERED)
        con.execute(_CURRENT, [horizon])
        for name, (title, columns) in DESCRIPTIONS.items():
            comment(con, f"ref.{name}", title, columns)
        for table, (title, columns) in META_COMMENTS.items():
            comment(con, table, title, columns)


def _streams(organisation: Organisation) -> pl.DataFrame:
    rows = [
        {
            "stream": stream.name,
            "doc": stream.doc,
            "is_register": stream.is_register,
            "is_connected": stream.name in organisation.streams,
            "expected_hours": stream.expected_hours,
        }
        for stream in STREAMS.values()
    ]
    return pl.DataFrame(rows).sort("stream")


def _sources(organisation: Organisation, pulls: Path) -> pl.DataFrame:
    notes = read_notes(pulls)
    rows: list[tuple[object, ...]] = []
    for delivery in organisation.deliveries:
        note = notes.get((delivery.stream, delivery.origin))
        rows.append(
            (
                delivery.stream,
                delivery.origin,
                getattr(delivery.source, "kind", FILES),
                delivery.due_from,
                delivery.due_to or date(9999, 12, 31),
                delivery.remembers_days,
                _instant(note.attempted_at) if note else None,
                _instant(note.succeeded_at) if note else None,
                note.error if note else None,
            )
        )
    instant = pl.Datetime("us", "UTC")
    schema = {
        "stream": pl.String,
        "origin": pl.String,
        "kind": pl.String,
        "due_from": pl.Date,
        "due_to": pl.Date,
        "remembers_days": pl.Int64,
        "attempted_at": instant,
        "succeeded_at": instant,
        "error": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _metrics(catalogue: Catalogue) -> pl.DataFrame:
    rows = [
        {
            "metric_id": metric.id,
            "area_id": metric.area_id,
            "title_nb": metric.header.title.nb,
            "title_en": metric.header.title.en,
            "unit": metric.header.unit,
            "kind": metric.header.kind,
            "is_entity": metric.header.entity,
            "window_days": metric.window_days,
            "floor": metric.header.floor,
            "krav": metric.header.krav,
            "mal": metric.header.mal,
            "weight": metric.header.weight,
            "n_full": metric.header.n_full,
            "obligations": metric.header.obligations,
            "applies_to": metric.header.applies_to,
            "needs": metric.header.needs,
            "when_empty": metric.header.when_empty,
            "formula_nb": metric.header.formula.nb,
            "formula_en": metric.header.formula.en,
            "why_nb": metric.header.why.nb,
            "why_en": metric.header.why.en,
            "remedy_nb": metric.header.remedy.nb,
            "remedy_en": metric.header.remedy.en,
            "effort": metric.header.effort,
            "lifecycle": metric.header.lifecycle,
            "metric_version": metric.header.version,
            "sql": metric.file.text,
            "evidence_sql": metric.file.evidence(),
        }
        for metric in catalogue.metrics
    ]
    return pl.DataFrame(rows, schema_overrides={"krav": pl.Float64, "n_full": pl.Int64})


def _unscored(catalogue: Catalogue) -> pl.DataFrame:
    rows = [
        {
            "table_id": item.id,
            "kind": item.kind,
            "title_nb": item.header.title.nb,
            "title_en": item.header.title.en,
            "unit": item.header.unit,
            "explanation_nb": item.explanation.nb,
            "explanation_en": item.explanation.en,
            "sql": item.file.text,
        }
        for item in catalogue.unscored
    ]
    return pl.DataFrame(rows, schema_overrides={"unit": pl.String})


def _obligations(catalogue: Catalogue) -> pl.DataFrame:
    measures = catalogue.measures()
    rows = [
        {
            "obligation_id": duty.id,
            "area_id": duty.area,
            "text_nb": duty.text.nb,
            "text_en": duty.text.en,
            "strength": duty.strength,
            "who": duty.who,
            "measured_by": sorted(name for name, duties in measures.items() if duty.id in duties),
        }
        for duty in catalogue.obligations
    ]
    return pl.DataFrame(rows, schema_overrides={"measured_by": pl.List(pl.String)})


def _areas(catalogue: Catalogue) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "area_id": area.id,
                "position": position,
                "name_nb": area.name.nb,
                "name_en": area.name.en,
                "short_nb": area.short.nb,
                "short_en": area.short.en,
                "weight": area.weight,
            }
            for position, area in enumerate(catalogue.areas, start=1)
        ]
    )


def _gates(catalogue: Catalogue) -> pl.DataFrame:
    rows = [
        {
            "gate_id": gate.id,
            "area_id": gate.header.area,
            "cap": gate.header.cap,
            "needs": gate.header.needs,
            "reason_nb": gate.header.reason.nb,
            "reason_en": gate.header.reason.en,
        }
        for gate in catalogue.gates
    ]
    schema = {
        "gate_id": pl.String,
        "area_id": pl.String,
        "cap": pl.Int64,
        "needs": pl.List(pl.String),
        "reason_nb": pl.String,
        "reason_en": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)
