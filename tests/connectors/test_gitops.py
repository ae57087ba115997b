"""Argo CD and Flux: what is a change, and what their short memories do not tell."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.organisation import load_organisation
from opsmetrics.sources.pull import pull_stream
from simulator.servers.reports import write_notifications
from simulator.world import END_DAY, local
from tests.conftest import settings_in
from tests.connectors.sections import ARGOCD, FLUX

FIRST = date(2026, 11, 9)
AUGUST = (date(2026, 8, 3), date(2026, 8, 6))


@pytest.mark.parametrize("origin", ["argocd", "flux"])
def test_deployments_are_those_of_the_records(connected, records, origin):
    settings, organisation = connected(ARGOCD + FLUX)
    write_notifications(records, settings.org / "flux")
    (result,) = pull_stream(settings, organisation, "deployments", (FIRST, END_DAY), origins=(origin,))
    assert (result.error, result.quarantined) == (None, 0)
    found = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "deployments")]).to_dicts()
    rows = [row for row in records.rows["deployments"] if row["deployed_at"] >= local(FIRST, 0)]

    def told(row):
        by_hand = bool(row["has_manual_step"]) if origin == "argocd" else None
        return row["service_id"], row["deployed_at"].timestamp() // 1, by_hand

    assert sorted(map(told, found), key=str) == sorted(map(told, rows), key=str)
    assert {(row["environment"], row["actor_kind"]) for row in found} == {("prod", "pipeline")}
    assert found


ARGO = """
[[connector]]
name = "argocd"
kind = "argocd"
streams = ["deployments"]
from = 2026-07-01
url = "{url}"
token_env = "ARGOCD_TOKEN"
bots = ["ci"]
{more}
"""


def entry(number: int, day: int, revision: str = "", **more) -> dict:
    return {"id": number, "deployedAt": f"2026-08-{day:02d}T08:00:00Z", "revision": revision or str(number), **more}


@pytest.fixture
def argo(answering, pull_small, monkeypatch):
    monkeypatch.setenv("ARGOCD_TOKEN", "loopback-only")

    def pull(*history: dict, more: str = "", items: list | None = None):
        application = {
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {"project": "shop", "destination": {"namespace": "web", "server": "https://k.invalid", "name": ""}},
            "status": {"history": list(history)},
        }
        answer = {"items": [application, application] if items is None else items}
        url = answering(lambda *_: (200, answer))
        return pull_small(ARGO.format(url=url, more=more), "deployments", *AUGUST)

    return pull


def days(rows: list[dict]) -> list[int]:
    return [row["deployed_at"].day for row in rows]


def test_the_same_again_is_no_change_and_an_earlier_one_is(argo):
    source = {"source": {"helm": {"values": "x"}}}
    result, rows = argo(entry(0, 1, "a"), entry(1, 3, "a"), entry(2, 4, "b"), entry(3, 5, "b", **source))
    assert result.error is None
    assert days(rows) == [4, 5]
    _, rows = argo(entry(0, 3, "a"), entry(1, 4, "b"), entry(2, 5, "a"))
    assert days(rows) == [3, 4, 5]


def test_an_application_that_was_made_again_counts_its_deployments_again(argo):
    """In a new cluster all of them begin with 0; a row with the id of an older one would take its place."""
    _, before = argo(entry(0, 3, "a"))
    _, after = argo(entry(0, 4, "b"))
    assert before[0]["deployment_id"] != after[-1]["deployment_id"]


def test_an_application_that_was_only_just_made_has_no_history(argo):
    new = {
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {"project": "shop", "destination": {"namespace": "web", "server": "https://k.invalid"}},
    }
    result, rows = argo(items=[new])
    assert (result.error, rows) == (None, [])


@pytest.mark.parametrize("more", ["", 'selector = "team=shop"'])
def test_no_application_to_be_seen_is_not_quiet(argo, more):
    """Argo CD leaves out what an account may not see, so that without any right its list is null too."""
    result, rows = argo(items=[], more=more)
    assert "none that this account may see" in result.error
    assert ("with the labels of selector" in result.error) == bool(more)
    assert rows == []


def test_days_before_the_oldest_that_is_kept_are_a_part(argo):
    result, rows = argo(entry(7, 4, "a"), entry(8, 5, "b"))
    assert "older entries are dropped in web" in result.error
    assert result.error.count("only a part") == 2
    assert days(rows) == [4, 5]


def test_a_day_that_was_seen_to_its_end_stays_when_its_history_is_cut_or_its_application_gone(
    answering, small, tmp_path, monkeypatch
):
    """What was rolled out does not change: a day that was asked for again would be a part, or without what is gone."""
    monkeypatch.setenv("ARGOCD_TOKEN", "loopback-only")
    spec = {"project": "shop", "destination": {"namespace": "web", "server": "https://k.invalid", "name": ""}}
    told: dict[str, list[dict]] = {}

    def answer(*_):
        items = [
            {"metadata": {"name": name, "namespace": "argocd"}, "spec": spec, "status": {"history": history}}
            for name, history in told.items()
        ]
        return 200, {"items": items}

    sources = ARGO.format(url=answering(answer), more="").replace("2026-07-01", "2026-08-04")
    (small / "sources.toml").write_text(sources, encoding="utf-8")
    organisation = load_organisation(small)

    def pull(day: int):
        now = datetime(2026, 8, day, 6, tzinfo=UTC)
        settings = replace(settings_in(tmp_path), retry_seconds=0.01, now=now)
        (result,) = pull_stream(settings, organisation, "deployments")
        return result

    told |= {"web": [entry(0, 3), entry(1, 4), entry(2, 4)], "old": [entry(0, 4)]}
    first = pull(5)
    assert (first.error, first.rows) == (None, 3)
    told.clear()
    told |= {"web": [entry(2, 4), entry(3, 5), entry(4, 5)]}
    second = pull(6)
    assert (second.error, second.rows) == (None, 2)
    assert len(second.loads) == 1, "the fourth is not asked for again"


def test_who_started_it_decides_whether_a_hand_was_needed(argo):
    history = [
        entry(0, 3, initiatedBy={"automated": True}),
        entry(1, 4, initiatedBy={"username": "someone"}),
        entry(2, 5, initiatedBy={"username": "ci"}),
        entry(3, 5, initiatedBy={}),
        entry(4, 5),
    ]
    _, rows = argo(*history)
    by_number = {row["deployment_id"].rpartition("#")[2].split("@")[0]: row["has_manual_step"] for row in rows}
    assert by_number == {"0": False, "1": True, "2": False, "3": None, "4": None}


@pytest.mark.parametrize(
    ("more", "environment"),
    [
        ("", "web"),
        ('environment_from = "cluster"', "https://k.invalid"),
        ('environment_from = "project"', "shop"),
        ('environment = "production"', "production"),
    ],
)
def test_the_environment_is_what_the_settings_say(argo, more, environment):
    _, rows = argo(entry(0, 4), more=more)
    assert [row["environment"] for row in rows] == [environment]


SMALL = """
[[connector]]
name = "flux"
kind = "flux_events"
streams = ["deployments"]
from = 2026-07-01
folder = "flux"
environment = "prod"
objects = ["apps/*"]
"""


def event(day: int, revision: str | None, reason: str = "ReconciliationSucceeded", hour: int = 8, **more) -> dict:
    kind = "Kustomization" if reason == "ReconciliationSucceeded" else "HelmRelease"
    return {
        "involvedObject": {"kind": kind, "namespace": "apps", "name": "web"},
        "severity": "info",
        "timestamp": f"2026-08-{day:02d}T{hour:02d}:00:00Z",
        "reason": reason,
        "metadata": {"revision": revision} if revision else {},
        **more,
    }


@pytest.fixture
def flux(small, pull_small):
    def pull(*files: object):
        (small / "flux").mkdir(exist_ok=True)
        for number, file in enumerate(files):
            text = file if isinstance(file, str) else json.dumps(file)
            (small / "flux" / f"{number}.json").write_text(text)
        return pull_small(SMALL, "deployments", *AUGUST)

    return pull


def test_a_reconciliation_is_a_change_when_the_revision_is_another(flux):
    result, rows = flux([event(3, "a"), event(3, "a", hour=9)], event(4, "b"), [event(4, "b", hour=9), event(5, "a")])
    assert result.error is None
    assert days(rows) == [4, 5]
    assert rows[0]["deployed_at"] == datetime(2026, 8, 4, 8, tzinfo=UTC)


def test_the_revision_may_carry_its_group(flux):
    named = {"metadata": {"kustomize.toolkit.fluxcd.io/revision": "b", "origin": "x"}}
    _, rows = flux([event(3, "a"), event(4, None, **named)])
    assert days(rows) == [4]


def test_a_release_counts_when_it_is_installed_or_upgraded(flux):
    reasons = ("InstallSucceeded", "TestSucceeded", "UpgradeSucceeded", "RollbackSucceeded", "UpgradeSucceeded")
    _, rows = flux([event(3, "1.0", reason, hour=hour) for hour, reason in enumerate(reasons)])
    assert [row["deployed_at"].hour for row in rows] == [0, 2, 4]


def test_older_controllers_say_in_the_message_what_they_did_to_a_release(flux):
    """fluxcd/flux2#4453: the reason repeats the severity; #3937: without a revision."""
    said = ("Helm install succeeded", "Helm upgrade has started", "Helm upgrade succeeded", "Helm test succeeded")
    told = [event(3, "1.0", "info", hour=hour, message=message) for hour, message in enumerate(said)]
    token = {"metadata": {"summary": "env=prod", "token": "0a1b"}}
    told += [event(4, None, "info", message="Helm upgrade succeeded", **token), event(5, None, "UpgradeSucceeded")]
    _, rows = flux(told)
    assert [(row["deployed_at"].day, row["deployed_at"].hour) for row in rows] == [(3, 0), (3, 2), (4, 8), (5, 8)]
    assert len({row["deployment_id"] for row in rows}) == 4


def test_failures_other_objects_and_words_without_revision_tell_nothing(flux):
    elsewhere = {"involvedObject": {"kind": "Kustomization", "namespace": "infra", "name": "web"}}
    source = {"involvedObject": {"kind": "GitRepository", "namespace": "apps", "name": "web"}}
    told = [
        event(3, "a"), event(4, "b", severity="error"), event(4, None), event(4, "b", **source),
        event(3, "a", **elsewhere), event(4, "b", **elsewhere),
    ]  # fmt: skip
    _, rows = flux(told)
    assert rows == []


ODD = {
    "a number for a revision": event(4, 5),
    "a list for a name": event(4, "b", involvedObject={"kind": "Kustomization", "namespace": "apps", "name": ["web"]}),
    "before all time": event(4, "b", timestamp="0001-01-01T00:00:00+14:00"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_one_odd_notification_is_named_and_ends_nothing(flux, odd):
    result, rows = flux([event(3, "a"), event(4, "b")], odd)
    assert "no notifications of Flux: 1.json" in (result.error or "")
    assert days(rows) == [4]


def test_lines_are_read_and_a_cut_file_makes_the_answer_a_part(flux):
    lines = "\n".join(json.dumps(each) for each in (event(3, "a"), event(4, "b")))
    result, rows = flux(lines, '{"involvedObject": {"ki')
    assert "no notifications of Flux: 1.json" in result.error
    assert days(rows) == [4]
