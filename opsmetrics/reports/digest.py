"""Reminders between meetings: what is new to decide, for leadership and for each team; quiet when nothing changed.

A digest names teams, roles and metrics, never a person. It is told once in each place, because a file in somebody's
folder tells the chat nothing: what was told last where stands in ``<home>/digests/told.json``, and days that merely
count down are not news. Does not belong here: how a chat is reached (``opsmetrics.operations.notify``) and what is to
be settled (``opsmetrics.reports.board``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from pydantic import TypeAdapter

from opsmetrics.core.atomic import write_whole_bytes, write_whole_text
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.json_text import read_note
from opsmetrics.core.settings import Settings
from opsmetrics.language.texts import text
from opsmetrics.operations.notify import Message, post
from opsmetrics.reports import board
from opsmetrics.reports.addresses import OVERVIEW, TEAM
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.store import Snapshot

LEADERSHIP = "leadership"
TOLD = "told.json"
# Where news are told: the chat, the state's own folder of mail files, else the path of a folder.
CHAT = "chat"
OWN_FOLDER = "digests"


_TOLD = TypeAdapter(dict[str, list[str]])


@dataclass(frozen=True, slots=True)
class Digest:
    """What one recipient is reminded of.

    Attributes:
        recipient: ``leadership`` or a team id.
        title: Subject.
        new: Lines that were not told before.
        over: Titles that were told and no longer stand.
        standing: Titles of everything that stands now, new or not.
        at: Instant that the snapshot knows of, UTC.
        link: Where to look, or None.
        is_fictional: The numbers are invented, and the mail says so.
        language: nb or en.
        place: Where it is told, as ``place_of`` gives it, or ``CHAT``.
    """

    recipient: str
    title: str
    new: tuple[str, ...]
    over: tuple[str, ...]
    standing: tuple[str, ...]
    at: datetime
    link: str | None
    is_fictional: bool
    language: str
    place: str

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.new and not self.over

    def lines(self) -> list[str]:
        """Return the body, a line each."""
        known = len(self.standing) - len(self.new)
        lines = [*self.new, *(text(self.language, "digest.over", title=title) for title in self.over)]
        lines += [text(self.language, "digest.standing", count=known)] if known else []
        lines += [text(self.language, "app.not_real")] if self.is_fictional else []
        return lines


def place_of(settings: Settings, folder: Path) -> str:
    """Return what a folder of mail files is called among the places where news are told."""
    own = settings.home / "digests"
    return OWN_FOLDER if folder.resolve() == own.resolve() else str(folder.resolve())


def digests(
    settings: Settings,
    snapshot: Snapshot,
    language: str,
    recipients: Iterable[str] = (),
    place: str = OWN_FOLDER,
) -> list[Digest]:
    """Return the digest of every recipient as of the latest day, quiet ones too.

    Args:
        settings: For what was told before, and the address of the app.
        snapshot: What there is to tell.
        language: nb or en.
        recipients: Only these; default leadership and every team.
        place: Where they will be told: what was told there is no news.

    Raises:
        ConfigurationError: There is no such team.
    """
    found = board.read_board(snapshot, catalogue.periods(snapshot)[0])
    organisation = catalogue.organisation(snapshot)
    names = {LEADERSHIP: organisation.name.get(language)}
    names |= {team.team_id: team.name.get(language) for team in found.teams}
    wanted = list(recipients) or list(names)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        fix = f"write one of {', '.join(names)}"
        raise ConfigurationError([Problem("--to", None, f"nobody is called {', '.join(unknown)}", fix)])
    moves = board.moves(found, language)
    items = [*board.matters(found, language), *moves[False], *moves[True]]
    told = read_told(settings.home)
    made: list[Digest] = []
    for recipient in wanted:
        own = [item for item in items if recipient in {LEADERSHIP, item.team_id}]
        before = set(_told_there(told, recipient, language, place))
        standing = {item.title: item for item in own}
        made.append(
            Digest(
                recipient=recipient,
                title=text(language, "digest.title", name=names[recipient]),
                new=tuple(f"{title}. {item.detail}" for title, item in standing.items() if title not in before),
                over=tuple(sorted(before - set(standing))),
                standing=tuple(standing),
                at=organisation.known_at,
                link=_link(settings, recipient),
                is_fictional=organisation.is_fictional,
                language=language,
                place=place,
            )
        )
    return made


def _link(settings: Settings, recipient: str) -> str | None:
    if not settings.public_url:
        return None
    address = OVERVIEW.at() if recipient == LEADERSHIP else TEAM.at(team=recipient)
    return address.url(settings.public_url)


def mail(digest: Digest) -> bytes:
    """Return a digest as a mail file (RFC 5322) without sender and recipient: whoever opens it chooses them.

    The same digest is the same file: its date is the snapshot's, its id a digest of its text.
    """
    body = "\n".join([*(f"- {line}" for line in digest.lines()), "", *([digest.link] if digest.link else [])])
    message = EmailMessage(policy=SMTP)
    message["Subject"] = digest.title
    message["Date"] = digest.at
    identity = hashlib.sha256(f"{digest.recipient}\n{digest.title}\n{body}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{identity}@opsmetrics.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Unsent"] = "1"
    message.set_content(body, charset="utf-8", cte="quoted-printable")
    message["Content-Language"] = digest.language
    return message.as_bytes()


def tell(settings: Settings, made: Iterable[Digest], folder: Path) -> list[Path]:
    """Write a mail file for every digest that is not quiet, and remember what was told in that folder.

    Returns:
        The mail files.
    """
    written: list[Path] = []
    for digest in made:
        if not digest.is_quiet:
            written.append(_write_beside(folder, digest))
        _remember(settings, digest)
    return written


def announce(settings: Settings, made: Iterable[Digest]) -> int:
    """Post the digests that are not quiet to the chat; what was told is remembered only after it was.

    Returns:
        How many were posted.

    Raises:
        NotifyError: The webhook did not take a message; it is asked again next time.
    """
    posted = 0
    for digest in made:
        if digest.is_quiet or post(settings, Message(digest.title, tuple(digest.lines()), digest.link)):
            posted += not digest.is_quiet
            _remember(settings, digest)
    return posted


def _write_beside(folder: Path, digest: Digest) -> Path:
    """Write a mail file under a name of its own: an earlier one of the day was perhaps not read yet."""
    content, name = mail(digest), f"{digest.at:%Y-%m-%d}-{digest.recipient}"
    path, number = folder / f"{name}.eml", 1
    while path.exists() and not (path.is_file() and path.read_bytes() == content):
        number += 1
        path = folder / f"{name}-{number}.eml"
    write_whole_bytes(path, content)
    return path


def read_told(home: Path) -> Mapping[str, list[str]]:
    """Return what was told; a note that is damaged counts as none, and what stands is told again."""
    try:
        found = read_note(home / "digests" / TOLD)
        return _TOLD.validate_python(found or {})
    except ValueError:
        return {}


def _key(recipient: str, language: str, place: str) -> str:
    """What was told in one language, or one place, was not told in another."""
    return f"{recipient}.{language} {place}"


def _told_there(told: Mapping[str, list[str]], recipient: str, language: str, place: str) -> list[str]:
    """What was told in a place; before 0.3 nobody wrote down where, and it was the own folder and the chat."""
    earlier = told.get(f"{recipient}.{language}", []) if place in {CHAT, OWN_FOLDER} else []
    return told.get(_key(recipient, language, place), earlier)


def _remember(settings: Settings, digest: Digest) -> None:
    told = {**read_told(settings.home), _key(digest.recipient, digest.language, digest.place): sorted(digest.standing)}
    write_whole_text(settings.home / "digests" / TOLD, json.dumps(told, ensure_ascii=False, indent=1))
