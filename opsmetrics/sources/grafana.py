"""Grafana: alert rules, firing intervals from its state history, deploy annotations (contracts, C2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from opsmetrics.core.instants import instant as told_instant
from opsmetrics.organisation.connectors.telemetry import GRAFANA_NOTES, Grafana
from opsmetrics.organisation.known import KnownNames
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.alert_routes import is_template, receivers_of
from opsmetrics.sources.azure.client import authenticated_client
from opsmetrics.sources.earlier import Earlier
from opsmetrics.sources.fetching import FetchRequest, FetchResult, halved
from opsmetrics.sources.grafana_history import (
    Transition,
    from_annotations,
    from_frame,
    instant,
    sent_labels,
    state_of,
    was_firing,
)
from opsmetrics.sources.grafana_quiet import Quiet, Trees, allowed, receiver_of
from opsmetrics.sources.http import Http
from opsmetrics.sources.severities import is_no_page, is_paging, severity_of
from opsmetrics.streams import STREAMS

Row = dict[str, Any]
LIMIT = 5000
# Grafana asks Loki for no longer than 30 days at once, and leaves the beginning of a longer question out in silence.
LONGEST_OF_LOKI = timedelta(days=28)
# How long an alert may have fired before the asked days and still end in them.
LONGEST = timedelta(days=7)
FIRING = "api/prometheus/grafana/api/v1/alerts"
# An alert that has just begun to fire may not stand in the history yet.
FRESH = timedelta(hours=1)
UNNAMED = "deploy annotations left out, without a service and an environment that are known"
_KINDS = frozenset(STREAMS["alert_rule_states"].column("kind").one_of)


def _client(request: FetchRequest[Grafana]) -> Http:
    settings = request.connector
    audience = settings.audience if settings.token_env is None else None
    return authenticated_client(request, settings.url, token_env=settings.token_env, audience=audience)


def _rules(http: Http) -> list[Row]:
    """Return the alert rules; what only records a metric is none."""
    return [rule for rule in http.get("api/v1/provisioning/alert-rules") if not rule.get("record")]


def probe(request: FetchRequest[Grafana]) -> str:
    """Count the alert rules."""
    with _client(request) as http:
        return f"{len(_rules(http))} alert rules"


def alert_rule_states(request: FetchRequest[Grafana]) -> FetchResult:
    """Return every alert rule of today; a paused one is not monitoring. The label ``service`` says what it guards."""
    settings = request.connector
    with _client(request) as http:
        rules = _rules(http)
        trees = Trees(http, rules)
    shared = _shared(settings, rules)
    rows = [_state(request, rule, trees, shared) for rule in rules]
    return FetchResult(rows, source=f"{settings.url} alert rules")


def _state(request: FetchRequest[Grafana], rule: Row, trees: Trees, shared: frozenset[str]) -> Row:
    settings = request.connector
    labels: Row = rule.get("labels") or {}
    notes: Row = rule.get("annotations") or {}
    severity = labels.get(settings.severity_label)
    kind = labels.get(settings.kind_label)
    written = {
        "resource": labels.get("resource"),
        "threshold_ratio": _number(notes.get("threshold_ratio")),
        "forecast_hours": _number(notes.get("forecast_hours")),
        "reviewed_at": notes.get("reviewed_at"),
        "proven_at": notes.get("proven_at"),
    }
    return {
        "rule_id": _rule_id(labels, rule["uid"], shared),
        # A rule that does not say what it guards shows up as a name without owner.
        "service_id": _service(settings, labels, rule["uid"]),
        "kind": kind if kind in _KINDS else "other",
        "observed_on": request.today,
        "is_enabled": not rule.get("isPaused"),
        "is_paging": False if is_no_page(rule.get("title"), severity) else is_paging(severity),
        "is_routed": _is_routed(settings, rule, trees),
        "last_changed_at": rule.get("updated"),
        **{GRAFANA_NOTES[note]: written[note] for note in settings.rule_notes},
    }


def _shared(settings: Grafana, rules: list[Row]) -> frozenset[str]:
    """Return the uids of rules whose label ``rule`` other rules of their service have, too, such as a warning."""
    uids: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for rule in rules:
        labels: Row = rule.get("labels") or {}
        uids[_service(settings, labels, rule["uid"]), str(labels.get("rule")).lower()].add(rule["uid"])
    return frozenset(uid for found in uids.values() if len(found) > 1 for uid in found)


def _rule_id(labels: Row, uid: str, shared: frozenset[str]) -> str:
    """Return what a rule is called by agreement, else its uid; both where several are called so."""
    called = labels.get("rule")
    return f"{called}/{uid}" if called and uid in shared else called or uid


def _service(settings: Grafana, labels: Row, uid: str) -> str | None:
    """Return the service that labels name, or the rule's uid, which ``services`` of the connector may map too."""
    named = labels.get(settings.service_label)
    return settings.service(uid if named is None or is_template(named) else named)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _is_routed(settings: Grafana, rule: Row, trees: Trees) -> bool | None:
    """Whether alerts of a rule reach the duty; only names of its receivers can say that they do not.

    Every alert reaches some receiver, if only that of the root policy, which nobody may have set up.
    """
    receiver, tree = receiver_of(rule), trees.of(rule)
    if receiver:
        reached: set[str] | None = {receiver}
    elif tree is not None:
        reached = receivers_of({"alertname": rule.get("title") or "", **(rule.get("labels") or {})}, tree)
    else:
        reached = None
    if reached is None:
        return None
    if settings.oncall_receivers:
        return any(fnmatchcase(name, pattern) for name in reached for pattern in settings.oncall_receivers)
    is_root = tree is not None and not trees.has_own(rule) and reached == {tree.get("receiver")}
    return None if is_root and not receiver else True


def _annotations(http: Http, start: datetime, end: datetime, **params: Any) -> list[Row]:
    """Return annotations that touch [start, end); a full answer may be cut off, so its window is halved."""

    def fetch(start: datetime, end: datetime, can_halve: bool) -> list[Row] | None:  # noqa: FBT001 - see halved
        first, last = (int(at.timestamp() * 1000) for at in (start, end))
        found: list[Row] = http.get("api/annotations", **{"from": first, "to": last - 1, "limit": LIMIT, **params})
        return None if can_halve and len(found) >= LIMIT else found

    millisecond = timedelta(milliseconds=1)
    return list(halved(fetch, start, end, shortest=timedelta(seconds=2), unit=millisecond))


def _transitions(settings: Grafana, http: Http, start: datetime, end: datetime) -> list[Transition]:
    """Return the changes of state of [start, end), from where the settings say that Grafana keeps them."""
    if settings.state_history == "annotations":
        notes = _annotations(http, start, end, type="alert")
        if not notes:
            _refuse_hidden(http, start, end)
        return from_annotations(notes)

    def fetch(start: datetime, end: datetime, can_halve: bool) -> list[Transition] | None:  # noqa: FBT001 - see halved
        first, last = (int(at.timestamp()) for at in (start, end))
        found = from_frame(http.get("api/v1/rules/history", **{"from": first, "to": last, "limit": LIMIT}))
        return None if can_halve and len(found) >= LIMIT else found

    found: list[Transition] = []
    while start < end:
        stop = min(start + LONGEST_OF_LOKI, end)
        found += halved(fetch, start, stop, shortest=timedelta(seconds=2))
        start = stop
    return found


def _refuse_hidden(http: Http, start: datetime, end: datetime) -> None:
    """Refuse a silence that is none: some versions show no change of an alert to those who ask by time.

    Raises:
        SourceError: Without a time the newest change is shown, and it lies in [start, end).
    """
    newest = http.get("api/annotations", type="alert", **{"from": 0, "to": 0, "limit": 1})
    if any(start <= instant(note["time"]) < end for note in newest[:1]):
        message = "alerts have changed, and none of it is shown to those who ask by time (grafana/grafana#63130)"
        fix = "update Grafana, or keep the history in Loki and set state_history"
        raise http.error("api/annotations", message, fix)


def _refuse_unkept(http: Http, start: datetime, end: datetime) -> None:
    """Refuse a silence that is none: a Grafana that keeps no history of its alerts, or keeps it elsewhere.

    Raises:
        SourceError: An alert fires since an instant of [start, end), of which the history tells nothing.
    """
    found: Row = allowed(http, FIRING) or {}
    firing: list[Row] = (found.get("data") or {}).get("alerts") or []
    since = (told_instant(alert.get("activeAt")) for alert in firing if str(alert.get("state")).startswith("Alerting"))
    if any(at is not None and start <= at < end - FRESH for at in since):
        message = "alerts fire since then, and the state history tells of no change at all"
        fix = (
            "turn it on in Grafana ([unified_alerting.state_history]), set state_history to where it is kept, and let "
            "the token read annotations"
        )
        raise http.error(FIRING, message, fix)


def alerts(request: FetchRequest[Grafana]) -> FetchResult:
    """Return firing intervals: open at what tells somebody, closed by what says that it is over.

    By default *Alerting*, *NoData* and *Error* tell somebody. What a silence or a mute timing covered from its first to
    its last instant told nobody, and is no page.
    """
    settings = request.connector
    with _client(request) as http:
        rules = _rules(http)
        until = min(request.ends_at + LONGEST, request.now)
        found = _transitions(settings, http, request.starts_at - LONGEST, until)
        if not found:
            _refuse_unkept(http, request.starts_at - LONGEST, until)
        quiet = Quiet(http, rules)
        rows = _intervals(request, rules, quiet, found)
        if until < request.now and any(row["closed_at"] is None and request.covers(row["fired_at"]) for row in rows):
            # It fires for longer than most do: its end is told later.
            found += _transitions(settings, http, until, request.now)
            rows = _intervals(request, rules, quiet, found)
    return FetchResult(rows, source=f"{settings.url} state history", notes=quiet.notes)


def _intervals(
    request: FetchRequest[Grafana], rules: list[Row], quiet: Quiet, found: Iterable[Transition]
) -> list[Row]:
    """Return the firing intervals that changes of state tell of, open ones without an end."""
    book, shared = _Rules(rules), _shared(request.connector, rules)
    series: dict[tuple[str, str], set[Transition]] = defaultdict(set)
    for change in found:
        series[book.uid_of(change), change.instance].add(change)
    intervals: list[tuple[str, Transition, Transition | None]] = []
    for (uid, _), changes in series.items():
        rule = book.by_uid.get(uid, {})
        opened: Transition | None = None
        for change in sorted(changes, key=lambda item: (item.at, item.number)):
            state = state_of(change.state, rule)
            if state == "firing" and opened is None and not was_firing(change.previous, rule):
                opened = change
            elif state == "over" and opened is not None:
                intervals.append((uid, opened, change))
                opened = None
        if opened is not None:
            intervals.append((uid, opened, None))
    earlier = Earlier(request, [_alert_id(uid, opened) for uid, opened, _ in intervals])
    rows: list[Row | None] = []
    for uid, opened, closed in intervals:
        rule, ended = book.by_uid.get(uid, {}), closed.at if closed else None
        is_page = earlier.was_page(_alert_id(uid, opened), opened.at, ended)
        if is_page is None:
            is_page = not quiet.tells_nobody(sent_labels(opened), uid, rule, opened.at, ended or request.now)
        if is_page:
            rows.append(_interval(request.connector, uid, rule, shared, opened, closed))
    return [row for row in rows if row is not None]


class _Rules:
    """Rules by what changes of state call them: the uid, the number, or for old ones only the title."""

    def __init__(self, rules: list[Row]) -> None:
        self.by_uid: dict[str, Row] = {rule["uid"]: rule for rule in rules}
        self._by_number = {rule["id"]: rule["uid"] for rule in rules if rule.get("id")}
        titles: dict[str, list[str]] = defaultdict(list)
        for rule in rules:
            titles[rule.get("title") or ""].append(rule["uid"])
        self._by_title = {title: uids[0] for title, uids in titles.items() if len(uids) == 1}

    def uid_of(self, change: Transition) -> str:
        """Return the uid of the rule, or what is left of the name of one that was deleted."""
        if change.rule_uid:
            return change.rule_uid
        known = self._by_number.get(change.rule_number or 0) or self._by_title.get(change.title)
        return known or str(change.rule_number or change.title)


def _alert_id(uid: str, opened: Transition) -> str:
    return f"{uid}-{opened.fingerprint}-{opened.at:%Y%m%dT%H%M%S%f}"


def _interval(
    settings: Grafana, uid: str, rule: Row, shared: frozenset[str], opened: Transition, closed: Transition | None
) -> Row | None:
    """Return one page; an alert's own labels come before its rule's, of which some are made by templates."""
    labels = {**(rule.get("labels") or {}), **opened.labels}
    severity = labels.get(settings.severity_label)
    if is_no_page(opened.title or rule.get("title"), severity):
        return None
    return {
        "alert_id": _alert_id(uid, opened),
        # A rule that nobody knows keeps its pages: they show up as a name without owner.
        "service_id": _service(settings, labels, uid),
        "rule_id": _rule_id(labels, uid, shared),
        "severity": severity_of(severity),
        "fired_at": opened.at,
        "closed_at": closed.at if closed else None,
        "is_test": False,
    }


def deployments(request: FetchRequest[Grafana]) -> FetchResult:
    """Return deploy annotations; ``team:`` is empty in practice, so the app says whose it is (contracts, 0)."""
    settings = request.connector
    with _client(request) as http:
        notes = _annotations(http, request.starts_at, request.ends_at, tags=settings.deployment_tag)
    known = KnownNames(request.organisation)
    rows: list[Row] = []
    unnamed = 0
    for note in {note["id"]: note for note in notes}.values():
        row = _deployment(settings, known, note)
        if row is not None:
            rows.append(row)
        elif request.covers(instant(note["time"])):
            unnamed += 1
    counted = {UNNAMED: unnamed} if unnamed else {}
    return FetchResult(rows, source=f"{settings.url} deploy annotations", counted=counted)


def _deployment(settings: Grafana, known: KnownNames, note: Row) -> Row | None:
    """Return a deployment: service and environment stand in tags with a name, else in plain ones that we know."""
    texts: list[str] = note.get("tags") or []
    tags = dict(_tag(text) for text in texts)

    def told(names: list[str], kind: str) -> str | None:
        named = next((tags[name] for name in names if tags.get(name)), None)
        return named or next((text for text in texts if known.knows(kind, text)), None)

    service = told(settings.service_tags, "service")
    environment = told(settings.environment_tags, "environment") or settings.environment
    if service is None or environment is None:
        return None
    return {
        "deployment_id": f"{settings.name}-{note['id']}",
        "service_id": settings.service(service),
        "environment": environment,
        # Of a region the end is when it was rolled out; an annotation of one instant has it as both.
        "deployed_at": instant(max(note["time"], note.get("timeEnd") or 0)),
        "actor_kind": "pipeline" if _is_pipeline(note.get("login"), settings.bots) else "human",
    }


def _tag(text: str) -> tuple[str, str]:
    """Split a tag as tools write them: ``app:web``, ``app: web`` or ``app=web``."""
    name, sign, value = text.partition(":")
    if not sign:
        name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _is_pipeline(login: str | None, bots: list[str]) -> bool:
    """Whether a token wrote it: API keys have no login, service accounts one that begins with ``sa-``."""
    return not login or login.startswith("sa-") or is_machine(login, bots=bots)
