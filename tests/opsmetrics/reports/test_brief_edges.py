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
from pptx.util import Emu, Mm

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.brief import WRITERS, compose, period_of, room, workbook
from opsmetrics.reports.brief.document import Chart, Row
from opsmetrics.reports.table import Cell
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
        assert said.count(text("nb", "overview.changed_alone")) == 1
        assert {chart.name for chart in charts}.isdisjoint({"median", "met"})
        assert {cell.text for row in document.sections[1].blocks[0].rows for cell in row[9:10]} == {"–"}
    else:
        assert {"median", "met"} <= {chart.name for chart in charts}
    if name == "one_team":
        titles = " ".join((*(chart.title for chart in charts), *(slide.title for slide in document.slides)))
        assert not re.search("av 1 team|Median|median", titles), titles


LONG = "Seksjon for forvaltning av sikkerhetskopieringsinfrastruktur og gjenopprettingsberedskap"


def test_names_of_any_length_push_nothing_on_a_slide_over_what_stands_below(demo_home, tmp_path):
    renamed = f"update ref.teams set name_nb = '{LONG} ' || name_nb, name_en = name_nb"
    _, snapshot = altered(demo_home, tmp_path / "long", renamed)
    document = compose(snapshot, period_of(snapshot, "latest"), "nb")
    show = Presentation(io.BytesIO(WRITERS["pptx"](document)))
    for slide in show.slides:
        below = 0
        for shape in sorted(slide.shapes, key=lambda each: each.top):
            assert shape.top >= below - Mm(3), (slide.shapes.title.text, shape.name)
            if shape.has_table:
                below = shape.top + sum(row.height for row in shape.table.rows)
                for row in shape.table.rows:
                    for cell, column in zip(row.cells, shape.table.columns, strict=True):
                        size = cell.text_frame.paragraphs[0].runs[0].font.size.pt if cell.text else room.LEAST
                        assert room.height(cell.text, size, Emu(column.width).mm) <= Emu(row.height).mm, cell.text
            elif shape.has_text_frame:
                sizes = {run.font.size.pt for each in shape.text_frame.paragraphs for run in each.runs}
                if len(sizes) == 1:  # a title, or the answer
                    assert (
                        room.height(shape.text_frame.text, max(sizes), Emu(shape.width).mm) <= Emu(shape.height).mm + 3
                    )
                below = shape.top + (shape.height if len(sizes) == 1 else 0)
    (matrix,) = (slide for slide in document.slides if getattr(slide.blocks[0], "name", "") == "scores")
    shown = len(matrix.blocks[0].rows) - 1
    assert text("nb", "brief.slide_more_teams", count=14 - shown, unscored=0) in matrix.blocks[1].text


def test_teams_without_a_score_are_not_said_to_have_a_higher_one(demo_home, tmp_path):
    _, snapshot = altered(
        demo_home,
        tmp_path / "unscored",
        *CASES["many_teams"],
        f"update scores.team {NO_SCORE} where grain = 'latest' and team_id like '%-1'",
    )
    document = compose(snapshot, period_of(snapshot, "latest"), "nb")
    (matrix,) = (slide for slide in document.slides if getattr(slide.blocks[0], "name", "") == "scores")
    assert "eller for lite data til en" in matrix.blocks[1].text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_did_not_move_is_not_said_to_have_moved_most(demo_home, tmp_path, language):
    """*Largest change: 0.0 → 0.0*, and a slide that named the team."""
    _, snapshot = altered(
        demo_home,
        tmp_path / "still",
        "update scores.change set score_after = score_before, performance = 0, coverage = 0",
    )
    document = compose(snapshot, period_of(snapshot, "latest"), language)
    (moved,) = (block for block in document.sections[0].blocks if block.kind == "columns")
    assert moved.lists[0].items == ()
    assert moved.lists[0].none == text(language, "brief.moved_none")
    assert text(language, "brief.slide_unmoved", since={"nb": "oktober", "en": "October"}[language]) in {
        slide.title for slide in document.slides
    }


@pytest.mark.parametrize(
    ("words", "value", "decimals"), [("59 %", 0.597, 1), ("99,4 %", 0.99496, 3), ("62 %", 0.62, 0)]
)
def test_a_workbook_rounds_no_number_to_what_the_page_does_not_say(words, value, decimals):
    assert workbook._decimals(Cell(words, value)) == decimals


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_only_area_with_a_score_is_not_called_the_weakest(demo_home, tmp_path, language):
    """Of the others nobody knows; a slide of the matrix was titled with it."""
    _, snapshot = altered(demo_home, tmp_path, f"update scores.area {NO_SCORE}, gate = null where area_id <> 'aut'")
    document = compose(snapshot, period_of(snapshot, "latest"), language)
    titles = [slide.shapes.title.text for slide in Presentation(io.BytesIO(WRITERS["pptx"](document))).slides]
    (found,) = [title for title in titles if text(language, "brief.slide_matrix_one", area="@", score="@")[:5] in title]
    assert found.startswith({"nb": "Bare Automatisering", "en": "Only Automation"}[language])
    assert not any({"nb": "svakest", "en": "weakest"}[language] in title for title in titles)
