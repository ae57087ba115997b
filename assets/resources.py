"""Dagster resources: the settings of a run."""

from dataclasses import replace
from pathlib import Path

import dagster as dg

from opsmetrics.pipeline import Context, load_context
from opsmetrics.settings import Settings, parse_instant


class Workspace(dg.ConfigurableResource["Workspace"]):
    """Where state, configuration and SQL lie. Unset fields come from the environment, when a run needs them."""

    home: str = ""
    org: str = ""
    data: str = ""
    now: str = ""

    def settings(self) -> Settings:
        """Return the settings of this run."""
        base = Settings.from_env()
        return replace(
            base,
            home=Path(self.home) if self.home else base.home,
            org=Path(self.org) if self.org else base.org,
            data=Path(self.data) if self.data else base.data,
            now=parse_instant(self.now) if self.now else base.now,
        )

    def context(self) -> Context:
        """Read configuration and SQL files."""
        return load_context(self.settings())


WRITER_POOL = "duckdb_writer"
"""Everything that opens the working file runs in this pool of one (architecture D8)."""
