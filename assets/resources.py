"""Dagster resources: the settings of a run, and what it reads once."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from opsmetrics.build import Context, load_context
from opsmetrics.core.settings import Settings, parse_instant
from opsmetrics.organisation import Organisation, load_organisation


class Workspace(dg.ConfigurableResource["Workspace"]):
    """Where state, configuration and SQL lie. Unset fields come from the environment, when a run needs them."""

    home: str = ""
    org: str = ""
    data: str = ""
    now: str = ""

    _is_shared: bool = PrivateAttr(default=False)
    _organisation: Organisation | None = PrivateAttr(default=None)
    _context: Context | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Begin a run: from here on its steps share what is read."""
        del context
        self._is_shared, self._organisation, self._context = True, None, None

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

    def organisation(self) -> Organisation:
        """Return the configuration, read once a run."""
        if self._organisation is None or not self._is_shared:
            self._organisation = load_organisation(self.settings().org)
        return self._organisation

    def context(self) -> Context:
        """Return configuration and SQL files, read once a run."""
        if self._context is None or not self._is_shared:
            self._context = load_context(self.settings(), organisation=self.organisation())
        return self._context


WRITER_POOL = "duckdb_writer"
"""Everything that opens the working file runs in this pool of one (architecture D8)."""

WRITER_TAG = "opsmetrics/writes"
"""Tag of jobs that open the working file: the queue begins one such run at a time (``dagster_home/dagster.yaml``)."""
