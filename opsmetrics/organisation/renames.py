"""Names of the configuration that were renamed: whatever still says the old one means the new one (ADR 0041).

A renamed team keeps its ``aliases``; owners, registers and sources that name it by one of them follow, each by its own
date where it has one. A merge or a split is no renaming: the teams stay, and ownership ends and begins.
Does not belong here: names in the rows of sources, which the SQL resolves by ``ref.team_names``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from opsmetrics.core.model import Model
from opsmetrics.organisation.file_sources import Sources
from opsmetrics.organisation.models import Owner, Service, Team
from opsmetrics.organisation.names import folded

ModelT = TypeVar("ModelT", bound=Model)


class Renames:
    """What earlier names of teams and services mean now.

    Args:
        teams: The teams.
        services: The services.
    """

    def __init__(self, teams: Sequence[Team], services: Sequence[Service]) -> None:
        self._teams = {team.id for team in teams}
        self._services = {service.id for service in services}
        self._team_names: dict[str, list[tuple[str, date, date]]] = {}
        for team in teams:
            for alias in team.aliases:
                span = (team.id, alias.valid_from or date.min, alias.valid_to or date.max)
                self._team_names.setdefault(folded(alias.name), []).append(span)
        self._service_names = {folded(name): service.id for service in services for name in service.aliases}

    def team(self, name: str, on: date | None) -> str:
        """Return the id of the team that a name means on a day; a name that means none, or several, stays."""
        if name in self._teams:
            return name
        meant = {
            team
            for team, start, end in self._team_names.get(folded(name), ())
            if on is None or start <= on < end or (on >= end == date.max)
        }
        return meant.pop() if len(meant) == 1 else name

    def service(self, name: str) -> str:
        """Return the id of the service that a name means; a name that means none stays."""
        return name if name in self._services else self._service_names.get(folded(name), name)

    def of_row(self, row: ModelT) -> ModelT:
        """Return a row of a register or of a table with the names of today."""
        on = next(
            (day for key in ("valid_from", "decided_on") if isinstance(day := getattr(row, key, None), date)), None
        )
        changes: dict[str, Any] = {}
        if isinstance(team := getattr(row, "team_id", None), str):
            changes["team_id"] = self.team(team, on)
        for key in ("service_id", "service"):
            if isinstance(name := getattr(row, key, None), str):
                changes[key] = self.service(name)
        return _changed(row, changes)

    def of_service(self, service: Service) -> Service:
        """Return a service whose owners have the names of today; what one team owned on is one period."""
        owners = [_changed(owner, {"team": self.team(owner.team, owner.valid_from)}) for owner in service.owners]
        return service if owners == service.owners else service.model_copy(update={"owners": _joined(owners)})

    def of_sources(self, sources: Sources) -> Sources:
        """Return sources whose teams have the names of today."""
        parts = {
            key: [
                _changed(each, {"teams": [self.team(team, None) for team in each.teams]})
                for each in getattr(sources, key)
            ]
            for key in ("stream", "connector")
        }
        return _changed(sources, parts)


def _changed(model: ModelT, values: dict[str, Any]) -> ModelT:
    """Return a model with some values replaced, itself where none differs."""
    differing = {name: value for name, value in values.items() if getattr(model, name) != value}
    return model.model_copy(update=differing) if differing else model


def _joined(owners: list[Owner]) -> list[Owner]:
    """Join periods of one team that follow each other: a new name is no handover."""
    found: list[Owner] = []
    for owner in sorted(owners, key=lambda owner: owner.valid_from):
        if found and found[-1].team == owner.team and found[-1].valid_to == owner.valid_from:
            found[-1] = found[-1].model_copy(update={"valid_to": owner.valid_to})
        else:
            found.append(owner)
    return found
