"""Which addresses a server answers to, which paths it has, and how much one address may ask of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Opening:
    """Paths that lead somewhere; everything else is not found, whatever the framework behind would make of it.

    Attributes:
        path: What the whole path must match.
        methods: What may be asked there.
        is_open: Whether it is given to whoever has not signed in.
        is_kept: Whether browsers may keep the answer: it is the same for everyone and named by its content.
        is_socket: Whether it is a websocket.
        takes_text: Whether the socket takes text; what is sent to the other ones is binary.
        role: Role that it takes beside being signed in, or None.
        is_there: Which of the paths that match lead somewhere.
    """

    path: re.Pattern[str]
    methods: frozenset[str] = READING
    is_open: bool = False
    is_kept: bool = False
    is_socket: bool = False
    takes_text: bool = False
    role: str | None = None
    is_there: Callable[[str], bool] = lambda _path: True

    def leads(self, path: str) -> bool:
        """Whether a path leads here."""
        return self.path.fullmatch(path) is not None and self.is_there(path)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is too much, far above what people do. An address is a person's machine, or the office's.

    Attributes:
        connections: TCP connections at once, of everybody.
        connections_each: The same of one address, but for the proxy's.
        head_bytes: Size of a request's first lines.
        head_seconds: Until they are there.
        whole_seconds: Until an answer is taken.
        body_bytes: Size of what a request carries.
        requests_burst: Requests at once of somebody who is signed in, and of an address.
        requests_rate: And in a second from then on.
        stranger_burst: Of them at once of an address where nobody is signed in, whatever others ask.
        stranger_rate: And in a second from then on; what it asks beyond that is one of all strangers' requests.
        strangers_burst: Those at once.
        strangers_rate: And in a second from then on.
        refusal_seconds: Until a stranger is told that it is too much, so that asking again does not pay.
        sockets: Open websockets of everybody.
        sockets_each: The same of one person.
        frames_burst: Frames of a person at once.
        frames_rate: And in a second from then on; the ones that follow wait.
        frames_waiting: So many in a row that had to wait are a flood: the socket is closed.
        frame_bytes: Size of one frame.
        bytes_burst: Bytes in frames of a person at once.
        bytes_rate: And in a second from then on.
    """

    connections: int = 2000
    connections_each: int = 200
    head_bytes: int = 32_768
    head_seconds: float = 10.0
    whole_seconds: float = 180.0
    body_bytes: int = 262_144
    requests_burst: int = 1500
    requests_rate: float = 50.0
    stranger_burst: int = 15
    stranger_rate: float = 0.5
    strangers_burst: int = 200
    strangers_rate: float = 40.0
    refusal_seconds: float = 3.0
    sockets: int = 500
    sockets_each: int = 30
    frames_burst: int = 60
    frames_rate: float = 4.0
    frames_waiting: int = 40
    frame_bytes: int = 1_048_576
    bytes_burst: int = 4_194_304
    bytes_rate: float = 262_144.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one server lets in.

    Attributes:
        hosts: What may stand in ``Host``: name and port, lower case.
        origins: Origins of our own pages.
        openings: The paths that there are; the first that matches counts.
        limits: How much is too much.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    openings: tuple[Opening, ...]
    limits: Limits = field(default_factory=Limits)

    def opening(self, path: str, *, is_socket: bool) -> Opening | None:
        """Return where a path leads, or None."""
        return next((o for o in self.openings if o.is_socket == is_socket and o.leads(path)), None)


def names(port: int | None, public_url: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hosts and origins of a server: loopback by its port, and the address that people use."""
    near = {f"{name}:{port}" for name in LOOPBACK_NAMES} if port else {"localhost"}
    hosts, origins = set(near), {f"http://{host}" for host in near}
    if public_url:
        found = urlsplit(public_url)
        usual = {"https": 443, "http": 80}.get(found.scheme)
        host = f"[{found.hostname}]" if ":" in (found.hostname or "") else str(found.hostname)
        number = found.port or usual
        hosts |= {f"{host}:{number}"} | ({host} if number == usual else set())
        origins.add(f"{found.scheme}://{host}" + ("" if number == usual else f":{number}"))
    return frozenset(hosts), frozenset(origins)


def plain(address: str) -> str:
    """Return an address as its owner knows it: who comes by IPv4 to a listener for both is written as IPv6 there."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)


def person_of(address: str) -> str:
    """Return what counts as one address: an IPv6 customer has a whole network of them."""
    try:
        found = ipaddress.ip_address(plain(address))
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
