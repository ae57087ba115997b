"""Dagster's wiring only: which assets exist together, when they run, and what is noticed between schedules.

Does not belong here: assets (``assets``), the command line (``opsmetrics.cli``) or logic (``opsmetrics``).
"""
