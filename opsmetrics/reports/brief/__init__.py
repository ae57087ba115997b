"""The brief for the meeting: four pages with pictures and an annex with every team, from the queries of the app.

Same snapshot, period and language give the same bytes; no sentence is made by a language model. Does not belong here:
queries (``opsmetrics.snapshots.queries``) and the words themselves (``opsmetrics.language.texts``).
"""

from opsmetrics.reports.brief.content import compose, period_of
from opsmetrics.reports.brief.document import Document
from opsmetrics.reports.brief.publish import MEDIA_TYPES, WRITERS, file_name, publish_briefs, writable_kinds

__all__ = [
    "MEDIA_TYPES",
    "WRITERS",
    "Document",
    "compose",
    "file_name",
    "period_of",
    "publish_briefs",
    "writable_kinds",
]
