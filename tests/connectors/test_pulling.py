"""What all connectors share: pages, limits, waiting, resuming, what is asked again, and what is said when it fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from opsmetrics.core.errors import ConfigurationError, SourceError
from opsmetrics.core.settings import Settings, expand
from opsmetrics.landing import Batch, land, load_paths, read_load
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.sources import grafana, oncall, prometheus
from opsmetrics.sources.azure import graph
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.github import client
from opsmetrics.sources.http import Http
from opsmetrics.sources.notes import PullNote, read_notes, write_note
from opsmetrics.sources.pull import pull_stream
from opsmetrics.sources.registry import fetch_function, probe_function
from tests.connectors.told import Reply, telling
from tests.patience import wait_until

ROOT = Path(__file__).resolve().parents[2]
WINDOW = (date(2026, 11, 9), date(2026, 11, 16))


def landed(settings, stream: str) -> list[tuple]:
    frames = [pl.read_parquet(path) for path in load_paths(settings.landing, stream)]
    return sorted(pl.concat(frames).drop("_line").rows(), key=str) if frames else []


def pulled(connected, text: str | None, stream: str, origin: str, **changes) -> tuple[object, list[tuple]]:
    settings, organisation = connected(text)
    settings = replace(settings, home=settings.home / str(time.monotonic_ns()), **changes)
    (result,) = pull_stream(settings, organisation, stream, WINDOW, origins=(origin,))
    return result, landed(settings, stream)


GRAFANA = """
[[connector]]
name = "grafana"
kind = "grafana"
streams = ["alerts", "deployments"]
from = 2026-10-24
url = "$SIMULATOR/grafana"
token_env = "SIMULATOR_TOKEN"
"""


@pytest.mark.parametrize(
    ("module", "limit", "value", "stream", "origin"),
    [
        (client, "SEARCH_LIMIT", 5, "update_episodes", "github"),
        (graph, "PAGE", 7, "control_results", "azure-resources"),
        (grafana, "LIMIT", 6, "alerts", "grafana"),
        (grafana, "LIMIT", 6, "deployments", "grafana"),
        (prometheus, "POINTS", 9, "capacity_samples", "prometheus"),
        (oncall, "DEEPEST", 200, "alerts", "opsgenie"),
        (oncall, "PAGE", 3, "alerts", "opsgenie"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_limits_of_pages_and_windows_change_nothing(connected, monkeypatch, module, limit, value, stream, origin):
    text = GRAFANA if origin == "grafana" else None
    whole, expected = pulled(connected, text, stream, origin)
    assert whole.error is None
    assert expected
    monkeypatch.setattr(module, limit, value)
    small, found = pulled(connected, text, stream, origin)
    assert small.error is None
    assert found == expected


def test_every_feed_has_its_function_and_every_kind_its_probe():
    for kind, model in KINDS.items():
        assert probe_function(kind)
        for stream in model.feeds:
            assert fetch_function(kind, stream)


def test_killed_in_the_middle_nothing_is_lost_and_nothing_asked_twice(connected, simulated):
    settings, organisation = connected()
    landing = settings.landing / "availability_checks"
    process = subprocess.Popen(
        [sys.executable, "-m", "opsmetrics", "pull", "--stream", "availability_checks", "--source", "azure-logs"],
        env=os.environ | {"OPSMETRICS_HOME": str(settings.home), "OPSMETRICS_ORG": str(settings.org)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def has_landed_some() -> bool:
        assert process.poll() is None, "it was over before it could be killed"
        return len(list(landing.glob("*.parquet"))) >= 4

    wait_until(has_landed_some, every=0.02)
    process.kill()
    process.wait()
    before = {path.name for path in landing.glob("*.parquet")}
    simulated.faults.clear()
    (result,) = pull_stream(settings, organisation, "availability_checks", origins=("azure-logs",))
    assert result.error is None
    asked = len([path for path in simulated.faults.requests() if path.startswith("/logs")])
    assert asked == len(result.loads) + result.unchanged <= 21 - len(before) + 1, (
        "at most the one under way comes again"
    )
    days = [read_load(path).window_start for path in load_paths(settings.landing, "availability_checks")]
    assert set(days) == {date(2026, 11, 2) + timedelta(days=n) for n in range(21)}
    checks = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "availability_checks")])
    assert checks.select("monitor_id", "checked_at").unique().height >= checks.height - 4000


def test_a_day_later_only_what_may_have_changed_is_asked_again(connected):
    settings, organisation = connected()
    pull_stream(settings, organisation, "capacity_samples", origins=("prometheus",))
    first = landed(settings, "capacity_samples")
    later = replace(settings, now=datetime(2026, 11, 24, 6, tzinfo=UTC))
    windows: list[tuple[int, int]] = []
    (result,) = pull_stream(
        later,
        organisation,
        "capacity_samples",
        origins=("prometheus",),
        progress=lambda done, total: windows.append((done, total)),
    )
    assert result.error is None
    # 20 to 23 November: rows change for three days after they happened.
    (load,) = result.loads
    assert (load.window_start, load.window_end) == (date(2026, 11, 20), date(2026, 11, 24))
    assert windows[-1] == (1, 1)
    assert first


def test_of_two_pulls_at_once_the_last_word_is_asked_for_again(connected):
    settings, organisation = connected()
    pull_stream(settings, organisation, "alerts", WINDOW, origins=("opsgenie",))
    notes = (settings.home / "pulls" / "alerts.opsgenie.json").read_text()
    right = landed(settings, "alerts")
    newest = max((read_load(path) for path in load_paths(settings.landing, "alerts")), key=lambda load: load.sequence)
    rival = Batch(
        frame=pl.read_parquet(newest.path).head(0),
        window=(newest.window_start, newest.window_end),
        source="opsgenie",
        source_digest="an older answer",
        origin="opsgenie",
    )
    land(settings.landing, "alerts", rival, loaded_at=newest.loaded_at + timedelta(minutes=1))
    (settings.home / "pulls" / "alerts.opsgenie.json").write_text(notes)
    (result,) = pull_stream(settings, organisation, "alerts", WINDOW, origins=("opsgenie",))
    assert result.error is None
    assert [(load.window_start, load.window_end) for load in result.loads] == [rival.window]
    assert pl.read_parquet(result.loads[0].path).height == pl.read_parquet(newest.path).height
    assert len(landed(settings, "alerts")) == len(right) + pl.read_parquet(newest.path).height


def test_an_answer_that_was_landed_and_not_noted_is_not_landed_again(connected):
    """A pull that dies between the load and its note: the next one sees by the load itself that it is there."""
    settings, organisation = connected()
    note = settings.home / "pulls" / "alerts.opsgenie.json"
    pull_stream(settings, organisation, "alerts", WINDOW, origins=("opsgenie",))
    before = note.read_text()
    later = replace(settings, now=datetime(2026, 11, 24, 6, tzinfo=UTC))
    (second,) = pull_stream(later, organisation, "alerts", origins=("opsgenie",))
    assert second.error is None
    assert second.loads
    after = json.loads(note.read_text())
    note.write_text(before)
    (third,) = pull_stream(later, organisation, "alerts", origins=("opsgenie",))
    assert third.error is None
    assert third.loads == ()
    assert json.loads(note.read_text())["seen"] == after["seen"]


def test_notes_written_at_once_are_each_whole(tmp_path):
    def write(number: int) -> None:
        write_note(tmp_path, PullNote("alerts", "opsgenie", str(number), None, None, {}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert list(read_notes(tmp_path)) == [("alerts", "opsgenie")]
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.opsgenie.json"]


@pytest.mark.parametrize(
    "spoilt",
    [b"[" * 100_000, b"\xff\xfe", b'{"stream": [], "origin": "files", "seen": {}, "error": null}', None],
    ids=["deep", "no text", "another type", "a pipe"],
)
def test_a_note_that_is_none_counts_as_none(tmp_path, spoilt):
    path = tmp_path / "alerts.files.json"
    os.mkfifo(path) if spoilt is None else path.write_bytes(spoilt)
    assert read_notes(tmp_path) == {}


def test_what_the_source_has_forgotten_is_not_asked_for(connected):
    text = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["latency_daily"]
from = 2026-06-01
url = "$SIMULATOR/logs"
workspaces = ["33333333-3333-3333-3333-333333333333", "00000000-0000-0000-0000-000000000204"]
"""
    settings, organisation = connected(text)
    (result,) = pull_stream(settings, organisation, "latency_daily")
    assert result.error is None, "a workspace in which nothing was ever logged (204) is empty, not broken"
    assert min(load.window_start for load in result.loads) == date(2026, 10, 24)


def test_a_wait_that_is_too_long_is_not_waited(connected, simulated):
    simulated.faults.set("/github", "429_retry_after")
    result, rows = pulled(connected, None, "deployments", "github", patience_seconds=-1.0)
    assert rows == []
    assert "asks to wait" in result.error
    assert "OPSMETRICS_PATIENCE_SECONDS" in result.error


def test_a_certificate_that_nobody_trusts_is_named(connected):
    result, _ = pulled(connected, None, "deployments", "github", ca_file=None)
    assert "certificate is not trusted" in result.error
    assert "OPSMETRICS_CA_FILE" in result.error


def test_a_missing_token_is_named(connected, monkeypatch):
    monkeypatch.delenv("SIMULATOR_TOKEN")
    result, _ = pulled(connected, None, "alerts", "opsgenie")
    assert "SIMULATOR_TOKEN is not set" in result.error


def test_an_identity_without_the_role_is_told_which(connected, simulated):
    simulated.faults.set("/arm", "403")
    result, _ = pulled(connected, None, "control_results", "azure-resources")
    assert "grant the identity Reader on the subscriptions" in result.error


def test_a_token_for_another_audience_is_refused_as_the_real_services_do(connected):
    text = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["latency_daily"]
from = 2026-10-24
url = "$SIMULATOR/logs"
audience = "https://management.azure.com"
workspaces = ["33333333-3333-3333-3333-333333333333"]
"""
    result, rows = pulled(connected, text, "latency_daily", "logs")
    assert rows == []
    assert "Log Analytics Reader" in result.error


def test_a_test_that_ran_too_seldom_is_unknown_not_up(connected, monkeypatch):
    text = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["availability_checks"]
from = 2026-10-24
url = "$SIMULATOR/logs"
workspaces = ["33333333-3333-3333-3333-333333333333"]
subscriptions = ["11111111-1111-1111-1111-111111111111"]
management_url = "$SIMULATOR/arm"
bin_minutes = 30
"""
    result, rows = pulled(connected, text, "availability_checks", "logs")
    assert result.error is None
    status = {row[4] for row in rows}
    # Two runs an half-hour are expected (frequency 900 s, one location); a single one is at the limit, none has no row.
    assert "up" in status
    monkeypatch.setattr("opsmetrics.sources.azure.logs.COVERED", 0.75)
    _, strict = pulled(connected, text, "availability_checks", "logs")
    counts = pl.Series([row[4] for row in strict]).value_counts()
    unknown = counts.filter(pl.col("") == "unknown")["count"].sum()
    assert 0 < unknown < 0.05 * len(strict)


def test_an_app_signs_in_with_its_key_and_gets_a_token(connected, simulated, monkeypatch):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    monkeypatch.setenv("APP_KEY", pem)
    text = """
[[connector]]
name = "app"
kind = "github"
streams = ["deployments"]
from = 2026-10-24
url = "$SIMULATOR/github"
owner = "kystetaten"
app_id = "12"
installation_id = 34
private_key_env = "APP_KEY"
"""
    result, rows = pulled(connected, text, "deployments", "app")
    assert result.error is None
    assert rows
    assert "/github/app/installations/34/access_tokens" in simulated.faults.requests()


def test_check_connect_says_in_one_line_each(connected, simulated, cli):
    text = (ROOT / "examples" / "demo" / "sources.connected.toml").read_text()
    # Its files are made by the demo; here only the connectors are asked.
    settings, _ = connected(
        "".join(f"[[connector]]{part.split('[[stream]]')[0]}" for part in text.split("[[connector]]")[1:])
    )
    simulated.faults.set("/arm", "403")
    org = ("--org", str(settings.org))
    found = cli("check", *org, "--connect", check=False)
    lines = found.stdout.splitlines()
    assert found.returncode == 1
    failed = [line for line in lines if line.startswith("FAILED")]
    assert all(line.startswith(("warning: ", "    fix: ")) for line in found.stderr.splitlines())
    assert [line.split()[1] for line in failed] == ["azure-resources"]
    assert "Reader on the subscriptions" in found.stdout
    assert (
        len([line for line in lines if line.startswith("ok")])
        == len(load_organisation(settings.org).sources.connector) - 1
    )
    simulated.faults.clear()
    whole = json.loads(cli("check", *org, "--connect", "--json").stdout)
    assert all(item["is_connected"] for item in whole["connections"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "github"\nstreams = ["deploymnts"]\nowner = "o"', "did you mean 'deployments'"),
        ('kind = "github"\nstreams = ["deployments"]\nowner = "o"\ntokn_env = "A"', "did you mean 'token_env'"),
        (
            'kind = "github"\nstreams = ["deployments"]\nowner = "o"\nurl = "http://example.invalid"',
            "not an https address",
        ),
        ('kind = "nonesuch"\nstreams = ["deployments"]', "kind"),
        ('kind = "azure_logs"\nstreams = ["latency_daily"]', "at least one workspace"),
        ('kind = "oncall"\ndialect = "jsm"\nstreams = ["alerts"]\ntoken_env = "A"', "jsm needs cloud_id"),
        ('kind = "github"\nstreams = ["deployments"]\nowner = "o"\ntoken_env = "ghp_abc"', "token_env"),
    ],
)
def test_a_wrong_connector_is_explained_with_file_and_line(connected, text, words):
    with pytest.raises(ConfigurationError) as caught:
        connected(f'[[connector]]\nname = "x"\n{text}\n')
    assert words in str(caught.value)
    assert "sources.toml" in str(caught.value)


def test_the_day_one_example_is_valid_and_names_repositories(tmp_path):
    folder = tmp_path / "org"
    shutil.copytree(ROOT / "examples" / "altinn", folder)
    (folder / "sources.github.toml").replace(folder / "sources.toml")
    organisation = load_organisation(folder)
    (connector,) = organisation.sources.connector
    now = datetime(2026, 11, 23, 6, tzinfo=UTC)
    days = (date(2026, 11, 22), date(2026, 11, 23))
    ask = FetchRequest.make(Settings.from_env({}), organisation, connector, "deployments", days, now)
    assert len(client.repositories(ask)) >= 10


def test_an_address_may_begin_with_a_variable():
    assert expand("$GRAFANA/api", {"GRAFANA": "https://g.invalid/"}) == "https://g.invalid/api"
    with pytest.raises(ConfigurationError, match="GRAFANA, which is not set"):
        expand("$GRAFANA", {})


@pytest.mark.parametrize(
    ("kind", "stream", "more", "path"),
    [
        ("grafana", "alert_rule_states", "", "/grafana"),
        (
            "prometheus",
            "capacity_samples",
            'utilisation = "ops:utilisation:ratio"\naudience = "https://p.invalid"',
            "/prometheus",
        ),
        ("azure_devops", "deployments", 'organization = "kystetaten"\nproject = "kaiplan"', "/devops"),
    ],
)
def test_the_entra_identity_signs_where_no_token_is_named(connected, simulated, kind, stream, more, path):
    text = f'[[connector]]\nname = "x"\nkind = "{kind}"\nstreams = ["{stream}"]\nfrom = 2026-10-24\nurl = "$SIMULATOR{path}"\n{more}\n'
    result, rows = pulled(connected, text, stream, "x")
    assert result.error is None
    assert rows
    assert any(request.endswith("/oauth2/v2.0/token") for request in simulated.faults.requests())


def test_subscriptions_that_are_not_seen_are_no_empty_ones(connected, demo_connected):
    """Azure leaves out of an answer the subscriptions that the identity may not read, without a word."""
    one = "11111111-1111-1111-1111-111111111111"
    seen, hidden = "22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333"
    assert f'subscriptions = ["{one}"]' in demo_connected
    for other, said in ((seen, None), (hidden, f"subscriptions that this identity may not read: {hidden}")):
        text = demo_connected.replace(f'subscriptions = ["{one}"]', f'subscriptions = ["{one}", "{other}"]')
        result, _ = pulled(connected, text, "control_results", "azure-resources")
        assert (result.error is None) if said is None else (said in result.error)


@pytest.mark.parametrize(
    ("status", "asked"), [(408, 2), (425, 2), (429, 2), (500, 2), (507, 2), (520, 2), (522, 2), (527, 2), (501, 1), (400, 1)]
)  # fmt: skip
def test_a_fault_that_passes_is_asked_again(tmp_path, status, asked):
    """Cloudflare stands before many of these services, and says by 520 to 527 that it did not reach them."""
    told = iter([Reply({}, status), Reply({"data": []})])
    settings = Settings(home=tmp_path, org=tmp_path, data=None, now=None, sql=tmp_path, retry_seconds=0.001)
    with telling({"/x": lambda *_: next(told)}) as server, Http("x", server.url, settings) as http:
        if asked > 1:
            assert http.get("x") == {"data": []}
        else:
            with pytest.raises(SourceError):
                http.get("x")
        assert len(server.asked) == asked
