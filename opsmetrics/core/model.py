"""What every validated table shares: unknown keys are errors, values never change."""

from __future__ import annotations

import re
from typing import Annotated, Any
from unicodedata import category

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

_SLUG = r"^[a-z0-9][a-z0-9_.-]*$"
Slug = Annotated[str, StringConstraints(pattern=_SLUG, max_length=80)]


def is_slug(text: str) -> bool:
    """Whether a text may be an id."""
    return re.fullmatch(_SLUG, text) is not None


class Model(BaseModel):
    """A frozen table in which every key is known."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_control_characters(cls, data: Any) -> Any:
        """No path, name or reason needs one; a zero byte in a path would only be found when it is opened."""
        if isinstance(data, dict):
            for key, value in data.items():
                if isinstance(value, str) and any(category(sign) == "Cc" and sign not in "\n\t" for sign in value):
                    raise ValueError(f"{key} holds a control character")
        return data
