"""The scorecard that people look at. It reads snapshots only.

Belongs here: server, pages, markup, figures. Does not belong here: queries and words
(``opsmetrics.snapshots.queries``, ``opsmetrics.language``), SQL that decides numbers, arithmetic on scores.
"""
