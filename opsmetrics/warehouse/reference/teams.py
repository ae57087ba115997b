"""``ref`` tables of teams: who they are, their duty, and the streams they deliver to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from opsmetrics.core.declare import Row, Table, at, day, id_, text
from opsmetrics.organisation.models import BEGINNING, FOREVER, Team
from opsmetrics.organisation.names import Alias, folded
from opsmetrics.organisation.organisation import Organisation

_Duty = tuple[str, str, date, date]

_TEAM = id_("team_id", "Team")

TEAMS = Table(
    "ref.teams",
    "Teams of the organisation",
    (
        id_("team_id", "Id"),
        id_("name_nb", "Name, Norwegian"),
        id_("name_en", "Name, English"),
        text("type", "product or platform", required=True, one_of=("product", "platform")),
        day("onboarded_on", "First day of the team in the scorecard", required=True),
    ),
    ("team_id",),
)


def teams(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.teams``."""
    for team in organisation.teams:
        yield {
            "team_id": team.id,
            "name_nb": team.name.nb,
            "name_en": team.name.en,
            "type": team.type,
            "onboarded_on": team.onboarded_on,
        }


TEAM_NAMES = Table(
    "ref.team_names",
    "Names of teams in the sources, dated: a renamed team keeps its rows",
    (
        id_("name", "Id or alias, in lower case"),
        _TEAM,
        at("valid_from_at", "From, UTC", required=True),
        at("valid_to_at", "Until, UTC; 2200 = open", required=True),
    ),
    ("name", "valid_from_at"),
)


def team_names(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.team_names``; what is a team's id now is so at every time."""
    ids = {folded(team.id) for team in organisation.teams}
    for team in organisation.teams:
        aliases = [alias for alias in team.aliases if folded(alias.name) not in ids]
        for alias in [Alias(name=team.id), *aliases]:
            yield {
                "name": folded(alias.name),
                "team_id": team.id,
                "valid_from_at": organisation.midnight(alias.valid_from or BEGINNING),
                "valid_to_at": organisation.midnight(alias.valid_to or FOREVER),
            }


ONCALL_DUTIES = Table(
    "ref.oncall_duties",
    "Duty that the handbook asks of a team, dated",
    (
        _TEAM,
        text(
            "coverage",
            "working_hours, always or none",
            required=True,
            one_of=("working_hours", "always", "none"),
        ),
        at("valid_from_at", "From, UTC", required=True),
        at("valid_to_at", "Until, UTC; 2200 = open", required=True),
    ),
    ("team_id", "valid_from_at"),
)


def oncall_duties(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.oncall_duties``: a team's own duty, interrupted by the rows of the roster register.

    A team whose last ownership is over has none of its own.
    """
    for (team, coverage), spans in groupby(_duties(organisation), key=lambda duty: duty[:2]):
        # What goes on under several rows is one: a window may lie across them.
        (_, _, start, end), *more = spans
        yield {
            "team_id": team,
            "coverage": coverage,
            "valid_from_at": organisation.midnight(start),
            "valid_to_at": organisation.midnight(more[-1][3] if more else end),
        }


def _duties(organisation: Organisation) -> Iterator[_Duty]:
    for team in organisation.teams:
        ended_on = _end_of_ownership(organisation, team.id)
        start = BEGINNING
        rows = sorted((r for r in organisation.rosters if r.team_id == team.id), key=lambda row: row.valid_from)
        for row in rows:
            yield from _own_duty(team, start, row.valid_from, ended_on)
            start = row.valid_to or FOREVER
            yield team.id, row.coverage, row.valid_from, start
        yield from _own_duty(team, start, FOREVER, ended_on)


def _own_duty(team: Team, start: date, end: date, ended_on: date) -> Iterator[_Duty]:
    """What the team's own line asks for between two rows of the register: nothing once it answers for nothing."""
    if start < min(end, ended_on):
        yield team.id, team.oncall, start, min(end, ended_on)
    if max(start, ended_on) < end:
        yield team.id, "none", max(start, ended_on), end


def _end_of_ownership(organisation: Organisation, team_id: str) -> date:
    """The day from which a team that had services has none any more; who never had any is on duty for others."""
    owners = (owner for service in organisation.services for owner in service.owners if owner.team == team_id)
    return max((owner.valid_to or FOREVER for owner in owners), default=FOREVER)


TEAM_STREAMS = Table(
    "ref.team_streams",
    "Which team delivers to which stream since when",
    (_TEAM, id_("stream", "Stream"), day("connected_on", "First day", required=True)),
    ("team_id", "stream"),
)


def team_streams(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.team_streams``: the first day that any source of a stream is connected for a team."""
    found: dict[tuple[str, str], date] = {}
    for delivery in organisation.deliveries:
        source = delivery.source
        for team in organisation.teams:
            if "*" in source.teams or team.id in source.teams:
                since = max(source.connected_on or team.onboarded_on, team.onboarded_on)
                key = (team.id, delivery.stream)
                found[key] = min(since, found.get(key, since))
    for (team_id, stream), since in found.items():
        yield {"team_id": team_id, "stream": stream, "connected_on": since}
