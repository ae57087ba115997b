"""Which areas are the weakest: several, if they are written with the same number, and none where there is no other."""

from __future__ import annotations

from collections.abc import Mapping

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed

NAMED = 3


def weakest(language: str, scores: Mapping[str, float], names: Mapping[str, str]) -> dict[str, str | int]:
    """Return what a sentence about the weakest needs: ``area``, their names, and ``weakest``, how many they are.

    None is the weakest where all are written with the same number, nor the only one that is known: ``weakest`` is 0.

    Args:
        language: Of numbers and names.
        scores: 0..100 by area; at least one.
        names: By area.
    """
    lowest = fmt.score(language, min(scores.values()))
    found = [names[area] for area in sorted(scores, key=lambda key: scores[key]) if _is(language, scores[area], lowest)]
    return {"area": listed(language, found, NAMED), "weakest": len(found) if len(found) < len(scores) else 0}


def _is(language: str, score: float, written: str) -> bool:
    return fmt.score(language, score) == written
