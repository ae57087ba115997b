"""The brief in four formats: the numbers of the snapshot, the same bytes each time, and a PDF that can be heard."""

from __future__ import annotations

import io
import re
import zipfile
from html.parser import HTMLParser

import openpyxl
import pypdf
import pytest
from pptx import Presentation

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.brief import WRITERS, compose, period_of
from opsmetrics.reports.table import Table
from opsmetrics.snapshots.store import current, open_current

MONTH = "2026-10"


@pytest.fixture(scope="module")
def snapshot(demo_home):
    return current(demo_home / "snapshots")


@pytest.fixture(scope="module")
def facts(demo_home):
    """Numbers by plain SQL of this test's own: team name -> (score, area scores, coverage), and the median."""
    with open_current(demo_home / "snapshots") as con:
        con.execute("set timezone = 'UTC'")
        rows = con.execute(
            """select t.name_nb, t.name_en, s.score, s.coverage, list(a.score order by p.position)
               from scores.team as s
               join ref.as_of as w on w.as_of = s.as_of and w.grain = s.grain and w.label = $1
               join ref.teams as t on t.team_id = s.team_id
               join scores.area as a on a.team_id = s.team_id and a.as_of = s.as_of and a.grain = s.grain
               join meta.areas as p on p.area_id = a.area_id
               where s.grain = 'month' group by all order by any_value(t.type) desc, t.name_nb""",
            [MONTH],
        ).fetchall()
        ((median, met),) = con.execute(
            """select median(score), count(*) filter (level >= 3) from scores.team as s
               join ref.as_of as w on w.as_of = s.as_of and w.grain = s.grain where w.label = $1 and s.grain = 'month'""",
            [MONTH],
        ).fetchall()
        goals = con.execute(
            """select g.points_then, g.points_now, g.forecast, e.effect from scores.goal as g
               join scores.goal_effect as e using (team_id, metric_id, decided_on, as_of, grain)
               join ref.as_of as w using (as_of, grain) where w.label = $1 and g.grain = 'month'
               order by g.due_on, g.team_id, g.metric_id, g.decided_on""",
            [MONTH],
        ).fetchall()
    return rows, median, met, goals


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def document(snapshot, language):
    return compose(snapshot, period_of(snapshot, MONTH), language)


@pytest.fixture(scope="module")
def files(document):
    return {kind: write(document) for kind, write in WRITERS.items()}


class Cells(HTMLParser):
    """Every cell's text of every table, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.is_cell = False

    def handle_starttag(self, tag, _attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"th", "td"}:
            self.is_cell = True
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in {"th", "td"}:
            self.is_cell = False

    def handle_data(self, data):
        if self.is_cell:
            self.tables[-1][-1][-1] += data


def tables(document):
    return [block for section in document.sections for block in section.blocks if isinstance(block, Table)]


def table(document, name):
    return next(found for found in tables(document) if found.name == name)


def test_scores_are_those_of_the_snapshot(document, facts, language):
    rows, median, met, _ = facts
    *teams, last = table(document, "scores").rows
    assert len(teams) == len(rows)
    for cells, (nb, en, score, coverage, areas) in zip(teams, rows, strict=True):
        assert cells[0].text == {"nb": nb, "en": en}[language]
        assert [cell.value for cell in cells[1:8]] == areas
        assert (cells[8].value, cells[9].value) == (score, coverage)
        assert [cell.text.removesuffix(" !") for cell in cells[1:8]] == [fmt.score(language, area) for area in areas]
    assert last[8].value == median
    figures = document.sections[0].blocks[1].items
    assert (figures[0][3], figures[1][3]) == (median, met)
    assert f"*{fmt.score(language, median)}" in document.sections[0].blocks[0].text


def test_decisions_are_those_of_the_snapshot(document, facts, language):
    shown = table(document, "decisions").rows
    assert len(shown) == len(facts[3])
    for cells, (then, now, _, effect) in zip(shown, facts[3], strict=True):
        assert cells[5].text == f"{fmt.number(language, then)} → {fmt.number(language, now)}"
        assert cells[7].text == text(language, f"goal.effect_{effect}")


def test_points_by_cause_sum_to_the_change(document):
    for before, after, why in (row[1:] for row in table(document, "changes").rows):
        parts = [float(part.replace(",", ".").replace("−", "-")) for part in re.findall(r"[+−][\d.,]+\d", why.text)]
        assert sum(parts) == pytest.approx(after.value - before.value, abs=0.35)


def test_web_page_and_slides_hold_every_cell(document, files):
    parser = Cells()
    parser.feed(files["html"].decode())
    wanted = [[[cell.text for cell in row] for row in found.rows] for found in tables(document)]
    assert [rows[1:] for rows in parser.tables] == wanted
    shown: list[list[str]] = []
    for slide in Presentation(io.BytesIO(files["pptx"])).slides:
        for shape in slide.shapes:
            if shape.has_table:
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
                shown += [[cell.text for cell in row.cells] for row in list(shape.table.rows)[1:]]
    assert shown == [row for found in wanted for row in found]


def test_the_workbook_holds_the_numbers_themselves(document, files):
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    for name in ("scores", "gaps", "decisions", "duties", "changes"):
        rows = list(book[name].iter_rows(min_row=2, max_row=1 + len(table(document, name).rows), values_only=True))
        for cells, values in zip(table(document, name).rows, rows, strict=True):
            for cell, value in zip(cells, values, strict=True):
                wanted = cell.text if cell.value is None else cell.value
                found = value.date() if hasattr(value, "date") and hasattr(wanted, "year") else value
                assert found == pytest.approx(wanted) if isinstance(wanted, float) else (found or "") == wanted
    names = {section.title for section in document.sections if section.is_annex}
    assert {row[0].value for row in book["team_areas"].iter_rows(min_row=2)} == names


def test_paper_holds_every_score_and_can_be_heard(document, files, facts, language):
    reader = pypdf.PdfReader(io.BytesIO(files["pdf"]))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert root["/Lang"].startswith(language)
    assert reader.metadata.title == document.title
    assert b"pdfuaid" in files["pdf"]
    roles = set(_roles(root["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/P"} <= roles
    # One page at the front, one a team in the annex.
    assert len(reader.pages) == len(document.sections)
    words = re.sub(r"\s+", " ", reader.pages[1].extract_text())
    for nb, en, score, _, areas in facts[0]:
        line = " ".join(fmt.score(language, value) for value in (*areas, score))
        found = words[words.index({"nb": nb, "en": en}[language]) :].replace(" !", "")
        assert re.sub(r"\s", "", line) in re.sub(r"\s", "", found)[:80]


def _roles(node):
    if isinstance(node, list):
        for item in node:
            yield from _roles(item.get_object() if hasattr(item, "get_object") else item)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node["/S"]
        if "/K" in node:
            kids = node["/K"]
            kids = kids.get_object() if hasattr(kids, "get_object") else kids
            yield from _roles(kids if isinstance(kids, list) else [kids])


def test_same_data_same_bytes(snapshot, document, files, language):
    again = compose(snapshot, period_of(snapshot, MONTH), language)
    assert again == document
    for kind, write in WRITERS.items():
        assert write(again) == files[kind], kind
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(files["pptx"])).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_invented_numbers_say_so_in_every_format(document, files, language):
    words = text(language, "app.not_real")
    assert document.banner == words
    assert words in files["html"].decode()
    assert words in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages[0].extract_text()
    first = Presentation(io.BytesIO(files["pptx"])).slides[0]
    assert any(words in shape.text_frame.text for shape in first.shapes if shape.has_text_frame)
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))["brief"]
    assert words in [cell.value for cell in sheet["A"]]


def test_the_command_names_what_can_be_asked_for(cli, demo_home, tmp_path):
    done = cli("brief", "--format", "html", "--out", str(tmp_path / "b"), home=demo_home)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "b").iterdir()] == [f"brief-{MONTH}-nb.html"]
    wrong = cli("brief", "--as-of", "2031-01", "--out", str(tmp_path / "c"), home=demo_home, check=False)
    assert wrong.returncode != 0
    assert "write latest or one of 2026-10" in wrong.stderr
    assert not (tmp_path / "c").exists()
