"""Results that follow from texts alone, kept between processes in the user's cache folder.

A cache is a convenience: one that is missing, damaged or refused by the system is as good as empty, and nothing is said
of it. It holds no records of a source and nothing that is secret. Does not belong here: state that a run rests on
(``core.settings.Settings.home``).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from opsmetrics.core.atomic import write_whole_text
from opsmetrics.core.errors import UnreadableError
from opsmetrics.core.json_text import read_note
from opsmetrics.core.settings import cache_folder

# Texts of some organisations; above it only what this process asked for is kept.
_MOST = 2_000


class TextCache:
    """JSON values by the text that they follow from.

    Attributes:
        name: Of the file, without its ending.
        version: Of whatever works values out: another version knows nothing of the values of this one.
    """

    def __init__(self, name: str, version: str) -> None:
        self.name, self.version = name, version
        self._asked: dict[str, Any] = {}
        self._is_new = False

    def get(self, text: str) -> Any | None:
        """Return the value of a text, or None where none is kept."""
        key = self._key(text)
        value = self._stored.get(key)
        if value is not None:
            self._asked[key] = value
        return value

    def add(self, text: str, value: Any) -> None:
        """Note the value of a text; :meth:`save` writes it."""
        self._asked[self._key(text)] = value
        self._is_new = True

    def save(self) -> None:
        """Write what is new, whole or not at all."""
        path = self._path
        if not self._is_new or path is None:
            return
        values = self._stored | self._asked
        found = self._asked if len(values) > _MOST else values
        with suppress(OSError):
            write_whole_text(path, json.dumps({"version": self.version, "values": found}))
            self._is_new = False

    @property
    def _path(self) -> Path | None:
        folder = cache_folder()
        return None if folder is None else folder / f"{self.name}.json"

    @cached_property
    def _stored(self) -> dict[str, Any]:
        with suppress(OSError, UnreadableError, ValueError):
            path = self._path
            found = read_note(path) if path else None
            match found:
                case {"version": self.version, "values": dict(values)}:
                    return values
                case _:
                    pass
        return {}

    @staticmethod
    def _key(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
