"""What every validated table shares: unknown keys are errors, values never change, and truth is no number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_args
from unicodedata import category, normalize

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

_SLUG = r"^[a-z0-9][a-z0-9_.-]*$"
_LONGEST_SLUG = 80
Slug = Annotated[str, StringConstraints(pattern=_SLUG, max_length=_LONGEST_SLUG)]
# Letters that lose more than a mark.
_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ß": "ss", "ð": "d", "þ": "th"})


def is_slug(text: str) -> bool:
    """Whether a text may be an id."""
    return len(text) <= _LONGEST_SLUG and re.fullmatch(_SLUG, text) is not None


def slug(name: str) -> str:
    """Return an id made of a name: ``Søknad API`` is ``soknad-api``."""
    plain = normalize("NFKD", name.casefold().translate(_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-") or "unnamed"


class TypedTable(BaseModel):
    """A table whose numbers are numbers: pydantic would take ``true`` for 1."""

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, data: Any) -> Any:
        if isinstance(data, dict):
            wrong = [key for key, value in data.items() if _holds_truth(value) and key in _numeric(cls)]
            if wrong:
                raise ValidationError.from_exception_data(
                    cls.__name__, [{"type": "float_type", "loc": (key,), "input": data[key]} for key in wrong]
                )
        return data


def _holds_truth(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_truth, value))
    return any(map(_holds_truth, value.values())) if isinstance(value, dict) else isinstance(value, bool)


@cache
def _numeric(table: type[BaseModel]) -> frozenset[str]:
    """Return the keys at which numbers stand, and no truth may."""
    kinds = {field.alias or name: set(parts_of(field.annotation)) for name, field in table.model_fields.items()}
    return frozenset(key for key, within in kinds.items() if within & {int, float} and bool not in within)


def parts_of(kind: Any) -> Iterator[Any]:
    """Yield an annotation and every type that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from parts_of(part)


class Model(TypedTable):
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
