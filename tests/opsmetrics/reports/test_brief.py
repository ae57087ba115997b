"""The brief in four formats: the numbers of the snapshot, the same bytes each time, and a PDF that can be heard."""

from __future__ import annotations

import io
import re
import statistics
import zipfile
from datetime import timedelta
from html.parser import HTMLParser

import openpyxl
import pypdf
import pytest
from pptx import Presentation

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text, texts
from opsmetrics.reports import board, palette
from opsmetrics.reports.brief import WRITERS, compose, content, deck, period_of
from opsmetrics.reports.brief.document import Chart, Row
from opsmetrics.reports.table import Table
from opsmetrics.snapshots.store import current, open_current
from tests.by_hand import gains_by_hand

MONTH = "2026-10"


@pytest.fixture(scope="module")
def snapshot(demo_home):
    return current(demo_home / "snapshots")


@pytest.fixture(scope="module")
def facts(demo_home):
    """Numbers by plain SQL of this test's own: team name -> (score, area scores, coverage), and the median."""
    with open_current(demo_home / "snapshots") as con:
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
            """select g.points_then, g.points_now, g.forecast,
                   case when e.effect = 'no_certain_shift' and not e.can_show_better then 'out_of_reach'
                       else e.effect end from scores.goal as g
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
        self.pictures: list[str] = []
        self.is_cell = False
        self.is_drawn = False

    def handle_starttag(self, tag, attrs):
        if tag == "svg":
            self.pictures.append(dict(attrs)["aria-label"])
            self.is_drawn = True
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"th", "td"}:
            self.is_cell = True
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in {"th", "td"}:
            self.is_cell = False
        if tag == "svg":
            self.is_drawn = False

    def handle_data(self, data):
        if self.is_cell and not self.is_drawn:
            self.tables[-1][-1][-1] += data


def blocks(sections):
    """Every block of some sections, those beside each other one by one."""
    for section in sections:
        for block in section.blocks:
            yield from block.blocks if isinstance(block, Row) else [block]


def tables(document):
    return [block for block in blocks(document.sections) if isinstance(block, Table)]


def charts(document):
    return [block for block in blocks(document.sections) if isinstance(block, Chart)]


def table(document, name):
    return next(found for found in tables(document) if found.name == name)


def test_scores_are_those_of_the_snapshot(document, facts, language):
    rows, median, met, _ = facts
    *teams, last = table(document, "scores").rows
    assert len(teams) == len(rows)
    for cells, (nb, en, score, coverage, areas) in zip(teams, rows, strict=True):
        assert cells[0].text == {"nb": nb, "en": en}[language]
        assert [cell.value for cell in cells[1:8]] == areas
        assert (cells[8].value, cells[10].value) == (score, coverage)
        assert [cell.text.removesuffix(" !") for cell in cells[1:8]] == [fmt.score(language, area) for area in areas]
    assert last[8].value == median
    figures = document.sections[0].blocks[1].items
    assert (figures[0][3], figures[1][3]) == (median, met)
    assert f"*{fmt.score(language, median)}" in document.sections[0].blocks[0].text
    drawn = {chart.name: chart for chart in charts(document)}
    assert (drawn["median"].values[-1], drawn["met"].values[-1]) == (median, met)


def test_decisions_are_those_of_the_snapshot(document, facts, language):
    shown = table(document, "decisions").rows
    assert len(shown) == len(facts[3])
    for cells, (then, now, _, effect) in zip(shown, facts[3], strict=True):
        assert cells[5].text == " → ".join(fmt.points(language, then, now))
        assert cells[7].text == text(language, f"goal.effect_{effect}")


def test_points_by_cause_sum_to_the_change(document):
    for before, after, why in (row[1:] for row in table(document, "changes").rows):
        parts = [float(part.replace(",", ".").replace("−", "-")) for part in re.findall(r"[+−][\d.,]+\d", why.text)]
        assert sum(parts) == pytest.approx(fmt.moved(before.value, after.value)), "as the change beside it"


def test_change_is_against_the_month_end_before(snapshot, document):
    with open_current(snapshot.folder) as con:
        before = dict(
            con.execute(
                f"""select t.name_{document.language}, s.score from scores.team as s join ref.as_of as w using (as_of, grain)
                   join ref.teams as t using (team_id) where w.label = '2026-09' and grain = 'month'"""
            ).fetchall()
        )
    *teams, _ = table(document, "scores").rows
    place = [column.label for column in table(document, "scores").columns].index(text(document.language, "word.change"))
    changed = {cells[0].text: cells[place].value for cells in teams}
    total = {cells[0].text: cells[place - 1].value for cells in teams}
    known = {name: fmt.moved(before[name], total[name]) for name in before if name in total}
    assert len(known) > 10
    assert {name: changed[name] for name in known} == pytest.approx(known)


def test_the_page_holds_every_cell_and_a_picture_of_every_chart(document, files):
    parser = Cells()
    page = files["html"].decode()
    parser.feed(page)
    wanted = [
        [[cell.detail if cell.drawing else cell.text + cell.detail for cell in row] for row in found.rows]
        for found in tables(document)
    ]
    assert [rows[1:] for rows in parser.tables] == wanted
    assert parser.pictures == [words for _, words in _pictured(document)]
    assert "<script" not in page
    assert not re.search(r"(src|href)=.(?!#)", page)


def _pictured(document):
    """Every picture's words, in order: a chart's, or those of a cell that is drawn."""
    for block in blocks(document.sections):
        if isinstance(block, Chart):
            yield block, block.alt
        elif isinstance(block, Table):
            yield from ((block, cell.text) for row in block.rows for cell in row if cell.drawing)


def test_selects_in_the_notes_give_the_numbers_of_the_slides(snapshot, document):
    seen = 0
    with open_current(snapshot.folder) as con:
        for slide in document.slides:
            selects = slide.notes.split("\n\n")[1:]
            assert selects, slide.title
            for select in selects:
                rows = con.execute(select).fetchall()
                assert rows, select
            for chart in slide.blocks:
                if isinstance(chart, Chart):
                    found = con.execute(chart.sql)
                    names = [column[0] for column in found.description]
                    column = names.index(SQL_COLUMNS[chart.name])
                    numbers = [row[column] for row in con.execute(chart.sql).fetchall()]
                    assert sorted(map(float, numbers)) == pytest.approx(sorted(chart.values)), chart.name
                    seen += 1
    assert seen == len(SQL_COLUMNS)


def test_pictures_show_what_the_tables_say(snapshot, document, language):
    """Counted here again, in Python, from the rows that the pictures' own selects sum."""
    drawn = {
        chart.name: chart
        for chart in [block for slide in document.slides for block in slide.blocks if isinstance(block, Chart)]
    }
    with open_current(snapshot.folder) as con:
        ((as_of,),) = con.execute(
            "select as_of from ref.as_of where label = $1 and grain = 'month'", [MONTH]
        ).fetchall()
        teams = con.execute(
            "select as_of, score, level from scores.team where grain = 'month' and as_of <= $1", [as_of]
        ).fetchall()
        points = con.execute(
            f"""select m.title_{language}, s.points, s.status from scores.metric as s
                join meta.metrics as m using (metric_id)
                where s.as_of = $1 and s.grain = 'month'
                    and (s.points is not null or starts_with(s.status, 'not_measured'))""",
            [as_of],
        ).fetchall()
        majors = con.execute(
            "select declared_at from facts.incidents where severity <= 2 and not is_exercise"
        ).fetchall()
        down = con.execute(
            f"""select s.name_{language}, d.down_minutes from facts.availability_daily as d
                join ref.services as s using (service_id) where d.day between date '2026-10-04' and date '2026-10-31'
                    and d.service_id not in (select coalesce(service_id, '') from marts.suspect_monitors)"""
        ).fetchall()
    by_month: dict[object, list[tuple[float | None, int | None]]] = {}
    for month, score, level in teams:
        by_month.setdefault(month, []).append((score, level))
    months = sorted(by_month)
    medians = [statistics.median(score for score, _ in by_month[month] if score is not None) for month in months]
    assert drawn["median"].values == pytest.approx(medians)
    met = [sum(level is not None and level >= 3 for _, level in by_month[month]) for month in months]
    assert list(drawn["met"].values) == met
    below: dict[str, list[int]] = {}
    for title, value, status in points:
        found = below.setdefault(title, [0, 0, 0])
        is_measured = not status.startswith("not_measured")  # what nobody measures is not below, whatever it costs
        found[0] += is_measured and value < 60
        found[1] += is_measured
        found[2] += not is_measured
    shared = sorted((count for count, *_ in below.values()), reverse=True)[: len(drawn["shared"].values)]
    assert list(drawn["shared"].values) == shared
    for name, label in zip(drawn["shared"].categories, drawn["shared"].labels, strict=True):
        key = "shared.row_unmeasured" if below[name][2] else "shared.row"
        assert label == text(language, key, below=below[name][0], measured=below[name][1], unmeasured=below[name][2])
    spans = [(as_of - timedelta(days=28 * (age + 1)), as_of - timedelta(days=28 * age)) for age in reversed(range(13))]
    counted = [sum(start <= declared < end for (declared,) in majors) for start, end in spans]
    assert list(drawn["majors"].values) == counted
    longest: dict[str, float] = {}
    for name, minutes in down:
        longest[name] = longest.get(name, 0) + minutes
    assert list(drawn["down"].values) == pytest.approx(sorted(longest.values(), reverse=True)[:5])
    assert {name: longest[name] for name in drawn["down"].categories} == pytest.approx(
        dict(zip(drawn["down"].categories, drawn["down"].values, strict=True))
    )


def test_gaps_areas_and_duties_are_those_of_the_snapshot(snapshot, document, language):
    with open_current(snapshot.folder) as con:
        gains = {
            (team, metric): gain
            for team, metric, gain in con.execute(
                f"""select t.name_{language}, m.title_{language}, g.gain_if_met from scores.gap as g
                    join ref.teams as t using (team_id) join meta.metrics as m using (metric_id)
                    join ref.as_of as w using (as_of, grain) where w.label = $1 and w.grain = 'month'""",
                [MONTH],
            ).fetchall()
        }
        areas = {
            (team, area): (score, coverage)
            for team, area, score, coverage in con.execute(
                f"""select t.name_{language}, p.name_{language}, s.score, s.coverage from scores.area as s
                    join ref.teams as t using (team_id) join meta.areas as p using (area_id)
                    join ref.as_of as w using (as_of, grain) where w.label = $1 and w.grain = 'month'""",
                [MONTH],
            ).fetchall()
        }
        duties = con.execute(
            f"""with each as (
                    select o.obligation_id, o.text_{language} as said, unnest(o.measured_by) as metric_id
                    from meta.obligations as o where o.strength = 'shall'
                ), low as (
                    select e.obligation_id, e.said, s.team_id, min(s.points) as lowest from each as e
                    join scores.metric as s using (metric_id) join ref.as_of as w using (as_of, grain)
                    where w.label = $1 and w.grain = 'month' and s.points is not null
                        and s.status not in ('not_measured', 'not_measured_overdue') group by all
                )
                select said, count(*) filter (lowest < 60), count(*) from low group by obligation_id, said
                having count(*) filter (lowest < 60) > 0""",
            [MONTH],
        ).fetchall()
    for row in table(document, "gaps").rows:
        assert row[2].value == pytest.approx(gains[row[0].text, row[1].text])
    seen = 0
    for section in (section for section in document.sections if section.team):
        own, points = (block for block in blocks([section]) if isinstance(block, Table))
        for row in own.rows:
            assert (row[1].value, row[4].value) == areas[section.team, row[0].text]
            seen += 1
        for row in points.rows:
            assert row[1].value == pytest.approx(gains[section.team, row[0].text])
    assert seen == len(areas)
    shown = sorted((row[0].text, row[1].value, row[2].value) for row in table(document, "duties").rows)
    assert shown == sorted(duties)


def test_what_colours_of_scores_mean_is_said_below_the_matrix_in_every_format(document, files, language):
    """The same words as on the overview, each beside its colour."""
    legend = [f"{spread} {text(language, f'level.{level}')}" for level, spread in enumerate(
        ("0–19", "20–39", "40–59", "60–79", "80–100")
    )]  # fmt: skip
    matrix = table(document, "scores")
    assert [words for _, words in matrix.legend] == legend
    page = files["html"].decode()
    assert all(f'<i class="b{level}"></i> {words}' in page for level, words in enumerate(legend))
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))[text(language, "brief.sheet_scores")]
    filled = {cell.value: cell.fill.start_color.rgb for (cell,) in sheet.iter_rows(max_col=1)}
    assert [f"#{filled[words][2:].lower()}" for words in legend] == list(palette.BANDS)
    paper = " ".join(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages[1].extract_text().split())
    assert all(words in paper for words in legend)


def lifts_of(demo_home, language, table, points, team=None):
    """What a table's rows lift: by team and metric, from the names that people read."""
    with open_current(demo_home / "snapshots") as con:
        teams = dict(con.execute(f"select name_{language}, team_id from ref.teams").fetchall())
        metrics = dict(con.execute(f"select title_{language}, metric_id from meta.metrics").fetchall())
    if table.name == "shared":
        return {(each, metrics[row[0].text]): points for row in table.rows for each in teams.values()}
    names = [[team, row[0].text] if team else [row[0].text, row[1].text] for row in table.rows]
    return {(teams[name], metrics[title]): points for name, title in names}


def test_what_a_list_of_gains_gives_together_is_said_below_it(demo_home, document, files, language):
    """Whoever adds single gains gets a false sum: each list says the joint one, in every format."""
    notes = []
    for section in document.sections:
        for each in blocks([section]):
            if not isinstance(each, Table) or each.name not in {"gaps", "team_gaps", "shared"}:
                continue
            lifts = lifts_of(demo_home, language, each, 60.0 if each.name == "shared" else 100.0, section.team)
            found, scored = gains_by_hand(demo_home, MONTH, lifts)
            joint = sum(found.values()) / (1 if section.team else scored)
            if len(each.rows) < 2:
                assert not each.note
                continue
            assert fmt.number(language, joint, 1) in each.note, (section.title, joint)
            notes.append((section.team, each.note.replace("*", "")))
    assert len(notes) > 10
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    written = {cell.value for sheet in book for (cell,) in sheet.iter_rows(max_col=1) if cell.value}
    page = files["html"].decode()
    for team, note in notes:
        assert (f"{team}: {note}" if team else note) in written
        assert note in page.replace("<strong>", "").replace("</strong>", "")


def test_decisions_asked_for_say_what_they_give_together(demo_home, snapshot, document, files, language):
    """Of those that promise points: all their gaps lifted at once, over all teams that have a score."""
    asked = content.read(snapshot, period_of(snapshot, MONTH), language).asks

    def together(count):
        giving = [ask for ask in asked[:count] if ask.gaps]
        assert len(giving) > 1
        lifts = {(gap.team_id, gap.metric_id): 100.0 for ask in giving for gap in ask.gaps}
        found, scored = gains_by_hand(demo_home, MONTH, lifts)
        return text(language, "gains.asks", points=fmt.number(language, sum(found.values()) / scored, 1))

    assert together(board.MOST_LINES) in table(document, "asks").caption
    slides = Presentation(io.BytesIO(files["pptx"])).slides
    shown = [shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame]
    assert together(deck.SHOWN_ASKS) in shown


def test_a_dash_stands_only_where_nothing_is_known(document):
    known = 0
    for block in tables(document):
        for row in block.rows:
            for cell in row:
                known += cell.value is not None
                assert (cell.text == "–") <= (cell.value is None), (block.name, row)
    assert known > 300
    for chart in charts(document):
        assert [label == "–" for label in chart.labels] == [value is None for value in chart.values]


SQL_COLUMNS = {
    "median": "score", "met": "met", "shared": "below", "majors": "found", "down": "down_minutes", "standings": "decisions",
}  # fmt: skip


def test_slides_are_few_say_a_sentence_each_and_can_be_read_from_the_last_row(document, files):
    show = Presentation(io.BytesIO(files["pptx"]))
    assert 8 <= len(show.slides) <= 10
    charted = 0
    for slide, told in zip(show.slides, document.slides, strict=True):
        assert slide.shapes.title.text_frame.text == told.title
        assert told.notes in slide.notes_slide.notes_text_frame.text
        for shape in slide.shapes:
            assert min(shape.left, shape.top) >= 0
            assert shape.left + shape.width <= show.slide_width, (told.title, shape.name)
            assert shape.top + shape.height <= show.slide_height, (told.title, shape.name)
            if shape.has_chart:
                charted += 1
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
                assert shape.chart.font.size.pt >= 14
                assert shape.chart.category_axis.tick_labels.font.size.pt >= 14
                chart = next(block for block in told.blocks if isinstance(block, Chart))
                assert tuple(shape.chart.plots[0].series[0].values) == chart.values
                assert tuple(shape.chart.plots[0].categories) == chart.categories
                if chart.line is not None:
                    krav = shape.chart.plots[0].series[1].format.line
                    assert f"#{krav.color.rgb}".lower() == palette.KRAV_COLOUR
                    assert krav.dash_style is None
                if chart.is_below:
                    fill = shape.chart.plots[0].series[0].points[0].format.fill.fore_color.rgb
                    assert f"#{fill}".lower() == palette.ORANGE, "as on the overview"
            frames = [shape.text_frame] if shape.has_text_frame else []
            if shape.has_table:
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
                frames += [cell.text_frame for row in shape.table.rows for cell in row.cells]
            for frame in frames:
                for run in (run for paragraph in frame.paragraphs for run in paragraph.runs):
                    assert run.font.size.pt >= 14, run.text
                    assert run.font._element.get("lang") == {"nb": "nb-NO", "en": "en-GB"}[document.language]
    assert charted == len(SQL_COLUMNS)
    for told in document.slides[1:]:
        assert told.title.endswith("."), told.title


def test_the_workbook_holds_the_numbers_themselves_in_the_readers_language(document, files, language):
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    named = {
        name: text(language, f"brief.sheet_{name}") for name in ("scores", "gaps", "decisions", "duties", "changes")
    }
    for name, title in named.items():
        rows = list(book[title].iter_rows(min_row=2, max_row=1 + len(table(document, name).rows), values_only=True))
        for cells, values in zip(table(document, name).rows, rows, strict=True):
            for cell, value in zip(cells, values, strict=True):
                wanted = cell.text if cell.value is None else cell.value
                found = value.date() if hasattr(value, "date") and hasattr(wanted, "year") else value
                assert found == pytest.approx(wanted) if isinstance(wanted, float) else (found or "") == wanted
    teams = {section.team for section in document.sections if section.team}
    assert {row[0].value for row in book[text(language, "brief.sheet_team_areas")].iter_rows(min_row=2)} == teams
    for chart in charts(document):
        sheet = book[text(language, f"brief.sheet_{chart.name}")]
        assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] == pytest.approx(list(chart.values))
    other = {
        words for key, words in texts("en" if language == "nb" else "nb").items() if key.startswith("brief.sheet_")
    }
    ours = {words for key, words in texts(language).items() if key.startswith("brief.sheet_")}
    assert not set(book.sheetnames) & (other - ours)
    assert set(book.sheetnames) <= ours
    *data, explained = book.worksheets[1:]
    assert all(sheet.freeze_panes == "B2" for sheet in data)
    wanted = {(sheet.title, cell.value) for sheet in data for cell in sheet[1] if cell.value}
    given = {(row[0], row[1]): row[2] for row in explained.iter_rows(min_row=2, values_only=True)}
    assert set(given) == wanted
    assert all(given.values())
    days = {cell.number_format for row in book[named["decisions"]].iter_rows(min_row=2) for cell in row if cell.is_date}
    assert days == {{"nb": "dd.mm.yyyy", "en": "d mmm yyyy"}[language]}


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
    assert "/Figure" in roles
    front = [section for section in document.sections if not section.is_annex]
    assert len(front) <= 4
    for page, section in zip(reader.pages, front, strict=False):
        assert section.title in page.extract_text()
    first_annex = next(section.title for section in document.sections if section.is_annex)
    assert first_annex in reader.pages[len(front)].extract_text()
    words = re.sub(r"\s+", " ", reader.pages[1].extract_text())
    for nb, en, score, _, areas in facts[0]:
        line = " ".join(fmt.score(language, value) for value in (*areas, score))
        found = words[words.index({"nb": nb, "en": en}[language]) :].replace(" !", "")
        assert re.sub(r"\s", "", line) in re.sub(r"\s", "", found)[:80]


@pytest.mark.parametrize("label", ["latest", "2026-06"])
def test_other_periods_have_four_pages_too(snapshot, language, label):
    found = compose(snapshot, period_of(snapshot, label), language)
    reader = pypdf.PdfReader(io.BytesIO(WRITERS["pdf"](found)))
    first_annex = next(section.title for section in found.sections if section.is_annex)
    assert [first_annex in page.extract_text() for page in reader.pages[:5]] == [False] * 4 + [True]


def test_matters_are_those_of_the_board_with_who_when_and_what_it_gives(snapshot, document, language):
    found = table(document, "asks")
    here = board.read_board(snapshot, period_of(snapshot, MONTH))
    wanted = board.for_decision(here, language)
    assert [row[0].text for row in found.rows] == [item.title for item in wanted[: board.MOST_LINES]]
    assert all(cell.text for row in found.rows for cell in row)
    names = {team.name.get(language) for team in here.teams}
    assert any(name in row[2].text for row in found.rows for name in names)
    # What is not on the page is named on it, and stands in the annex under its team.
    rest = "; ".join(item.title for item in wanted[board.MOST_LINES :])
    assert rest in "\n".join(block.text for block in blocks(document.sections) if block.kind == "paragraph")
    annex = {
        section.team: "\n".join(block.text for block in blocks([section]) if block.kind == "paragraph")
        for section in document.sections
        if section.team
    }
    of_teams = [item for item in board.matters(here, language) if item.team_id]
    assert len(of_teams) > 10
    for item in of_teams:
        name = here.team_names(language)[item.team_id]
        assert item.title.removeprefix(f"{name}: ") in annex[name]
        # The team's name stands in the heading, and a number stands once.
        assert f"({name}: " not in annex[name]


def test_a_rise_of_doubted_numbers_is_marked(snapshot, document, language):
    with open_current(snapshot.folder) as con:
        doubted = {
            name
            for (name,) in con.execute(
                f"""select distinct t.name_{language} from marts.gaming_alarms as a join ref.teams as t using (team_id)
                    join ref.as_of as w using (as_of, grain) where w.label = $1""",
                [MONTH],
            ).fetchall()
        }
    place = [column.label for column in table(document, "scores").columns].index(text(language, "word.change"))
    rows = {row[0].text: row[place] for row in table(document, "scores").rows[:-1]}
    assert all((cell.value > 0) == cell.text.endswith("?") for name, cell in rows.items() if name in doubted)
    assert all(cell.value > 0 for cell in rows.values() if cell.text.endswith("?"))


def test_no_file_speaks_the_other_language(snapshot, document, files, language):
    """No text of the app's other language, and no name of a team, area or metric in it."""
    other = "en" if language == "nb" else "nb"
    ours = {part for words in texts(language).values() for part in _fixed(words)}
    wrong = {part for words in texts(other).values() for part in _fixed(words)} - ours
    with open_current(snapshot.folder) as con:
        for table_name, column in (("ref.teams", "name"), ("meta.areas", "name"), ("meta.metrics", "title")):
            for nb, en in con.execute(f"select {column}_nb, {column}_en from {table_name}").fetchall():
                if nb != en:
                    wrong.add({"nb": nb, "en": en}[other])
        same = {words for row in con.execute("select name_nb, name_en from ref.services").fetchall() for words in row}
    for kind, raw in words_of(files).items():
        said = re.sub("|".join(map(re.escape, same)), "", raw)
        found = {words for words in wrong if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", said)}
        assert not found, (kind, found)
        assert sum(words in said for words in ours) > 10, kind


def words_of(files) -> dict[str, str]:
    """What each file says, slides, sheets, paper and page, in one line."""
    show = Presentation(io.BytesIO(files["pptx"]))
    slides = " ".join(
        words
        for slide in show.slides
        for shape in slide.shapes
        for words in (
            [shape.text_frame.text]
            if shape.has_text_frame
            else [cell.text for row in shape.table.rows for cell in row.cells]
            if shape.has_table
            else list(shape.chart.plots[0].categories)
        )
    )
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    sheets = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    paper = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages)
    page = re.sub(r"<[^>]+>", " ", files["html"].decode())
    found = {"pptx": slides, "xlsx": sheets, "pdf": paper, "html": page}
    return {kind: re.sub(r"\s+", " ", raw) for kind, raw in found.items()}


def test_a_month_that_is_over_is_not_called_now(snapshot, document, files, language):
    """Its columns once said so. The brief of today still does."""
    now = re.compile({"nb": r"\b(nå|i dag|dagens)\b", "en": r"\b(now|today|current\w*)\b"}[language], re.IGNORECASE)
    month = {"nb": "Oktober 2026", "en": "October 2026"}[language]
    assert {kind: now.findall(said) for kind, said in words_of(files).items() if now.search(said)} == {}
    assert month in [column.label for column in table(document, "gaps").columns]
    latest = compose(snapshot, period_of(snapshot, "latest"), language)
    assert text(language, "word.now") in [column.label for column in table(latest, "gaps").columns]


def _fixed(words):
    """The parts of a text that stand as they are, where they are long enough to tell a language."""
    return [part for part in (part.strip(" .,:;*«»“”") for part in re.split(r"\{[^}]*\}", words)) if len(part) >= 9]


def test_type_on_paper_is_never_small(document, files):
    reader = pypdf.PdfReader(io.BytesIO(files["pdf"]))
    front = sum(not section.is_annex for section in document.sections)
    for number, page in enumerate(reader.pages):
        sizes: dict[float, str] = {}

        def seen(words, user, matrix, _font, size, sizes=sizes):
            if words.strip():
                # Drawings are scaled: the size on paper is the font's times both matrices'.
                scale = abs(user[3] * matrix[3]) or abs(user[0] * matrix[0])
                sizes.setdefault(round(size * scale, 1), words.strip())

        page.extract_text(visitor_text=seen)
        assert min(sizes) >= (9.4 if number < front else 8.4), (number + 1, sizes)


def test_every_picture_on_paper_has_its_words(document, files):
    said = [
        node.get("/Alt")
        for node in _nodes(pypdf.PdfReader(io.BytesIO(files["pdf"])).trailer["/Root"]["/StructTreeRoot"])
        if node.get("/S") == "/Figure"
    ]
    assert said == [words for _, words in _pictured(document)]
    assert len(said) > 20


def _nodes(node):
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for item in node:
            yield from _nodes(item)
    elif isinstance(node, dict):
        yield node
        if "/K" in node:
            yield from _nodes(node["/K"])


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
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))[text(language, "brief.sheet_brief")]
    assert words in [cell.value for cell in sheet["A"]]


def test_the_command_names_what_can_be_asked_for(cli, demo_home, tmp_path):
    done = cli("brief", "--format", "html", "--out", str(tmp_path / "b"), home=demo_home)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "b").iterdir()] == [f"brief-{MONTH}-nb.html"]
    wrong = cli("brief", "--as-of", "2031-01", "--out", str(tmp_path / "c"), home=demo_home, check=False)
    assert wrong.returncode != 0
    assert "write latest or one of 2026-10" in wrong.stderr
    assert not (tmp_path / "c").exists()


def test_a_month_in_the_workbook_has_its_year(files, language):
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    for name in ("median", "met", "majors"):
        [*names] = (cell.value for cell in book[text(language, f"brief.sheet_{name}")]["A"][1:])
        assert len(set(names)) == len(names) > 10
        assert all(re.search(r"20\d\d", words) for words in names), name


def test_a_line_of_few_months_is_no_longer_than_they_are(document, snapshot):
    """A team of two months had a line as wide as those of a year, below the words "12 months"."""
    with open_current(snapshot.folder) as con:
        counts = dict(
            con.execute(
                f"""select t.name_{document.language}, count(s.score) from scores.team as s
                    join ref.as_of as w using (as_of, grain) join ref.teams as t using (team_id)
                    where s.grain = 'month' and w.label between '2025-10' and $1 group by all""",
                [MONTH],
            ).fetchall()
        )
    *teams, _ = table(document, "scores").rows
    widths = {}
    for row in teams:
        spots = re.search(r'points="([^"]*)"', str(row[-1].drawing or ""))
        if spots:
            places = [float(spot.split(",")[0]) for spot in spots[1].split()]
            widths[row[0].text] = (places[-1] - places[0], len(places))
            assert places[-1] == pytest.approx(76), "the newest month is at the right"
    assert {name: count for name, (_, count) in widths.items()} == {
        name: count for name, count in counts.items() if count > 1
    }
    assert all(width == pytest.approx((count - 1) * 6) for width, count in widths.values())
