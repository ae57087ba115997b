"""Words for when a step shows, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.board import when
from opsmetrics.snapshots.queries.gaps import PlanStep

STEP = PlanStep(
    team_id="t1",
    target_level=3,
    position=1,
    metric_id="inc_postmortem_on_time",
    effort_days=2.0,
    points_before=0.0,
    is_for_gate=False,
    score_after=61.0,
    shows_on=date(2027, 3, 14),
    waits_for=5,
    dates_rest_on="items",
    remedy_id="follow_up",
    level_on=date(2027, 3, 1),
    is_within_year=True,
)


def test_what_depends_on_the_past_says_so():
    nb, en = (when(STEP, language).replace("\xa0", " ") for language in ("nb", "en"))
    assert (
        nb
        == "Kan vise seg i scoren fra 14. mars 2027, fordi måleperioden fram til da inneholder 5 som ikke nådde målet."
    )
    assert (
        en == "Can show in the score from 14 March 2027, because until then the window holds 5 that missed the target."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("basis", ["work", "items", "due_dates", "window"])
def test_every_kind_of_date_has_its_own_words(language, basis):
    said = {when(replace(STEP, dates_rest_on=kind, waits_for=0), language) for kind in ("work", "items", basis)}
    assert len(said) == (2 if basis in {"work", "items"} else 3)
    assert all("2027" in words for words in said)


def test_nothing_is_said_of_a_day_that_is_not_known():
    assert when(replace(STEP, shows_on=None, dates_rest_on=None, waits_for=None), "nb") == ""
