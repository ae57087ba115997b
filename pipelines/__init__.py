"""Wiring only: which assets exist, when they run, and how to run them in one process.

Does not belong here: assets (``assets``) or logic (``opsmetrics``).
"""
