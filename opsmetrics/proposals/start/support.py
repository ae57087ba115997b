"""Whom to ask about public facts: when versions were released, and when their makers stop supporting products.

Both leave names of public packages and products with others, so that nothing is asked unless somebody says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from opsmetrics.core.settings import Settings
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.code_hosts import GitClones
from opsmetrics.proposals.start.draft import SourceDraft
from opsmetrics.proposals.start.toml import listed
from opsmetrics.proposals.start.writing import write
from opsmetrics.sources.clone_components import component_states
from opsmetrics.sources.fetching import FetchRequest

RELEASE_DATES = "https://api.deps.dev/v3"


def products_of(files: Mapping[str, str], org: Path, settings: Settings, now: datetime) -> list[str]:
    """Return the products that the clones of a proposed configuration use.

    Args:
        files: File -> text of the configuration.
        org: Folder that it is to be written to: paths in it begin there.
        settings: For what was read of a clone before.
        now: Clock.

    Raises:
        SourceError: A clone cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as scratch:
        write(Path(scratch), files)
        organisation = replace(load_organisation(Path(scratch)), folder=org)
    today = now.astimezone(organisation.zone).date()
    found: set[str] = set()
    for connector in organisation.sources.connector:
        if isinstance(connector, GitClones):
            days = (today, today + timedelta(days=1))
            request = FetchRequest.make(settings, organisation, connector, "component_states", days, now)
            found |= {str(row["product"]) for row in component_states(request).rows}
    return sorted(found)


def support_ends(products: list[str]) -> SourceDraft:
    """Return the connector that asks when products lose support."""
    toml = (
        "# When makers stop supporting what the repositories build on.\n"
        "[[connector]]\n"
        'name = "support"\n'
        'kind = "support_ends"\n'
        'streams = ["eol_dates"]\n'
        f"products = {listed(products)}\n"
    )
    return SourceDraft("eol_dates", toml, f"ends of support of {len(products)} products, from endoflife.date")
