"""Queries on the current snapshot, a module per question. Drawing and words do not belong here."""
