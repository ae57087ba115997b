"""Which optional package belongs to which extra of ours, and what to say where one is missing (ADR 0047)."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from opsmetrics.core.errors import OpsMetricsError

# Name of the package as it is imported -> the extra that brings it; a test holds this against pyproject.toml.
EXTRAS: dict[str, str] = {
    "authlib": "app",
    "azure": "azure",
    "dagster": "dagster",
    "dagster_postgres": "postgres",
    "duckdb_kql": "demo",
    "githubkit": "github",
    "itsdangerous": "app",
    "joserfc": "demo",
    "plotly": "app",
    "pptx": "documents",
    "psycopg2": "databases",
    "pymysql": "databases",
    "pyspark": "spark",
    "sqlglot": "spark",
    "starlette": "app",
    "streamlit": "app",
    "trustme": "demo",
    "typst": "documents",
    "uvicorn": "demo",
}


class MissingExtraError(OpsMetricsError):
    """Something was asked for that an optional package does, and it is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{package} is not installed\n    fix: {install_line(extra)}")


def install_line(extra: str) -> str:
    """Return the command that brings an extra."""
    return f"pip install 'opsmetrics[{extra}]'"


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Return what to say of a module that was not found; None where it is none of the optional ones."""
    package = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(package)
    return MissingExtraError(package, extra) if extra else None


def is_installed(distribution: str) -> bool:
    """Whether a distribution is there, without importing it."""
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
