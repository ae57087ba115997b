"""Which engine makes the heavy tables: the one that the settings name (``OPSMETRICS_ENGINE``, ADR 0016)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import DUCKDB_ENGINE, SPARK_ENGINE, Settings
from opsmetrics.warehouse.engine import DUCKDB, Engine


def engine_of(settings: Settings, files: Mapping[str, SqlFile]) -> Engine:
    """Return the engine that the settings name.

    Raises:
        ConfigurationError: There is no such engine, or what it needs is not installed.
    """
    problem = engine_problem(settings)
    if problem is not None:
        raise ConfigurationError([problem])
    if settings.engine == SPARK_ENGINE:
        # Spark is an extra of a hundred megabytes: only who asks for it has it.
        try:
            with warnings.catch_warnings():
                # About pandas, which is not used.
                warnings.simplefilter("ignore", FutureWarning)
                from opsmetrics.warehouse.spark import SparkEngine  # noqa: PLC0415
        except ImportError as error:
            message = f"OPSMETRICS_ENGINE is spark, but {error.name} is not installed"
            raise ConfigurationError(
                [Problem("environment", None, message, "pip install 'opsmetrics[spark]'")]
            ) from error
        return SparkEngine(settings.spark_master, settings.landing, settings.home / "exchange", files)
    return DUCKDB


def engine_problem(settings: Settings) -> Problem | None:
    """Return that the settings name no engine; None where they do."""
    if settings.engine in {DUCKDB_ENGINE, SPARK_ENGINE}:
        return None
    message = f"OPSMETRICS_ENGINE is {settings.engine!r}, which is not an engine"
    return Problem("environment", None, message, f"write {DUCKDB_ENGINE} or {SPARK_ENGINE}")
