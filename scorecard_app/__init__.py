"""The scorecard that people look at. It reads snapshots only.

Belongs here: pages, HTML, charts, texts. Does not belong here: SQL that decides numbers, arithmetic on scores.
"""
