"""Errors that a person can act on: file, line, what is wrong, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one place.

    Attributes:
        file: Path as the user knows it (relative to the organisation's folder where possible).
        line: 1-based line, or None where a file as a whole is meant.
        message: What is wrong.
        fix: What to do about it.
    """

    file: str
    line: int | None
    message: str
    fix: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}\n    fix: {self.fix}"


class OpsMetricsError(Exception):
    """Base of every error that the command line shows without a traceback."""


class ConfigurationError(OpsMetricsError):
    """The organisation's configuration is wrong; carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class SourceError(OpsMetricsError):
    """A source could not be read at all (rows that break a contract are quarantined instead)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class SqlFileError(OpsMetricsError):
    """A ``.sql`` file breaks its own contract: header, dependencies, columns, key or ranges."""


class WarehouseBusyError(OpsMetricsError):
    """Another process holds the working DuckDB file."""


class SnapshotError(OpsMetricsError):
    """There is no snapshot to read, or the pointer to it is damaged."""
