"""``sources.toml``: where the files of each stream lie and how they are read, and the connectors beside them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from opsmetrics.core.model import Model, Slug
from opsmetrics.organisation.bounds import Bounds
from opsmetrics.organisation.connectors.base import LinkTemplate
from opsmetrics.organisation.connectors.kinds import AnyConnector
from opsmetrics.organisation.working_time import zone_name
from opsmetrics.streams import FILES

# Places of a path that stand for what a file's name says of itself: when it was made, and the days that it is about.
PLACES = ("exported", "month", "from", "to")
# How else it is told when a whole file was made: by the file system, or a manifest beside it. A table of a database
# is as it is when it is read.
MODIFIED, MANIFEST, READ = "modified", "manifest", "read"


class StreamSource(Model):
    """``[[stream]]`` of sources.toml: where the rows of one stream come from.

    Attributes:
        path: File below the root; ``{date}`` stands for an ISO day and makes it one file a day. ``{exported}``,
            ``{month}``, ``{from}`` and ``{to}``, ``*`` and ``?`` mean several whole files.
        columns: Contract column -> column in the file, where the names differ.
        assume: Contract column -> the value that every row has, for a column that the file does not have.
        naive_time: Zone of timestamps written without offset; without it such rows are quarantined.
        covers: Days for which one whole file is complete, first and last day; default: days of its rows.
        exported: How a whole file tells when it was made, where its name does not: ``modified`` or ``manifest``;
            ``read`` for tables of a database.
        complete_from: First day for which whole files are complete, where the first row is later.
        cut: Zone whose midnights cut daily files, where they are not cut at the organisation's.
        remembers_days: Days that a whole file goes back, where it holds only its newest: older ones stay as landed.
            Default: it holds all there is, and what it no longer covers is taken back.
        empty_since: Day on which somebody saw that a whole file without rows is right; rows landed until then are gone.
        teams: Teams that deliver to this stream; ``*`` for all.
        connected_on: First day that the teams are connected (default: the day each team was onboarded).
        valid_to: Day from which another source delivers instead.
        link: Where people find a row in the system itself, such as ``https://tracker.example.org/{id}``.
        bounds: What one pull of it may take before it is ended.
    """

    name: Slug
    path: str = Field(min_length=1)
    columns: dict[str, str] = {}
    assume: dict[str, bool | int | float | str] = {}
    naive_time: Annotated[str, AfterValidator(zone_name)] | None = None
    covers: tuple[date, date] | None = None
    exported: Literal["modified", "manifest", "read"] | None = None
    complete_from: date | None = None
    cut: Annotated[str, AfterValidator(zone_name)] | None = None
    remembers_days: int | None = Field(default=None, ge=1)
    empty_since: date | None = None
    teams: list[str] = ["*"]
    connected_on: date | None = None
    valid_to: date | None = Field(default=None, alias="until")
    link: LinkTemplate | None = None
    bounds: Bounds = Bounds()

    @property
    def origin(self) -> str:
        """Name under which loads from files are told apart from those of connectors."""
        return FILES

    @property
    def described_in(self) -> str:
        """Where its settings stand, for messages."""
        return "sources.toml"

    @property
    def is_daily(self) -> bool:
        """Whether it is one file a day."""
        return "{date}" in self.path

    @property
    def is_several(self) -> bool:
        """Whether it is several whole files."""
        places = any(f"{{{name}}}" in self.path for name in PLACES)
        return not self.is_daily and (places or any(sign in self.path for sign in "*?"))

    @property
    def tells_its_date(self) -> bool:
        """Whether its files say when they were made, or which days they are about."""
        return self.exported is not None or any(f"{{{name}}}" in self.path for name in PLACES)


class Sources(Model):
    """``sources.toml``: files and connectors, any number of them for one stream.

    Attributes:
        root: Folder of the files, from the configuration's folder on.
        without: Streams that are left unconnected on purpose: no warning names them.
        stream: The files.
        connector: The connectors.
    """

    root: str = "."
    without: list[str] = []
    stream: list[StreamSource] = []
    connector: list[AnyConnector] = []
