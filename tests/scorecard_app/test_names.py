"""Names as organisations have them: with stars, from right to left, long as a sentence; and an organisation of one team."""

from __future__ import annotations

import io
import re

import pypdf
import pytest

from opsmetrics.language import fmt
from opsmetrics.language.bilingual import Text
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports import board
from opsmetrics.reports.brief.content import compose
from opsmetrics.reports.brief.paper import write_pdf
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.views.sides import MOST_ROWS
from tests.altered import altered
from tests.pages import flat, open_page

STARRED = "*Lag* & <b>co</b> *"
NOW = "grain = 'latest'"
MONTH = "grain = 'month'"


def period_of(snapshot: Snapshot) -> Period:
    return next(iter(catalogue.periods(snapshot)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("view", "query"), [("overview", {}), ("changes", {"team": "fiskekvote"}), ("compare", {"team": "fiskekvote"})]
)
def test_stars_of_a_name_make_nothing_strong(demo_home, tmp_path, monkeypatch, language, view, query):
    """A star in a name once took the others of the sentence with it: half the sentence was strong, the name another."""
    statement = f"update ref.teams set name_nb = '{STARRED}', name_en = '{STARRED}' where team_id = 'fiskekvote'"
    home, _ = altered(demo_home, tmp_path / "starred", statement)
    other = {"other": "kaiplan"} if view == "compare" else {}
    _, html = open_page(view, home, monkeypatch, lang=language, **query, **other)
    lead = re.search(r'<p class="lead">(.*?)</p>', html, flags=re.DOTALL)[1]
    shown = fmt.unmarked(STARRED).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown in lead
    assert "*" not in lead


def test_a_number_stays_behind_a_name_that_runs_from_right_to_left():
    name = Text(nb="فريق العمليات", en="Operations")
    assert name.get("nb") == "\u2068فريق العمليات\u2069"
    assert name.get("en") == "Operations"
    assert Text(nb="Åsgård 🚢", en="x").get("nb") == "Åsgård 🚢"


def alone(*more: str) -> list[str]:
    """Statements that leave one team in a snapshot."""
    tables = ("ref.teams", "scores.team", "scores.area", "scores.metric", "scores.gap", "scores.plan", "scores.change")
    return [*(f"delete from {table} where team_id <> 'kaiplan'" for table in tables), *more]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("now", "before", "said"), [(3, 3, "met_same"), (3, 2, "met_other"), (2, 2, "unmet_same"), (2, 3, "unmet_other")]
)
def test_one_team_is_not_counted(demo_home, tmp_path, language, now, before, said):
    levels = (
        f"update scores.team set level = {now} where {NOW}",
        f"update scores.team set level = {before} where {MONTH}",
    )
    _, snapshot = altered(demo_home, tmp_path / said, *alone(*levels))
    found = board.read_board(snapshot, period_of(snapshot))
    words = board.lead(found, language)
    assert words.startswith(text(language, f"lead.one_{said}", since=board.since(found, language)))
    year = text(language, "lead.year_one", met=int(before >= 3), year=board.a_year_ago(found, language))
    assert year in words
    median = text(language, "lead.weakest", median="@", area="@", area_median="@", weakest=1).split("@")[0]
    assert median not in words, "the median of one"
    assert not re.search(r"\b1 (av|of) ", words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_duty_is_measured_by_has_a_name(demo_home, monkeypatch, language):
    """What gives no points has a title as metrics have."""
    _, html = open_page("about", demo_home, monkeypatch, lang=language, open="all")
    assert "org_" not in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["changes", "gaps", "area"])
def test_a_list_that_is_cut_says_so(homes, monkeypatch, language, view):
    _, html = open_page(view, homes["large"], monkeypatch, lang=language, **({"area": "mon"} if view == "area" else {}))
    cut = text(language, "app.cut", shown=MOST_ROWS, all="@").split("@")[0]
    assert cut in flat(html)
    _, html = open_page(view, homes["full"], monkeypatch, lang=language, **({"area": "mon"} if view == "area" else {}))
    assert cut not in flat(html)


def test_the_facts_page_counts_all_rows(demo_home, tmp_path, monkeypatch):
    """Of more than two thousand it once said that there were two thousand, and so did the file."""
    more = """insert into marts.monitor_months by name
        select * exclude (n) replace (monitor_id || n as monitor_id)
        from marts.monitor_months cross join range(4) as r (n)"""
    home, _ = altered(demo_home, tmp_path / "many", more)
    _, html = open_page("facts", home, monkeypatch, lang="en")
    assert "25 of 3,400" in flat(html)


def test_a_word_longer_than_its_column_breaks_on_paper(demo_home, tmp_path):
    """It once lay over the numbers beside it, and ran out of the paper."""
    long = "Driftsberedskapsplanleggingsinfrastrukturforvaltningsseksjonen"
    statement = f"update ref.teams set name_nb = '{long}', name_en = '{long}' where team_id = 'farled'"
    _, snapshot = altered(demo_home, tmp_path / "long", statement)
    paper = pypdf.PdfReader(io.BytesIO(write_pdf(compose(snapshot, period_of(snapshot), "nb"))))
    matrix = paper.pages[1].extract_text()
    assert long[:12] in matrix
    assert long not in matrix
    assert re.sub(r"[\s\u200b]", "", matrix).count(long) == 1
