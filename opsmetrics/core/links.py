"""Templates of addresses in source systems: ``https://tracker.example.org/browse/{id}``.

The template alone decides scheme and host; what rows say stands behind them, percent-encoded, and can lead nowhere
else. Does not belong here: which source has which template, and which row fills it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from opsmetrics.core.web import checked

PLACES = ("id", "repository", "number", "service", "team")
"""What may stand in braces: the row's own id, the repository (owner/name) and number in it, its service, its team."""
LONGEST = 300
_PLACE = re.compile(r"\{([^{}]*)\}")
_BASE = re.compile(r"https?://[^/?#]*")
# What an address may hold behind its host (RFC 3986, without the quote, which ends attributes elsewhere).
_REST = re.compile(r"(?:[/?#](?:[A-Za-z0-9._~!$&()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})*)?")
_EXAMPLE = "write https://ops.example.org/items/{id}"


def checked_template(template: str) -> str:
    """Return a template as it is.

    Raises:
        ValueError: It is no https address (http on loopback), names a user, has braces in its host, or a place or sign
            that no address has. The text says what to write instead, and quotes no more of it than its places.
    """
    base = _BASE.match(template)
    if base is None:
        raise ValueError(f"a link is an https address; {_EXAMPLE}")
    if "{" in base[0] or "}" in base[0]:
        raise ValueError(f"the host of a link is fixed, no row decides it; {_EXAMPLE}")
    checked(base[0])
    rest = template[len(base[0]) :]
    unknown = sorted({name for name in _PLACE.findall(rest) if name not in PLACES})
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACES)
        raise ValueError(f"a link knows no {{{unknown[0]}}}; write one of {known}")
    if not _REST.fullmatch(_PLACE.sub("x", rest)):
        raise ValueError(f"a link holds a sign that no address has, or a brace too few; {_EXAMPLE}, %20 for a blank")
    return template


def checked_link(address: str) -> str:
    """Return an address that people are sent to as it is; it may end with a query and a fragment.

    Raises:
        ValueError: As :func:`checked_template`; or it has places, and no row fills them.
    """
    if "{" in address or "}" in address:
        raise ValueError(
            "an address of a page has no braces: nothing fills them; write https://ops.example.org/handbook"
        )
    return checked_template(address)


def filled(template: str, values: Mapping[str, str | None]) -> str | None:
    """Return the address that a template makes of values; None where one is missing or cannot be part of an address.

    A value is percent-encoded as a whole; of ``repository`` each part is, and the slashes stay. What a browser would
    read as a step up (``..``) or what holds control characters makes no address.
    """
    try:
        checked_template(template)
    except ValueError:
        return None
    encoded = {name: _encoded(values.get(name), keeps_slash=name == "repository") for name in _PLACE.findall(template)}
    if any(value is None for value in encoded.values()):
        return None
    return _PLACE.sub(lambda place: encoded[place[1]] or "", template)


def _encoded(value: str | None, *, keeps_slash: bool) -> str | None:
    if not value or len(value) > LONGEST or not value.isprintable():
        return None
    parts = value.split("/") if keeps_slash else [value]
    if any(part in {"", ".", ".."} for part in parts):
        return None
    try:
        return "/".join(quote(part, safe="") for part in parts)
    except UnicodeEncodeError:  # half of a pair of surrogates
        return None
