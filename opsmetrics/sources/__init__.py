"""How sources are asked: one module per kind of source, each giving batches to land.

Belongs here: reading, paging, typing, quarantine. Does not belong here: what rows mean (``sql/``) or which
load wins (``opsmetrics.warehouse``).
"""

from opsmetrics.sources.pull import PullResult, pull_stream

__all__ = ["PullResult", "pull_stream"]
