"""``restore-test.json``: our own contract for the number that leadership asks for (source contracts, F4b).

One object, a list of them, or one object a line. Restore and verification times are kept apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.organisation.connectors.result_files import RestoreFiles
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import MOST_BYTES

# Words for how a test ended, in any case; with another word the test is set aside.
_OUTCOMES = {
    **dict.fromkeys(("ok", "success", "successful", "succeeded", "passed"), True),
    **dict.fromkeys(("failed", "failure", "error", "not ok"), False),
}
LOOK_BACK = timedelta(days=35)
_FILES = "restore-test*.json"
_REQUIRED = ("system", "started_at", "result")


def probe(request: FetchRequest[RestoreFiles]) -> str:
    """Count the files."""
    folder = request.path(request.connector.folder)
    if not folder.is_dir():
        raise SourceError(Problem(str(folder), None, "no such folder", "check folder in sources.toml"))
    return f"{len(list(folder.rglob(_FILES)))} files"


def restore_tests(request: FetchRequest[RestoreFiles]) -> FetchResult:
    """Return the tests of all ``restore-test*.json`` below the folder."""
    probe(request)
    # A pipe of that name would be waited for.
    found = sorted(path for path in request.path(request.connector.folder).rglob(_FILES) if path.is_file())
    rows = [row for path in found for row in rows_of(_text(path), str(path), request.connector.datastores)]
    return FetchResult(rows, source=request.connector.folder)


def _text(path: Path) -> str:
    """Return the text of one file.

    Raises:
        SourceError: It cannot be read, is larger than any result, or no text.
    """
    try:
        if path.stat().st_size <= MOST_BYTES:
            return path.read_text(encoding="utf-8-sig")
        why = f"more than {MOST_BYTES // 1_000_000} MB"
    except UnicodeError:
        why = "no text in UTF-8"
    except OSError as error:
        why = f"it cannot be read ({error.strerror or type(error).__name__})"
    raise SourceError(Problem(str(path), None, why, "look at the file and have it written again"))


def rows_of(text: str, where: str, datastores: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the text of one file.

    Raises:
        SourceError: It is not JSON of this contract; the message names the item and the field.
    """
    found = _items(text, where)
    for number, item in enumerate(found, start=1):
        missing = [name for name in _REQUIRED if not isinstance(item, dict) or item.get(name) in (None, "")]
        if missing:
            message = f"test {number} lacks {', '.join(missing)}"
            raise SourceError(Problem(where, None, message, "see docs/sources.md, restore tests"))
        if item.get("schema", 1) != 1:
            message = f"test {number} has schema {item['schema']!r}; this version reads 1"
            raise SourceError(Problem(where, None, message, "update opsmetrics, or write schema 1"))
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(found, start=1):
        try:
            rows.append(_row(item, datastores))
        except (TypeError, ValueError) as error:
            message = f"test {number}: started_at is not a time"
            raise SourceError(Problem(where, None, message, "write it as 2026-10-04T03:00:00Z")) from error
    return rows


def _items(text: str, where: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except RecursionError as error:
        raise SourceError(Problem(where, None, "no valid JSON", "look at the file")) from error
    except ValueError:
        items: list[Any] = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    items.append(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise SourceError(Problem(where, number, "no valid JSON", "correct the line")) from error
        return items
    return whole if isinstance(whole, list) else [whole]


def _row(item: Mapping[str, Any], datastores: Mapping[str, str]) -> dict[str, Any]:
    system, ok = str(item["system"]), _OUTCOMES.get(str(item["result"]).strip().lower())
    started = datetime.fromisoformat(item["started_at"])
    return {
        "test_id": item.get("id") or f"{system}-{started:%Y%m%dT%H%M%S}",
        "datastore_id": datastores.get(system, system),
        "requested_at": started,
        "restored_at": item.get("restored_at"),
        "verified_at": item.get("verified_at") if ok else None,
        "is_successful": ok,
        "data_gb": item.get("data_gb"),
    }
