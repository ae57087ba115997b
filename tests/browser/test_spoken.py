"""What a screen reader says of the overview: the browser's own accessibility tree, read as text and held against SQL.

It is kept below ``test-artifacts`` for people to read (docs/app.md tells what it says).
"""

from __future__ import annotations

import itertools
import re

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.snapshots.store import open_current
from tests.apps import ROOT
from tests.asking import settle
from tests.patience import LIMIT_MS

NAMELESS = re.compile(
    r"^\s*- (?:link|button|img|combobox|heading|navigation|table|columnheader)(?: \[.*\])?:?$", re.MULTILINE
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_says_everything_on_the_overview_by_name(browser, apps, homes, language):
    page = browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{apps('full')}/?lang={language}")
    page.wait_for_selector("table.matrix")
    page.wait_for_selector(".ops footer")
    settle(page)
    said = page.locator("body").aria_snapshot()
    page.close()
    (ROOT / "test-artifacts").mkdir(exist_ok=True)
    (ROOT / "test-artifacts" / f"spoken-overview-{language}.txt").write_text(said, encoding="utf-8")
    assert NAMELESS.findall(said) == []
    levels = [int(level) for level in re.findall(r"- heading .* \[level=(\d)\]", said)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    for key in ("nav.label", "app.language", "nav.more"):
        assert f'- navigation "{text(language, key)}"' in said
    with open_current(homes["full"] / "snapshots") as con:
        rows = con.execute(
            f"""select t.name_{language}, m.name_{language}, a.score from scores.area as a
                join ref.teams as t using (team_id) join meta.areas as m using (area_id)
                where a.grain = 'latest' and a.score is not null"""
        ).fetchall()
    assert len(rows) > 80
    for team, area, score in rows:
        sentence = text(language, "overview.cell", team=team, area=area, score=fmt.score(language, score), level="")
        assert f'link "{sentence.removesuffix(", ")}' in said or f'link "{sentence}' in said, sentence
