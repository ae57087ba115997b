"""Every table as a file, at an address of its own: ``/ned/<table>.<csv|xlsx|parquet>``; and ``/ned/brief.<kind>``.

The same queries as the pages, whole instead of cut. Works with ``curl`` too. With sign-in on, an address is signed for
one table and one hour; without the signature it gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import polars as pl
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from opsmetrics import brief
from opsmetrics.errors import SnapshotError
from opsmetrics.reading import catalogue, facts, quality, reader, scores
from opsmetrics.snapshot import Snapshot
from opsmetrics.texts import LANGUAGES
from scorecard_app import access, exports

PREFIX = "/ned"
SECONDS = 3600
KINDS = tuple(exports.WRITERS)
BRIEF = "brief"
Values = Mapping[str, str | None]
Maker = Callable[[Snapshot, Mapping[str, Any], Mapping[str, str]], pl.DataFrame]


def _gaps(snapshot: Snapshot, period: Mapping[str, Any], values: Mapping[str, str]) -> pl.DataFrame:
    found = scores.gaps(snapshot, period, values.get("team"))
    area = values.get("area")
    return found.filter(area_id=area) if area else found


def _metrics(snapshot: Snapshot, period: Mapping[str, Any], values: Mapping[str, str]) -> pl.DataFrame:
    found = scores.metric_scores(snapshot, period)
    return found.filter(**{f"{key}_id": values[key] for key in ("team", "metric") if values.get(key)})


def _evidence(snapshot: Snapshot, period: Mapping[str, Any], values: Mapping[str, str]) -> pl.DataFrame:
    sql = catalogue.metrics(snapshot).filter(metric_id=values.get("metric"))["evidence_sql"][0]
    return scores.evidence(snapshot, sql, period, values.get("team", ""))


TABLES: dict[str, Maker] = {
    "team-scores": lambda s, p, _: scores.team_scores(s, p),
    "area-scores": lambda s, p, v: scores.area_scores(s, p).filter(
        **{f"{key}_id": v[key] for key in ("team", "area") if v.get(key)}
    ),
    "metric-scores": _metrics,
    "gaps": _gaps,
    "goals": lambda s, p, _: scores.goal_reviews(s, p),
    "plan": lambda s, _, v: scores.plan(s, v.get("team", "")),
    "plans": lambda s, *_: scores.plans(s),
    "changes": lambda s, p, v: scores.changes(s, v["team"]) if v.get("team") else scores.all_changes(s, p),
    "signals": lambda s, p, _: scores.signals(s, p),
    "area-months": lambda s, p, v: scores.area_spread(s, p, v.get("area", "")),
    "area-metrics": lambda s, p, v: scores.area_metrics(s, p, v.get("area", "")),
    "control-chart": lambda s, _, v: scores.control_chart(s, v.get("team", ""), v.get("metric", "")),
    "weeks": lambda s, _, v: scores.metric_weeks(s, v.get("team", ""), v.get("metric", "")),
    "entities": lambda s, p, v: scores.entities(s, p, v.get("team", ""), v.get("metric", "")),
    "evidence": _evidence,
    "incidents": lambda s, p, v: facts.incidents(s, p, v.get("team", "")),
    "diagnostics": lambda s, p, v: scores.diagnostics(s, p, v.get("team", "")),
    "restated": lambda s, _, v: scores.restated(s, v.get("team", "")),
    "alarms": lambda s, p, v: quality.alarms(s, p, v.get("team")),
    "sources": lambda s, *_: quality.sources(s),
    "missing-days": lambda s, *_: quality.missing_days(s),
    "quarantine": lambda s, *_: quality.quarantine(s),
    "unmatched": lambda s, *_: quality.unmatched(s),
    "suspect-monitors": lambda s, *_: quality.suspect_monitors(s),
    "exemptions": lambda s, *_: quality.exemptions(s),
    "obligations": lambda s, *_: catalogue.obligations(s),
    "metrics": lambda s, *_: catalogue.metrics(s),
    "tables": lambda s, *_: catalogue.tables(s),
    **{name: (lambda s, _p, _v, name=name: facts.facts(s, name)) for name in facts.FACTS},
}


def _signer() -> URLSafeTimedSerializer | None:
    settings = access.sign_in()
    return URLSafeTimedSerializer(settings.cookie_secret, salt="downloads") if settings else None


def address(table: str, kind: str, values: Values) -> str:
    """Return where a table can be fetched.

    Raises:
        KeyError: There is no such table.
    """
    assert table in TABLES or table == BRIEF, table  # noqa: S101 - a page names a table that is not there: our fault, found by any test
    kept = {key: value for key, value in values.items() if value}
    signer = _signer()
    if signer is not None:
        kept["key"] = str(signer.dumps([table, kind, sorted(kept.items())]))
    return f"{PREFIX}/{table}.{kind}" + (f"?{urlencode(kept)}" if kept else "")


def _is_allowed(table: str, kind: str, values: dict[str, str]) -> bool:
    signer = _signer()
    if signer is None:
        return True
    key = values.pop("key", "")
    try:
        signed = signer.loads(key, max_age=SECONDS)
    except BadSignature:
        return False
    return signed == [table, kind, [list(item) for item in sorted(values.items())]]


def _give(request: Request) -> Response:
    """Answer with one table, 403 where the address is not signed for it, 404 where there is no such thing."""
    table, kind = request.path_params["table"], request.path_params["kind"]
    values = dict(request.query_params)
    if kind not in (brief.WRITERS if table == BRIEF else exports.WRITERS if table in TABLES else ()):
        return PlainTextResponse("no such table\n", status_code=404)
    if not _is_allowed(table, kind, values):
        return PlainTextResponse("open the page again and use its link\n", status_code=403)
    try:
        snapshot = reader.current_snapshot()
    except SnapshotError as error:
        return PlainTextResponse(f"{error}\n", status_code=404)
    periods = catalogue.periods(snapshot).to_dicts()
    period = next((found for found in periods if found["label"] == values.get("period")), periods[0])
    language = values.get("lang", LANGUAGES[0])
    language = language if language in LANGUAGES else LANGUAGES[0]
    if table == BRIEF:
        content = brief.WRITERS[kind](brief.compose(snapshot, period, language))
        return _file(content, brief.file_name(period, language, kind), brief.MEDIA_TYPES[kind])
    metric = values.get("metric")
    if metric is not None and catalogue.metrics(snapshot).filter(metric_id=metric).is_empty():
        return PlainTextResponse("no such metric\n", status_code=404)
    organisation = catalogue.organisation(snapshot)
    origin = exports.Origin(
        organisation=str(organisation[f"name_{language}"]),
        is_fictional=bool(organisation["is_fictional"]),
        period=str(period["label"]),
        snapshot=snapshot.build_id,
        table=table,
        zone=str(organisation["timezone"]),
    )
    writer, media_type = exports.WRITERS[kind]
    content = writer(TABLES[table](snapshot, period, values), origin, language)
    named = "-".join((table, *(values[key] for key in ("team", "area", "metric") if values.get(key))))
    safe = "".join(c for c in named if c.isalnum() or c in "-_")
    name = f"{safe}-{period['label']}-{snapshot.build_id[:12]}.{kind}"
    return _file(content, name, media_type)


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ROUTES = [Route(f"{PREFIX}/{{table}}.{{kind}}", _give, methods=["GET"])]
