"""``meta`` tables of the catalogue: metrics, areas, gates, what is shown unscored, and the handbook's sentences."""

from __future__ import annotations

from collections.abc import Iterator

from opsmetrics.catalogue import Catalogue, Metric
from opsmetrics.catalogue.schemas import UNSCORED
from opsmetrics.core.declare import Row, Table, count, flag, id_, number, text, texts
from opsmetrics.organisation import Organisation

METRICS = Table(
    "meta.metrics",
    "The catalogue of scored metrics: the only place where thresholds and weights stand is each header",
    (
        id_("metric_id", "Metric"),
        id_("area_id", "Area"),
        id_("title_nb", "Title, Norwegian"),
        id_("title_en", "Title, English"),
        id_("unit", "share, budgets, count or utilisation"),
        text("kind", "census or sample", required=True, one_of=("census", "sample")),
        flag("is_entity", "Scored per SLO, resource or datastore before averaging", required=True),
        count("window_days", "Window in local days; 0 = state", required=True),
        number("floor", "0 points", required=True, low=None),
        number("krav", "60 points: the requirement; null = straight line", low=None),
        number("mal", "100 points: the target", required=True, low=None),
        number("weight", "Weight in the area", required=True),
        count("n_full", "Events for full evidence weight; null for a census", low=1),
        texts("obligations", "Sentences of the handbook"),
        id_("applies_to", "both, product or platform"),
        texts("needs", "Streams without which it says nothing"),
        texts("rests_on", "Optional columns, stream.column, without which an item is not measured"),
        texts("better_with", "Optional columns, stream.column, without which it says less and is marked"),
        id_("when_empty", "What no rows mean"),
        id_("formula_nb", "Formula in words, Norwegian"),
        id_("formula_en", "Formula in words, English"),
        id_("why_nb", "Why it is measured, Norwegian"),
        id_("why_en", "Why it is measured, English"),
        id_("remedy_nb", "What to do, Norwegian"),
        id_("remedy_en", "What to do, English"),
        text("effort", "S, M or L", required=True, one_of=("S", "M", "L")),
        id_("lifecycle", "stable, guard (a must-have: weight 0, a gate watches it) or experimental (weight 0)"),
        count("metric_version", "Version of the definition", required=True, low=1),
        id_("sql", "The metric's SQL"),
        id_("evidence_sql", "Select of the rows behind the numbers"),
    ),
    ("metric_id",),
)


def metrics(catalogue: Catalogue) -> Iterator[Row]:
    """Return the rows of ``meta.metrics``."""
    for metric in catalogue.metrics:
        yield _place(metric) | _rule(metric) | _texts(metric)


def _place(metric: Metric) -> dict[str, object]:
    return {
        "metric_id": metric.id,
        "area_id": metric.area_id,
        "sql": metric.file.text,
        "evidence_sql": metric.file.evidence(),
    }


def _rule(metric: Metric) -> dict[str, object]:
    header = metric.header
    return {
        "unit": header.unit,
        "kind": header.kind,
        "is_entity": header.entity,
        "window_days": metric.window_days,
        "floor": header.floor,
        "krav": header.krav,
        "mal": header.mal,
        "weight": header.weight,
        "n_full": header.n_full,
        "obligations": header.obligations,
        "applies_to": header.applies_to,
        "needs": header.needs,
        "rests_on": header.rests_on,
        "better_with": header.better_with,
        "when_empty": header.when_empty,
        "effort": header.effort,
        "lifecycle": header.lifecycle,
        "metric_version": header.version,
    }


def _texts(metric: Metric) -> dict[str, object]:
    header = metric.header
    return {
        "title_nb": header.title.nb,
        "title_en": header.title.en,
        "formula_nb": header.formula.nb,
        "formula_en": header.formula.en,
        "why_nb": header.why.nb,
        "why_en": header.why.en,
        "remedy_nb": header.remedy.nb,
        "remedy_en": header.remedy.en,
    }


AREAS = Table(
    "meta.areas",
    "The seven ops areas",
    (
        id_("area_id", "Area"),
        count("position", "Order", required=True, low=1),
        id_("name_nb", "Name, Norwegian"),
        id_("name_en", "Name, English"),
        id_("short_nb", "Short name, Norwegian"),
        id_("short_en", "Short name, English"),
        number("weight", "Weight in the team score", required=True),
    ),
    ("area_id",),
)


def areas(catalogue: Catalogue) -> Iterator[Row]:
    """Return the rows of ``meta.areas``."""
    for position, area in enumerate(catalogue.areas, start=1):
        yield {
            "area_id": area.id,
            "position": position,
            "name_nb": area.name.nb,
            "name_en": area.name.en,
            "short_nb": area.short.nb,
            "short_en": area.short.en,
            "weight": area.weight,
        }


GATES = Table(
    "meta.gates",
    "Must-haves that cap an area's level",
    (
        id_("gate_id", "Gate"),
        id_("area_id", "Area"),
        count("cap", "Highest level while tripped", required=True, high=4),
        texts("needs", "Streams it reads"),
        id_("reason_nb", "Reason, Norwegian"),
        id_("reason_en", "Reason, English"),
    ),
    ("gate_id",),
)


def gates(catalogue: Catalogue) -> Iterator[Row]:
    """Return the rows of ``meta.gates``."""
    for gate in catalogue.gates:
        yield {
            "gate_id": gate.id,
            "area_id": gate.header.area,
            "cap": gate.header.cap,
            "needs": gate.header.needs,
            "reason_nb": gate.header.reason.nb,
            "reason_en": gate.header.reason.en,
        }


RULE_CHANGES = Table(
    "meta.rule_changes",
    "In what the organisation's rules differ from the shipped ones: numbers of rules.toml, and metrics of its own",
    (
        text("kind", "What differs", required=True, one_of=("metric", "area", "method", "own_metric")),
        id_("subject_id", "Metric or area; empty for the method"),
        id_("setting", "Which number; sql for a metric of the organisation's own"),
        text("shipped", "What the shipped rules say; null for a metric of the organisation's own"),
        text("own", "What the organisation says; of its own metrics the digest of the SQL", required=True),
        text("why", "Why the rules differ, as rules.toml says it"),
    ),
    ("kind", "subject_id", "setting"),
)


def rule_changes(catalogue: Catalogue) -> Iterator[Row]:
    """Return the rows of ``meta.rule_changes``."""
    for change in catalogue.changes:
        yield {
            "kind": change.kind,
            "subject_id": change.subject,
            "setting": change.setting,
            "shipped": _as_text(change.shipped),
            "own": _as_text(change.own),
            "why": catalogue.why,
        }
    for metric in catalogue.metrics:
        if metric.is_own:
            shown = {"shipped": None, "own": metric.file.digest, "why": metric.header.why.en}
            yield {"kind": "own_metric", "subject_id": metric.id, "setting": "sql", **shown}


def _as_text(value: object) -> str:
    """Return a number of the rules as a header would write it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_as_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


UNSCORED_TABLES = Table(
    "meta.unscored",
    "Diagnostics, organisation facts and alarms: shown, never scored",
    (
        id_("table_id", "Table in the schema"),
        text("kind", "diagnostics, organisation or alarms: the schema", required=True, one_of=UNSCORED),
        id_("title_nb", "Name, Norwegian"),
        id_("title_en", "Name, English"),
        text("unit", "Unit of a diagnostic; null for others"),
        id_("explanation_nb", "Why it is not scored, or what it is for, Norwegian"),
        id_("explanation_en", "The same, English"),
        id_("sql", "The SQL behind it"),
    ),
    ("kind", "table_id"),
)


def unscored_tables(catalogue: Catalogue) -> Iterator[Row]:
    """Return the rows of ``meta.unscored``."""
    for item in catalogue.unscored:
        yield {
            "table_id": item.id,
            "kind": item.kind,
            "title_nb": item.header.title.nb,
            "title_en": item.header.title.en,
            "unit": item.header.unit,
            "explanation_nb": item.explanation.nb,
            "explanation_en": item.explanation.en,
            "sql": item.file.text,
        }


OBLIGATIONS = Table(
    "meta.obligations",
    "Sentences of the handbook and what measures each",
    (
        id_("obligation_id", "Sentence"),
        id_("area_id", "Area, or all"),
        id_("text_nb", "The sentence, shortened, Norwegian"),
        id_("text_en", "The same, English"),
        id_("strength", "shall, fact, strive or aim"),
        id_("who", "both, product, platform or organisation"),
        texts("measured_by", "Metrics and organisation facts; empty where the scores themselves are the measure"),
        text("link", "Address of the section of the organisation's handbook (organisation.toml), or null"),
    ),
    ("obligation_id",),
)


def obligations(catalogue: Catalogue, organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``meta.obligations``."""
    handbook = organisation.settings.handbook
    measures = catalogue.measures()
    for duty in catalogue.obligations:
        yield {
            "obligation_id": duty.id,
            "area_id": duty.area,
            "text_nb": duty.text.nb,
            "text_en": duty.text.en,
            "strength": duty.strength,
            "who": duty.who,
            "measured_by": sorted(name for name, duties in measures.items() if duty.id in duties),
            "link": handbook.link(duty.id, duty.area),
        }
