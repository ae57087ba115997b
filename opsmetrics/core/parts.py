"""What comes with the library in a wheel beside its own package: app, Dagster code, simulator, examples (ADR 0047).

In a checkout they are folders beside ``opsmetrics``. A wheel holds them below ``opsmetrics/_parts``, so that it puts
one name into site-packages and no ``assets`` or ``simulator``; this module makes them importable in processes of ours.
"""

from __future__ import annotations

import sys
from pathlib import Path

_LIBRARY = Path(__file__).resolve().parents[1]
# Folder of the parts in an installed wheel.
BUNDLED = "_parts"


def parts_folder() -> Path:
    """Return the folder that holds app, Dagster code, simulator and examples."""
    bundled = _LIBRARY / BUNDLED
    return bundled if bundled.is_dir() else _LIBRARY.parent


def reach_parts() -> None:
    """Let this process import the parts; a checkout or an editable install can already."""
    bundled = str(_LIBRARY / BUNDLED)
    # First: a folder called `assets` of somebody else's project is not what our own modules mean.
    if (_LIBRARY / BUNDLED).is_dir() and bundled not in sys.path:
        sys.path.insert(0, bundled)


def import_path(before: str | None) -> str:
    """Return PYTHONPATH for a program that is to import the parts.

    Args:
        before: What the variable holds now.
    """
    bundled = _LIBRARY / BUNDLED
    found = [str(bundled)] if bundled.is_dir() else []
    return ":".join([*found, *([before] if before else [])])
