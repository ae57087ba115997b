"""Every table as a file, at an address of its own: ``/ned/<table>.<csv|xlsx|parquet>``; and ``/ned/brief.<kind>``.

``/ned/snapshot.duckdb`` is the whole file, for administrators: the findings of every team are in it.

The same queries as the pages, whole instead of cut. Works with ``curl`` too. With sign-in on, an address is signed for
one table, one hour and the session of whoever got it; it gives nothing without the signature, after the session, or
where the session's roles allow it no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from door.sessions import Session
from opsmetrics.core.errors import SnapshotError
from opsmetrics.reports import addresses, brief
from opsmetrics.snapshots.queries import (
    across,
    catalogue,
    evidence,
    facts,
    gaps,
    incidents,
    movement,
    quality,
    scores,
    validity,
)
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot
from scorecard_app import access, exports
from scorecard_app.current import current_snapshot, default_language
from scorecard_app.file_addresses import KEY, chosen_rows, not_of_one, wrong

SECONDS = 3600
KINDS = tuple(exports.WRITERS)
BRIEF, SNAPSHOT = "brief", "snapshot"
Values = Mapping[str, str | None]
Maker = Callable[[Snapshot, Period, Mapping[str, str]], pl.DataFrame]


def _evidence(snapshot: Snapshot, period: Period, values: Mapping[str, str]) -> pl.DataFrame:
    metric = next(row for row in catalogue.metrics(snapshot) if row.metric_id == values["metric"])
    return evidence.evidence(snapshot, metric, period, values.get("team", "")).frame


def _until(period: Period, found: pl.DataFrame) -> pl.DataFrame:
    """The rows up to the end of a period."""
    return found.filter(pl.col("as_of") <= period.as_of)


def _chosen(values: Mapping[str, str], *names: str) -> dict[str, str | None]:
    """The ids that an address names, as queries take them; an empty one names nothing."""
    return {f"{name}_id": values.get(name) or None for name in names}


TABLES: dict[str, Maker] = {
    "team-scores": lambda s, p, _: scores.team_scores(s, p).frame,
    "area-scores": lambda s, p, v: scores.area_scores(s, p, **_chosen(v, "team", "area")).frame,
    "metric-scores": lambda s, p, v: scores.metric_scores(s, p, **_chosen(v, "team", "metric")).frame,
    "metric-totals": lambda s, p, _: across.metric_totals(s, p).frame,
    "area-totals": lambda s, p, _: across.area_totals(s, p).frame,
    "team-months": lambda s, p, v: across.scores_of_year(s, p, v.get("area") or None).frame,
    "gaps": lambda s, p, v: gaps.gaps(s, p, **_chosen(v, "team", "area")).frame,
    "goals": lambda s, p, _: gaps.goal_reviews(s, p).frame,
    "plan": lambda s, p, v: gaps.plan(s, p, v.get("team", "")).frame,
    "plans": lambda s, p, _: gaps.plans(s, p).frame,
    "changes": lambda s, p, v: (
        (movement.changes(s, p, v["team"]) if v.get("team") else movement.all_changes(s, p)).frame
    ),
    "signals": lambda s, p, _: movement.signals(s, p).frame,
    "area-months": lambda s, p, v: area_queries.area_spread(s, p, v.get("area", "")).frame,
    "area-metrics": lambda s, p, v: area_queries.area_metrics(s, p, v.get("area", "")).frame,
    "control-chart": lambda s, p, v: _until(p, movement.control_chart(s, v.get("team", ""), v.get("metric", "")).frame),
    "validity": lambda s, *_: validity.links(s).frame,
    "weeks": lambda s, p, v: _until(p, scores.metric_weeks(s, v.get("team", ""), v.get("metric", "")).frame),
    "entities": lambda s, p, v: scores.entities(s, p, v.get("team", ""), v.get("metric", "")).frame,
    "evidence": _evidence,
    "incidents": lambda s, p, v: facts.incidents(s, p, v.get("team", "")).frame,
    "all-incidents": lambda s, p, v: incidents.declared(s, p, team_id=v.get("team") or None).frame,
    "incident-teams": lambda s, p, _: incidents.team_incidents(s, p).frame,
    "down-services": lambda s, p, v: incidents.down_services(s, p, v.get("team") or None).frame.explode(
        "months", "minutes"
    ),
    "diagnostics": lambda s, p, v: evidence.diagnostics(s, p, v.get("team", "")).frame,
    "restated": lambda s, p, v: movement.restated(s, p, v.get("team", "")).frame,
    "alarms": lambda s, p, v: quality.alarms(s, p, v.get("team")).frame,
    "sources": lambda s, *_: quality.sources(s).frame,
    "systems": lambda s, *_: quality.systems(s).frame,
    "missing-days": lambda s, *_: quality.missing_days(s).frame,
    "quarantine": lambda s, *_: quality.quarantine(s).frame,
    "unmatched": lambda s, *_: quality.unmatched(s).frame,
    "suspect-monitors": lambda s, *_: quality.suspect_monitors(s).frame,
    "exemptions": lambda s, p, _: quality.exemptions(s, p).frame,
    "obligations": lambda s, *_: catalogue.obligations(s).frame,
    "rule_changes": lambda s, *_: catalogue.rule_changes(s).frame,
    "metrics": lambda s, *_: catalogue.metrics(s).frame,
    "tables": lambda s, *_: catalogue.tables(s).frame,
    **{name: (lambda s, _p, _v, name=name: facts.facts(s, name)) for name in facts.FACTS},
}
OF_NOW: frozenset[str] = frozenset(
    {
        *("validity", "sources", "systems", "missing-days", "quarantine", "unmatched", "suspect-monitors"),
        *("obligations", "rule_changes", "metrics", "tables", *facts.FACTS),
    }
)
"""Tables that tell of now alone, whatever period an address names."""


def _signer() -> URLSafeTimedSerializer | None:
    settings = access.sign_in()
    return URLSafeTimedSerializer(settings.cookie_secret, salt="downloads") if settings else None


def address(table: str, kind: str, values: Values) -> str:
    """Return where a table can be fetched.

    Raises:
        KeyError: There is no such table.
    """
    assert kind in _kinds(table), table  # noqa: S101 - a page names a table that is not there: our fault, found by any test
    kept = {key: value for key, value in values.items() if value}
    signer = _signer()
    session = access.session()
    if signer is not None and session is not None:
        kept[KEY] = str(signer.dumps([session.id, table, kind, sorted(kept.items())]))
    return addresses.file(table, kind, kept)


def _signed_session(table: str, kind: str, values: dict[str, str]) -> Session | None:
    """Return the session that an address was signed for, if the signature holds and the session is not over."""
    signer = _signer()
    if signer is None:
        return None
    try:
        session_id, *signed = signer.loads(values.pop(KEY, ""), max_age=SECONDS)
    except (BadSignature, TypeError, ValueError):
        return None
    if signed != [table, kind, [list(item) for item in sorted(values.items())]]:
        return None
    return access.sessions().alive(session_id)


def _kinds(table: str) -> Iterable[str]:
    """Return the kinds of file that something can be had as; none of what there is not."""
    named: dict[str, Iterable[str]] = {BRIEF: brief.WRITERS, SNAPSHOT: ("duckdb",)}
    return named.get(table, exports.WRITERS if table in TABLES else ())


def _give(request: Request) -> Response:
    """Answer with one table, 403 where the address is not signed for it, 404 where there is no such thing."""
    table, kind = request.path_params["table"], request.path_params["kind"]
    asked = request.query_params
    values = dict(asked)
    if kind not in _kinds(table):
        return PlainTextResponse("no such table\n", status_code=404)
    allowed = access.permissions_in(_signed_session(table, kind, values))
    if allowed.role == "none":
        return PlainTextResponse("open the page again and use its link\n", status_code=403)
    try:
        snapshot = current_snapshot()
        return wrong(snapshot, table, asked) or _answer(snapshot, table, kind, values, allowed)
    except SnapshotError as error:
        return PlainTextResponse(f"{error}\n", status_code=404)


def _answer(
    snapshot: Snapshot, table: str, kind: str, values: Mapping[str, str], allowed: access.Permissions
) -> Response:
    """Answer with one table of a snapshot.

    Raises:
        SnapshotError: The snapshot was published by another version of the program.
    """
    if table in {BRIEF, SNAPSHOT} and (refusal := not_of_one(table, (), values)):
        return refusal
    if table == SNAPSHOT:
        return _whole(snapshot, allowed)
    periods = catalogue.periods(snapshot)
    wanted = "" if table in OF_NOW else values.get("period")
    period = next((found for found in periods if found.label == wanted), periods[0])
    language = values.get("lang") or default_language()
    if table == BRIEF:
        content = brief.WRITERS[kind](brief.compose(snapshot, period, language))
        return _file(content, brief.file_name(period, language, kind), brief.MEDIA_TYPES[kind])
    refusal = _refusal(snapshot, table, values, allowed)
    if refusal is not None:
        return refusal
    writer, media_type = exports.WRITERS[kind]
    found = TABLES[table](snapshot, period, values)
    if refusal := not_of_one(table, found.columns, values):
        return refusal
    content = writer(chosen_rows(found, values), _origin(snapshot, period, language, table), language)
    return _file(content, _file_name(snapshot, period, table, kind, values), media_type)


def _whole(snapshot: Snapshot, allowed: access.Permissions) -> Response:
    """Answer with the snapshot's own file, which is never written again."""
    if allowed.role != "admin":
        return PlainTextResponse("the whole file is for administrators\n", status_code=403)
    # Named as it is, so that nobody compresses a hundred megabytes for each reader.
    headers = {"Content-Encoding": "identity"}
    return FileResponse(snapshot.path, filename=snapshot.file, media_type="application/vnd.duckdb", headers=headers)


def _refusal(snapshot: Snapshot, table: str, values: Mapping[str, str], allowed: access.Permissions) -> Response | None:
    """Return that rows are not for whoever asks now, if so."""
    if table != "evidence":
        return None
    metric = next(row for row in catalogue.metrics(snapshot) if row.metric_id == values["metric"])
    if not allowed.may_see_rows(metric.area_id, values["team"]):
        return PlainTextResponse("these rows are for their team\n", status_code=403)
    return None


def _origin(snapshot: Snapshot, period: Period, language: str, table: str) -> exports.Origin:
    organisation = catalogue.organisation(snapshot)
    return exports.Origin(
        organisation=organisation.name.get(language),
        is_fictional=organisation.is_fictional,
        period=period.label,
        snapshot=snapshot.build_id,
        table=table,
        zone=organisation.timezone,
    )


def _file_name(snapshot: Snapshot, period: Period, table: str, kind: str, values: Mapping[str, str]) -> str:
    """Table, what was chosen, period and snapshot; only signs that any file system takes."""
    named = "-".join((table, *(values[key] for key in ("team", "area", "metric") if values.get(key))))
    # A file system takes 255 of them, and what an address says has no end.
    safe = "".join(c for c in named if (c.isascii() and c.isalnum()) or c in "-_")[:150]
    return f"{safe}-{period.label}-{snapshot.build_id[:12]}.{kind}"


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ROUTES = [Route(f"{addresses.FILES}/{{table}}.{{kind}}", _give, methods=["GET"])]
