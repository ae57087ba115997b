"""Thin Dagster assets around the library: landing and raw, models, scores, the published snapshot.

Belongs here: what Dagster must know of each table (key, dependencies, checks, partitions). Does not belong
here: schedules and jobs (``pipelines``) or any logic (``opsmetrics``).
"""
