"""What is shown but never scored: diagnostics, organisation facts and gaming alarms (method 2.4, 2.5; ADR 0008).

Each kind is one schema of SQL files with the same columns in every file, so that a page or an analyst reads all of
them with one query. Does not belong here: metrics and gates (``opsmetrics.catalogue``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from opsmetrics.catalogue.schemas import UNSCORED
from opsmetrics.catalogue.sqlfile import SqlFile, validate_header
from opsmetrics.core.declare import Column, Table, at, count, id_, number, share, text
from opsmetrics.language.bilingual import Text

_TEAM = id_("team_id", "Team")
_AS_OF = at("as_of", "Instant of evaluation, UTC; the window ends here", required=True)
_GRAIN = text("grain", "month or latest", required=True)

# The columns that every table of a kind has; ``*`` stands for its name.
SHAPES: dict[str, Table] = {
    shape.schema: shape
    for shape in (
        Table(
            "diagnostics.*",
            "A diagnostic",
            (
                _TEAM,
                _AS_OF,
                _GRAIN,
                id_("entity_id", "Service, or empty for the whole team"),
                id_("statistic", "Which number of the diagnostic this is, such as p50 or share"),
                number(
                    "value",
                    "The number in the diagnostic's unit; null where it does not exist, such as a median among open"
                    " items",
                    low=None,
                ),
                count("sample_size", "Items behind it", required=True),
                number("low", "Lower end of a 95 % interval for a median (order statistics), or null", low=None),
                number("high", "Upper end, or null; null also where it lies among open items", low=None),
                count(
                    "not_known",
                    "Items that are not behind it because nobody knows whether they belong, or how they went; null ="
                    " not counted",
                ),
            ),
            ("team_id", "as_of", "grain", "entity_id", "statistic"),
        ),
        Table(
            "organisation.*",
            "An organisation fact",
            (
                _AS_OF,
                _GRAIN,
                number("numerator", "Things that are in order"),
                number("denominator", "Things"),
                share("value", "Share, 0..1"),
                count("not_known", "Things of which it is not known: they are in neither number", required=True),
            ),
            ("as_of", "grain"),
        ),
        Table(
            "alarms.*",
            "A gaming alarm",
            (
                _TEAM,
                _AS_OF,
                _GRAIN,
                id_("subject", "Service or metric"),
                Column("finding_count", "any_integer", "Findings", required=True, low=0),
                text("detail", "What was found"),
            ),
            ("team_id", "as_of", "grain", "subject"),
        ),
    )
}


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
    def table(self) -> Table:
        """The table that its SQL makes."""
        return replace(SHAPES[self.kind], name=self.file.table, title=self.header.title.en)

    @property
    def explanation(self) -> Text:
        """Why it is there, or why it is not scored."""
        return self.header.why_not_scored or self.header.why or self.header.title


def load_unscored(files: dict[str, SqlFile]) -> tuple[Unscored, ...]:
    """Return every unscored table's definition, by schema and name.

    Raises:
        SqlFileError: A header breaks its form.
    """
    chosen = sorted((file for file in files.values() if file.schema in UNSCORED), key=lambda file: file.table)
    return tuple(
        Unscored(file.name, file.schema, validate_header(UnscoredHeader, file.header, file.path), file)
        for file in chosen
    )
