"""What every kind of connector is told, and how it says what it delivers.

Belongs here: the base of all settings of connectors. Does not belong here: any one kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from opsmetrics.core.links import checked_template
from opsmetrics.core.model import Model, Slug
from opsmetrics.core.web import checked
from opsmetrics.organisation.bounds import Bounds

# What a source shows of today only: it remembers a state for one day.
STATE = 1
# What only a deployment's own record says: an annotation or a release has none of it.
DEPLOYMENT_ALONE = ("has_manual_step", "rolled_back_at", "hotfixed_at", "committed_at", "is_rework")
PAGE_ALONE = ("acknowledged_at", "acknowledged_by_kind", "label", "incident_id")
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=80)]


# An address whose beginning is a variable; what is in it is checked when it is filled in.
_FROM_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")


def _address(url: str) -> str:
    return url.rstrip("/") if _FROM_VARIABLE.fullmatch(url) else checked(url)


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


Url = Annotated[str, AfterValidator(_address)]
LinkTemplate = Annotated[str, AfterValidator(checked_template)]
# Of what stream a link is where only one is written.
EVERY_STREAM = "*"


def _by_stream(link: Any) -> Any:
    return {EVERY_STREAM: link} if isinstance(link, str) else link


Expression = Annotated[str, AfterValidator(_expression)]
Links = Annotated[dict[str, LinkTemplate], BeforeValidator(_by_stream)]


@dataclass(frozen=True, slots=True)
class Feed:
    """How one kind of connector delivers one stream.

    Attributes:
        chunk_days: Days asked for at once; each chunk is landed before the next is asked for.
        remembers_days: Days after which the source itself has forgotten (source contracts, 0.2), None = years.
        repull_days: Days for which a day is asked for again, where those of the stream do not fit the source.
        accumulates: A register of which each load holds only what the source still shows, so that all loads count.
        untold: Columns of the stream's contract that the source cannot tell: what rests on them is not measured.
    """

    chunk_days: int = 31
    remembers_days: int | None = None
    repull_days: int | None = None
    accumulates: bool = False
    untold: tuple[str, ...] = ()


class Connector(Model):
    """What every kind of connector is told.

    Attributes:
        name: Name of the source; loads carry it, so renaming one makes it another source.
        streams: Streams it delivers.
        teams: Teams that deliver through it; ``*`` for all.
        connected_on: First day that the teams are connected (default: the day each was onboarded).
        valid_from: First day it delivers (default: the organisation's ``history_from``).
        valid_to: Day from which it no longer delivers.
        remembers_days: Overrides how long the source remembers.
        services: The source's name of a service -> id in services.toml, beside the aliases there.
        assume: Stream -> contract column -> the value that every row has, for a column that the source cannot tell.
        bots: Names of accounts that are machines', where neither the account's type nor its login tells it.
        link: Where people find a row in the system itself (docs/configuration.md), or stream -> where; beside the forms
            that vendors document.
        bounds: What one pull of one of its streams may take before it is ended.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {}

    name: Slug
    # Each kind narrows this to its own name.
    kind: Any
    streams: list[str] = Field(min_length=1)
    teams: list[str] = ["*"]
    connected_on: date | None = None
    valid_from: date | None = Field(default=None, alias="from")
    valid_to: date | None = Field(default=None, alias="until")
    remembers_days: int | None = Field(default=None, ge=1)
    services: dict[str, Slug] = {}
    assume: dict[str, dict[str, bool | int | float | str]] = {}
    bots: list[str] = []
    link: Links = {}
    bounds: Bounds = Bounds()

    @model_validator(mode="after")
    def _links_of_own_streams(self) -> Self:
        strangers = sorted(set(self.link) - {EVERY_STREAM, *self.streams})
        if strangers:
            raise ValueError(
                f"link names {', '.join(strangers)}, which it does not deliver; name {', '.join(self.streams)}"
            )
        return self

    @property
    def origin(self) -> str:
        """Name under which its loads are told apart."""
        return self.name

    def remembers(self, stream: str) -> int | None:
        """Return the days the source remembers, None for years."""
        own = self.feeds[stream].remembers_days
        return own if own == STATE else self.remembers_days or own

    def untold(self, stream: str) -> tuple[str, ...]:
        """Return the columns of a stream's contract that the source cannot tell, as it is configured."""
        return self.feeds[stream].untold

    def service(self, name: Any) -> str | None:
        """Return the configured service of a source's own name, or the name itself (aliases are matched in SQL)."""
        return None if name in (None, "") else self.services.get(str(name), str(name))
