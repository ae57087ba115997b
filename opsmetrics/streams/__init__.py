"""The contract of every stream: its columns, key, time column and kind. ``STREAMS`` lists them all.

Belongs here: what a landed row may look like, whoever delivers it; one module per ops area. Does not belong
here: how a source is asked (``opsmetrics.sources``) or what a row means for a team (``sql/``).
"""

from opsmetrics.core.declare import DUCKDB_TYPES, Column
from opsmetrics.streams import automation, backup, incidents, maintenance, monitoring, scaling, security
from opsmetrics.streams.model import Rule, Stream
from opsmetrics.streams.published_scores import PUBLISHED_SCORES

_AREAS = (monitoring, maintenance, incidents, scaling, security, automation, backup)
# The source that every stream may have without a connector: files that somebody hands in.
FILES = "files"
STREAMS: dict[str, Stream] = {stream.name: stream for area in _AREAS for stream in area.STREAMS}

__all__ = ["DUCKDB_TYPES", "FILES", "PUBLISHED_SCORES", "STREAMS", "Column", "Rule", "Stream"]
