"""Errors that a person can act on: file, line, what is wrong, how to mend it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path


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


class DamagedLoadError(OpsMetricsError):
    """A file of the landing folder is not a readable load."""

    def __init__(self, path: Path, said: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: not a readable load ({said})"
            "\n    fix: `opsmetrics build` sets it aside; pull again, or restore the file from the backup"
        )


class SqlFileError(OpsMetricsError):
    """A ``.sql`` file breaks its own contract: header, dependencies, columns, key or ranges."""


class ContractError(OpsMetricsError):
    """A table that the program makes breaks its own declaration: columns, types, key, nulls or limits."""


class WarehouseBusyError(OpsMetricsError):
    """Another process holds the working DuckDB file."""


class WarehouseDamagedError(OpsMetricsError):
    """The working file was found damaged and set aside; a new build makes it again from landing."""


class StorageError(OpsMetricsError):
    """The disk refused: full, read-only, or not ours. What was landed and published before is untouched."""

    def __init__(self, said: object) -> None:
        super().__init__(
            f"the disk refused: {said}"
            "\n    fix: free space or mend the permissions of OPSMETRICS_HOME, then run again;"
            " nothing that was landed or published is lost"
        )


_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def is_refusal(error: OSError) -> bool:
    """Whether an operating system's error says that the disk is full, read-only, broken or not ours."""
    return error.errno in _REFUSALS


class SnapshotError(OpsMetricsError):
    """There is no snapshot to read, or the pointer to it is damaged."""
