"""Addresses of services: which are safe to send a secret to, and what of one may be said.

A strict grammar decides, not a prefix: what two parsers could read as two hosts is no address here. Does not belong
here: asking anybody (``opsmetrics.sources.http``).
"""

from __future__ import annotations

import ipaddress
import re

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)
# Everything between the scheme and the first slash: what a mistyped address is known by, and may hide.
_BEGINNING = re.compile(r"^\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\]*[^/\\]*@")


def checked(address: str) -> str:
    """Return an address of a service without a slash at its end.

    Raises:
        ValueError: It holds user information, a query or signs that no address has; or it is not encrypted although
            its host is another machine. The text names no part of it that may be secret.
    """
    if "@" in address.split("//", 1)[-1].split("/", 1)[0] or _BEGINNING.match(address):
        raise ValueError("an address holds no user and no password; name the variable that holds the secret instead")
    if "?" in address or "#" in address:
        raise ValueError("an address ends before ? and #; leave out what follows, which may be a secret")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(
            "it is not an address of a service; write https://ops.example.org/api, host in ASCII, no blanks"
        )
    if match["scheme"] == "http" and not is_loopback(match["host"]):
        raise ValueError(f"{shown(address)} is not an https address (plain http only on loopback); write https://...")
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by a name or number that every program reads alike.

    Numbers in other forms (2130706433, 0177.0.0.1, 127.1, ::ffff:127.0.0.1) are none.
    """
    if host.lower() == "localhost":
        return True
    try:
        number = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return number.is_loopback and getattr(number, "ipv4_mapped", None) is None


def shown(address: str) -> str:
    """Return what may be said of an address: host and port; whatever else stands in it may be secret."""
    match = _ADDRESS.match(address)
    if match is None:
        return "an address"
    return f"{match['host']}:{match['port']}" if match["port"] else match["host"]


def without_secrets(text: str) -> str:
    """Return a text in which each address is only its host and port, and one that begins with a variable only that."""
    text = re.sub(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]*\S*", lambda found: _host(found[0]), text)
    return re.sub(r"(\$[A-Z][A-Z0-9_]*)/\S*", r"\1", text)


def _host(address: str) -> str:
    return re.split(r"[/?#\\]", address.split("://", 1)[1], maxsplit=1)[0].rpartition("@")[2]
