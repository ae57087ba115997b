"""Who acted: a person, or which kind of machine. The one place of the library that decides it.

A machine is told by what only machines have, never by a part of a name (people are called Abbott, Talbot and Devin):

- the account's type, where the source tells it (GitHub: ``Bot``),
- a login that ends in ``[bot]``, or whose last part between hyphens is ``bot``, ``robot``, ``automation`` or ``agent``,
  or that GitLab makes for a token (``project_12_bot_...``),
- the exact name or address of a well-known one,
- a name in ``bots`` of the connector, for those that nothing else tells.

Which kind it is, is read from the parts of its name once it is known to be a machine. Nothing of a name is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, TypeAlias

ActorKind: TypeAlias = Literal["renovate", "dependabot", "ci_bot", "ai_agent", "other_bot", "human"]
UPDATE_BOTS: frozenset[ActorKind] = frozenset({"renovate", "dependabot"})

_BOT = "[bot]"
# A display name with a space says nothing by its last word: Bot is a family name too.
_MACHINE_LOGIN = re.compile(
    r"[\w.]+(?:-[\w.]+)*-(?:bot|robot|automation|agent)"
    # Accounts that GitLab makes for the tokens of projects and groups, and for service accounts.
    r"|(?:project|group)_\d+_bot(?:_[0-9a-z]+)?|service_account_(?:group_\d+_)?[0-9a-z]+"
)
# Addresses that GitHub, its servers in other houses included, makes of a login: 123+login or login.
_NOREPLY = re.compile(r"(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\..+")
_KNOWN: dict[str, ActorKind] = {
    "renovate": "renovate",
    "renovate bot": "renovate",
    "mend renovate": "renovate",
    "whitesource renovate": "renovate",
    "dependabot": "dependabot",
    "dependabot-preview": "dependabot",
    "github actions": "ci_bot",
    "github action": "ci_bot",
    "github-actions": "ci_bot",
    "azure-pipelines": "ci_bot",
    "copilot": "ai_agent",
    "copilot-swe-agent": "ai_agent",
    "claude code": "ai_agent",
    "cursor agent": "ai_agent",
}
# (local part, or None for any; domain) of addresses that only a machine has.
_KNOWN_ADDRESSES: dict[tuple[str | None, str], ActorKind] = {
    (None, "renovateapp.com"): "renovate",
    (None, "dependabot.com"): "dependabot",
    ("noreply", "anthropic.com"): "ai_agent",
    ("cursoragent", "cursor.com"): "ai_agent",
}
# Part of the name of what is known to be a machine -> its kind, the first that fits.
_PARTS: tuple[tuple[frozenset[str], ActorKind], ...] = (
    (frozenset({"renovate"}), "renovate"),
    (frozenset({"dependabot"}), "dependabot"),
    (frozenset({"github-actions", "actions"}), "ci_bot"),
    (frozenset({"agent", "copilot", "claude", "cursor", "cursoragent", "codex", "devin", "jules"}), "ai_agent"),
)


def kind_of_actor(
    name: str | None, *, account_type: str | None = None, address: str | None = None, bots: Collection[str] = ()
) -> ActorKind:
    """Return what kind of actor a name stands for; no name at all is a machine's own doing.

    Args:
        name: Login, or the name that a commit carries.
        account_type: Type of the account, as GitHub tells it (REST ``type``, GraphQL ``__typename``).
        address: Address that a commit carries.
        bots: Configured names of machines, in any case.
    """
    names = [_plain(text) for text in (name, _login_of(address)) if text]
    configured = {_plain(bot) for bot in bots}
    for known in (*(_KNOWN.get(text.removesuffix(_BOT)) for text in names), _known_address(address)):
        if known is not None:
            return known
    told = account_type == "Bot" or any(
        text in configured or text.endswith(_BOT) or _MACHINE_LOGIN.fullmatch(text) for text in names
    )
    if names and not told:
        return "human"
    parts = {part for text in names for part in re.split(r"[\s_-]+", text.removesuffix(_BOT))}
    return next((kind for words, kind in _PARTS if parts & words), "other_bot")


def is_machine(
    name: str | None, *, account_type: str | None = None, address: str | None = None, bots: Collection[str] = ()
) -> bool:
    """Whether a machine acted; see :func:`kind_of_actor`."""
    return kind_of_actor(name, account_type=account_type, address=address, bots=bots) != "human"


def _plain(name: str) -> str:
    # GitHub's search writes app/renovate for what commits call renovate[bot].
    text = " ".join(name.split()).casefold()
    return text.removeprefix("app/") + _BOT if text.startswith("app/") else text


def _login_of(address: str | None) -> str | None:
    match = _NOREPLY.fullmatch(address or "")
    return match["login"] if match else None


def _known_address(address: str | None) -> ActorKind | None:
    local, _, domain = (address or "").casefold().rpartition("@")
    return _KNOWN_ADDRESSES.get((None, domain)) or _KNOWN_ADDRESSES.get((local, domain))
