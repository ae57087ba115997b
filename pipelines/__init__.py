"""Wiring only: which assets exist, when they run, how to run them in one process, and the command line.

Does not belong here: assets (``assets``) or logic (``opsmetrics``).
"""
