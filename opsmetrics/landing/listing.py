"""List files of landing, and read them so that damage, refusal and absence are three things.

A file is damaged when its bytes are wrong. What the system does not let us read (rights, open files, memory, the disk)
may be whole; what is gone was packed or moved by somebody else meanwhile. Only the first may ever be set aside.
Does not belong here: what the files hold (``landing.reading``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from opsmetrics.core.errors import DamagedLoadError, OpsMetricsError, UnreadableError, VanishedError, is_refusal

T = TypeVar("T")
# A listing is only ever overtaken by a compaction, which takes each file once.
_TRIES = 5


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, without drafts; of a folder that is not there, none.

    Raises:
        UnreadableError: The system does not let us list it: ``Path.glob`` would show a folder without rights as empty.
    """
    try:
        with os.scandir(folder) as found:
            return [
                folder / entry.name
                for entry in found
                if entry.name.endswith(".parquet") and not entry.name.startswith(".")
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableError(folder, error.strerror or type(error).__name__) from error


@contextmanager
def told_apart(path: Path) -> Generator[None]:
    """Turn whatever reading a file raises into one of three errors.

    Raises:
        DamagedLoadError: It is not the file that was written.
        VanishedError: It is not there.
        UnreadableError: The system does not let us read it.
    """
    try:
        yield
    except OpsMetricsError:
        raise
    except FileNotFoundError as error:
        raise VanishedError(path, "it is gone") from error
    except Exception as error:
        # Readers raise many kinds; what they stumble on is content, unless the system refused.
        if is_refusal(error):
            raise UnreadableError(path, getattr(error, "strerror", None) or error) from error
        raise DamagedLoadError(path, str(error)) from error


def listed_again(read: Callable[[], T]) -> T:
    """Return what ``read`` gives; where a listed file vanished before it was read, list and read again.

    Raises:
        VanishedError: Files vanish each time.
    """
    for _ in range(_TRIES - 1):
        try:
            return read()
        except VanishedError:
            # It was packed: the pack holds it now.
            continue
    return read()
