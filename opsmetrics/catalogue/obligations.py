"""The handbook's sentences and what measures each: ``sql/metrics/obligations.toml`` against the SQL headers.

A sentence that nothing measures, or a metric that measures no sentence, stops every command (method, section 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from opsmetrics.catalogue.sqlfile import validate_header
from opsmetrics.catalogue.tomlfile import toml_of
from opsmetrics.core.errors import SqlFileError
from opsmetrics.language.bilingual import Text


class Obligation(BaseModel):
    """One sentence of the handbook.

    Attributes:
        area: Ops area, or ``all``.
        strength: shall, fact, strive or aim, as the handbook's wording has it.
        who: both, product, platform, or organisation for what no single team answers for.
        measured_by: ``scores`` where the team and area scores themselves are the measure; else the SQL headers say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^O\d[0-9A]$")]
    area: str
    text: Text
    strength: Literal["shall", "fact", "strive", "aim"]
    who: Literal["both", "product", "platform", "organisation"] = "both"
    measured_by: Literal["headers", "scores"] = "headers"


def load_obligations(root: Path) -> tuple[Obligation, ...]:
    """Read the register of obligations.

    Raises:
        SqlFileError: The register is malformed, or names a sentence twice.
    """
    path = root / "metrics" / "obligations.toml"
    raw = toml_of(path)
    found = tuple(validate_header(Obligation, item, path) for item in raw["obligation"])
    ids = [obligation.id for obligation in found]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise SqlFileError(f"{path}: {', '.join(repeated)} stands there more than once; keep one")
    return found


def check_obligations(obligations: tuple[Obligation, ...], measured: dict[str, list[str]], root: Path) -> None:
    """Check that every sentence is measured and every measure names sentences that exist.

    Args:
        obligations: The register.
        measured: Metric or organisation fact -> ids of sentences in its header.
        root: Folder of the SQL files, for the message.

    Raises:
        SqlFileError: A sentence without measure, or a measure of an unknown sentence or of none.
    """
    path = root / "metrics" / "obligations.toml"
    known = {obligation.id for obligation in obligations}
    problems = [
        f"{name}: obligations names {', '.join(sorted(set(ids) - known)) or 'nothing'}; choose from {path}"
        for name, ids in sorted(measured.items())
        if not ids or not set(ids) <= known
    ]
    covered = {duty for ids in measured.values() for duty in ids}
    problems += [
        f"{path}: nothing measures {obligation.id}; name it in the header of a metric or organisation fact"
        for obligation in obligations
        if obligation.measured_by == "headers" and obligation.id not in covered
    ]
    if problems:
        raise SqlFileError("\n".join(problems))
