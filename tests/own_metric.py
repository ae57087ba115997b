"""The header of an own metric that tests write: shares of deployments over 45 days."""

from __future__ import annotations

HEADER = """-- title = { nb = "Egen", en = "Own" }
-- area = "aut"
-- unit = "share"
-- kind = "sample"
-- window = "45d"
-- floor = 0.5
-- mal = 0.95
-- weight = 1
-- n_full = 10
-- needs = ["deployments"]
-- when_empty = "no_opportunity"
-- formula = { nb = "x / y", en = "x / y" }
-- why = { nb = "Egen plikt.", en = "A duty of our own." }
-- remedy = { nb = "Gjør det.", en = "Do it." }
-- version = 1
"""
