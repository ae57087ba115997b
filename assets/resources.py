"""Dagster resources: the settings of a run, and what it reads once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg

from opsmetrics.build import Context, load_context
from opsmetrics.core.settings import Settings, names_organisation, parse_instant
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.snapshots.ownership import refuse_state_of_another


class Workspace:
    """Where state, configuration and SQL lie: as the process's environment says, or a test that makes one.

    No resource that a run could configure: whoever may start a run could else name a folder of their own, and with it
    any variable of the process as the token of a source ([ADR 44](../docs/adr/0044-dagster-behind-a-door.md)).
    """

    def __init__(
        self, *, home: str = "", org: str = "", data: str = "", now: str = "", is_shared: bool = False
    ) -> None:
        self.home, self.org, self.data, self.now = home, org, data, now
        self._is_shared = is_shared
        self._organisation: Organisation | None = None
        self._context: Context | None = None

    def resource(self) -> dg.ResourceDefinition:
        """Return the resource of a code location: each run reads anew, and its steps share what is read."""

        def begin(_: dg.InitResourceContext) -> Workspace:
            return Workspace(home=self.home, org=self.org, data=self.data, now=self.now, is_shared=True)

        return dg.ResourceDefinition(begin, config_schema=dg.Shape({}), description="Settings of the process")

    def settings(self) -> Settings:
        """Return the settings of this run.

        Raises:
            ConfigurationError: Nobody named an organisation, and the state is not the demo's.
        """
        base = Settings.from_env()
        found = replace(
            base,
            home=Path(self.home) if self.home else base.home,
            org=Path(self.org) if self.org else base.org,
            data=Path(self.data) if self.data else base.data,
            now=parse_instant(self.now, "now") if self.now else base.now,
        )
        if self._is_shared and not self.org and not names_organisation():
            refuse_state_of_another(found, found.org)
        return found

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
