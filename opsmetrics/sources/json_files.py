"""JSON files in a folder that other programs wrote: which there are, and their content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.places import pattern_of
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import MOST_BYTES


def found(request: FetchRequest[Any], folder: str, files: str) -> list[Path]:
    """Return the files below a folder that a pattern names, by name.

    Args:
        request: For the organisation's folder, where a relative name starts.
        folder: Folder.
        files: Pattern below it, such as ``**/*.json``.

    Raises:
        SourceError: There is no such folder.
    """
    place = request.path(folder)
    if not place.is_dir():
        raise SourceError(Problem(str(place), None, "no such folder", "check folder in sources.toml"))
    return sorted(path for path in place.glob(pattern_of(files)) if path.is_file())


def content(path: Path) -> Any:
    """Return what a file holds.

    Raises:
        ValueError: It is no JSON, is cut off, or is larger than any report can be.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES // 1_000_000} MB")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        raise ValueError("nested without end") from error


def records(path: Path) -> list[Any]:
    """Return the objects of a file: one object, a list of them, or one a line.

    Raises:
        ValueError: It is no JSON, is cut off, or is larger than any report can be.
    """
    try:
        whole = content(path)
    except json.JSONDecodeError:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        try:
            return [json.loads(line) for line in lines if line.strip()]
        except RecursionError as error:
            raise ValueError("nested without end") from error
    return whole if isinstance(whole, list) else [whole]
