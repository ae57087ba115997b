"""Live through days of a small organisation, as its schedules do, with the faults that a plan names.

``python soak.py FOLDER FIRST LAST [PLAN]``: pulls at half past four and at six, fourteen and twenty-two, a
backup at three, a build and its publication at five of every third day, upkeep on Sundays; Oslo's clock. The sources
are files and a Prometheus of this process' own, both as far as the simulated instant. Steps that are done are counted
in ``FOLDER/steps``, so that whoever starts the process again after a kill goes on with the step after it.

A service pulls every hour and builds every day. A pull costs a sixth of a second of the processor and a build five, and
what the rarer ones see between two steps is more, not less.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from opsmetrics import build as plans
from opsmetrics.core.errors import OpsMetricsError, is_refusal
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import LoadName, load_paths
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.sources import pull_stream
from opsmetrics.streams import STREAMS
from tests.listening import listening

OSLO = ZoneInfo("Europe/Oslo")
EPOCH = date(2026, 7, 1)
# Minutes after midnight.
CLOCK = (
    *(("backup", 180), ("upkeep", 190), ("pull_daily", 270), ("build", 300)),
    *(("pull_by_day", 60 * hour + 10) for hour in range(6, 23, 8)),
)
SUNDAY = 6
BUILT_EVERY = 3
SERVICES = ("web", "db")
PULLED = ("availability_checks", "deployments", "incidents", "alerts", "capacity_samples")
SMALLEST_LOAD = 3_000
SMALL_WAREHOUSE = 3_000_000
# Prometheus forgets after fifteen days; younger loads can be asked for again.
YOUNG = timedelta(days=10)


@cache
def chance(*key: Any) -> float:
    """A number from 0 to 1 that is the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:6], "big") / (1 << 48)


def local(day: date, minutes: float) -> datetime:
    return (datetime(day.year, day.month, day.day, tzinfo=OSLO) + timedelta(minutes=minutes)).astimezone(UTC)


def steps_of(first: date, last: date) -> list[tuple[str, datetime]]:
    """Every step of the schedules and its instant."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        (step, local(day, minutes))
        for day in days
        for step, minutes in CLOCK
        if (step != "upkeep" or day.weekday() == SUNDAY) and (step != "build" or (last - day).days % BUILT_EVERY == 0)
    ]


def days_until(now: datetime) -> list[date]:
    last = now.astimezone(OSLO).date()
    return [EPOCH + timedelta(days=n) for n in range((last - EPOCH).days + 1)]


# --- the world ------------------------------------------------------------------------------------------------------


def check_lines(day: date, now: datetime) -> list[str]:
    """Hourly checks of both services; the evening's arrive after midnight, as exports do."""
    known = now - timedelta(hours=3)
    return [
        f"probe-{service},{at.isoformat()},{'down' if chance(service, at) < 0.03 else 'up'}"
        for hour in range(24)
        if (at := local(day, 60 * hour)) <= known
        for service in SERVICES
    ]


def deployment_lines(now: datetime) -> list[str]:
    return [
        f"d{day:%m%d}{n},web,production,{at.isoformat()},pipeline,{chance('manual', at) < 0.3}"
        for day in days_until(now)
        for n in range(int(chance("deployments", day) * 4))
        if (at := local(day, 480 + 60 * n)) <= now
    ]


def incidents(now: datetime) -> list[dict[str, Any]]:
    """Incidents that are open at first and resolved hours or days later."""
    rows = []
    for day in days_until(now):
        declared = local(day, 600 + 300 * chance("declared", day))
        if chance("incident", day) < 0.4 and declared <= now:
            resolved = declared + timedelta(hours=80 * chance("resolved", day))
            row = {"incident_id": f"H{day:%m%d}", "service_id": "web", "severity": 1 + day.day % 3}
            row |= {"declared_at": declared.isoformat()}
            rows.append(row | ({"resolved_at": resolved.isoformat()} if resolved <= now else {}))
    return rows


def series(query: str, start: datetime, end: datetime, step: float, now: datetime) -> list[dict[str, Any]]:
    """What Prometheus answers: hourly utilisation of two nodes, and alerts that fire for some minutes of some hours."""
    found = []
    names = SERVICES if query.startswith("ALERTS") or query == "use" else ()
    for service in names:
        values, at = [], start
        while at <= min(end, now):
            hour = at.replace(minute=0, second=0, microsecond=0)
            if query == "use":
                values.append([at.timestamp(), f"{chance('use', service, hour):.4f}"])
            elif chance("alert", service, hour) < 0.05 and at.minute < 5 + 30 * chance("length", hour):
                values.append([at.timestamp(), "1"])
            at += timedelta(seconds=step)
        labels = {"service": service, "resource": f"node-{service}", "alertname": f"rule-{service}", "severity": "page"}
        if values:
            found.append({"metric": labels, "values": values})
    return found


class World:
    """The sources at one instant, and what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "org" / "data"
        (self.data / "checks").mkdir(parents=True, exist_ok=True)
        self.now = local(EPOCH, 0)
        self.wrong = ""

    def write(self, now: datetime, wrong: str = "") -> None:
        """Bring files and server to ``now``."""
        self.now, self.wrong = now, wrong
        for day in days_until(now):
            lines = ["monitor_id,checked_at,status", *check_lines(day, now)]
            self._put(f"checks/{day}.csv", "\n".join(lines) + "\n")
        header = "deployment_id,service_id,environment,deployed_at,actor_kind,has_manual_step"
        if wrong == "a column renamed":
            header = header.replace("deployment_id", "id")
        self._put("deployments.csv", "\n".join([header, *deployment_lines(now)]) + "\n")
        self._put("incidents.jsonl", "".join(json.dumps(row) + "\n" for row in incidents(now)))
        if wrong == "a file cut off":
            path = self.data / f"checks/{now.astimezone(OSLO).date()}.csv"
            path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        if wrong == "a file gone":
            (self.data / "incidents.jsonl").unlink(missing_ok=True)

    def _put(self, name: str, text: str) -> None:
        path = self.data / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            os.utime(path, (self.now.timestamp(), self.now.timestamp()))

    def answer(self, form: dict[str, list[str]]) -> bytes:
        """The body of one range query."""
        start, end = (datetime.fromtimestamp(float(form[key][0]), tz=UTC) for key in ("start", "end"))
        result = series(form["query"][0], start, end, float(form["step"][0]), self.now)
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        return body[: len(body) // 2] if self.wrong == "an answer cut off" else body


@contextmanager
def prometheus(world: World) -> Iterator[str]:
    """Serve the world's Prometheus on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            body = world.answer(form)
            self.send_response(500 if world.wrong == "a server that fails" else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address


# --- the service ----------------------------------------------------------------------------------------------------


@dataclass
class Service:
    """One state folder and the steps that its schedules take."""

    folder: Path

    def settings(self, now: datetime) -> Settings:
        return Settings(
            home=self.folder / "home",
            org=self.folder / "org",
            data=None,
            now=now,
            sql=default_sql_root(),
            backup=self.folder / "backup",
            retry_seconds=0.001,
        )

    def take(self, step: str, now: datetime) -> None:
        settings = self.settings(now)
        if step == "backup":
            back_up(settings, self.folder / "backup", now)
        elif step == "upkeep":
            housekeeping(plans.load_context(settings))
        elif step == "build":
            self._build(settings)
        else:
            self._pull(settings, now, days_before=1 if step == "pull_daily" else 0)

    def _pull(self, settings: Settings, now: datetime, days_before: int) -> None:
        organisation = load_organisation(settings.org)
        day = now.astimezone(OSLO).date() - timedelta(days=days_before)
        for name in PULLED:
            window = day - timedelta(days=STREAMS[name].repull_days), day + timedelta(days=1)
            pull_stream(settings, organisation, name, window, fill_gaps=True)

    @staticmethod
    def _build(settings: Settings) -> None:
        context = plans.load_context(settings)
        plans.build_and_publish(context)


# --- faults ---------------------------------------------------------------------------------------------------------


def kill(rolls: random.Random, longest: float) -> None:
    """End this process at a random moment from now on, by SIGKILL."""
    span = rolls.uniform(0, longest)

    def ended() -> None:
        time.sleep(span)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=ended, daemon=True).start()


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond ``size``: the kernel refuses the write, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def flip(path: Path, rolls: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rolls.randrange(len(content))] ^= 1 << rolls.randrange(8)
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(mode)


def rot(settings: Settings, now: datetime, rolls: random.Random) -> None:
    """Damage a young load, so that its source still remembers, or an old one of which there is a backup."""
    stream = rolls.choice(PULLED)
    paths = load_paths(settings.landing, stream)
    young = [path for path in paths if LoadName.parse(path).loaded_at > now - timedelta(hours=20)]
    old = [path for path in paths if settings.backup and (settings.backup / "landing" / stream / path.name).exists()]
    victims = young if rolls.random() < 0.5 and young else old or young
    flip(rolls.choice(victims), rolls)


def damage(fault: str, settings: Settings, now: datetime, rolls: random.Random) -> None:
    """Damage what lies on the disk."""
    if fault == "a landed file rots":
        rot(settings, now, rolls)
    elif fault == "the working file is overwritten":
        content = settings.warehouse.read_bytes() if settings.warehouse.exists() else bytes(4096)
        cut = rolls.randrange(len(content))
        settings.warehouse.write_bytes(
            content[:cut] + bytes(min(300_000, len(content) - cut)) + content[cut + 300_000 :]
        )
    elif fault == "the working file is gone":
        settings.warehouse.unlink(missing_ok=True)
    elif fault == "the snapshot is cut off":
        # A first build that an earlier fault kept from publishing left none.
        published = sorted(settings.snapshots.glob("ops-*.duckdb"), key=lambda path: path.stat().st_mtime_ns)
        for newest in published[-1:]:
            newest.chmod(0o644)
            os.truncate(newest, newest.stat().st_size // 2)
    elif fault == "the pointer is damaged":
        settings.snapshots.mkdir(parents=True, exist_ok=True)
        (settings.snapshots / store.POINTER).write_text('{"file": ')
    elif fault == "notes of pulls are damaged":
        for path in (settings.home / "pulls").glob("*.json"):
            path.write_text("{")


KILLS = {"pull_by_day": 0.25, "pull_daily": 0.25, "build": 4.0, "backup": 0.2, "upkeep": 0.6}
ON_DISK = (
    "a landed file rots",
    "the working file is overwritten",
    "the working file is gone",
    "the snapshot is cut off",
    "the pointer is damaged",
    "notes of pulls are damaged",
)
OF_SOURCES = ("a column renamed", "a file cut off", "a file gone", "an answer cut off", "a server that fails")


def disturbed(service: Service, world: World, step: str, now: datetime, fault: str, seed: int) -> None:
    """Take one step while something goes wrong."""
    rolls = random.Random(seed)
    if fault in ON_DISK:
        damage(fault, service.settings(now), now, rolls)
        service.take(step, now)
    elif fault in OF_SOURCES:
        world.write(now, fault)
        service.take(step, now)
    elif fault == "killed":
        kill(rolls, KILLS[step])
        service.take(step, now)
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "the disk is full":
        with small_disk(SMALL_WAREHOUSE if step == "build" else SMALLEST_LOAD):
            service.take(step, now)
    elif fault == "the clock is wrong":
        service.take(step, now + timedelta(days=rolls.choice([-400, -3, 3, 400])))
    elif fault == "a second run":
        command = [sys.executable, "-m", "tests.resilience.soak", str(service.folder), "--once", step, now.isoformat()]
        rival = subprocess.Popen(command, env=os.environ | {"SOAK_URL": os.environ["SOAK_URL"]})
        time.sleep(1.5)
        try:
            service.take(step, now)
        finally:
            rival.wait()
    else:
        raise ValueError(fault)


def allowed(error: Exception) -> bool:
    """Whether an error is one that a service ends a step with: ours, or the disk's."""
    return isinstance(error, OpsMetricsError) or (isinstance(error, OSError) and is_refusal(error))


def live(service: Service, first: date, last: date, plan: dict[str, list[Any]]) -> None:
    """Take every step from ``first`` to ``last``; a step that fails ends there, and the next one comes."""
    world = World(service.folder)
    done = service.folder / "steps"
    number = int(done.read_text()) if done.exists() else 0
    with prometheus(world) as url:
        os.environ["SOAK_URL"] = url
        steps = steps_of(first, last)
        for place in range(number, len(steps)):
            done.write_text(str(place + 1))
            step, now = steps[place]
            if not plan and step == "build" and now < local(last, 0):
                # Without faults one build, at the end and from nothing, is what all of them are held against.
                continue
            world.write(now)
            fault, seed = plan.get(str(place), ("", 0))
            try:
                if fault:
                    disturbed(service, world, step, now, fault, seed)
                else:
                    service.take(step, now)
            except Exception as error:
                if not allowed(error):
                    raise
                with (service.folder / "refused").open("a") as said:
                    said.write(json.dumps([place, step, fault, str(error).split("\n")[0]]) + "\n")


def main() -> None:
    folder = Path(sys.argv[1])
    service = Service(folder)
    if sys.argv[2] == "--once":
        try:
            service.take(sys.argv[3], datetime.fromisoformat(sys.argv[4]))
        except OpsMetricsError:
            return
    else:
        plan = json.loads(Path(sys.argv[4]).read_text()) if len(sys.argv) > 4 else {}
        live(service, date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3]), plan)


if __name__ == "__main__":
    main()
