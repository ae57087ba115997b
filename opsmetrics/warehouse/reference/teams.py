"""``ref`` tables of teams: who they are, their duty, and the streams they deliver to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from opsmetrics.core.declare import Row, Table, at, day, id_, text
from opsmetrics.organisation.models import BEGINNING, FOREVER
from opsmetrics.organisation.names import Alias, folded
from opsmetrics.organisation.organisation import Organisation

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
    """Return the rows of ``ref.oncall_duties``: a team's own duty, interrupted by the rows of the roster register."""
    for team, coverage, start, end in _duties(organisation):
        yield {
            "team_id": team,
            "coverage": coverage,
            "valid_from_at": organisation.midnight(start),
            "valid_to_at": organisation.midnight(end),
        }


def _duties(organisation: Organisation) -> Iterator[tuple[str, str, date, date]]:
    for team in organisation.teams:
        start = BEGINNING
        rows = sorted((r for r in organisation.rosters if r.team_id == team.id), key=lambda row: row.valid_from)
        for row in rows:
            if start < row.valid_from:
                yield team.id, team.oncall, start, row.valid_from
            start = row.valid_to or FOREVER
            yield team.id, row.coverage, row.valid_from, start
        if start < FOREVER:
            yield team.id, team.oncall, start, FOREVER


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
