"""Who may do what in the app once sign-in is on: ``access.toml``. Apart from the rest: no score depends on it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.model import Model, Slug
from opsmetrics.organisation.load import Reader

FILE = "access.toml"
Role = Literal["viewer", "member", "admin"]


class Grant(Model):
    """``[[grant]]``: whoever has this value in the claim gets the role; a member belongs to a team."""

    value: str = Field(min_length=1, max_length=200)
    role: Role
    team: Slug | None = None

    @model_validator(mode="after")
    def _team_of_member(self) -> Grant:
        if (self.role == "member") != (self.team is not None):
            raise ValueError("a member has a team, and only a member has")
        return self


class AccessRules(Model):
    """``access.toml``.

    Attributes:
        claim: Claim of the identity token that holds roles or groups: a text or a list of texts.
        everyone: What anyone who can sign in may do without a grant.
        grant: Value of the claim -> role.
    """

    claim: str = Field(default="roles", min_length=1)
    everyone: Literal["viewer", "none"] = "viewer"
    grant: tuple[Grant, ...] = ()

    def grants_of(self, values: Iterable[str]) -> tuple[Grant, ...]:
        """Return the grants that a person's values of the claim give."""
        mine = set(values)
        return tuple(grant for grant in self.grant if grant.value in mine)


def load_access(folder: Path) -> AccessRules:
    """Read ``access.toml``; without the file everyone who can sign in is a viewer.

    Raises:
        ConfigurationError: With file, line and fix of every problem.
    """
    reader = Reader(folder)
    rules = reader.model(FILE, AccessRules, reader.toml(FILE), ())
    if reader.problems or rules is None:
        raise ConfigurationError(reader.problems)
    return rules
