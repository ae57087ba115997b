"""Do readers feel strangers? ``python -m benchmarks.strangers [--minutes N]``; needs a demo.

Readers sign in through the stand-in identity service and ask for the overview over the websocket, as a browser does:
from the question until the script has finished. Meanwhile strangers ask for pages, sockets and files as fast as they
can: none, one, a hundred of addresses of their own. What is told is the readers' p95, and how long health took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette

from benchmarks.app import percentile
from benchmarks.figures import Figure, Report
from benchmarks.readers import reader
from opsmetrics.core.settings import environment
from simulator.servers import identity

HERE = "127.0.0.1"
READERS, READING_SECONDS, WARM_SECONDS = 5, 2.0, 15.0
# Every address of 127/8 is this machine: a stranger each.
STRANGER = "127.9.{}.{}"
MONITOR, MONITOR_SECONDS = "127.8.0.1", 2.0
ASKED = (b"GET / ", b"GET /ned/gaps.csv ", b"GET /_stcore/health ", b"GET /static/js/none.js ", b"GET /nowhere ")
CROWDS = ((0, "no strangers"), (1, "one stranger"), (100, "a hundred strangers"))


@dataclass(slots=True)
class Seen:
    """Seconds that readers and health waited, and what strangers were told."""

    readers: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    asked: int = 0


@contextlib.contextmanager
def guarded() -> Generator[tuple[str, int]]:
    """Run the app behind sign-in, and the identity service; yields its address and the number of its process."""
    port, other = free_port(), free_port()
    provider = uvicorn.Server(
        uvicorn.Config(Starlette(routes=identity.routes()), host=HERE, port=other, log_level="error")
    )
    thread = threading.Thread(target=provider.run, daemon=True)
    thread.start()
    address = f"http://{HERE}:{port}"
    settings = {
        "OPSMETRICS_OIDC_METADATA_URL": f"http://{HERE}:{other}/{identity.TENANT}/v2.0/.well-known/openid-configuration",
        "OPSMETRICS_OIDC_CLIENT_ID": identity.CLIENT,
        "OPSMETRICS_OIDC_CLIENT_SECRET": identity.CLIENT_SECRET,
        "OPSMETRICS_COOKIE_SECRET": "only-for-a-benchmark-on-loopback-0123456789",
        "OPSMETRICS_PUBLIC_URL": address,
    }
    with tempfile.NamedTemporaryFile() as log, environment(settings):
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "opsmetrics", "app", "--port", str(port)], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while not is_healthy(address):
                time.sleep(0.2)
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(30)
            provider.should_exit = provider.force_exit = True
            thread.join(10)


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])


def is_healthy(address: str) -> bool:
    """Whether the app answers."""
    try:
        return httpx.get(f"{address}/_stcore/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def signed_in(address: str) -> str:
    """Go through the identity service and return the cookie."""
    with httpx.Client(base_url=address, timeout=60) as client:
        asked = client.get("/logg-inn").headers["location"]
        back = httpx.get(f"{asked}&person=leader", timeout=60).headers["location"]
        client.get(back.removeprefix(address))
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def reads(address: str, cookie: str, seen: Seen, until: float) -> None:
    """Ask for the overview again and again, with time to read."""
    async with reader(address, cookie) as one:
        while time.monotonic() < until:
            seen.readers.append(await one.ask(""))
            await asyncio.sleep(READING_SECONDS)


async def monitor(address: str, seen: Seen, until: float) -> None:
    """Ask whether the app is well, from the monitor's own address."""
    own = httpx.AsyncHTTPTransport(local_address=MONITOR)
    async with httpx.AsyncClient(timeout=120, transport=own) as client:
        while time.monotonic() < until:
            start = time.perf_counter()
            (await client.get(f"{address}/_stcore/health")).raise_for_status()
            seen.health.append(time.perf_counter() - start)
            await asyncio.sleep(MONITOR_SECONDS)


def stranger(number: int, address: str, seen: Seen, until: float) -> None:
    """Ask as fast as it goes, from an address of one's own; half of the time leave the connection hanging."""
    host = address.removeprefix("http://")
    place = (HERE, int(host.split(":")[1]))
    source = (STRANGER.format(number // 250 + 1, number % 250 + 1), 0)
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(place, 10, source) as sock:
            for line in ASKED * 20:
                sock.sendall(line + f"HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                seen.asked += 1
                if not sock.recv(65536):
                    break


def crowd(strangers: int, address: str, seconds: float) -> int:
    """Let strangers ask, a thread each, and return how often they did."""
    seen, until = Seen(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=stranger, args=(number, address, seen, until), daemon=True)
        for number in range(strangers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 15)
    return seen.asked


async def measure(address: str, strangers: int, seconds: float, readers: int = READERS) -> Seen:
    """Let readers read while strangers ask, from a process of their own: what they cost themselves is not the app's."""
    cookies = [await asyncio.to_thread(signed_in, address) for _ in range(readers)]
    command = [sys.executable, "-m", "benchmarks.strangers", "--crowd", str(strangers), address, str(seconds)]
    others = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    seen, until = Seen(), time.monotonic() + seconds
    await asyncio.gather(monitor(address, seen, until), *(reads(address, cookie, seen, until) for cookie in cookies))
    said, _ = await others.communicate()
    seen.asked = int(said)
    return seen


def processor_seconds(pid: int) -> float:
    """Seconds of processor that a process has used."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure each crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="of each crowd")
    parser.add_argument("--crowd", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.crowd:
        number, address, seconds = options.crowd
        print(crowd(int(number), address, float(seconds)))
        return
    seconds = options.minutes * 60
    report, alone = Report(), 0.0
    with guarded() as (address, pid):
        # Pages that nobody has asked for yet are another question.
        asyncio.run(measure(address, 0, WARM_SECONDS))
        for number, name in CROWDS:
            before = processor_seconds(pid)
            seen = asyncio.run(measure(address, number, seconds))
            used = (processor_seconds(pid) - before) / seconds
            p95 = percentile(seen.readers, 0.95)
            alone = alone or p95
            note = (
                f"{p95 / alone:.2f} times what it is without strangers; "
                f"{len(seen.readers)} pages of {READERS} readers; health at most {max(seen.health):.2f} s; "
                f"{seen.asked / seconds:.0f} questions of strangers a second; "
                f"the app used {used:.2f} s of processor a second"
            )
            report.add(Figure(f"app: page p95, {name}", p95, note=note))
        before = processor_seconds(pid)
        seen = asyncio.run(measure(address, CROWDS[-1][0], seconds, readers=0))
        used = (processor_seconds(pid) - before) / seconds
        note = f"{seen.asked / seconds:.0f} questions a second and no readers; health at most {max(seen.health):.2f} s"
        report.add(Figure("app: processor a second, a hundred strangers", used, note=note))


if __name__ == "__main__":
    main()
