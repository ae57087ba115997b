"""What is shown but never scored: diagnostics, organisation facts and gaming alarms (method 2.4, 2.5; ADR 0008).

Each kind is one schema of SQL files with the same columns in every file, so that a page or an analyst reads all of
them with one query. Does not belong here: metrics and gates (``opsmetrics.catalogue``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from opsmetrics.organisation.models import Text
from opsmetrics.sqlfile import SqlFile, validate_header

_TEAM = "Team"
_AS_OF = "Instant of evaluation, UTC; the window ends here"
_GRAIN = "month or latest"

COLUMNS: dict[str, dict[str, str]] = {
    "diagnostics": {
        "team_id": _TEAM,
        "as_of": _AS_OF,
        "grain": _GRAIN,
        "entity_id": "Service, or empty for the whole team",
        "statistic": "Which number of the diagnostic this is, such as p50 or share",
        "value": "The number in the diagnostic's unit; null where it does not exist, such as a median among open items",
        "sample_size": "Items behind it",
        "low": "Lower end of a 95 % interval for a median (order statistics), or null",
        "high": "Upper end, or null; null also where it lies among open items",
    },
    "organisation": {
        "as_of": _AS_OF,
        "grain": _GRAIN,
        "numerator": "Things that are in order",
        "denominator": "Things",
        "value": "Share, 0..1",
    },
    "alarms": {
        "team_id": _TEAM,
        "as_of": _AS_OF,
        "grain": _GRAIN,
        "subject": "Service or metric",
        "finding_count": "Findings",
        "detail": "What was found",
    },
}
KEYS: dict[str, list[str]] = {
    "diagnostics": ["team_id", "as_of", "grain", "entity_id", "statistic"],
    "organisation": ["as_of", "grain"],
    "alarms": ["team_id", "as_of", "grain", "subject"],
}
SCHEMAS = tuple(COLUMNS)


class UnscoredHeader(BaseModel):
    """Header of a file below ``sql/diagnostics``, ``sql/organisation`` or ``sql/alarms``.

    Attributes:
        title: Name on screen.
        unit: Of a diagnostic's values.
        why_not_scored: Of a diagnostic.
        why: What an organisation fact or an alarm is for.
        obligations: Sentences of the handbook that an organisation fact measures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    unit: Literal["share", "minutes", "hours", "days", "years", "count", "per_week", "per_night"] | None = None
    why_not_scored: Text | None = None
    why: Text | None = None
    obligations: list[Annotated[str, StringConstraints(pattern=r"^O\d[0-9A]$")]] = Field(default=[])


@dataclass(frozen=True, slots=True)
class Unscored:
    """One diagnostic, organisation fact or alarm."""

    id: str
    kind: str
    header: UnscoredHeader
    file: SqlFile

    @property
    def explanation(self) -> Text:
        """Why it is there, or why it is not scored."""
        return self.header.why_not_scored or self.header.why or self.header.title


def load_unscored(files: dict[str, SqlFile]) -> tuple[Unscored, ...]:
    """Return every unscored table's definition, by schema and name.

    Raises:
        SqlFileError: A header breaks its form.
    """
    chosen = sorted((file for file in files.values() if file.schema in SCHEMAS), key=lambda file: file.table)
    return tuple(
        Unscored(file.name, file.schema, validate_header(UnscoredHeader, file.header, file.path), file)
        for file in chosen
    )
