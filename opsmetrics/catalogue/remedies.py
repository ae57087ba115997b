"""Actions that improve several metrics at once: ``sql/metrics/remedies.toml``.

Does not belong here: the remedy of a single metric, which stands in its header.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from opsmetrics.catalogue.sqlfile import validate_header
from opsmetrics.catalogue.tomlfile import toml_of
from opsmetrics.core.errors import SqlFileError
from opsmetrics.language.bilingual import Text


class Remedy(BaseModel):
    """One action that improves several metrics, and is priced once in plans (method 3.12).

    Attributes:
        id: Its name in ``scores.gap`` and ``scores.plan``.
        title: What is done, in a few words.
        metrics: Ids of the metrics that it improves; each belongs to one remedy at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Text
    metrics: list[str] = Field(min_length=2)


def load_remedies(root: Path, metric_ids: set[str]) -> tuple[Remedy, ...]:
    """Read the shared remedies.

    Raises:
        SqlFileError: The file breaks its form, names an unknown metric, or a metric twice.
    """
    path = root / "metrics" / "remedies.toml"
    if not path.exists():
        return ()
    raw = toml_of(path)
    found = tuple(validate_header(Remedy, item, path) for item in raw.get("remedy", []))
    named = [metric for remedy in found for metric in remedy.metrics]
    for metric in named:
        if metric not in metric_ids:
            raise SqlFileError(f"{path}: unknown metric {metric!r}; write the name of a file below {root / 'metrics'}")
        if named.count(metric) > 1:
            raise SqlFileError(f"{path}: {metric} stands in two remedies; leave it in one")
    return found
