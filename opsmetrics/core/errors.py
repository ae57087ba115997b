"""Errors that a person can act on: file, line, what is wrong, how to fix it."""

from __future__ import annotations

import errno
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
        return printable(f"{where}: {self.message}\n    fix: {self.fix}")


def can_be_written(text: str) -> bool:
    """Whether a text has only signs that stand for themselves, spaces of any width among them: macOS names files so."""
    return text.isprintable() or all(sign.isprintable() or unicodedata.category(sign) == "Zs" for sign in text)


def printable(text: str) -> str:
    """Return a text without signs that steer a terminal or cannot be written: file names and libraries bring them."""
    return "".join(sign if can_be_written(sign) or sign == "\n" else "?" for sign in text)


def one_line(text: str) -> str:
    """Return a text as one printable line: in a name of a file a line break would begin a line of its own."""
    return printable(text.replace("\n", "?"))


class OpsMetricsError(Exception):
    """Base of every error that the command line shows without a traceback."""

    def __str__(self) -> str:
        """What is wrong; names in it come from files, manifests and folders of others."""
        return printable(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors of a process that reads a source are raised in the one that pulls: with all that they say."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[OpsMetricsError], said: tuple[Any, ...], carried: dict[str, Any]) -> OpsMetricsError:
    error = kind.__new__(kind, *said)
    error.args = said
    error.__dict__.update(carried)
    return error


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


class UnreadableError(OpsMetricsError):
    """A file could not be read this time: rights, too many open files, memory, the disk. It may be whole, and stays."""

    def __init__(self, path: Path, said: object) -> None:
        self.path = path
        super().__init__(
            f"{path}: could not be read ({said}); it is not taken for damaged, and nothing was moved"
            "\n    fix: correct rights, memory, limits or the disk, then run again"
        )

    @property
    def is_of_the_disk(self) -> bool:
        """Whether the disk itself cannot read it: that stays so; rights, memory and open files can be corrected."""
        return getattr(self.__cause__, "errno", None) == errno.EIO


class NoFileError(UnreadableError):
    """A pipe, a device or a folder lies where a file should: to read it would not end, or not begin."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it is no file")


class VanishedError(UnreadableError):
    """A file that was listed is gone: another process packed, moved or removed it meanwhile."""


class SqlFileError(OpsMetricsError):
    """A ``.sql`` file breaks its own contract: header, dependencies, columns, key or ranges."""


class ContractError(OpsMetricsError):
    """A table that the program makes breaks its own declaration: columns, types, key, nulls or limits."""


class WarehouseBusyError(OpsMetricsError):
    """Another process holds the working DuckDB file."""


class WarehouseDamagedError(OpsMetricsError):
    """The working file was found damaged and set aside; a new build makes it again from landing."""


class StorageError(OpsMetricsError):
    """The system refused: the disk is full, read-only, or not ours. What was landed and published is untouched."""

    def __init__(self, said: object) -> None:
        super().__init__(
            f"the disk refused: {said}"
            "\n    fix: free space or correct the permissions there (OPSMETRICS_HOME, or where you wrote to), then run"
            " again; nothing that was landed or published is lost"
        )


class PlaceError(OpsMetricsError):
    """A file or folder cannot stand where it was asked for: no folder there, a file in its way, too long a name."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"{error.filename}: {error.strerror}"
            "\n    fix: name a place that exists and can be written to, in the option or in OPSMETRICS_HOME"
        )


class FolderGoneError(OpsMetricsError):
    """The folder in which a command was typed was removed meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "the folder that this was started in is no longer there, and a path is named from there"
            "\n    fix: change to a folder that is there, or name whole paths in options and OPSMETRICS_HOME"
        )


class MemoryRefusedError(OpsMetricsError):
    """The system gave no memory. What was landed and published is untouched."""

    def __init__(self) -> None:
        super().__init__(
            "the system gave no more memory"
            "\n    fix: free memory or raise the limit of this process, then run again;"
            " nothing that was landed or published is lost"
        )


_REFUSALS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ETXTBSY),
    *(errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOLCK),
}
# Libraries that pass on what the system said as a text only. "Could not set lock" is told apart before. What has no
# memory for the stack of another thread is told that it should try again.
_SAID_OF_MEMORY = (
    *("cannot allocate memory", "out of memory", "failed to allocate", "allocation failure", "could not allocate"),
    "resource temporarily unavailable",
)
_SAID = (
    *_SAID_OF_MEMORY,
    *("no space left", "quota exceeded", "file too large", "read-only", "permission denied", "operation not permitted"),
    *("input/output error", "too many open files", "interrupted system call"),
    *("stale file handle", "resource busy", "timed out"),
)


_NO_PLACES = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
}


def is_no_place(error: BaseException) -> bool:
    """Whether an error says that a file or folder cannot stand where it was asked for."""
    return isinstance(error, OSError) and error.errno in _NO_PLACES and error.filename is not None


def is_refusal(error: BaseException) -> bool:
    """Whether an error says that the system refused, rather than that a file is damaged.

    A disk that is full, read-only, broken or not ours; no memory; too many open files. What lies on the disk is as
    whole as it was.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _REFUSALS
    said = str(error).lower()
    return any(text in said for text in _SAID)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a library says that the system gave no memory, also where it is no :class:`MemoryError`."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(text in said for text in _SAID_OF_MEMORY)


def refused(error: BaseException) -> OpsMetricsError:
    """Return what to say where the system refused: of its memory, or of a disk."""
    return MemoryRefusedError() if is_out_of_memory(error) else StorageError(error)


OTHER_SHAPE = (
    "the snapshot has other tables or columns than this version of the program reads"
    "\n    fix: run `opsmetrics run` with this version, or read it with the version that wrote it"
)


class SnapshotError(OpsMetricsError):
    """There is no snapshot to read, or the pointer to it is damaged."""
