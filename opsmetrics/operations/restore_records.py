"""Records of restore tests, in the form that the ``restore_files`` connector reads (source contracts, F4b).

Each is begun under a name that no connector reads, and renamed at the end, which needs no space: so a test that was
killed, or that a full disk ended, is recorded as failed. Does not belong here: the test itself
(``operations.restore_tests``).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from opsmetrics.core.atomic import sweep_drafts, sync_folder, write_whole_text
from opsmetrics.core.errors import UnreadableError
from opsmetrics.core.instants import instant, name_after
from opsmetrics.core.json_text import read_note

RESTORE_TESTS = "restore-tests"
_RECORD, _BEGUN = "restore-test-", ".begun-"


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """Outcome of a restore test, in the form that the ``restore_files`` connector reads (source contracts, F4b).

    Attributes:
        id: Id of the test.
        system: The datastore.
        started_at: When the restore began, ISO instant.
        restored_at: When the files were back, or None.
        verified_at: When the scores were built from them and compared, or None.
        result: ``ok`` or ``failed``.
        data_gb: Size of what was restored.
        seconds: From start to end.
        said: What was compared, or what went wrong.
        schema: Version of the form.
    """

    id: str
    system: str
    started_at: str
    restored_at: str | None
    verified_at: str | None
    result: str
    data_gb: float
    seconds: float
    said: str
    schema: int = 1


_TEST = TypeAdapter(RestoreTest)


def name_of(folder: Path, began: datetime) -> str:
    """Return what a test is called: after those before it, also where a clock was set back since."""
    return name_after((path.stem.removeprefix(_RECORD) for path in folder.glob(f"{_RECORD}*.json")), began)


def begin_record(folder: Path, name: str, test: RestoreTest) -> Path:
    """Write that a test has begun; what it says counts where nothing else comes.

    Raises:
        OSError: The folder cannot be written.
    """
    begun = folder / f"{_BEGUN}{name}.json"
    write_whole_text(begun, json.dumps(asdict(test)) + "\n", durable=True)
    return begun


def end_record(begun: Path, test: RestoreTest) -> None:
    """Write how a test ended, as far as the disk takes it, under the name that connectors read."""
    with suppress(OSError):
        write_whole_text(begun, json.dumps(asdict(test)) + "\n", durable=True)
    _keep(begun)


def keep_begun(folder: Path) -> None:
    """Keep the records of killed tests; the caller is the only one who tests."""
    sweep_drafts(folder)
    for begun in sorted(folder.glob(f"{_BEGUN}*.json")):
        _keep(begun)


def newest_test(home: Path) -> RestoreTest | None:
    """Return the newest test that is recorded, or None."""
    found = (home / RESTORE_TESTS).glob(f"{_RECORD}*.json")
    for path in sorted(found, key=lambda path: path.stem, reverse=True):
        with suppress(UnreadableError, ValueError):
            test = _TEST.validate_python(read_note(path))
            instant(test.verified_at)
            return test
    return None


def _keep(begun: Path) -> None:
    """Give a begun record the name that the connector reads."""
    begun.replace(begun.with_name(begun.name.replace(_BEGUN, _RECORD)))
    sync_folder(begun.parent)
