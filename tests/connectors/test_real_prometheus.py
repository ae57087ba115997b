"""The Prometheus connector against the real programs: Prometheus, Alertmanager and the blackbox exporter."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.pull import pull_stream
from simulator.world import local
from tests.asking import http_get
from tests.listening import listening
from tests.patience import LIMIT_SECONDS, wait_until

FIRST, DAYS = date(2026, 10, 24), 30
ORACLES = Path(sys.prefix) / "oracles" / "debian" / "usr" / "bin"


def program(name: str) -> str:
    return shutil.which(name) or str(ORACLES / name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(ready: str, *command: str, cwd: Path) -> Iterator[None]:
    """Run a program until the block ends; it is ended by its own id."""
    log = cwd / f"{Path(command[0]).name}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=cwd, stdout=sink, stderr=sink)
        try:

            def is_ready() -> bool:
                assert process.poll() is None, f"{command[0]} ended:\n{log.read_text()[-2000:]}"
                try:
                    return httpx.get(ready, timeout=LIMIT_SECONDS).status_code == 200
                except httpx.TransportError:
                    return False

            wait_until(is_ready, log.read_text, every=0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_up(target: int, number: int) -> bool:
    """Eleven failed samples a day for one target; the other lost its samples for an hour and never failed."""
    return not (target == 0 and 100 <= number % 288 < 111)


def history() -> tuple[str, list[tuple[str, datetime, float]]]:
    """Thirty days of samples every five minutes as OpenMetrics text, and the same as rows."""
    start = local(FIRST, 0)
    rows: list[tuple[str, datetime, float]] = []
    lines = ["# TYPE probe_success gauge"]
    for target in (0, 1):
        for number in range(DAYS * 288 + 12):
            if target == 1 and 3000 <= number < 3012:
                continue
            at = start + timedelta(minutes=5 * number)
            rows.append((f"t{target}", at, float(is_up(target, number))))
            lines.append(f'probe_success{{instance="t{target}"}} {rows[-1][2]:g} {at.timestamp():.0f}')
    for metric, value in (("ops:utilisation:ratio", 0.5), ("ops:utilisation:at_ceiling", 0.0)):
        lines.append(f"# TYPE {metric} gauge")
        for hour in range(DAYS * 24):
            at = start + timedelta(hours=hour)
            usage = value + (0.4 if hour % 24 == 12 else 0) if value else float(hour % 24 == 12)
            lines.append(f'{metric}{{resource="db-cpu",service="db"}} {usage:g} {at.timestamp():.0f}')
    for metric, growth in (("ops:requests:total", 100), ("ops:requests:fast", 98)):
        lines.append(f"# TYPE {metric} counter")
        for step in range(DAYS * 288):
            at = start + timedelta(minutes=5 * step)
            lines.append(f'{metric}_total{{service="web"}} {step * growth} {at.timestamp():.0f}')
    for name, value in state():
        lines.append(f"# TYPE {name.split('{')[0]} gauge")
        lines += [
            f"{name} {value!r} {(start + timedelta(minutes=step)).timestamp():.0f}" for step in range(0, 43_200, 4)
        ]
    return "\n".join([*lines, "# EOF"]) + "\n", rows


def state() -> list[tuple[str, float]]:
    """What kube-state-metrics and the exporters say of one workload with two replicas in two zones."""
    pod = 'namespace="drift",created_by_name="web-5d9c",pod="web-5d9c-{0}",node="n{0}"'
    found = [('kube_deployment_status_replicas_available{namespace="drift",deployment="web"}', 2.0)]
    for place in ("abcde", "fghij"):
        found.append((f"kube_pod_info{{{pod.format(place)}}}", 1.0))
        zone = f'node="n{place}",label_topology_kubernetes_io_zone="norwayeast-{place[0]}"'
        found.append((f"kube_node_labels{{{zone}}}", 1.0))
        request = f'namespace="drift",pod="web-5d9c-{place}",resource="cpu"'
        found.append((f"kube_pod_container_resource_requests{{{request}}}", 0.5))
    hpa = 'namespace="drift",horizontalpodautoscaler="web-hpa"'
    found.append((f'kube_horizontalpodautoscaler_info{{{hpa},scaletargetref_name="web"}}', 1.0))
    for name, value in (("spec_min_replicas", 2.0), ("spec_max_replicas", 2.0), ("status_current_replicas", 2.0)):
        found.append((f"kube_horizontalpodautoscaler_{name}{{{hpa}}}", value))
    ends = datetime(2026, 12, 24, tzinfo=UTC).timestamp()
    found.append(('lakmus_keyvault_secret_expiration_timestamp_seconds{service="web",secret="zxq"}', ends))
    found.append(('probe_ssl_earliest_cert_expiry{instance="https://web.invalid"}', ends))
    return sorted(found)


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory):
    """A real Prometheus with thirty days of history made by promtool."""
    work = tmp_path_factory.mktemp("prometheus")
    text, rows = history()
    (work / "history.txt").write_text(text)
    # promtool reads the whole text again for each block that it makes, and would make one of every two hours.
    few = "--max-block-duration=800h"
    command = [program("promtool"), "tsdb", "create-blocks-from", few, "openmetrics", "history.txt", "data"]
    subprocess.run(command, cwd=work, check=True, capture_output=True, timeout=LIMIT_SECONDS)
    (work / "prometheus.yml").write_text("global:\n  scrape_interval: 1m\n")
    port = free_port()
    command = [
        program("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(f"http://127.0.0.1:{port}/-/ready", *command, cwd=work):
        yield f"http://127.0.0.1:{port}", rows


def sources(url: str, streams: list[str], more: str = "") -> str:
    return f"""
[[connector]]
name = "prometheus"
kind = "prometheus"
streams = {json.dumps(streams)}
from = {FIRST}
remembers_days = 60
url = "{url}"
utilisation = "ops:utilisation:ratio"
at_ceiling = "ops:utilisation:at_ceiling"
requests_total = "ops:requests:total_total"
requests_fast = "ops:requests:fast_total"
{more}
"""


def pulled(connected, url: str, stream: str, more: str = "", now: datetime | None = None) -> pl.DataFrame:
    settings, organisation = connected(sources(url, [stream], more))
    if now is not None:
        from dataclasses import replace  # noqa: PLC0415 - only the live test moves the clock

        settings = replace(settings, now=now)
    (result,) = pull_stream(settings, organisation, stream)
    assert result.error is None
    frames = [pl.read_parquet(path) for path in load_paths(settings.landing, stream)]
    frame = pl.concat(frames)
    assert frame["_reason"].drop_nulls().to_list() == []
    return frame


def test_thirty_days_of_probes_are_the_samples_that_were_written(connected, backfilled):
    url, rows = backfilled
    found = pulled(connected, url, "availability_checks")
    end = local(FIRST + timedelta(days=DAYS), 0)
    expected = sorted((name, at, "up" if value else "down") for name, at, value in rows if at < end)
    assert sorted(found.select("monitor_id", "checked_at", "status").iter_rows()) == expected
    # The hour without samples is not a row: neither up nor down.
    lost = local(FIRST, 0) + timedelta(minutes=5 * 3005)
    assert found.filter((pl.col("monitor_id") == "t1") & (pl.col("checked_at") == lost)).height == 0


def test_counters_become_requests_of_local_days(connected, backfilled):
    found = pulled(connected, backfilled[0], "latency_daily").sort("observed_on")
    # 288 increases of 100; increase() extrapolates to its window, which is exact on an even grid.
    whole = found.filter(pl.col("observed_on") == date(2026, 11, 3))
    assert whole.select("service_id", "valid_count", "fast_count").rows() == [("web", 28800, 28224)]
    # The clocks go back: one hour more.
    autumn = found.filter(pl.col("observed_on") == date(2026, 10, 25))
    assert autumn["valid_count"].to_list() == [30000]


def test_capacity_and_its_ceiling(connected, backfilled):
    found = pulled(connected, backfilled[0], "capacity_samples")
    assert found.height == DAYS * 24
    noon = found.filter(pl.col("is_at_ceiling"))
    assert noon.height == DAYS
    assert set(noon["utilisation_ratio"]) == {0.9}


def test_workloads_as_kube_state_metrics_tells_them(connected, backfilled):
    found = pulled(connected, backfilled[0], "workload_states", now=datetime(2026, 11, 22, 12, tzinfo=UTC))
    columns = ("workload_id", "service_id", "replica_count", "zone_count", "autoscaler_min", "autoscaler_max")
    assert found.select(*columns, "has_resource_requests").rows() == [("drift/web", "web", 2, 2, 2, 2, True)]


def test_without_rules_of_ones_own_the_autoscaler_is_the_capacity(connected, backfilled):
    text = sources(backfilled[0], ["capacity_samples"]).replace('utilisation = "ops:utilisation:ratio"', "")
    text = text.replace('at_ceiling = "ops:utilisation:at_ceiling"', "")
    settings, organisation = connected(text)
    (result,) = pull_stream(settings, organisation, "capacity_samples")
    assert result.error is None
    frame = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "capacity_samples")])
    assert frame.height >= DAYS * 24 - 25
    assert frame.select("resource_id", "utilisation_ratio", "is_at_ceiling").unique().rows() == [("web-hpa", 1.0, True)]


def test_expiries_are_instants_without_names(connected, backfilled):
    found = pulled(connected, backfilled[0], "expiries", now=datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert set(found["kind"]) == {"secret", "certificate"}
    assert set(found["expires_at"]) == {datetime(2026, 12, 24, tzinfo=UTC)}
    assert not [value for value in found["expiry_id"] if "zxq" in value]


def test_a_real_refusal_is_one_readable_line(connected, backfilled):
    text = sources(backfilled[0], ["capacity_samples"]).replace('"ops:utilisation:ratio"', '"not a query("')
    settings, organisation = connected(text)
    (result,) = pull_stream(settings, organisation, "capacity_samples")
    assert "400 Bad Request" in (result.error or "")
    assert "not a query" not in (result.error or "")


class _Target(http.server.BaseHTTPRequestHandler):
    """A page that is up."""

    def do_GET(self) -> None:
        """FetchResult."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def live(tmp_path):
    """Prometheus probing an up and a down target through blackbox, with a firing rule and an Alertmanager."""
    ports = {name: free_port() for name in ("prometheus", "alertmanager", "blackbox", "down")}
    with ExitStack() as stack:
        target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Target)
        stack.enter_context(listening(target))
        (tmp_path / "blackbox.yml").write_text("modules:\n  http:\n    prober: http\n    timeout: 1s\n")
        (tmp_path / "alertmanager.yml").write_text(
            "route: {receiver: none, group_wait: 1s}\nreceivers: [{name: none}]\n"
        )
        (tmp_path / "rules.yml").write_text(
            "groups:\n- name: g\n  rules:\n  - alert: ProbeDown\n    expr: probe_success == 0\n    for: 2s\n"
            "    labels: {severity: critical, service: havneavgift-api}\n"
        )
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{ports['alertmanager']}']}}]}}]}}\n"
            "scrape_configs:\n- job_name: probes\n  metrics_path: /probe\n  params: {module: [http]}\n  static_configs:\n"
            f"  - targets: ['http://127.0.0.1:{target.server_port}/', 'http://127.0.0.1:{ports['down']}/']\n"
            "  relabel_configs:\n  - {source_labels: [__address__], target_label: __param_target}\n"
            "  - {source_labels: [__param_target], target_label: instance}\n"
            f"  - {{target_label: __address__, replacement: '127.0.0.1:{ports['blackbox']}'}}\n"
        )

        def start(name: str, path: str, *flags: str) -> None:
            address = f"127.0.0.1:{ports[name]}"
            command = [program("prometheus" if name == "prometheus" else f"prometheus-{names[name]}"), *flags]
            command.append(f"--web.listen-address={address}")
            stack.enter_context(running(f"http://{address}{path}", *command, cwd=tmp_path))

        names = {"alertmanager": "alertmanager", "blackbox": "blackbox-exporter"}
        start("blackbox", "/-/healthy", "--config.file=blackbox.yml")
        start(
            "alertmanager",
            "/-/ready",
            "--config.file=alertmanager.yml",
            "--storage.path=am",
            "--cluster.listen-address=",
        )
        start("prometheus", "/-/ready", "--config.file=prometheus.yml", "--storage.tsdb.path=live")
        yield ports, target.server_port


def test_what_fires_now_starts_when_alertmanager_says(connected, live):
    ports, up = live
    manager = f"http://127.0.0.1:{ports['alertmanager']}"
    active = []

    def is_firing() -> bool:
        active[:] = httpx.get(f"{manager}/api/v2/alerts", timeout=LIMIT_SECONDS).json()
        return bool(active)

    wait_until(is_firing, every=0.5)
    now = datetime.now(tz=UTC)
    # Pulled as part of tomorrow's run: the day is over then.
    url = f"http://127.0.0.1:{ports['prometheus']}"
    answer = firing(connected, url, manager, now)
    (row,) = answer
    assert row["rule_id"] == "ProbeDown"
    assert row["service_id"] == "havneavgift-api"
    assert row["severity"] == 1
    assert row["closed_at"] is None
    assert abs((row["fired_at"] - datetime.fromisoformat(active[0]["startsAt"])).total_seconds()) < 0.001
    metrics = http_get(f"{url}/api/v1/query", params={"query": "probe_success"}).json()["data"]["result"]
    assert {item["metric"]["instance"]: item["value"][1] for item in metrics} == {
        f"http://127.0.0.1:{up}/": "1",
        f"http://127.0.0.1:{ports['down']}/": "0",
    }


def firing(connected, url: str, manager: str, now: datetime) -> list[dict]:
    """Ask the connector for the alerts of the day that is under way."""
    from opsmetrics.sources.fetching import FetchRequest  # noqa: PLC0415 - only this test asks without landing
    from opsmetrics.sources.prometheus import alerts  # noqa: PLC0415 - as above

    settings, organisation = connected(sources(url, ["alerts"], f'alertmanager_url = "{manager}"'))
    (connector,) = organisation.sources.connector
    day = (now - timedelta(hours=1)).astimezone(organisation.zone).date()
    ask = FetchRequest.make(
        settings, organisation, connector, "alerts", (day, day + timedelta(days=2)), now + timedelta(minutes=2)
    )
    return [dict(row) for row in alerts(ask).rows]
