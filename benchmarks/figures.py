"""What a benchmark found: a value beside its physical limit, as a line of a table and as JSON for the whole run."""

from __future__ import annotations

import json
import resource
from dataclasses import asdict, dataclass, field
from pathlib import Path

from opsmetrics.core.settings import secret

# Where a whole run (``python -m benchmarks``) collects the lines of its parts.
COLLECT = "OPSMETRICS_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured.
        value: Seconds, or what ``unit`` says.
        limit: The physical limit from the same run, in the same unit, or None.
        limit_name: What the limit is.
        target: Highest ratio to the limit, or highest value where there is no limit; None = only watched.
        unit: Of value and limit.
        note: Rows, bytes, memory: what belongs beside the value.
    """

    name: str
    value: float
    limit: float | None = None
    limit_name: str = ""
    target: float | None = None
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value to limit."""
        return self.value / self.limit if self.limit else None

    @property
    def holds(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.target

    def row(self) -> str:
        """Return a line of a Markdown table."""
        limit = f"{_number(self.limit)} {self.unit}: {self.limit_name}" if self.limit is not None else ""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        target = "" if self.target is None else f"{self.target:g}" + ("" if self.ratio is not None else f" {self.unit}")
        holds = {True: "yes", False: "**no**", None: ""}[self.holds]
        cells = (self.name, f"{_number(self.value)} {self.unit}", limit, ratio, target, holds, self.note)
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| What | Value | Limit in the same run | Ratio | Target | Reached | Beside it |\n|---|---|---|---|---|---|---|"
)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass
class Report:
    """Collects figures, prints each as it comes, and hands them to the whole run."""

    figures: list[Figure] = field(default_factory=list[Figure])

    def add(self, figure: Figure) -> None:
        """Print a figure and keep it."""
        print(figure.row(), flush=True)
        self.figures.append(figure)
        target = secret(COLLECT)
        if target:
            with Path(target).open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(figure)) + "\n")


def peak_mib() -> float:
    """Return the largest resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
