"""The organisation's zone for whoever must know it before the configuration is read: the clock of schedules.

Does not belong here: days and instants of data; they take the zone of the loaded organisation.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from opsmetrics.core.toml_text import bounded_toml
from opsmetrics.organisation.models import OrganisationSettings

DEFAULT_ZONE: str = OrganisationSettings.model_fields["timezone"].get_default()


def configured_zone(folder: Path) -> str:
    """Return ``timezone`` of a folder's ``organisation.toml``; the default where it says none or cannot be read.

    What is wrong with the file is told, with its line, when a run loads the whole configuration.
    """
    try:
        text = (folder / "organisation.toml").read_text(encoding="utf-8-sig")
        zone = bounded_toml(text).get("timezone", DEFAULT_ZONE)
        return ZoneInfo(zone).key
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return DEFAULT_ZONE
