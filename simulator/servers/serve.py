"""All servers as one application, and the process of its own that runs it on a free port of 127.0.0.1.

The certificate is that of a throw-away authority. ``python -m simulator.servers`` is that process: it says where it
listens in one line of JSON and ends when its standard input does, so that it cannot outlive who started it.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from simulator.demo import generate
from simulator.organisation import read_organisation
from simulator.servers import (
    argocd,
    devops,
    github,
    gitlab,
    grafana,
    identity,
    jira,
    loganalytics,
    metrics,
    oncall,
    pagerduty,
    probers,
    prometheus,
    resourcegraph,
    servicenow,
    support,
    zabbix,
)
from simulator.servers.faults import Switch
from simulator.servers.records import Records

# Ends a start that hangs; a busy machine may take minutes to make the records.
START_SECONDS = 900


def application(records: Records) -> Switch:
    """Return all servers as one application behind the fault switch."""
    mounts: list[BaseRoute] = [
        Mount("/github", routes=github.routes(records)),
        Mount("/logs", routes=loganalytics.routes(records)),
        Mount("/metrics", routes=metrics.routes(records)),
        Mount("/arm", routes=resourcegraph.routes(records)),
        Mount("/grafana", routes=grafana.routes(records)),
        Mount("/prometheus", routes=prometheus.routes(records)),
        Mount("/alertmanager", routes=prometheus.alertmanager_routes(records)),
        Mount("/oncall", routes=oncall.routes(records)),
        Mount("/pagerduty", routes=pagerduty.routes(records)),
        Mount("/devops", routes=devops.routes(records)),
        Mount("/support", routes=support.routes(records)),
        Mount("/zabbix", routes=zabbix.routes(records)),
        Mount("/argocd", routes=argocd.routes(records)),
        *(Mount(prefix, routes=found) for prefix, found in probers.routes(records).items()),
        Mount("/jira", routes=jira.routes(records)),
        Mount("/gitlab", routes=gitlab.routes(records)),
        Mount("/servicenow", routes=servicenow.routes(records)),
    ]

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            order = await request.json()
            switch.set(order.pop("prefix"), order.pop("kind"), **order)
        elif request.method == "DELETE":
            switch.clear()
        return JSONResponse({"requests": switch.requests})

    control = Route("/_control", faults, methods=["GET", "POST", "DELETE"])
    switch = Switch(Starlette(routes=[control, *mounts, *identity.routes()]))
    return switch


class Faults:
    """The fault switch of servers that run in another process."""

    def __init__(self, url: str, ca_file: Path) -> None:
        # One connection: beginning one costs more processor time than most answers. It is given up before the servers
        # would end it (uvicorn: after five seconds of silence).
        self._client = httpx.Client(
            verify=ssl.create_default_context(cafile=str(ca_file)), limits=httpx.Limits(keepalive_expiry=2)
        )
        self._url = f"{url}/_control"

    def set(self, prefix: str, kind: str, *, times: int = -1, after: int = 0, seed: int = 0) -> None:
        """Let requests below ``prefix`` fail: ``times`` of them (-1 = all), after ``after`` that pass."""
        order = {"prefix": prefix, "kind": kind, "times": times, "after": after, "seed": seed}
        self._client.post(self._url, json=order).raise_for_status()

    def clear(self) -> None:
        """Switch all faults off and forget the requests seen."""
        self._client.delete(self._url).raise_for_status()

    def requests(self) -> list[str]:
        """Return the paths asked for since the last ``clear``."""
        found: list[str] = self._client.get(self._url).json()["requests"]
        return found

    def close(self) -> None:
        """End the connection."""
        self._client.close()


@dataclass(frozen=True)
class Running:
    """Servers that run.

    Attributes:
        url: Base address; each server has its own path below it, the identity service the root.
        ca_file: Certificate of the authority to trust.
        faults: The fault switch.
        environment: Variables with which the connectors find identity and secrets.
    """

    url: str
    ca_file: Path
    faults: Faults
    environment: dict[str, str]

    @property
    def trust(self) -> ssl.SSLContext:
        """Context that trusts the servers."""
        return ssl.create_default_context(cafile=str(self.ca_file))


@contextmanager
def serve(organisation_folder: Path, work: Path, *, now: datetime, seed: int = 1) -> Generator[Running]:
    """Serve the simulated organisation from a process of its own until the block ends.

    Args:
        organisation_folder: Its configuration.
        work: Folder for the certificates.
        now: Clock of the servers.
        seed: Of all random numbers.
    """
    arguments = [str(organisation_folder), str(work), now.isoformat(), str(seed)]
    # In a wheel this package lies in no folder that every process imports from.
    place = str(Path(__file__).resolve().parents[2])
    run = "runpy.run_module('simulator.servers', run_name='__main__', alter_sys=True)"
    process = subprocess.Popen(  # noqa: S603 - our own module and arguments
        [sys.executable, "-c", f"import runpy, sys; sys.path.insert(0, {place!r}); {run}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for whoever started it; it ends when its standard input does.
        start_new_session=True,
    )
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
        timer.cancel()
        if not line:
            raise RuntimeError("the simulated servers did not start")
        said = json.loads(line)
        ca_file = Path(said["ca_file"])
        with closing(Faults(said["url"], ca_file)) as faults:
            yield Running(said["url"], ca_file, faults, environment(said["url"], ca_file))
    except KeyboardInterrupt:
        process.kill()
        raise
    finally:
        timer.cancel()
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def run(organisation_folder: Path, work: Path, now: datetime, seed: int) -> None:
    """Be the process: listen, say where, and end when standard input ends."""
    work.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    ca_file, key_file = work.resolve() / "ca.pem", work.resolve() / "server.pem"
    authority.cert_pem.write_to_path(ca_file)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(key_file)
    records = Records.of(
        read_organisation(organisation_folder), generate(read_organisation(organisation_folder), seed), now
    )
    config = uvicorn.Config(
        application(records),
        ssl_keyfile=key_file,
        ssl_certfile=key_file,
        log_level="critical",
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # The protocol is said, because asyncio sets TCP_NODELAY only where it is; see door.serving.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)

    def end_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_input, daemon=True).start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    sys.stdout.write(json.dumps({"url": url, "ca_file": os.fspath(ca_file)}) + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


def environment(url: str, ca_file: Path) -> dict[str, str]:
    """Return the variables with which Azure's identity and our connectors find the servers."""
    return {
        "SIMULATOR": url,
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_TENANT_ID": identity.TENANT,
        "AZURE_CLIENT_ID": identity.CLIENT,
        "AZURE_CLIENT_SECRET": identity.CLIENT_SECRET,
        "REQUESTS_CA_BUNDLE": os.fspath(ca_file),
        "OPSMETRICS_CA_FILE": os.fspath(ca_file),
        "SIMULATOR_TOKEN": "loopback-only",
    }
