"""The brief for the meeting: one page, the tables behind it and an annex per team, from the queries of the app.

Same snapshot, period and language give the same bytes; no sentence is made by a language model. Does not belong here:
queries (``opsmetrics.reading``) and the words themselves (``opsmetrics.texts``).
"""

from opsmetrics.brief.content import compose, period_of
from opsmetrics.brief.document import Document
from opsmetrics.brief.publish import MEDIA_TYPES, WRITERS, file_name, publish_briefs

__all__ = ["MEDIA_TYPES", "WRITERS", "Document", "compose", "file_name", "period_of", "publish_briefs"]
