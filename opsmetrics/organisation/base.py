"""What every table of the configuration shares: unknown keys are errors, values never change."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=80)]


class Model(BaseModel):
    """A frozen table in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
