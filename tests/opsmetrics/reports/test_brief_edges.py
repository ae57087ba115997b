"""Briefs of organisations that are not the usual one: one team, many, one month, nothing known."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace

import duckdb
import openpyxl
import pypdf
import pytest
from pptx import Presentation

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.brief import WRITERS, compose, period_of
from opsmetrics.reports.brief.document import Chart, Row
from opsmetrics.snapshots.store import current
from tests.altered import altered

OF_TEAMS = (
    "ref.teams", "scores.team", "scores.area", "scores.metric", "scores.gap", "scores.change", "scores.goal",
    "scores.control_chart",
)  # fmt: skip
OF_NUMBERS = (
    "scores.gap", "scores.change", "scores.control_chart", "scores.goal", "ref.goals", "marts.exemptions",
    "marts.monitor_months", "facts.availability_daily", "facts.incidents", "marts.source_health",
)  # fmt: skip
NO_SCORE = "set score = null, level = null, coverage = 0, status = 'too_little_data'"
CASES = {
    "one_team": [
        *(f"delete from {table} where team_id <> 'farled'" for table in OF_TEAMS),
        "delete from marts.exemptions",
    ],
    "many_teams": [
        f"""insert into {table} select * exclude (copy) replace (team_id || '-' || copy as team_id
            {", name_nb || ' ' || copy as name_nb, name_en || ' ' || copy as name_en" if table == "ref.teams" else ""})
            from {table}, range(2) as copies (copy)"""
        for table in OF_TEAMS[:6]
    ],
    "one_month": [
        "delete from scores.team where grain = 'month' and as_of < (select max(as_of) from ref.as_of where grain = 'month')",
        "delete from scores.area where grain = 'month' and as_of < (select max(as_of) from ref.as_of where grain = 'month')",
        "delete from ref.as_of where grain = 'month' and as_of < (select max(as_of) from ref.as_of where grain = 'month')",
        "delete from scores.change",
    ],
    "provisional": ["update scores.team set status = 'provisional'"],
    "nothing_known": [
        f"update scores.team {NO_SCORE}",
        f"update scores.area {NO_SCORE}, gate = null",
        "update scores.metric set points = null, value = null, status = 'not_connected'",
        "update meta.streams set is_connected = false",
        *(f"delete from {table}" for table in OF_NUMBERS),
    ],
}


@pytest.fixture(params=CASES)
def case(request, demo_home, tmp_path):
    """A copy of the demo's snapshot that was made another organisation: name, snapshot."""
    whole = current(demo_home / "snapshots")
    shutil.copyfile(whole.path, tmp_path / whole.file)
    with duckdb.connect(str(tmp_path / whole.file)) as con:
        for statement in CASES[request.param]:
            con.execute(statement)
    yield request.param, replace(whole, folder=tmp_path)
    (tmp_path / whole.file).unlink()


def test_every_organisation_has_a_whole_brief(case):
    name, snapshot = case
    document = compose(snapshot, period_of(snapshot, "2026-10"), "nb")
    files = {kind: write(document) for kind, write in WRITERS.items()}
    reader = pypdf.PdfReader(io.BytesIO(files["pdf"]))
    first_annex = next(section.title for section in document.sections if section.is_annex)
    starts = [page for page, found in enumerate(reader.pages) if first_annex in found.extract_text()]
    # Forty-two teams take two pages of the matrix, and nothing else takes more.
    assert starts[0] == (5 if name == "many_teams" else 4)
    # Words end on the page: nothing runs over its edge.
    for page in reader.pages:
        width = float(page.mediabox.width)

        def seen(words, user, matrix, _font, _size, width=width):
            x = matrix[4] * user[0] + user[4]
            assert not words.strip() or -1 <= x < width, words

        page.extract_text(visitor_text=seen)
    show = Presentation(io.BytesIO(files["pptx"]))
    for slide in show.slides:
        for shape in slide.shapes:
            assert shape.top + shape.height <= show.slide_height, (name, shape.name)
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    assert len(book[text("nb", "brief.sheet_scores")]["A"]) >= len(document.sections[1].blocks[0].rows)
    assert ("<svg" in files["html"].decode()) == (name != "nothing_known")


def test_what_is_not_known_is_neither_good_nor_bad(case):
    name, snapshot = case
    document = compose(snapshot, period_of(snapshot, "2026-10"), "nb")
    said = "\n".join(
        block.text
        for section in document.sections
        for outer in section.blocks
        for block in (outer.blocks if isinstance(outer, Row) else [outer])
        if block.kind == "paragraph"
    )
    charts = [
        block
        for section in document.sections
        for outer in section.blocks
        for block in (outer.blocks if isinstance(outer, Row) else [outer])
        if isinstance(block, Chart)
    ]
    assert ("Alle scorene er *foreløpige*" in said) == (name == "provisional")
    assert ("Foreløpig score er" in said) == (name == "provisional")
    if name == "nothing_known":
        assert charts == []
        assert text("nb", "brief.shared_unknown") in said
        assert text("nb", "brief.duties_unknown") in said
        assert not re.search(text("nb", "brief.shared_none") + "|" + text("nb", "brief.no_duties"), said)
    elif name == "one_month":
        # A line needs two points, and a change something to be against.
        assert {chart.name for chart in charts}.isdisjoint({"median", "met"})
        assert {cell.text for row in document.sections[1].blocks[0].rows for cell in row[9:10]} == {"–"}
    else:
        assert {"median", "met"} <= {chart.name for chart in charts}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_only_area_with_a_score_is_not_called_the_weakest(demo_home, tmp_path, language):
    """Of the others nobody knows; a slide of the matrix was titled with it."""
    _, snapshot = altered(demo_home, tmp_path, f"update scores.area {NO_SCORE}, gate = null where area_id <> 'aut'")
    document = compose(snapshot, period_of(snapshot, "latest"), language)
    titles = [slide.shapes.title.text for slide in Presentation(io.BytesIO(WRITERS["pptx"](document))).slides]
    (found,) = [title for title in titles if text(language, "brief.slide_matrix_one", area="@", score="@")[:5] in title]
    assert found.startswith({"nb": "Bare Automatisering", "en": "Only Automation"}[language])
    assert not any({"nb": "svakest", "en": "weakest"}[language] in title for title in titles)
