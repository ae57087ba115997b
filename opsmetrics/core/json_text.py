"""JSON that may be anything: brackets without end and numbers of thousands of digits are errors like any other.

Belongs here: reading JSON as a value, and notes that we wrote ourselves. Does not belong here: what a value must be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opsmetrics.core.atomic import read_bounded
from opsmetrics.core.errors import NoFileError, UnreadableError, VanishedError

# Far more than any note of ours holds.
_MOST_BYTES = 256 << 20


def json_value(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None


def read_note(path: Path) -> Any | None:
    """Return what a note of ours holds, or None where there is none.

    Raises:
        ValueError: Something else lies there: other text, a pipe, a folder, gigabytes.
        UnreadableError: The system does not let us read it.
    """
    try:
        content = read_bounded(path, _MOST_BYTES)
    except VanishedError:
        return None
    except NoFileError as error:
        raise ValueError(str(error)) from error
    except UnreadableError as error:
        if isinstance(error.__cause__, NotADirectoryError):
            return None
        raise
    if content is None:
        raise ValueError("it holds more than a note does")
    return json_value(content)
