"""The grammar of numbers, and the words that the app uses for one thing each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.language import fmt
from opsmetrics.language.grammar import FORMS, inflected
from opsmetrics.language.listing import listed
from opsmetrics.language.texts import LANGUAGES, text, texts
from opsmetrics.reports import board
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.store import current

COUNTED = re.compile(r"\{(\w+)\}\*? (?:other )?(\w+s)\b")
# Of how many something is: the whole can be one.
OF_ALL = {
    "nb": re.compile(r"\{(?:all|measured|scored)\}\*? (?:\w*(?:systemer|strømmer|målinger|beslutninger|kilder))\b"),
    "en": re.compile(r"\{(?:all|measured|scored)\}\*? (?:systems|data streams|metrics|decisions|sources|teams)\b"),
}
NO_PLURALS = {"is", "was", "has", "this", "serious", "does", "pulls", "gives", "as"}
# Of at least eight periods, of thirty days, of what is listed, of a year of days, of the metrics of several teams.
ALWAYS_SEVERAL = {
    "metric.reason_too_few_points", "health.runs", "gains.team", "gains.all_teams", "incidents.told", "connect.lead_teams",
    "agenda.late", "agenda.exemption", "brief.slide_moved_tied", "incidents.list_show",
}  # fmt: skip
# Behind a sentence that names the number, or of one team alone: whether it does.
NUMBERLESS = {"incidents.lead_lasted", "incidents.lead_lasted_untold", "lead.year_one", "index.teams_lead_only"}
NUMBERLESS |= {"months.lead_only", "months.then_only", "area.lead_only"}
# The names of the weakest or furthest stand there, not how many they are.
NUMBERLESS |= {
    "lead.fall",
    "across.lead",
    "lead.weakest",
    "lead.weakest_one",
    "team.lead",
    "team.lead_provisional",
    "index.areas_lead",
    "brief.slide_matrix",
    "brief.slide_matrix_alone",
    "brief.slide_more_teams",
    "brief.chart_median",
    "brief.chart_median_alone",
    "brief.chart_met_one",
    "brief.chart_met_same",
}


@pytest.mark.parametrize(
    ("language", "key", "values", "expected"),
    [
        ("en", "overview.cell_waived", {"count": 1}, "one metric is exempt"),
        ("en", "overview.cell_waived", {"count": 3}, "3 metrics are exempt"),
        ("nb", "overview.cell_waived", {"count": 1}, "én måling har unntak"),
        ("nb", "health.streams_all", {"all": 1}, "Datastrømmen leverer"),
        ("en", "health.streams_all", {"all": 3}, "All 3 data streams deliver"),
        ("nb", "health.age", {"days": 0}, "i dag"),
        ("nb", "health.age", {"days": 1}, "én dag siden"),
        ("nb", "explain.periods_series_month", {"count": 1}, "den siste måneden"),
        ("nb", "explain.periods_series_quarter", {"count": 1}, "det siste kvartalet"),
        ("en", "explain.periods_series_quarter", {"count": 1}, "the last quarter"),
        ("nb", "health.age", {"days": 22}, "22 dager siden"),
        ("en", "configure.unmoved", {"count": 0}, "0 teams are not affected."),
        ("nb", "gaps.days", {"days": "1"}, "én teamdag"),
        ("nb", "gaps.days", {"days": "1,0"}, "1,0 teamdager"),
        ("nb", "gaps.days", {"days": "1\u00a0204"}, "1\u00a0204 teamdager"),
    ],
)
def test_a_text_takes_the_form_of_its_number(language, key, values, expected):
    assert text(language, key, **values) == expected


def test_a_form_without_a_number_is_an_error():
    with pytest.raises(KeyError):
        inflected("[count:én|flere]", {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_chooses_by_a_number_of_its_text_and_has_two_or_three(language):
    for key, words in texts(language).items():
        named = set(re.findall(r"\{(\w+)\}", words))
        for name, forms in FORMS.findall(words):
            # A title names no number, and is in the singular of one.
            assert name in named or key.startswith("agenda.") or key in NUMBERLESS, key
            assert len(forms.split("|")) in {2, 3}, key
        assert "[" not in FORMS.sub("", words).replace("[[", "").replace("[...]", ""), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_of_which_something_is_a_part_can_be_one(language):
    """No *1 of 1 systems*, and no *all 1 data streams*."""
    wrong = {key: words for key, words in texts(language).items() if OF_ALL[language].search(FORMS.sub("", words))}
    assert wrong == {}


def test_no_english_sentence_says_one_of_many():
    """A number before a plural has its singular beside it: no ``1 teams``."""
    wrong = {
        key: found[0]
        for key, words in texts("en").items()
        for found in [COUNTED.search(FORMS.sub("", words))]
        if found and found[2] not in NO_PLURALS and key not in ALWAYS_SEVERAL
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("language", "unit", "values", "said"),
    [
        ("nb", "share", (1.0, 0.5), ["100\u00a0%", "50\u00a0%"]),
        ("nb", "share", (1.0, 0.505), ["100,0\u00a0%", "50,5\u00a0%"]),
        ("en", "share", (0.9996, 0.5), ["100.0%", "50.0%"]),
        ("en", "share", (0.0, 1.0), ["0%", "100%"]),
        ("en", "share", (0.97, None, 1.0), ["97%", "–", "100%"]),
        ("en", "share", (None, None), ["–", "–"]),
        ("en", "budgets", (None,), ["–"]),
        ("nb", "budgets", (0.996, 0.13), ["99,6\u00a0%", "13,0\u00a0%"]),
        ("nb", "count", (1, 12), ["1", "12"]),
        ("nb", "hours", (1.0, 12.345), ["1,00", "12,35"]),
    ],
)
def test_values_that_are_compared_have_the_same_decimals(language, unit, values, said):
    assert fmt.metric_values(language, unit, *values) == said


_VALUES = st.one_of(st.none(), st.integers(0, 120).map(lambda percent: percent / 100), st.floats(0, 1.2))


@given(st.sampled_from(["share", "budgets", "count", "hours"]), st.lists(_VALUES, max_size=8), _VALUES)
def test_the_values_that_decide_do_what_all_would(unit, shown, value):
    few = fmt.deciding(unit, shown)
    assert len(few) <= 2
    assert fmt.metric_values("en", unit, value, beside=few) == fmt.metric_values("en", unit, value, beside=shown)


@pytest.mark.parametrize(
    ("unit", "value", "required", "is_up_good", "said"),
    [
        ("share", 0.99496, 0.995, True, "99,4\u00a0%"),
        ("share", 0.995, 0.995, True, "99,5\u00a0%"),
        ("share", 0.70004, 0.7, True, "70,0\u00a0%"),
        ("share", 0.33041, 0.33, False, "33,1\u00a0%"),
        ("hours", 1.004, 1.0, False, "1,01"),
        ("count", 0.5, 0.0, False, "0,5"),
        ("count", 2.0, 0.0, False, "2"),
    ],
)
def test_what_falls_short_of_the_requirement_is_not_written_like_it(unit, value, required, is_up_good, said):
    """*99.5 %, the requirement is at least 99.5 %: not reached* contradicts itself."""
    edge = fmt.Requirement(required, is_up_good)
    assert fmt.metric_value("nb", unit, value, edge) == said
    assert fmt.metric_values("nb", unit, value, required, required=edge)[0] == said


@pytest.mark.parametrize(
    ("value", "said"), [(1.5, "1,5"), (3, "3"), (0.25, "0,25"), (1200.0, "1\u00a0200"), (None, "–")]
)
def test_a_number_of_the_rules_has_the_decimals_that_somebody_wrote(value, said):
    assert fmt.exact("nb", value) == said


def test_points_that_miss_a_whole_number_by_the_last_bit_are_that_number():
    assert fmt.points("nb", 19.999999999999996, None, 59.96, 100.0) == ["20,0", "–", "59,9", "100,0"]
    assert fmt.points("nb", 19.999999999999996) == ["20"]


@pytest.mark.parametrize(("value", "said"), [(59.96, "59,9"), (60.0, "60,0"), (61.26, "61,3"), (None, "–")])
def test_tenths_of_a_score_reach_no_level(value, said):
    assert fmt.score_in_tenths("nb", value) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((59.96, 70.2), ["59,9", "70,2"]),
        ((61.2, 70.4), ["61", "70"]),
        ((79.97, 79.99), ["79,9", "79,9"]),
        ((59.9, None), ["59,9", "–"]),
        ((100.0, 59.6), ["100,0", "59,6"]),
    ],
)
def test_scores_that_are_compared_have_the_same_decimals_and_none_reaches_a_level(values, said):
    assert fmt.scores("nb", *values) == said


PAIR = re.compile(r"(\d[\d\u00a0.,]*)(\u00a0%|%)? → (\d[\d\u00a0.,]*)(\u00a0%|%)?")


def decimals(number):
    return len(re.split(r"[.,]", number.rstrip(".,"))[1]) if re.search(r"[.,]\d", number) else 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pair_that_the_board_says_has_the_same_decimals(demo_home, language):
    snapshot = current(demo_home / "snapshots")
    found = 0
    for period in list(catalogue.periods(snapshot))[:6]:
        here = board.read_board(snapshot, period)
        items = [*board.moves(here, language)[True], *board.moves(here, language)[False]]
        items += board.for_decision(here, language)
        for item in items:
            for before, _, now, _ in PAIR.findall(item.detail):
                found += 1
                assert decimals(before) == decimals(now), item.detail
    assert found > 20


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [
        ([], 3, ""),
        (["A"], 3, "A"),
        (["A", "B"], 3, "A og B"),
        (["A", "B", "C", "D"], 3, "A, B, C og D"),
        (["A", "B", "C", "D", "E"], 3, "A, B, C og 2 til"),
        (["A: x, 3 dager", "B"], 3, "A: x, 3 dager og B"),
        (["A: x, 3 dager", "B", "C"], 3, "A: x, 3 dager; B og C"),
        (["A", "B", "C"], None, "A, B og C"),
    ],
)
def test_names_are_put_together_as_a_sentence_says_them(names, most, said):
    assert listed("nb", names, most) == said


def test_there_is_one_home_for_how_many_more_there_are():
    """No other text ends a list: ``and 3 more`` is said by ``listing`` alone."""
    for language in LANGUAGES:
        ends = re.compile(r"^\s*(?:og|and) \{count\} (?:til|more)$")
        assert [key for key, words in texts(language).items() if ends.search(words)] == ["list.more"]


# Numbers of things that can be none, by their placeholder; as a fact of its own (a cell, a label) a zero stands as it is.
CAN_BE_NONE = {"met", "fine", "closed", "measured", "soon", "overdue", "open", "late", "due", "goes_with", "goes_against",
               "cannot_tell", "major", "none"}  # fmt: skip
FACTS = {"area.met_of", "brief.met_before", "shared.row", "shared.row_unmeasured", "shared.lead", "team.incidents_alt",
         "decisions.alt"}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_none_is_said_in_words(language):
    """No sentence counts ``0 of 14 teams``: none has its own form, or the sentence is left out."""
    wrong = {}
    for key, words in texts(language).items():
        named = {*re.findall(r"\{(\w+)\}", words), *(name for name, _ in FORMS.findall(words))}
        if key in FACTS or not named & CAN_BE_NONE:
            continue
        said = text(language, key, **{name: 0 if name in CAN_BE_NONE else "seven" for name in named})
        if re.search(r"\b0\b", said):
            wrong[key] = said
    assert wrong == {}
