"""The organisation as configuration (architecture D7, D11): teams, services, rules of exception, sources.

Belongs here: models, loading with file and line, checks across files, and the ``ref.*`` frames made of them.
Does not belong here: rows that come from source systems, restore tests and other fact registers included.
"""

from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.organisation.load import load_organisation
from opsmetrics.organisation.organisation import Delivery, Organisation
from opsmetrics.organisation.zone import configured_zone

__all__ = ["Delivery", "Organisation", "StreamSource", "configured_zone", "load_organisation"]
