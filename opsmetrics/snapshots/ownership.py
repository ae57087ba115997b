"""Whose scores a state folder holds: one organisation's are never built with another's configuration by oversight."""

from __future__ import annotations

import tomllib
from pathlib import Path

import duckdb

from opsmetrics.core.errors import ConfigurationError, OpsMetricsError, Problem
from opsmetrics.core.settings import Settings, demo_org
from opsmetrics.snapshots.store import open_current


def refuse_state_of_another(settings: Settings, org: Path) -> None:
    """Refuse the demo's configuration for a state from which another organisation's scores were published.

    Nobody had named a configuration: the next snapshot would be the fictional organisation's, for every reader.

    Raises:
        ConfigurationError: It is another's.
    """
    theirs = _published(settings)
    if theirs is None or theirs[0] == _id_of(org):
        return
    said = f"the snapshots in {settings.snapshots} are of {theirs[1]!r}, and nobody said where its configuration is"
    fix = "name its folder with OPSMETRICS_ORG or --org; the demo wants a state folder of its own (OPSMETRICS_HOME)"
    raise ConfigurationError([Problem("OPSMETRICS_ORG", None, said, fix)])


def _id_of(org: Path) -> str | None:
    for folder in (org, demo_org()):
        try:
            return str(tomllib.loads((folder / "organisation.toml").read_text(encoding="utf-8"))["id"])
        except (OSError, ValueError, KeyError):
            # What is wrong with a configuration is said by whoever reads all of it.
            continue
    return None


def _published(settings: Settings) -> tuple[str, str] | None:
    """Return id and name of the organisation of the current snapshot, or None where there is none that can be read."""
    if not settings.snapshots.is_dir():
        return None
    try:
        with open_current(settings.snapshots) as con:
            return con.execute("select organisation_id, coalesce(name_nb, name_en) from meta.organisation").fetchone()
    except (OpsMetricsError, duckdb.Error):
        return None
