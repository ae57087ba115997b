"""Which function answers for which stream of which kind of connector. Modules are imported when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.extras import install_line, missing_extra
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Fetch = Callable[[FetchRequest[Any]], FetchResult]
# Modules with functions named like the streams they answer for, and (in the first) ``probe``: of a kind whose functions
# lie in more than one module, or in one of another name. Every other kind has the module of its own name.
MODULES: dict[str, tuple[str, ...]] = {
    "github": (
        *("github.probes", "github.deployments", "github.restores", "github.updates", "github.issues"),
        "github.security",
    ),
    "azure_logs": ("azure.logs",),
    "azure_metrics": ("azure.metrics",),
    "azure_resources": ("azure.resources", "azure.alerting", "azure.backup"),
    "git_clones": ("clones", "clone_episodes", "clone_components"),
    "jira": ("jira.issues",),
}


# Pulls run in threads; large packages that import each other must not be imported by two of them at once.
_IMPORTING = threading.Lock()


def modules_of(kind: str) -> list[str]:
    """Return the full names of the modules of a kind of connector."""
    return [f"opsmetrics.sources.{name}" for name in MODULES.get(kind, (kind,))]


def _module(name: str) -> ModuleType:
    try:
        with _IMPORTING:
            return import_module(f"opsmetrics.sources.{name}")
    except ModuleNotFoundError as error:
        told = missing_extra(error)
        if told is None:
            raise
        message = f"connectors of this kind need {error.name}, which is not installed"
        raise SourceError(Problem("sources.toml", None, message, install_line(told.extra))) from error


def fetch_function(kind: str, stream: str) -> Fetch:
    """Return the function that answers for a stream.

    Raises:
        LookupError: The kind has no such function; a test proves that every feed has one.
    """
    for name in MODULES.get(kind, (kind,)):
        found: Fetch | None = getattr(_module(name), stream, None)
        if found is not None:
            return found
    raise LookupError(f"{kind} has no function for {stream}")


def probe_function(kind: str) -> Callable[[FetchRequest[Any]], str]:
    """Return the function that asks a source its smallest question and says what it saw."""
    found: Callable[[FetchRequest[Any]], str] = _module(MODULES.get(kind, (kind,))[0]).probe
    return found
