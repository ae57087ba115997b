"""What Prometheus and Alertmanager really tell: external labels, silences, heartbeats, pods and nodes without labels."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.sources import alertmanager, prometheus, prometheus_notes
from tests.connectors.answers import Answers, request_of
from tests.connectors.test_real_prometheus import program
from tests.patience import LIMIT_SECONDS

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
FIRED = NOW - timedelta(hours=2)
URL, MANAGER = "http://127.0.0.1:9", "http://127.0.0.1:8"
LABELS = {"alertname": "Slow", "severity": "critical", "service": "web", "pod": "a"}


def active(started: datetime, **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager shows it, with the labels that Prometheus adds on the way."""
    return {
        "annotations": {},
        "endsAt": "2026-11-15T12:04:00.000Z",
        "fingerprint": "f00d",
        "receivers": [{"name": "duty"}],
        "startsAt": started.isoformat(),
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2026-11-15T12:00:00.000Z",
        "labels": labels,
    }


def silence(start: datetime, end: datetime, *matchers: dict[str, Any]) -> dict[str, Any]:
    times = {"startsAt": start.isoformat(), "endsAt": end.isoformat(), "updatedAt": end.isoformat()}
    told = {"createdBy": "somebody", "comment": "text", "id": "1", "status": {"state": "expired"}}
    return told | times | {"matchers": list(matchers)}


def alerts(
    monkeypatch,
    series: list[tuple[dict[str, str], datetime, datetime]],
    known: list[dict[str, Any]] | None = None,
    silences: list[dict[str, Any]] | None = None,
    config: str = "",
) -> list[dict[str, Any]]:
    def samples(_request, _query, start, end, step, _notes):
        for labels, first, last in series:
            at = [first + number * step for number in range((last - first) // step + 1)]
            values = [(instant, 1.0) for instant in at if start <= instant <= end]
            if values:
                yield labels | {"__name__": "ALERTS", "alertstate": "firing"}, values

    monkeypatch.setattr(prometheus, "_range", samples)
    status = {"config": {"original": config}}
    manager = Answers({"api/v2/alerts": known or [], "api/v2/silences": silences or [], "api/v2/status": status})
    monkeypatch.setattr(alertmanager, "client", lambda _: nullcontext(manager))
    request = request_of("prometheus", "alerts", url=URL, alertmanager_url=MANAGER, now=NOW)
    return list(prometheus.alerts(request).rows)


def test_an_alert_is_found_at_alertmanager_whatever_labels_were_added(monkeypatch):
    started = FIRED - timedelta(seconds=21)
    known = [
        active(started - timedelta(hours=9), **LABELS, cluster="other"),
        active(started, **LABELS, cluster="prod", prometheus="monitoring/k8s"),
        active(started + timedelta(seconds=9), **{**LABELS, "pod": "b"}, cluster="prod"),
    ]
    (row,) = alerts(monkeypatch, [(LABELS, FIRED, NOW)], known)
    assert (row["fired_at"], row["closed_at"]) == (started, None)
    # Over, the same alert has the same id, though Alertmanager has forgotten it.
    (later,) = alerts(monkeypatch, [(LABELS, FIRED, NOW - timedelta(minutes=5))])
    assert later["alert_id"] == row["alert_id"]
    assert (later["fired_at"], later["closed_at"]) == (FIRED, NOW - timedelta(minutes=4))


def test_what_two_replicas_say_is_one_alert(monkeypatch):
    """A store of Thanos keeps both, with the label that its operator gives them; Alertmanager knows nothing of it."""
    first, second = ({**LABELS, "prometheus_replica": f"prometheus-k8s-{number}"} for number in (0, 1))
    later = FIRED + timedelta(minutes=1)
    known = [active(FIRED - timedelta(seconds=21), **LABELS)]
    (row,) = alerts(monkeypatch, [(first, FIRED, NOW), (second, later, NOW)], known)
    assert row["fired_at"] == FIRED - timedelta(seconds=21)
    # One of them was away in between.
    (row,) = alerts(monkeypatch, [(first, FIRED, later), (second, FIRED, NOW - timedelta(minutes=5))])
    assert (row["fired_at"], row["closed_at"]) == (FIRED, NOW - timedelta(minutes=4))


def matcher(name: str, value: str, *, is_regex: bool = False, **more: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": is_regex, **more}


@pytest.mark.parametrize(
    ("start", "end", "matchers", "is_page"),
    [
        (FIRED, NOW, [matcher("alertname", "Slow", isEqual=True)], False),
        # Before version 0.22 there was no isEqual.
        (FIRED, NOW, [matcher("alertname", "Sl.*", is_regex=True)], False),
        (FIRED, NOW, [matcher("service", "db", isEqual=False)], False),
        (FIRED, NOW, [matcher("alertname", "Slo", is_regex=True)], True),
        (FIRED, NOW, [matcher("alertname", "[[:upper:]](?i)LOW\\pL*|x", is_regex=True)], False),
        (FIRED, NOW, [matcher("alertname", "Slow|Other", is_regex=True)], False),
        (FIRED, NOW, [matcher("alertname", "Slow"), matcher("service", "db")], True),
        # What it does not cover from the first to the last instant told somebody.
        (FIRED + timedelta(minutes=5), NOW, [matcher("alertname", "Slow")], True),
        (FIRED, NOW - timedelta(hours=1), [matcher("alertname", "Slow")], True),
        (FIRED, NOW, [matcher("cluster", "prod")], True),
    ],
)
def test_what_was_silenced_all_the_time_is_no_page(monkeypatch, start, end, matchers, is_page):
    rows = alerts(
        monkeypatch, [(LABELS, FIRED, NOW - timedelta(minutes=30))], silences=[silence(start, end, *matchers)]
    )
    assert bool(rows) == is_page


def test_a_silence_that_was_prolonged_is_two_of_which_one_begins_where_the_other_ended(monkeypatch):
    middle, named = FIRED + timedelta(minutes=40), matcher("alertname", "Slow")
    series = [(LABELS, FIRED, NOW - timedelta(minutes=30))]
    long_over = silence(FIRED - timedelta(days=2), FIRED - timedelta(days=1), named)
    two = [long_over, silence(middle, NOW, named), silence(FIRED - timedelta(hours=1), middle, named)]
    assert alerts(monkeypatch, series, silences=two) == []
    gap = [silence(middle + timedelta(minutes=9), NOW, named), silence(FIRED, middle, named)]
    assert len(alerts(monkeypatch, series, silences=gap)) == 1


CONFIG = """
global: {resolve_timeout: 5m}
route:
  receiver: duty
  group_by: [alertname]
  continue: false
  routes:
  - receiver: "null"
    matchers: ['severity="info"']
  - receiver: duty
    match: {team: nights}
    mute_time_intervals: [nights]
  - receiver: duty
    matchers: [team="days"]
    active_time_intervals: [days]
  - receiver: duty
    matchers: [cluster="lab"]
    mute_time_intervals: [nights]
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [service]
receivers:
- name: duty
  pagerduty_configs: [{routing_key: <secret>}]
- name: "null"
time_intervals:
- name: nights
  time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}, {start_time: 00:00, end_time: 06:00}], location: Europe/Oslo}]
- name: days
  time_intervals: [{times: [{start_time: "08:00", end_time: "16:00"}], weekdays: ["monday:friday"], location: Europe/Oslo}]
"""
# A Sunday; Oslo is an hour ahead of UTC.
NIGHT = datetime(2026, 11, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("labels", "first", "minutes", "is_page"),
    [
        ({}, NIGHT, 60, True),
        ({"severity": "info"}, NIGHT, 60, False),
        ({"team": "nights"}, NIGHT, 60, False),
        # It was still there when the night was over.
        ({"team": "nights"}, NIGHT, 5 * 60, True),
        ({"team": "nights"}, NIGHT + timedelta(hours=5), 60, True),
        ({"team": "days"}, NIGHT + timedelta(hours=7), 60, False),
        # On Friday.
        ({"team": "days"}, NIGHT + timedelta(hours=7, days=-2), 60, True),
        # Whether it is of that cluster is not told: Prometheus adds such labels on the way.
        ({"team": "others"}, NIGHT, 60, True),
    ],
)
def test_what_its_policy_told_nobody_is_no_page(monkeypatch, labels, first, minutes, is_page):
    series = [(LABELS | labels, first, first + timedelta(minutes=minutes))]
    assert bool(alerts(monkeypatch, series, config=CONFIG)) == is_page
    assert len(alerts(monkeypatch, series, config="")) == 1
    assert len(alerts(monkeypatch, series, config="route: {receiver: duty, routes: [")) == 1
    # People are called by something else that reads this Alertmanager.
    assert len(alerts(monkeypatch, series, config="{route: {receiver: a}, receivers: [{name: a}]}")) == 1


@pytest.mark.parametrize(
    ("other", "begins", "lasts", "count"),
    [
        ({}, 0, 60, 1),
        ({}, 5, 60, 2),
        ({}, 0, 20, 2),
        ({"service": "db"}, 0, 60, 2),
    ],
    ids=["all the time", "too late", "not long enough", "of another service"],
)
def test_what_another_alert_inhibited_all_the_time_is_no_page(monkeypatch, other, begins, lasts, count):
    start = FIRED + timedelta(minutes=begins)
    series = [
        (LABELS | {"alertname": "Slow", "severity": "warning"}, FIRED, FIRED + timedelta(minutes=30)),
        (LABELS | {"alertname": "Down"} | other, start, start + timedelta(minutes=lasts)),
    ]
    assert len(alerts(monkeypatch, series, config=CONFIG)) == count


def test_a_rule_that_asks_for_more_than_we_know_inhibits_nothing(monkeypatch):
    """Alertmanager is to have rules of several sources (prometheus/alertmanager#4712), which stand under another name."""
    rule = {"sources": [{"source_matchers": ["alertname=Down"]}], "target_matchers": ["alertname=Slow"]}
    series = [(LABELS | {"alertname": name}, FIRED, FIRED + timedelta(minutes=30)) for name in ("Slow", "Down")]
    assert len(alerts(monkeypatch, series, config=json.dumps({"inhibit_rules": [rule]}))) == 2
    known = {"name": "x", "source_matchers": ["alertname=Down"], "target_matchers": ["alertname=Slow"]}
    assert len(alerts(monkeypatch, series, config=json.dumps({"inhibit_rules": [known]}))) == 1


def test_alerts_on_both_sides_of_a_rule_do_not_inhibit_each_other(monkeypatch):
    both = "inhibit_rules: [{source_matchers: [service=web], target_matchers: [service=web], equal: [service]}]"
    series = [(LABELS | {"pod": pod}, FIRED, FIRED + timedelta(minutes=30)) for pod in "ab"]
    assert len(alerts(monkeypatch, series, config=both)) == 2


def test_a_silence_may_name_a_label_that_only_alertmanager_knows(monkeypatch):
    silences = [silence(FIRED - timedelta(hours=1), NOW + timedelta(hours=1), matcher("cluster", "prod"))]
    assert alerts(monkeypatch, [(LABELS, FIRED, NOW)], [active(FIRED, **LABELS, cluster="prod")], silences) == []


@pytest.mark.parametrize(
    ("told", "is_page"),
    [
        # A label that an alert lacks is empty to Alertmanager; of a series, what was added on the way is not known.
        (True, False),
        (False, True),
    ],
)
def test_a_label_that_is_not_there_is_empty_where_all_labels_are_known(monkeypatch, told, is_page):
    silences = [silence(FIRED - timedelta(hours=1), NOW + timedelta(hours=1), matcher("stage", "prod", isEqual=False))]
    known = [active(FIRED, **LABELS, cluster="prod")] if told else []
    assert bool(alerts(monkeypatch, [(LABELS, FIRED, NOW)], known, silences)) == is_page


def test_a_silence_of_an_expression_that_only_go_knows_hides_nothing(monkeypatch):
    silences = [silence(FIRED, NOW, matcher("alertname", r"Slow\pL*[[:alpha:]](?<x", is_regex=True))]
    assert len(alerts(monkeypatch, [(LABELS, FIRED, NOW)], [active(FIRED, **LABELS)], silences)) == 1


def series(value: str = "1", **more: Any) -> dict[str, Any]:
    start = int(datetime(2026, 11, 9, 12, tzinfo=UTC).timestamp())
    return {"metric": {"instance": "web", "service": "web"}, "values": [[start, value]]} | more


@pytest.mark.parametrize(
    ("more", "is_complete", "note"),
    [
        ({}, True, ""),
        ({"infos": ["PromQL info: metric might not be a counter"]}, True, ""),
        ({"warnings": []}, True, ""),
        ({"warnings": ["PromQL warning: bucket label is not a number"]}, True, prometheus_notes.ABOUT_QUERY),
        # What Thanos says with status 200 where a store did not answer.
        ({"warnings": ["receive series from zxq: rpc error"]}, False, prometheus_notes.INCOMPLETE),
        # What VictoriaMetrics says of every answer, and of one where a storage node did not answer.
        ({"isPartial": False}, True, ""),
        ({"isPartial": True}, False, prometheus_notes.INCOMPLETE),
    ],
)
def test_an_answer_may_say_that_a_part_of_it_is_missing(answering, more, is_complete, note):
    body = {"status": "success", "data": {"resultType": "matrix", "result": [series()]}, **more}
    url = answering(lambda *_: (200, body))
    found = prometheus.availability_checks(request_of("prometheus", "availability_checks", url=url, now=NOW))
    assert found.is_complete is is_complete
    assert [text.split(" ", 1)[1] for text in found.notes] == ([note] if note else [])
    assert "zxq" not in str(found.notes)
    assert len(found.rows) == 1


@pytest.mark.parametrize(
    ("stream", "metric", "born", "is_watched", "unseen"),
    [
        # The storage was lost on the 14th, or nothing older is kept.
        ("alerts", "ALERTS", 14, True, (9, 10, 12, 13)),
        ("availability_checks", "probe_success", 14, True, (9, 10, 12, 13)),
        ("alerts", "ALERTS", 1, True, ()),
        # Others write into the store: there is no series of what was scraped, and that says nothing.
        ("alerts", "ALERTS", 14, False, ()),
    ],
)
def test_a_day_of_which_prometheus_has_no_data_at_all_is_not_a_quiet_one(
    answering, stream, metric, born, is_watched, unseen
):
    def answer(_path, _query, body):
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        at = [start + number * step for number in range(int((end - start) // step) + 1)]
        result = []
        if metric in asked["query"]:
            one_day = (
                datetime(2026, 11, 11, 8, tzinfo=UTC).timestamp(),
                datetime(2026, 11, 11, 9, tzinfo=UTC).timestamp(),
            )
            found = [[each, "1"] for each in at if one_day[0] <= each <= one_day[1]]
            result = [{"metric": LABELS | {"instance": "web"}, "values": found}] if found else []
        elif is_watched and asked["query"] == "count(up)":
            first = datetime(2026, 11, born, tzinfo=UTC).timestamp()
            result = [{"metric": {}, "values": [[each, "3"] for each in at if each >= first]}]
        return 200, {"status": "success", "data": {"resultType": "matrix", "result": result}}

    found = getattr(prometheus, stream)(request_of("prometheus", stream, url=answering(answer), now=NOW))
    assert found.unseen == {date(2026, 11, day) for day in unseen}
    assert found.counted == ({prometheus_notes.NO_DATA: len(unseen)} if unseen else {})
    assert found.rows


@pytest.mark.parametrize("status", [400, 422])
def test_a_store_that_refuses_the_question_for_what_was_watched_tells_nothing_of_it(answering, status):
    def answer(_path, _query, body):
        is_refused = "count%28up%29" in body
        return status if is_refused else 200, {"status": "success", "data": {"resultType": "matrix", "result": []}}

    found = prometheus.alerts(request_of("prometheus", "alerts", url=answering(answer), now=NOW))
    assert (found.rows, found.unseen, found.is_complete) == ([], frozenset(), True)


def test_a_series_of_native_histograms_has_no_values_and_breaks_nothing(answering):
    histogram = {"metric": {"instance": "db"}, "histograms": [[0, {"count": "1", "sum": "1"}]]}
    body = {"status": "success", "data": {"resultType": "matrix", "result": [histogram, series()]}}
    url = answering(lambda *_: (200, body))
    found = prometheus.availability_checks(request_of("prometheus", "availability_checks", url=url, now=NOW))
    assert [row["monitor_id"] for row in found.rows] == ["web"]


@pytest.mark.parametrize(
    ("values", "status"), [("111", "up"), ("110", "degraded"), ("100", "down"), ("000", "down")], ids=str
)
def test_one_check_from_several_places_is_one_check(answering, values, status):
    places = [
        series(value) | {"metric": {"instance": "web", "job": "http", "place": str(number)}}
        for number, value in enumerate(values)
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": places}}
    url = answering(lambda *_: (200, body))
    found = prometheus.availability_checks(request_of("prometheus", "availability_checks", url=url, now=NOW))
    assert [(row["monitor_id"], row["status"]) for row in found.rows] == [("web", status)]


def test_checks_of_two_kinds_are_not_one(answering):
    """A host that answers pings says nothing of the pages that it no longer serves."""
    jobs = [
        series(value) | {"metric": {"instance": "web", "job": job}} for job, value in (("http", "0"), ("ping", "1"))
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": jobs}}
    url = answering(lambda *_: (200, body))
    found = prometheus.availability_checks(request_of("prometheus", "availability_checks", url=url, now=NOW))
    assert sorted(row["status"] for row in found.rows) == ["down", "up"]


def test_a_service_with_one_of_the_two_counters_is_counted(answering):
    def answer(_path, _query, body):
        is_fast = "bucket" in body
        return 200, {"status": "success", "data": {"resultType": "matrix", "result": [] if is_fast else [series()]}}

    found = prometheus.latency_daily(request_of("prometheus", "latency_daily", url=answering(answer), now=NOW))
    assert (list(found.rows), found.counted) == ([], {prometheus.ONE_COUNTER: 1})


def test_an_expiry_that_no_calendar_has_is_counted(answering):
    def answer(_path, _query, body):
        values = ["1800000000", "1800000000000", "NaN", "0"] if "secret" in body else []
        result = [{"metric": {"instance": str(place)}, "value": [0, value]} for place, value in enumerate(values)]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}

    found = prometheus.expiries(request_of("prometheus", "expiries", url=answering(answer), now=NOW))
    assert (len(found.rows), found.counted) == (1, {prometheus.TOO_LATE: 1})


def test_one_certificate_that_is_probed_from_several_places_is_one(answering):
    """Each place has its own labels; an exporter of secrets tells many by one instance, and there may be two of it."""

    def answer(_path, _query, body):
        probed = [
            ({"__name__": "probe_ssl_earliest_cert_expiry", "instance": target, "location": place}, end)
            for target, place, end in (("a", "oslo", 1), ("a", "bodo", 1), ("b", "oslo", 1), ("b", "bodo", 2))
        ]
        told = [
            ({"__name__": "secret_expiry", "instance": "exporter", "pod": pod, "name": name}, 1)
            for pod, name in (("p", "x"), ("p", "y"), ("q", "x"), ("q", "y"))
        ]
        # Nothing but who tells it: each is one.
        told += [({"__name__": "secret_expiry", "instance": "bare", "pod": pod}, 1) for pod in ("p", "q")]
        result = [
            {"metric": labels, "value": [0, str(1_800_000_000 + end)]}
            for labels, end in (told if "secret" in body else probed)
        ]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}

    found = prometheus.expiries(request_of("prometheus", "expiries", url=answering(answer), now=NOW))
    # Where a server still shows the old one there are two.
    assert Counter(row["service_id"] for row in found.rows) == {"a": 1, "b": 2, "exporter": 2, "bare": 2}


def test_requests_without_the_label_belong_to_no_service_called_none(answering):
    unlabelled = series() | {"metric": {}}
    body = {"status": "success", "data": {"resultType": "matrix", "result": [unlabelled, series()]}}
    url = answering(lambda *_: (200, body))
    found = prometheus.latency_daily(request_of("prometheus", "latency_daily", url=url, now=NOW))
    assert [row["service_id"] for row in found.rows] == ["web"]
    # Once for all requests, once for the fast ones.
    assert found.counted == {prometheus.NO_LABEL: 2}


@pytest.mark.parametrize(
    "labels", [{"alertname": "Watchdog", "severity": "none"}, {"alertname": "InfoInhibitor", "severity": "none"}]
)
def test_heartbeats_are_no_pages(monkeypatch, labels):
    assert alerts(monkeypatch, [(labels, FIRED, NOW)]) == []


@pytest.mark.parametrize(
    ("labels", "service", "severity"),
    [
        ({"service": "web", "severity": "Warning"}, "web", 3),
        ({"namespace": "havneavgift-api", "job": "kube-state-metrics"}, "havneavgift-api", None),
        ({"namespace": "kube-system", "severity": "urgent"}, "kube-system", None),
        ({}, "Slow", None),
    ],
)
def test_an_alert_without_the_label_is_kept_under_another_name(monkeypatch, labels, service, severity):
    (row,) = alerts(monkeypatch, [({"alertname": "Slow", **labels}, FIRED, NOW)])
    assert (row["service_id"], row["severity"]) == (service, severity)


@pytest.mark.parametrize(
    ("manager", "settings", "sent"),
    [
        # One gateway before both, as of Mimir or OpenShift.
        (f"{URL}/alertmanager", {}, "Bearer of-prometheus"),
        (MANAGER, {}, None),
        (MANAGER, {"alertmanager_token_env": "ALERTMANAGER_TOKEN"}, "Bearer of-alertmanager"),
        (f"{URL}/alertmanager", {"alertmanager_token_env": "ALERTMANAGER_TOKEN"}, "Bearer of-alertmanager"),
    ],
)
def test_an_alertmanager_gets_its_own_token_or_that_of_the_same_origin(monkeypatch, manager, settings, sent):
    monkeypatch.setenv("PROMETHEUS_TOKEN", "of-prometheus")
    monkeypatch.setenv("ALERTMANAGER_TOKEN", "of-alertmanager")
    known = {"url": URL, "alertmanager_url": manager, "token_env": "PROMETHEUS_TOKEN", **settings}
    with alertmanager.client(request_of("prometheus", "alerts", now=NOW, **known)) as http:
        assert http._client.headers.get("authorization") == sent


def test_an_alertmanager_that_is_not_there_is_an_error():
    request = request_of("prometheus", "alerts", url=URL, alertmanager_url=MANAGER, now=NOW)
    with pytest.raises(SourceError, match="prometheus alertmanager"):
        alertmanager.Alertmanager(request)


def test_autoscalers_of_one_name_in_two_namespaces_are_two_resources(monkeypatch):
    """The default query: both counted as one, whose samples contradicted each other."""
    at = datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp()

    def post(_path: str, data: dict[str, str]) -> dict[str, Any]:
        is_ceiling = ">= bool" in data["query"]
        used = [("betaling", "web", 1.0), ("post", "web", 0.25), ("post", "jobb", 0.5)]
        found = [
            {
                "metric": {"namespace": space, "horizontalpodautoscaler": name, "resource": name},
                "values": [[at, f"{float(share == 1) if is_ceiling else share}"]],
            }
            for space, name, share in used
        ]
        return {"status": "success", "data": {"resultType": "matrix", "result": found}}

    client = Answers({})
    client.post = post
    monkeypatch.setattr(prometheus, "_client", lambda _: nullcontext(client))
    request = request_of("prometheus", "capacity_samples", url=URL, services={"betaling/web": "havneavgift-api"})
    rows = {row["resource_id"]: row for row in prometheus.capacity_samples(request).rows}
    assert {name: (row["utilisation_ratio"], row["is_at_ceiling"]) for name, row in rows.items()} == {
        "betaling/web": (1.0, True),
        "post/web": (0.25, False),
        "jobb": (0.5, False),
    }
    assert (rows["betaling/web"]["service_id"], rows["post/web"]["service_id"]) == ("havneavgift-api", "web")


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        # Own queries without namespaces, and of a ceiling without one.
        ([("", 0.5)], [("", 1.0)], {"web": True}),
        ([("post", 0.5)], [("", 1.0)], {"web": True}),
        ([("post", 0.5), ("betaling", 0.5)], [("", 1.0)], {"post/web": True, "betaling/web": True}),
        ([("post", 0.5), ("betaling", 0.5)], [("post", 1.0)], {"post/web": True, "betaling/web": None}),
    ],
)
def test_a_ceiling_is_that_of_the_same_resource(own, others, expected):
    at = datetime(2026, 11, 10, 12, tzinfo=UTC)

    def series(found):
        return [
            ({"resource": "web", **({"namespace": space} if space else {})}, [(at, value)]) for space, value in found
        ]

    used, most = prometheus._Resources(series(own)), prometheus._Resources(series(others))
    found = {used.name_of(labels): most.at(labels, at) for labels, _ in used.series}
    assert {name: None if value is None else value > 0 for name, value in found.items()} == expected


def test_autoscalers_of_one_name_in_two_clusters_are_two():
    at = datetime(2026, 11, 10, 12, tzinfo=UTC)

    def series(*found: tuple[str, str, float]):
        return [
            ({"resource": "web", "cluster": cluster, "namespace": space}, [(at, value)])
            for cluster, space, value in found
        ]

    used = prometheus._Resources(series(("p", "post", 1.0), ("q", "post", 0.2), ("p", "kart", 0.5)))
    most = prometheus._Resources(series(("p", "post", 1.0), ("q", "post", 0.0), ("p", "kart", 0.0)))
    found = {used.name_of(labels): most.at(labels, at) for labels, _ in used.series}
    assert found == {"p/post/web": 1.0, "q/post/web": 0.0, "kart/web": 0.0}
    # A question of one's own that leaves the cluster out.
    assert most.at({"resource": "web", "namespace": "kart"}, at) == 0.0
    assert most.at({"resource": "web", "namespace": "post"}, at) is None


NODES = """
  - series: 'kube_pod_info{{namespace="n",pod="web-5d9c-{0}",node="n{0}"}}'
    values: '1'
"""
ZONE = """
  - series: 'kube_node_labels{{node="n{0}"{1}}}'
    values: '1'
"""


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        (["a", "b"], [2]),
        (["a", "a"], [1]),
        # kube-state-metrics without the label on its allow list: nodes, and no zones.
        (["", ""], []),
        (["a", ""], []),
    ],
    ids=["two", "one", "none named", "one not named"],
)
def test_zones_are_counted_where_every_node_names_its_own(tmp_path, zones, expected):
    """The real query, evaluated by Prometheus' own test runner."""
    series = ""
    for node, zone in zip(("abc", "def"), zones, strict=True):
        label = f',label_topology_kubernetes_io_zone="{zone}"' if zone else ""
        series += NODES.format(node) + ZONE.format(node, label)
    samples = [{"labels": '{namespace="n", workload="web"}', "value": count} for count in expected]
    asked = {"expr": prometheus.WORKLOADS["zone_count"], "eval_time": "0m", "exp_samples": samples}
    tests = f"tests:\n- interval: 1m\n  input_series:{series}  promql_expr_test:\n  - {json.dumps(asked)}\n"
    (tmp_path / "tests.yml").write_text("rule_files: []\n" + tests)
    done = subprocess.run(
        [program("promtool"), "test", "rules", "tests.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def evaluated(folder: Path, told: list[tuple[str, str]], expected: dict[str, int | dict[str, int]]) -> None:
    """Let Prometheus' own test runner evaluate our queries of one workload ``web`` over some series.

    What is expected is one number, or that of each cluster.
    """
    series = "".join(f"\n  - series: '{name}'\n    values: '{value}'" for name, value in told)
    asked = [
        {
            "expr": prometheus.WORKLOADS[column],
            "eval_time": "0m",
            "exp_samples": [
                {"labels": f'{{{cluster}namespace="n", workload="web"}}', "value": number}
                for cluster, number in (
                    ((f'cluster="{name}", ', each) for name, each in count.items())
                    if isinstance(count, dict)
                    else [("", count)]
                )
            ],
        }
        for column, count in expected.items()
    ]
    expressions = "".join(f"\n  - {json.dumps(one)}" for one in asked)
    tests = f"tests:\n- interval: 1m\n  input_series:{series}\n  promql_expr_test:{expressions}\n"
    (folder / "tests.yml").write_text("rule_files: []\n" + tests)
    done = subprocess.run(
        [program("promtool"), "test", "rules", "tests.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("pod", "labels", "phase", "zones", "requests"),
    [
        ("web-5d9c-def", 'created_by_kind="ReplicaSet"', "Running", 2, 2),
        # Pods that were evicted or have ended stay in the list, often with a node that is gone.
        ("web-5d9c-def", 'created_by_kind="ReplicaSet"', "Failed", 1, 1),
        ("web-5d9c-def", 'created_by_kind="ReplicaSet"', "Succeeded", 1, 1),
        # A pod of a StatefulSet web-cache, or of a Job, has a name as one of a deployment.
        ("web-cache-0", 'created_by_kind="StatefulSet"', "Running", 1, 1),
        ("web-2901-def", 'created_by_kind="Job"', "Running", 1, 1),
    ],
)
def test_only_pods_that_a_deployment_runs_now_count(tmp_path, pod, labels, phase, zones, requests):
    """The real queries, evaluated by Prometheus' own test runner."""
    told = [
        ('kube_pod_info{namespace="n",pod="web-5d9c-abc",node="nabc",created_by_kind="ReplicaSet"}', "1"),
        (f'kube_pod_info{{namespace="n",pod="{pod}",node="ndef",{labels}}}', "1"),
        *((f'kube_pod_container_resource_requests{{namespace="n",pod="{name}",resource="cpu"}}', "1")
          for name in ("web-5d9c-abc", pod)),
        *((f'kube_pod_status_phase{{namespace="n",pod="{pod}",phase="{each}"}}', str(int(each == phase)))
          for each in ("Failed", "Pending", "Running", "Succeeded", "Unknown")),
        *((f'kube_node_labels{{node="n{name}",label_topology_kubernetes_io_zone="{name}"}}', "1")
          for name in ("abc", "def")),
    ]  # fmt: skip
    evaluated(tmp_path, told, {"zone_count": zones, "has_resource_requests": requests})


def test_what_two_collectors_tell_is_told_once(tmp_path):
    """Two of kube-state-metrics, or two of Prometheus behind one store: every series is there twice."""
    info = (
        'kube_horizontalpodautoscaler_info{{{0},namespace="n",horizontalpodautoscaler="h",scaletargetref_name="web"}}'
    )
    most = 'kube_horizontalpodautoscaler_spec_max_replicas{{{0},namespace="n",horizontalpodautoscaler="h"}}'
    told = [
        (text.format(f'replica="{replica}"'), value)
        for replica in ("a", "b")
        for text, value in (
            ('kube_pod_info{{{0},namespace="n",pod="web-5d9c-abc",node="x"}}', "1"),
            ('kube_node_labels{{{0},node="x",label_topology_kubernetes_io_zone="z"}}', "1"),
            (info, "1"),
            (most, "4"),
        )
    ]
    evaluated(tmp_path, told, {"zone_count": 1, "autoscaler_max": 4})


def test_workloads_of_one_name_in_two_clusters_are_two(tmp_path):
    """Several clusters write into one store, each with its label: here one over two zones, one without requests."""
    zones = {"p": ("abc", "def"), "q": ("ghi",)}
    pods = [(cluster, name) for cluster, names in zones.items() for name in names]
    told = [
        *((f'kube_pod_info{{cluster="{at}",namespace="n",pod="web-5d9c-{name}",node="n{name}"}}', "1") for at, name in pods),
        *((f'kube_node_labels{{cluster="{at}",node="n{name}",label_topology_kubernetes_io_zone="{name}"}}', "1")
          for at, name in pods),
        ('kube_pod_container_resource_requests{cluster="p",namespace="n",pod="web-5d9c-abc",resource="cpu"}', "1"),
        *((f'kube_deployment_status_replicas_available{{cluster="{at}",namespace="n",deployment="web"}}', f"{len(names)}")
          for at, names in zones.items()),
    ]  # fmt: skip
    both = {"p": 2, "q": 1}
    evaluated(tmp_path, told, {"zone_count": both, "replica_count": both, "has_resource_requests": {"p": 1}})


def test_only_a_workload_of_several_clusters_is_called_by_its_cluster(answering):
    def answer(_path, _query, body):
        is_asked = parse_qs(body)["query"] == [prometheus.WORKLOADS["replica_count"]]
        places = [("p", "web"), ("q", "web"), ("p", "jobb")] if is_asked else []
        found = [
            {"metric": {"cluster": at, "namespace": "n", "workload": name}, "value": [0, "2"]} for at, name in places
        ]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": found}}

    found = prometheus.workload_states(request_of("prometheus", "workload_states", url=answering(answer), now=NOW))
    assert sorted(row["workload_id"] for row in found.rows) == ["n/jobb", "p/n/web", "q/n/web"]


@pytest.mark.parametrize(("requests", "expected"), [([], [None, None]), (["web"], [True, False])])
def test_without_any_requests_it_is_not_known_whether_there_are_some(monkeypatch, requests, expected):
    def post(_path: str, data: dict[str, str]) -> dict[str, Any]:
        named = {"replica_count": ["web", "jobb"], "has_resource_requests": requests}
        column = next(name for name, query in prometheus.WORKLOADS.items() if query == data["query"])
        found = [{"metric": {"namespace": "n", "workload": name}, "value": [0, "2"]} for name in named.get(column, [])]
        return {"status": "success", "data": {"resultType": "vector", "result": found}}

    client = Answers({})
    client.post = post
    monkeypatch.setattr(prometheus, "_client", lambda _: nullcontext(client))
    rows = prometheus.workload_states(request_of("prometheus", "workload_states", url=URL)).rows
    assert [row["has_resource_requests"] for row in rows] == expected
    assert [row.get("zone_count") for row in rows] == [None, None]
