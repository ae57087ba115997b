"""The brief as slides to look at: one message each, charts that stay charts, no type below 14 points.

Charts are native, so that whoever shows them can copy or correct them; the notes hold the select behind each number.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Mm, Pt

from opsmetrics.reports import palette
from opsmetrics.reports.brief import room
from opsmetrics.reports.brief.document import Chart, Columns, Document, Figures, Paragraph, Slide
from opsmetrics.reports.table import Cell, Table

WIDTH, HEIGHT, MARGIN = Mm(room.WIDTH), Mm(room.HEIGHT), Mm(room.MARGIN)
TITLE_TOP, TITLE_HEIGHT, TOP, BOTTOM, GAP = Mm(9), 24.0, Mm(room.TOP), Mm(room.BOTTOM), Mm(4)
TITLE_SIZES, LEAD_SIZES = (28, 24, 20, 18, 16), (26, 22, 18, 16)
LEAD_HEIGHT, LEAD_MOST = 38.0, 52.0
ACROSS = room.WIDTH - 2 * room.MARGIN
LEAST = room.LEAST
INK, QUIET, PALE = (RGBColor.from_string(name) for name in ("1E2B3C", "56616F", "A9CBEA"))
BLUE, ORANGE, KRAV = (
    RGBColor.from_string(name.removeprefix("#").upper()) for name in (palette.BLUE, palette.ORANGE, palette.KRAV_COLOUR)
)
LANGUAGES = {"nb": "nb-NO", "en": "en-GB"}
FORMS = {
    "line": XL_CHART_TYPE.LINE_MARKERS,
    "columns": XL_CHART_TYPE.COLUMN_CLUSTERED,
    "bars": XL_CHART_TYPE.BAR_CLUSTERED,
}
_LETTER = 0.014  # of the longest bar: room for one letter of its label
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CLOCK = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def write_pptx(document: Document) -> bytes:
    """Return the brief as slides, 16:9."""
    show: Any = Presentation()
    show.slide_width, show.slide_height = WIDTH, HEIGHT
    properties = show.core_properties
    properties.title, properties.language = document.title, LANGUAGES[document.language]
    properties.author = properties.last_modified_by = document.subtitle
    properties.revision = 1
    properties.created = properties.modified = document.at.replace(tzinfo=None)
    for slide in document.slides:
        _slide(show, document, slide)
    sink = BytesIO()
    show.save(sink)
    return _without_clock(sink.getvalue(), document.at.strftime("%Y-%m-%dT%H:%M:%SZ").encode())


def _without_clock(content: bytes, instant: bytes) -> bytes:
    """Pack the file again with fixed times, the workbooks behind its charts too: the libraries write the clock."""
    sink = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(sink, "w") as target:
        for name in source.namelist():
            member = ZipInfo(name, _EPOCH)
            member.compress_type = ZIP_DEFLATED
            held = source.read(name)
            if name.endswith(".xlsx"):
                held = _without_clock(held, instant)
            elif name == "docProps/core.xml":
                held = _CLOCK.sub(rb"\g<1>" + instant, held)
            target.writestr(member, held)
    return sink.getvalue()


def _slide(show: Any, document: Document, content: Slide) -> None:
    slide = show.slides.add_slide(show.slide_layouts[5])  # title only
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = MARGIN, TITLE_TOP, WIDTH - 2 * MARGIN, Mm(TITLE_HEIGHT)
    title.text_frame.vertical_anchor = MSO_ANCHOR.TOP
    size = room.size_for(content.title, TITLE_SIZES, ACROSS, TITLE_HEIGHT)
    _write(title.text_frame, content.title, document, size=size, bold=True)
    top = TOP
    for place, block in enumerate(content.blocks):
        is_last = place == len(content.blocks) - 1
        rest = HEIGHT - BOTTOM - top - (0 if is_last else Mm(room.BELOW))
        top = _block(slide, document, block, top, rest)
    if document.banner:
        box = slide.shapes.add_textbox(MARGIN, HEIGHT - Mm(13), WIDTH - 2 * MARGIN, Mm(9))
        _write(box.text_frame, document.banner, document, size=LEAST, colour=QUIET)
    slide.notes_slide.notes_text_frame.text = f"{content.notes}\n\n{document.foot}"


def _block(slide: Any, document: Document, block: Any, top: int, rest: int) -> int:
    """Set one block and return where the next may begin."""
    if isinstance(block, Paragraph):
        return _text(slide, document, block, top)
    if isinstance(block, Figures):
        return _figures(slide, document, block, top)
    if isinstance(block, Columns):
        return _columns(slide, document, block, top, rest)
    if isinstance(block, Chart):
        return _chart(slide, document, block, top, rest)
    return _table(slide, document, block, top, rest)


def _write(frame: Any, words: str, document: Document, *, size: float, bold: bool = False, colour: Any = INK) -> None:
    """Fill a text frame; ``*this*`` is strong."""
    frame.word_wrap = True
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    for index, part in enumerate(re.split(r"\*(.+?)\*", words)):
        if part:
            _run(paragraph, part, document, size=size, bold=bold or index % 2 == 1, colour=colour)


def _run(paragraph: Any, words: str, document: Document, *, size: float, bold: bool = False, colour: Any = INK) -> None:
    run = paragraph.add_run()
    run.text = words
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = colour
    run.font._element.set("lang", LANGUAGES[document.language])  # noqa: SLF001 - the library has no name for it


def _text(slide: Any, document: Document, block: Paragraph, top: int) -> int:
    size, height = LEAST, Mm(max(9.0, room.height(block.text, LEAST, ACROSS)))
    if block.is_lead:
        size = room.size_for(block.text, LEAD_SIZES, ACROSS, LEAD_MOST)
        height = Mm(max(LEAD_HEIGHT, room.height(block.text, size, ACROSS)))
    box = slide.shapes.add_textbox(MARGIN, top, WIDTH - 2 * MARGIN, height)
    _write(box.text_frame, block.text, document, size=size, colour=INK if block.is_lead else QUIET)
    return top + height + GAP


def _beside(count: int) -> list[tuple[int, int]]:
    """Left edge and width of boxes beside each other."""
    gap = Mm(6)
    width = int((WIDTH - 2 * MARGIN - gap * (count - 1)) / count)
    return [(int(MARGIN + index * (width + gap)), width) for index in range(count)]


def _figures(slide: Any, document: Document, block: Figures, top: int) -> int:
    height = Mm(80)
    for (left, width), (label, number, note, _) in zip(_beside(len(block.items)), block.items, strict=True):
        frame = slide.shapes.add_textbox(left, top, width, height).text_frame
        _write(frame, label, document, size=18, colour=QUIET)
        _run(frame.add_paragraph(), number, document, size=54, bold=True)
        for line in filter(None, note.split("\n")):
            _run(frame.add_paragraph(), line, document, size=16, colour=QUIET)
    return top + height + GAP


def _columns(slide: Any, document: Document, block: Columns, top: int, rest: int) -> int:
    for (left, width), points in zip(_beside(len(block.lists)), block.lists, strict=True):
        frame = slide.shapes.add_textbox(left, top, width, rest).text_frame
        _write(frame, points.title, document, size=20, bold=True)
        for line, detail in points.items or ((points.none, ""),):
            paragraph = frame.add_paragraph()
            paragraph.space_before = Pt(8)
            _run(paragraph, line, document, size=16)
            if detail:
                _run(frame.add_paragraph(), detail, document, size=LEAST, colour=QUIET)
    return top + rest + GAP


def _chart(slide: Any, document: Document, block: Chart, top: int, rest: int) -> int:
    """A native chart with labels at its marks and no legend."""
    data = CategoryChartData()
    data.categories = block.categories
    data.add_series(block.unit, block.values)
    if block.form == "line" and block.line is not None:
        data.add_series(block.line_label, [block.line] * len(block.categories))
    shape = slide.shapes.add_chart(FORMS[block.form], MARGIN, top, WIDTH - 2 * MARGIN, rest, data)
    shape._element.nvGraphicFramePr.cNvPr.set("descr", block.alt)  # noqa: SLF001 - alternative text has no name
    chart = shape.chart
    chart.has_legend = chart.has_title = False
    chart.font.size, chart.font.color.rgb = Pt(16), INK
    _axes(chart, block)
    series = chart.plots[0].series[0]
    if block.form == "line":
        _line(chart, block, document)
    else:
        chart.plots[0].gap_width = 45
        for place, label in enumerate(block.labels):
            point = series.points[place]
            point.format.fill.solid()
            is_strong = block.form == "bars" or place == len(block.labels) - 1
            point.format.fill.fore_color.rgb = ORANGE if block.is_below else BLUE if is_strong else PALE
            _label(point, label, document, XL_LABEL_POSITION.OUTSIDE_END)
    return top + rest + GAP


def _axes(chart: Any, block: Chart) -> None:
    values, names = chart.value_axis, chart.category_axis
    values.visible, values.has_major_gridlines = False, False
    names.format.line.color.rgb = QUIET
    names.major_tick_mark = XL_TICK_MARK.NONE
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.tick_labels.font.size = Pt(16 if len(block.categories) < 10 or block.form == "bars" else LEAST)
    if block.form == "line":
        known = [value for value in (*block.values, block.line) if value is not None]
        values.minimum_scale, values.maximum_scale = max(0, min(known) - 8), min(block.top, max(known) + 8)
    else:
        # Beside a bar its label is as wide as its letters, above a column as high as one line.
        longest = max(map(len, block.labels), default=0) if block.form == "bars" else 0
        values.minimum_scale, values.maximum_scale = 0, block.top * (1.12 + longest * _LETTER)
    if block.form == "bars":
        names.reverse_order = True


def _line(chart: Any, block: Chart, document: Document) -> None:
    series = chart.plots[0].series[0]
    series.smooth = False
    series.format.line.color.rgb, series.format.line.width = BLUE, Pt(3)
    series.marker.format.fill.solid()
    series.marker.format.fill.fore_color.rgb = BLUE
    known = [place for place, value in enumerate(block.values) if value is not None]
    for place in {known[0], known[-1]}:
        _label(series.points[place], block.labels[place], document, XL_LABEL_POSITION.ABOVE)
    if block.line is not None:
        floor = chart.plots[0].series[1]
        floor.smooth = False
        floor.format.line.color.rgb, floor.format.line.width = KRAV, Pt(palette.KRAV_WIDTH)
        floor.marker.style = XL_MARKER_STYLE.NONE
        _label(floor.points[min(1, len(block.values) - 1)], block.line_label, document, XL_LABEL_POSITION.BELOW)


def _label(point: Any, words: str, document: Document, position: Any) -> None:
    label = point.data_label
    _run(label.text_frame.paragraphs[0], words, document, size=16, bold=True)
    label.position = position


def _table(slide: Any, document: Document, block: Table, top: int, rest: int) -> int:
    width = WIDTH - 2 * MARGIN
    size = room.type_of(len(block.rows))
    needed = [Mm(each) for each in room.row_heights(block, size)]
    if sum(needed) > rest:
        size, needed = LEAST, [Mm(each) for each in room.row_heights(block, LEAST)]
    # What is left makes all rows higher, as far as that looks well.
    spare = max(0, int((rest - sum(needed)) / len(needed)))
    heights = [max(each, min(each + spare, Mm(18 if size > LEAST else 14))) for each in needed]
    shape = slide.shapes.add_table(len(block.rows) + 1, len(block.columns), MARGIN, top, width, sum(heights))
    shape._element.nvGraphicFramePr.cNvPr.set("descr", block.caption)  # noqa: SLF001 - alternative text has no name
    table = shape.table
    table.first_row, table.first_col, table.horz_banding = True, True, False
    total = sum(column.width for column in block.columns)
    for place, column in enumerate(block.columns):
        table.columns[place].width = Emu(int(width * column.width / total))
        _cell(
            table.cell(0, place),
            Cell(column.label),
            document,
            size=size,
            is_number=column.is_number,
            is_head=True,
        )
        for line, row in enumerate(block.rows, start=1):
            _cell(
                table.cell(line, place),
                row[place],
                document,
                size=size,
                is_number=column.is_number,
                is_head=False,
            )
    for line, height in zip(table.rows, heights, strict=True):
        line.height = Emu(height)
    return top + sum(heights) + GAP


def _cell(target: Any, cell: Cell, document: Document, *, size: float, is_number: bool, is_head: bool) -> None:
    target.margin_top = target.margin_bottom = Mm(0.5)
    target.margin_left = target.margin_right = Mm(2)
    target.vertical_anchor = MSO_ANCHOR.MIDDLE
    target.fill.solid()
    colour = (
        "DDE2E8" if is_head else "FFFFFF" if cell.band is None else palette.BANDS[cell.band].removeprefix("#").upper()
    )
    target.fill.fore_color.rgb = RGBColor.from_string(colour)
    paragraph = target.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT
    _run(paragraph, cell.text, document, size=size, bold=is_head or cell.is_strong)
