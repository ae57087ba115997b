"""Instants as texts, the way files and answers write them.

Belongs here: reading one. Does not belong here: forms that a source alone has, and whether a zone may be missing.
"""

from __future__ import annotations

from datetime import datetime


def instant(text: str | None) -> datetime | None:
    """Read an instant of ISO 8601, such as ``2026-11-10T08:15:00.000+0100``; nothing or an empty text is none.

    Raises:
        ValueError: The text is no such instant.
    """
    return datetime.fromisoformat(text) if text else None
