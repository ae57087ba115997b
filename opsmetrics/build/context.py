"""What one run works with: settings, configuration, SQL files and clocks, read once.

Does not belong here: what is done with them (``build.stages``).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from opsmetrics.build.plan import Plan, make_plan
from opsmetrics.catalogue import Catalogue, load_catalogue
from opsmetrics.catalogue.sqlfile import SqlFile, load_all
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.half_restored import refuse_half_restored
from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.organisation.advice import line_of
from opsmetrics.warehouse.engine import Engine
from opsmetrics.warehouse.engine_choice import engine_of

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Context:
    """What one run works with, read once.

    Attributes:
        settings: Where things are.
        organisation: The configuration.
        files: SQL files by table, each after what it reads.
        catalogue: Metrics, gates and rules.
        now: Clock of the run, UTC.
        known_at: Instant that the build answers for, UTC.
        is_replay: Whether loads that were landed after ``known_at`` are left out.
    """

    settings: Settings
    organisation: Organisation
    files: dict[str, SqlFile]
    catalogue: Catalogue
    now: datetime
    known_at: datetime
    is_replay: bool = False

    @cached_property
    def plan(self) -> Plan:
        """The plan of a whole run."""
        return make_plan(self.files, self.catalogue)

    @cached_property
    def engine(self) -> Engine:
        """Who makes the heavy daily tables.

        Raises:
            ConfigurationError: The settings name no engine that is there.
        """
        return engine_of(self.settings, self.files)

    @property
    def horizon(self) -> datetime:
        """Loads landed later than this are left out.

        Today's build takes all there is: a load that was landed while the clock stood wrong is not lost for that.
        """
        return self.known_at if self.is_replay else _END_OF_TIME


def load_context(
    settings: Settings, known_at: datetime | None = None, *, organisation: Organisation | None = None
) -> Context:
    """Read and validate configuration and SQL files.

    Args:
        settings: Where things are.
        known_at: Replay what was known at this instant; default: today's build.
        organisation: The configuration of ``settings.org``, where it was read already.

    Raises:
        ConfigurationError: The organisation's folder is wrong, or names metrics that do not exist.
        SqlFileError: A SQL file is wrong.
        HalfRestoredError: The state folder holds a part of a backup.
    """
    refuse_half_restored(settings.home)
    organisation = organisation or load_organisation(settings.org)
    files = load_all(settings.sql, settings.org)
    catalogue = load_catalogue(settings.sql, files, settings.org)
    _check_metrics(organisation, catalogue)
    _check_handbook(organisation, catalogue)
    # Asked for what was known at an instant, the clock stands at that instant too: later periods had not ended.
    now = known_at or settings.clock(organisation.settings.now)
    return Context(settings, organisation, files, catalogue, now, now, is_replay=known_at is not None)


def _check_handbook(organisation: Organisation, catalogue: Catalogue) -> None:
    """Sections are those of duties and areas that there are: a link of a misspelt one would stand nowhere."""
    known = {duty.id for duty in catalogue.obligations} | {area.id for area in catalogue.areas}
    problems = [
        Problem(
            str(organisation.folder / "organisation.toml"),
            line_of(organisation.folder, "organisation.toml", ("handbook", "sections", name)),
            f"handbook.sections names {name!r}, which is neither a duty nor an area",
            'see `opsmetrics sql "select obligation_id, area_id, text_en from meta.obligations"` for both',
        )
        for name in organisation.settings.handbook.sections
        if name not in known
    ]
    if problems:
        raise ConfigurationError(problems)


def _check_metrics(organisation: Organisation, catalogue: Catalogue) -> None:
    known = {metric.id for metric in catalogue.metrics}
    problems = [
        Problem(
            str(organisation.folder / "registers" / f"{name}.csv"),
            line,
            f"metric {row.metric_id!r} of team {row.team_id!r} does not exist",
            f"did you mean {near[0]!r}?" if near else "docs/metrics.md lists the ids",
        )
        for name, rows in (
            ("waivers", organisation.waivers),
            ("goals", organisation.goals),
            ("applicability", organisation.applicability),
            ("efforts", organisation.efforts),
        )
        for line, row in zip(organisation.register_lines[name], rows, strict=True)
        if row.metric_id not in known
        for near in [difflib.get_close_matches(row.metric_id, sorted(known), n=1)]
    ]
    if problems:
        raise ConfigurationError(problems)
