"""What is measured: SQL files with their headers, metrics, gates, areas, obligations, and the ruleset's version.

Does not belong here: values (``sql``, ``opsmetrics.warehouse``) and points (``opsmetrics.scoring``).
"""

from opsmetrics.catalogue.load import load_catalogue, rules_digest_at
from opsmetrics.catalogue.model import (
    Area,
    Catalogue,
    Gate,
    GateHeader,
    Metric,
    MetricHeader,
    Ruleset,
)

__all__ = [
    "Area",
    "Catalogue",
    "Gate",
    "GateHeader",
    "Metric",
    "MetricHeader",
    "Ruleset",
    "load_catalogue",
    "rules_digest_at",
]
