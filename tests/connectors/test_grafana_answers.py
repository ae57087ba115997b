"""Grafana's real answers: numbers instead of uids, texts that change, states with reasons, policies, recording rules."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import grafana
from opsmetrics.sources.grafana_quiet import SILENCES, TIMINGS, TREES, UNTOLD_SILENCES, UNTOLD_TIMINGS, UNTOLD_TREES
from opsmetrics.sources.pull import pull_stream
from tests.conftest import settings_in
from tests.connectors.answers import Answers, ask, request_of
from tests.connectors.told import Reply, fetched, telling

RULES, NOTES = "api/v1/provisioning/alert-rules", "api/annotations"
POLICIES, HISTORY = "api/v1/provisioning/policies", "api/v1/rules/history"
# Nothing is silenced or muted.
TOLD: dict[str, Any] = {SILENCES: [], POLICIES: {"receiver": "grafana-default-email"}, TIMINGS: []}
START = datetime(2026, 11, 10, 8, tzinfo=UTC)
URL = "https://grafana.example"
TOKEN = {"token_env": "GRAFANA_TOKEN"}


def rule(number: int = 41, uid: str = "feedc0de", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "uid": uid,
        "orgID": 1,
        "folderUID": "f",
        "ruleGroup": "g",
        "title": "Slow",
        "condition": "C",
        "data": [],
        "updated": "2026-10-01T08:00:00Z",
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": "5m",
        "isPaused": False,
        "labels": {"service": "web", "severity": "critical"},
    } | more


def note(minute: int, previous: str, state: str, values: str = "A=1.000000", pod: str = "a", **more: Any) -> dict:
    at = int((START + timedelta(minutes=minute)).timestamp() * 1000)
    text = f"Slow {{alertname=Slow, grafana_folder=F, pod={pod}, service=web, severity=critical}} - {values}"
    return {
        "id": 1000 + minute,
        "alertId": 41,
        "newState": state,
        "prevState": previous,
        "created": at,
        "updated": at,
        "time": at,
        "timeEnd": at,
        "text": text,
        "data": {"values": {"A": 1}},
    } | more


def alerts(
    monkeypatch,
    notes: list[dict],
    rules: list[dict] | None = None,
    told: dict[str, Any] | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    request = request_of("grafana", "alerts", url=URL, **settings)
    rows, _ = ask(monkeypatch, grafana, request, {**TOLD, RULES: rules or [rule()], NOTES: notes, **(told or {})})
    return rows


def test_ten_annotations_of_one_firing_are_one_alert_that_ended(monkeypatch):
    """Thirty minutes, as the state history of one alert reads: values change in every text, labels do not."""
    notes = [
        note(0, "Normal", "Pending", "A=12.100000"),
        note(5, "Pending", "Alerting", "A=13.400000, B=1.000000"),
        note(9, "Alerting", "Alerting (NoData)", "A=NaN"),
        note(11, "Alerting (NoData)", "Alerting", "A=19.000000"),
        note(14, "Alerting", "Recovering", "A=3.000000"),
        note(16, "Recovering", "Alerting", "A=15.000000"),
        note(20, "Alerting", "Error", "Error"),
        note(22, "Error", "Alerting", "A=14.000000"),
        note(30, "Alerting", "Recovering", "A=2.000000"),
        note(35, "Recovering", "Normal", "A=1.000000"),
    ]
    (row,) = alerts(monkeypatch, list(reversed(notes)))
    assert (row["rule_id"], row["service_id"], row["severity"]) == ("feedc0de", "web", 1)
    assert row["fired_at"] == START + timedelta(minutes=5)
    assert row["closed_at"] == START + timedelta(minutes=35)


def silence(first: int, last: int, *matchers: tuple[str, str]) -> dict[str, Any]:
    """As Grafana's own Alertmanager tells one that is over."""
    start, end = ((START + timedelta(minutes=minute)).isoformat() for minute in (first, last))
    return {
        "id": "1", "status": {"state": "expired"}, "updatedAt": end, "startsAt": start, "endsAt": end,
        "createdBy": "somebody", "comment": "text",
        "matchers": [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in matchers],
    }  # fmt: skip


ENDED = [note(0, "Normal", "Alerting"), note(30, "Alerting", "Normal")]


@pytest.mark.parametrize(
    ("silences", "is_page"),
    [
        ([silence(-60, 60, ("service", "web"))], False),
        # The button of a rule makes a silence of its uid, which is in no text of an annotation.
        ([silence(-60, 60, ("__alert_rule_uid__", "feedc0de"))], False),
        ([silence(-60, 60, ("__alert_rule_uid__", "other"))], True),
        ([silence(-60, 60, ("service", "web"), ("pod", "b"))], True),
        # A label that it does not have is empty.
        ([silence(-60, 60, ("team", ""))], False),
        ([silence(5, 60, ("service", "web"))], True),
        ([silence(-60, 20, ("service", "web"))], True),
        ([silence(-60, 20, ("service", "web")), silence(20, 60, ("service", "web"))], False),
    ],
)
def test_what_was_silenced_all_the_time_is_no_page(monkeypatch, silences, is_page):
    assert bool(alerts(monkeypatch, ENDED, told={SILENCES: silences})) == is_page


WEEKDAYS = {"times": [{"start_time": "07:00", "end_time": "10:00"}], "weekdays": ["tuesday:thursday"]}
MUTED = {"object_matchers": [["service", "=", "web"]], "mute_time_intervals": ["mornings"]}


@pytest.mark.parametrize(
    ("route", "interval", "is_page"),
    [
        (MUTED, WEEKDAYS, False),
        (MUTED, {**WEEKDAYS, "location": "Europe/Oslo"}, False),
        (MUTED, {**WEEKDAYS, "location": "America/New_York"}, True),
        (MUTED, {**WEEKDAYS, "times": [{"start_time": "08:00", "end_time": "08:20"}]}, True),
        (MUTED, {**WEEKDAYS, "weekdays": ["saturday", "sunday"]}, True),
        (MUTED, {"days_of_month": ["1:3", "-21"], "months": ["november"], "years": ["2025:2026"]}, False),
        (MUTED, {"months": ["12"]}, True),
        (MUTED, {"times": [{"start_time": "?", "end_time": "10:00"}]}, True),
        ({**MUTED, "mute_time_intervals": ["another"]}, WEEKDAYS, True),
        ({**MUTED, "object_matchers": [["service", "=", "db"]]}, WEEKDAYS, True),
        ({**MUTED, "object_matchers": [["pod", "=~", "a|b"], ["team", "=", ""]]}, WEEKDAYS, False),
        ({**MUTED, "continue": True}, WEEKDAYS, False),
        ({"object_matchers": [], "active_time_intervals": ["mornings"]}, WEEKDAYS, True),
        ({"object_matchers": [], "active_time_intervals": ["mornings"]}, {"months": ["december"]}, False),
    ],
)
def test_what_its_policy_muted_all_the_time_is_no_page(monkeypatch, route, interval, is_page):
    """It fired from 08:00 to 08:30 in UTC on a Tuesday, the tenth of November."""
    tree = {"receiver": "duty", "routes": [route]}
    timings = [{"name": "mornings", "time_intervals": [interval], "version": "1", "provenance": "api"}]
    assert bool(alerts(monkeypatch, ENDED, told={POLICIES: tree, TIMINGS: timings})) == is_page


def test_a_rule_with_a_receiver_of_its_own_has_timings_of_its_own(monkeypatch):
    timings = [{"name": "mornings", "time_intervals": [WEEKDAYS]}]
    sent = rule(notification_settings={"receiver": "duty", "mute_time_intervals": ["mornings"]})
    assert alerts(monkeypatch, ENDED, [sent], told={TIMINGS: timings}) == []


OWN_TREE = [
    {"notification_settings": {"receiver": "", "policy": "coast"}},
    {"labels": {"service": "web", "severity": "critical", "__grafana_managed_route__": "coast"}},
]


@pytest.mark.parametrize("named", OWN_TREE)
def test_a_rule_that_names_a_tree_of_policies_does_not_go_by_the_one_that_is_told(small, monkeypatch, named):
    """Since Grafana 13 there may be several, of which the provisioning API tells the first."""
    monkeypatch.setenv("GRAFANA_TOKEN", "loopback-only")
    at = int(datetime(2026, 8, 4, 8, tzinfo=UTC).timestamp() * 1000)
    notes = [note(0, "Normal", "Alerting") | {"time": at}, note(30, "Alerting", "Normal") | {"time": at + 1_800_000}]
    tree = {"receiver": "duty", "routes": [MUTED | {"receiver": "mail"}]}
    timings = [{"name": "mornings", "time_intervals": [WEEKDAYS]}]
    told = {f"/{NOTES}": notes, f"/{SILENCES}": [], f"/{POLICIES}": tree, f"/{TIMINGS}": timings}
    told[f"/{RULES}"] = [rule(), rule(42, "ruled", **named)]
    with telling(told) as server:
        answer = fetched(small, "grafana", "alerts", url=server.url, **TOKEN)
        assert (len(answer.rows), answer.notes) == (0, (f"1 {UNTOLD_TREES}",))
        server.routes[f"/{RULES}"] = [rule(**named)]
        assert len(fetched(small, "grafana", "alerts", url=server.url, **TOKEN).rows) == 1
        states = fetched(small, "grafana", "alert_rule_states", url=server.url, oncall_receivers=["duty"], **TOKEN)
        assert [row["is_routed"] for row in states.rows] == [None]


@pytest.mark.parametrize("path", TREES)
@pytest.mark.parametrize("named", OWN_TREE)
def test_a_rule_goes_by_the_tree_of_policies_that_it_names(small, monkeypatch, named, path):
    """One call tells all trees; versions before 13.1 know it by an older name only."""
    monkeypatch.setenv("GRAFANA_TOKEN", "loopback-only")
    at = int(datetime(2026, 8, 4, 8, tzinfo=UTC).timestamp() * 1000)
    notes = [note(0, "Normal", "Alerting") | {"time": at}, note(30, "Alerting", "Normal") | {"time": at + 1_800_000}]
    matcher = {"type": "=~", "label": "severity", "value": "critical|high"}
    below = {"continue": False, "matchers": [matcher], "mute_time_intervals": ["mornings"]}
    route = {"receiver": "duty", "continue": False, "routes": [below]}
    spec = {"defaults": {"receiver": "duty"}, "routes": [route]}
    trees = {
        "metadata": {},
        "items": [{"metadata": {"name": name}, "spec": spec} for name in ("user-defined", "coast")],
    }
    timings = [{"name": "mornings", "time_intervals": [WEEKDAYS]}]
    told = {f"/{NOTES}": notes, f"/{SILENCES}": [], f"/{POLICIES}": {"receiver": "mail"}, f"/{TIMINGS}": timings}
    told |= {f"/{RULES}": [rule(orgID=7, **named)], "/" + path.format("org-7"): trees}
    with telling(told) as server:
        answer = fetched(small, "grafana", "alerts", url=server.url, **TOKEN)
        assert (len(answer.rows), answer.notes) == (0, ())
        matcher["value"] = "high"
        assert len(fetched(small, "grafana", "alerts", url=server.url, **TOKEN).rows) == 1
        for receivers, routed in (([], True), (["duty"], True), (["mail"], False)):
            states = fetched(small, "grafana", "alert_rule_states", url=server.url, oncall_receivers=receivers, **TOKEN)
            assert [row["is_routed"] for row in states.rows] == [routed]


def test_what_was_silenced_stays_so_when_grafana_has_forgotten_the_silence(small, tmp_path, monkeypatch):
    """It does five days after the end; the day is not asked for again by then."""
    monkeypatch.setenv("GRAFANA_TOKEN", "loopback-only")
    at = datetime(2026, 8, 4, 8, tzinfo=UTC)
    notes = [
        item | {"time": int((at + timedelta(minutes=minute)).timestamp() * 1000)}
        for item, minute in zip(ENDED, (0, 30), strict=True)
    ]
    over = silence(0, 60, ("service", "web"))
    over |= {"startsAt": (at - timedelta(hours=1)).isoformat(), "endsAt": (at + timedelta(hours=1)).isoformat()}
    source = 'name = "graf"\nkind = "grafana"\nstreams = ["alerts"]\nfrom = 2026-08-01\ntoken_env = "GRAFANA_TOKEN"'
    told = {f"/{RULES}": [rule()], f"/{NOTES}": notes, f"/{POLICIES}": {"receiver": "duty"}, f"/{TIMINGS}": []}
    landed: list[int] = []
    with telling(told) as server:
        (small / "sources.toml").write_text(f'[[connector]]\n{source}\nurl = "{server.url}"\n')
        for days, silences in ((1, [over]), (2, [over]), (3, [over]), (4, [over]), (8, []), (12, [])):
            server.routes[f"/{SILENCES}"] = silences
            settings = replace(settings_in(tmp_path), now=at + timedelta(days=days))
            (result,) = pull_stream(settings, load_organisation(small), "alerts")
            assert result.error is None
            landed.append(result.rows)
    assert landed == [0] * 6


def test_where_silences_and_timings_may_not_be_read_that_is_said(small, monkeypatch):
    monkeypatch.setenv("GRAFANA_TOKEN", "loopback-only")
    at = int(datetime(2026, 8, 4, 8, tzinfo=UTC).timestamp() * 1000)
    notes = [note(0, "Normal", "Alerting") | {"time": at}, note(30, "Alerting", "Normal") | {"time": at + 1_800_000}]
    with telling({f"/{RULES}": [rule()], f"/{NOTES}": notes, f"/{SILENCES}": Reply({}, 403)}) as server:
        answer = fetched(small, "grafana", "alerts", url=server.url, **TOKEN)
    assert (len(answer.rows), answer.is_complete) == (1, True)
    assert answer.notes == (UNTOLD_SILENCES, UNTOLD_TIMINGS)


def test_instances_of_one_rule_are_alerts_of_their_own(monkeypatch):
    notes = [
        note(0, "Normal", "Alerting", pod="a"),
        note(1, "Normal", "Alerting", pod="b"),
        note(8, "Alerting", "Normal (MissingSeries)", pod="a"),
    ]
    rows = sorted(alerts(monkeypatch, notes), key=lambda row: row["fired_at"])
    assert [row["closed_at"] for row in rows] == [START + timedelta(minutes=8), None]
    assert len({row["alert_id"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("setting", "closed"), [("Alerting", 20), ("OK", 10), ("NoData", 20), ("KeepLast", 20)], ids=str
)
def test_no_data_is_what_the_rule_says_and_else_not_known(monkeypatch, setting, closed):
    notes = [
        note(0, "Normal", "Alerting"),
        note(10, "Alerting", "NoData", "No data"),
        note(20, "NoData", "Normal"),
    ]
    (row,) = alerts(monkeypatch, notes, [rule(noDataState=setting)])
    assert row["closed_at"] == START + timedelta(minutes=closed)


@pytest.mark.parametrize(
    ("state", "settings", "is_page"),
    [
        ("NoData", {}, True),
        ("Error", {}, True),
        ("NoData", {"noDataState": "OK"}, False),
        ("Error", {"execErrState": "OK"}, False),
        # It keeps the state that it had, which nobody tells here.
        ("NoData", {"noDataState": "KeepLast"}, False),
    ],
)
def test_by_default_no_data_and_errors_tell_somebody(monkeypatch, state, settings, is_page):
    notes = [note(0, "Normal", state, "No data"), note(30, state, "Normal")]
    rows = alerts(monkeypatch, notes, [rule(**settings)])
    assert [(row["rule_id"], row["closed_at"]) for row in rows] == (
        [("feedc0de", START + timedelta(minutes=30))] if is_page else []
    )


@pytest.mark.parametrize(("name", "is_page"), [("DatasourceNoData", False), ("Slow", True)])
def test_without_data_an_alert_goes_by_another_name(monkeypatch, name, is_page):
    """A silence or policy of that name is the usual way not to be called for it."""
    notes = [note(0, "Normal", "NoData", "No data"), note(30, "NoData", "Normal")]
    quiet = {SILENCES: [silence(-60, 60, ("alertname", name), ("rulename", "Slow" if name != "Slow" else ""))]}
    assert bool(alerts(monkeypatch, notes, told=quiet)) == is_page
    policy = {"receiver": "duty", "object_matchers": [["alertname", "=", name]], "mute_time_intervals": ["always"]}
    always = [{"name": "always", "time_intervals": [{"weekdays": ["sunday:saturday"]}]}]
    muted = {POLICIES: {"receiver": "duty", "routes": [policy]}, TIMINGS: always}
    assert bool(alerts(monkeypatch, notes, told=muted)) == is_page


def test_what_had_no_data_before_the_window_does_not_begin_in_it(monkeypatch):
    assert alerts(monkeypatch, [note(0, "NoData", "Alerting"), note(9, "Alerting", "Normal")]) == []


def test_what_fired_before_the_window_does_not_begin_in_it(monkeypatch):
    """Only the reason changes: when it began is told by an annotation that nobody asked for."""
    notes = [note(0, "Alerting", "Alerting (Error)"), note(10, "Alerting (Error)", "Normal")]
    assert alerts(monkeypatch, notes) == []


def test_annotations_from_loki_have_no_id_and_no_end(monkeypatch):
    def bare(item: dict) -> dict:
        kept = {"alertId", "newState", "prevState", "time", "text", "data"}
        return {name: value for name, value in item.items() if name in kept} | {"dashboardUID": ""}

    notes = [bare(note(0, "Pending", "Alerting")), bare(note(30, "Alerting", "Normal"))]
    (row,) = alerts(monkeypatch, notes)
    assert (row["rule_id"], row["closed_at"]) == ("feedc0de", START + timedelta(minutes=30))


def test_a_remark_on_an_alert_changes_nothing(monkeypatch):
    remark = {"id": 7, "alertId": 41, "time": note(5, "", "")["time"], "text": "looking", "userId": 3, "login": "ola"}
    (row,) = alerts(monkeypatch, [note(0, "Pending", "Alerting"), remark, note(30, "Alerting", "Normal")])
    assert row["closed_at"] == START + timedelta(minutes=30)


def test_an_old_entry_without_the_number_finds_its_rule_by_the_title(monkeypatch):
    notes = [note(0, "Pending", "Alerting"), note(30, "Alerting", "Normal")]
    for item in notes:
        del item["alertId"]
    (row,) = alerts(monkeypatch, notes)
    assert (row["rule_id"], row["closed_at"]) == ("feedc0de", START + timedelta(minutes=30))


def test_of_a_deleted_rule_the_labels_are_left(monkeypatch):
    (row,) = alerts(monkeypatch, [note(0, "Normal", "Alerting")], [rule(number=5, uid="other", title="Other")])
    assert (row["rule_id"], row["service_id"], row["severity"]) == ("41", "web", 1)


def test_states_of_before_unified_alerting(monkeypatch):
    """Recorded from Grafana 8: lower case, an empty text, the rule's name beside it."""
    old = {"alertName": "Slow", "text": "", "data": {}, "userId": 0, "login": "", "tags": []}
    notes = [
        note(0, "ok", "pending", **old),
        note(3, "pending", "alerting", **old),
        note(9, "alerting", "ok", **old),
    ]
    (row,) = alerts(monkeypatch, notes)
    assert (row["rule_id"], row["closed_at"]) == ("feedc0de", START + timedelta(minutes=9))


@pytest.mark.parametrize("labels", [{"severity": "none"}, {"alertname": "Watchdog"}])
def test_a_heartbeat_is_no_page(monkeypatch, labels):
    inner = ", ".join(f"{name}={value}" for name, value in sorted(({"alertname": "Slow"} | labels).items()))
    notes = [note(0, "Normal", "Alerting", text=f"Slow {{{inner}}} - A=1.000000")]
    assert alerts(monkeypatch, notes, [rule(labels={})]) == []


def test_labels_of_the_alert_come_before_templates_of_the_rule(monkeypatch):
    templated = rule(labels={"service": "{{ $labels.service }}", "severity": "{{ $labels.severity }}"})
    (row,) = alerts(monkeypatch, [note(0, "Normal", "Alerting")], [templated])
    assert (row["service_id"], row["severity"]) == ("web", 1)


def frame(*changes: tuple[int, str, str]) -> dict[str, Any]:
    labels = {"alertname": "Slow", "grafana_folder": "F", "service": "web", "severity": "critical"}
    lines = [
        {
            "schemaVersion": 1,
            "previous": previous,
            "current": state,
            "values": {"A": 1.5},
            "condition": "C",
            "dashboardUID": "",
            "panelID": 0,
            "fingerprint": "f00d",
            "ruleTitle": "Slow",
            "ruleID": 41,
            "ruleUID": "feedc0de",
            "labels": labels,
        }
        for _, previous, state in changes
    ]
    times = [int((START + timedelta(minutes=minute)).timestamp() * 1000) for minute, _, _ in changes]
    fields = [{"name": name, "type": kind} for name, kind in (("time", "time"), ("line", "other"), ("labels", "other"))]
    return {"schema": {"name": "states", "fields": fields}, "data": {"values": [times, lines, [{}] * len(lines)]}}


def test_the_state_history_of_loki_says_the_same(monkeypatch):
    request = request_of("grafana", "alerts", url=URL, state_history="loki")
    answer = frame((0, "Pending", "Alerting"), (30, "Alerting", "Normal"))
    rows, answers = ask(monkeypatch, grafana, request, {**TOLD, RULES: [rule()], HISTORY: answer})
    assert [(row["rule_id"], row["fired_at"], row["closed_at"]) for row in rows] == [
        ("feedc0de", START, START + timedelta(minutes=30))
    ]
    (_, query) = answers.asked[1]
    assert query["to"] - query["from"] == 21 * 86_400, "seconds, not milliseconds"


def test_loki_is_asked_in_pieces_that_it_does_not_shorten(monkeypatch):
    """Grafana cuts the beginning of a question for more than thirty days off, in which the end may stand."""
    changes = [(0, "Normal", "Alerting"), (20 * 1440, "Alerting", "Normal")]

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        first = max(query["from"], query["to"] - 30 * 86_400)
        found = [c for c in changes if first <= (START + timedelta(minutes=c[0])).timestamp() < query["to"]]
        return frame(*found)

    request = request_of("grafana", "alerts", url=URL, state_history="loki", now=START + timedelta(days=70))
    (row,), _ = ask(monkeypatch, grafana, request, {**TOLD, RULES: [rule()], HISTORY: answer})
    assert row["closed_at"] == START + timedelta(days=20)


def test_a_full_page_of_the_history_is_asked_in_halves(monkeypatch):
    monkeypatch.setattr(grafana, "LIMIT", 2)
    changes = [(0, "Pending", "Alerting"), (30, "Alerting", "Normal"), (60, "Normal", "Alerting")]

    def answer(query: dict[str, Any]) -> dict[str, Any]:
        first, last = query["from"], query["to"]
        found = [c for c in changes if first <= (START + timedelta(minutes=c[0])).timestamp() <= last]
        return frame(*found[-query["limit"] :])

    request = request_of("grafana", "alerts", url=URL, state_history="loki")
    rows, _ = ask(monkeypatch, grafana, request, {**TOLD, RULES: [rule()], HISTORY: answer})
    assert [row["closed_at"] is None for row in sorted(rows, key=lambda row: row["fired_at"])] == [False, True]


TREE = {
    "receiver": "grafana-default-email",
    "group_by": ["grafana_folder", "alertname"],
    "routes": [
        {"receiver": "mail", "object_matchers": [["severity", "=", "warning"]]},
        {
            "object_matchers": [["severity", "=~", "critical|page"]],
            "continue": True,
            "routes": [{"receiver": "duty", "object_matchers": [["service", "!=", "test"]]}],
        },
    ],
}


@pytest.mark.parametrize(
    ("labels", "receivers", "routed"),
    [
        ({"severity": "critical", "service": "web"}, ["duty"], True),
        ({"severity": "critical", "service": "web"}, [], True),
        ({"severity": "warning", "service": "web"}, ["duty"], False),
        ({"severity": "warning", "service": "web"}, [], True),
        # The query of the rule may bring the label, and a template makes it.
        ({"service": "web"}, ["duty"], None),
        ({"severity": "{{ $labels.severity }}", "service": "web"}, ["duty"], None),
        # Only the root policy: whose mail address that is, nobody has said.
        ({"severity": "info", "service": "web"}, [], None),
        ({"severity": "info", "service": "web"}, ["duty"], False),
    ],
)
def test_a_rule_without_a_receiver_is_routed_by_the_policies(monkeypatch, labels, receivers, routed):
    request = request_of("grafana", "alert_rule_states", url=URL, oncall_receivers=receivers)
    rows, _ = ask(monkeypatch, grafana, request, {RULES: [rule(labels=labels)], POLICIES: TREE})
    assert [row["is_routed"] for row in rows] == [routed]


def test_a_receiver_of_its_own_needs_no_policies(monkeypatch):
    own = rule(notification_settings={"receiver": "duty"})
    request = request_of("grafana", "alert_rule_states", url=URL)
    rows, answers = ask(monkeypatch, grafana, request, {RULES: [own]})
    assert [row["is_routed"] for row in rows] == [True]
    assert [path for path, _ in answers.asked] == [RULES]


def test_recording_rules_are_no_alert_rules_and_missing_labels_no_answers(monkeypatch):
    recording = rule(number=2, uid="rec", record={"metric": "m", "from": "A"})
    bare = rule(number=3, uid="bare", labels={"kind": "cpu"})
    heartbeat = rule(number=4, uid="dog", labels={"service": "web", "severity": "none"})
    request = request_of("grafana", "alert_rule_states", url=URL)
    rows, _ = ask(monkeypatch, grafana, request, {RULES: [recording, bare, heartbeat], POLICIES: TREE})
    found = [(row["rule_id"], row["service_id"], row["kind"], row["is_paging"]) for row in rows]
    assert found == [("bare", "bare", "other", None), ("dog", "web", "other", False)]


def test_rules_that_are_called_alike_are_told_apart_in_states_and_alerts(monkeypatch):
    """A warning and a page of one service; where both were one they contradicted each other."""
    called = {"service": "web", "rule": "slow"}
    grades = ("warning", "critical")
    rules = [rule(number, f"u{number}", labels=called | {"severity": grades[number]}) for number in (0, 1)]
    rules.append(rule(2, "u2", labels=called | {"service": "db"}))
    request = request_of("grafana", "alert_rule_states", url=URL)
    rows, _ = ask(monkeypatch, grafana, request, {RULES: rules, POLICIES: TREE})
    assert [row["rule_id"] for row in rows] == ["slow/u0", "slow/u1", "slow"]
    found = alerts(monkeypatch, [item | {"alertId": 1} for item in ENDED], rules)
    assert [row["rule_id"] for row in found] == ["slow/u1"]


def test_what_nobody_writes_on_rules_is_untold(monkeypatch):
    noted = rule(annotations={"proven_at": "2026-10-01T08:00:00Z"}, labels={"service": "web", "resource": "db"})
    request = request_of("grafana", "alert_rule_states", url=URL)
    (row,), _ = ask(monkeypatch, grafana, request, {RULES: [noted], POLICIES: TREE})
    untold = set(request.connector.untold("alert_rule_states"))
    assert {"last_proven_at", "last_reviewed_at", "threshold_ratio", "forecast_hours", "resource_id"} == untold
    assert untold.isdisjoint(row)
    request = request_of("grafana", "alert_rule_states", url=URL, rule_notes=["proven_at", "resource"])
    (row,), _ = ask(monkeypatch, grafana, request, {RULES: [noted], POLICIES: TREE})
    assert (row["last_proven_at"], row["resource_id"]) == ("2026-10-01T08:00:00Z", "db")
    assert "last_reviewed_at" not in row


def test_deploy_annotations_as_tools_write_them(monkeypatch):
    at = int(START.timestamp() * 1000)
    later = at + 240_000
    common = {"created": at, "updated": at, "time": at, "timeEnd": at, "text": "deployed"}
    notes = [
        common | {"id": 1, "tags": ["deployment", "app:web", "env:production"], "login": "sa-1-deploy", "userId": 7},
        common | {"id": 2, "tags": ["deployment", "service=web", "environment: tt02"], "timeEnd": later},
        common | {"id": 3, "tags": ["deployment", "app:web"], "login": "ola", "userId": 3},
        common | {"id": 4, "tags": ["deployment"]},
        # Without names of tags: what services.toml and the organisation's environments know.
        common | {"id": 5, "tags": ["deployment", "Havneavgift-api", "stage", "success"], "login": "", "userId": 0},
    ]
    request = request_of("grafana", "deployments", url=URL, environment="prod")
    rows, answers = ask(monkeypatch, grafana, request, {NOTES: notes})
    assert [(row["deployment_id"], row["environment"], row["actor_kind"]) for row in rows] == [
        ("grafana-1", "production", "pipeline"),
        ("grafana-2", "tt02", "pipeline"),
        ("grafana-3", "prod", "human"),
        ("grafana-5", "stage", "pipeline"),
    ]
    assert rows[3]["service_id"] == "Havneavgift-api"
    assert rows[1]["deployed_at"] == START + timedelta(minutes=4), "a region is rolled out at its end"
    assert answers.asked[0][1]["tags"] == "deployment"


def test_deploy_annotations_that_name_nothing_known_are_counted(monkeypatch):
    at = int(START.timestamp() * 1000)
    common = {"created": at, "updated": at, "time": at, "timeEnd": at, "text": "deployed", "login": "ola"}
    notes = [
        common | {"id": 1, "tags": ["deployment", "env:prod"]},
        common | {"id": 2, "tags": ["deployment", "app:web"]},
    ]
    request = request_of("grafana", "deployments", url=URL)
    answers = Answers({NOTES: notes})
    monkeypatch.setattr(grafana, "_client", lambda _: nullcontext(answers))
    found = grafana.deployments(request)
    assert (list(found.rows), found.counted) == ([], {grafana.UNNAMED: 2})


@pytest.mark.parametrize(("days_before", "is_hidden"), [(0, True), (90, False), (None, False)])
def test_a_version_that_hides_changes_from_those_who_ask_by_time_is_not_quiet(small, days_before, is_hidden):
    """grafana/grafana#63130: with from and to no annotation of an alert is shown, without them all are."""
    newest = [] if days_before is None else [note(-1440 * days_before, "Normal", "Alerting", timeEnd=0)]
    routes = {f"/{RULES}": [rule()], f"/{NOTES}": lambda query, _: [] if int(query["from"]) else newest}
    asked = ("grafana", "alerts", (date(2026, 11, 9), date(2026, 11, 12)))
    with telling(routes) as server:
        settings = {"url": server.url, "token_env": "GRAFANA_TOKEN", "now": datetime(2026, 11, 20, tzinfo=UTC)}
        if is_hidden:
            with pytest.raises(SourceError, match="none of it is shown to those who ask by time"):
                fetched(small, *asked, **settings)
        else:
            assert list(fetched(small, *asked, **settings).rows) == []


@pytest.mark.parametrize("history", ["annotations", "loki"])
@pytest.mark.parametrize(
    ("state", "since", "is_unkept"),
    [
        ("Alerting", "2026-11-10T08:00:00+01:00", True),
        ("Alerting (NoData)", "2026-11-10T08:00:00Z", True),
        ("Pending", "2026-11-10T08:00:00Z", False),
        # It began before these days, or so lately that the history may not have it yet.
        ("Alerting", "2026-09-10T08:00:00Z", False),
        ("Alerting", "2026-11-18T23:59:00Z", False),
        ("Alerting", None, False),
        (None, None, False),
    ],
)
def test_a_history_that_nobody_keeps_is_not_quiet(small, history, state, since, is_unkept):
    """[unified_alerting.state_history] may be off, or name another place: then no change is ever shown."""
    firing = [{"labels": {}, "annotations": {}, "state": state, "activeAt": since, "value": ""}] if state else []
    frame = {
        "schema": {"fields": [{"name": "time"}, {"name": "line"}, {"name": "labels"}]},
        "data": {"values": [[], [], []]},
    }
    routes = {
        f"/{RULES}": [rule()], f"/{NOTES}": [], f"/{HISTORY}": frame,
        f"/{grafana.FIRING}": {"status": "success", "data": {"alerts": firing}},
    }  # fmt: skip
    asked = ("grafana", "alerts", (date(2026, 11, 9), date(2026, 11, 12)))
    with telling(routes) as server:
        settings = {"url": server.url, **TOKEN, "state_history": history, "now": datetime(2026, 11, 20, tzinfo=UTC)}
        if is_unkept:
            with pytest.raises(SourceError, match="the state history tells of no change at all"):
                fetched(small, *asked, **settings)
        else:
            assert list(fetched(small, *asked, **settings).rows) == []
        server.routes[f"/{grafana.FIRING}"] = Reply({"message": "denied"}, 403)
        assert list(fetched(small, *asked, **settings).rows) == []
