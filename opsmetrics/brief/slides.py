"""The brief as slides: a slide per section, more where a table is long; every shape has a title or a description."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.util import Emu, Mm, Pt

from opsmetrics.brief.document import Cell, Columns, Document, Figures, Paragraph, Section, Table

WIDTH, HEIGHT, MARGIN = Mm(338.7), Mm(190.5), Mm(14)
BANDS = ("F6B26B", "FCE0B8", "EEF1F4", "CFE2F3", "9DC3E6")
INK, QUIET = RGBColor.from_string("1E2B3C"), RGBColor.from_string("56616F")
LANGUAGES = {"nb": "nb-NO", "en": "en-GB"}
LINES_A_SLIDE = 24
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pptx(document: Document) -> bytes:
    """Return the brief as slides, 16:9."""
    show: Any = Presentation()
    show.slide_width, show.slide_height = WIDTH, HEIGHT
    properties = show.core_properties
    properties.title, properties.language = document.title, LANGUAGES[document.language]
    properties.author = properties.last_modified_by = document.subtitle
    properties.revision = 1
    properties.created = properties.modified = document.at.replace(tzinfo=None)
    for number, section in enumerate(document.sections):
        for part in _parts(section):
            _slide(show, document, part, is_first=number == 0)
    sink = BytesIO()
    show.save(sink)
    return _without_clock(sink.getvalue())


def _without_clock(content: bytes) -> bytes:
    """Pack the file again with fixed times: the library writes the clock into every member."""
    sink = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(sink, "w") as target:
        for name in source.namelist():
            member = ZipInfo(name, _EPOCH)
            member.compress_type = ZIP_DEFLATED
            target.writestr(member, source.read(name))
    return sink.getvalue()


def _lines(table: Table, row: Sequence[Cell]) -> int:
    """About how many lines a row takes: a full-width line holds some 190 letters at this size."""
    total = sum(table.widths)
    return max(
        -(-len(cell.text) // max(1, int(190 * width / total))) for cell, width in zip(row, table.widths, strict=True)
    )


def _parts(section: Section) -> Iterator[Section]:
    """Cut a section into slides: the blocks without tables first, then each table by its lines."""
    flat = tuple(block for block in section.blocks if not isinstance(block, Table))
    tables = [block for block in section.blocks if isinstance(block, Table)]
    if flat:
        yield replace(section, blocks=flat)
    for table in tables:
        rows: list[tuple[Cell, ...]] = []
        height = 0
        for row in table.rows:
            lines = _lines(table, row)
            if rows and height + lines > LINES_A_SLIDE:
                yield replace(section, blocks=(replace(table, rows=tuple(rows), note=""),))
                rows, height = [], 0
            rows.append(row)
            height += lines
        yield replace(section, blocks=(replace(table, rows=tuple(rows)),))


def _slide(show: Any, document: Document, section: Section, *, is_first: bool) -> None:
    slide = show.slides.add_slide(show.slide_layouts[5])  # title only
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = MARGIN, Mm(8), WIDTH - 2 * MARGIN, Mm(14)
    _write(title.text_frame, document.title if is_first else section.title, document, size=24, bold=True)
    top = Mm(25)
    for block in section.blocks:
        if isinstance(block, Paragraph):
            top = _text(slide, document, block.text, top, size=16 if block.is_lead else 12)
        elif isinstance(block, Figures):
            top = _figures(slide, document, block, top)
        elif isinstance(block, Columns):
            top = _columns(slide, document, block, top)
        else:
            top = _table(slide, document, block, top)
    foot = " · ".join(part for part in (document.foot, document.banner) if part)
    _text(slide, document, foot, HEIGHT - Mm(10), size=8)


def _write(frame: Any, words: str, document: Document, *, size: float, bold: bool = False, colour: Any = INK) -> None:
    """Fill a text frame; ``*this*`` is strong."""
    frame.word_wrap = True
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    for index, part in enumerate(re.split(r"\*", words)):
        if part:
            _run(paragraph, part, document, size=size, bold=bold or index % 2 == 1, colour=colour)


def _run(paragraph: Any, words: str, document: Document, *, size: float, bold: bool = False, colour: Any = INK) -> None:
    run = paragraph.add_run()
    run.text = words
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = colour
    run.font._element.set("lang", LANGUAGES[document.language])  # noqa: SLF001 - the library has no name for it


def _text(slide: Any, document: Document, words: str, top: int, *, size: float) -> int:
    lines = -(-len(words) // int(2600 / size))
    height = Emu(int(Pt(size) * 1.35 * lines))
    box = slide.shapes.add_textbox(MARGIN, top, WIDTH - 2 * MARGIN, height)
    _write(box.text_frame, words, document, size=size, colour=QUIET if size < 10 else INK)
    return top + height + Mm(3)


def _beside(count: int) -> list[tuple[int, int]]:
    """Left edge and width of boxes beside each other."""
    gap = Mm(6)
    width = int((WIDTH - 2 * MARGIN - gap * (count - 1)) / count)
    return [(int(MARGIN + index * (width + gap)), width) for index in range(count)]


def _figures(slide: Any, document: Document, block: Figures, top: int) -> int:
    for (left, width), (label, number, note, _) in zip(_beside(len(block.items)), block.items, strict=True):
        frame = slide.shapes.add_textbox(left, top, width, Mm(24)).text_frame
        _write(frame, label, document, size=11, colour=QUIET)
        paragraph = frame.add_paragraph()
        _run(paragraph, number, document, size=26, bold=True)
        _run(paragraph, f"  {note}", document, size=11, colour=QUIET)
    return top + Mm(28)


def _columns(slide: Any, document: Document, block: Columns, top: int) -> int:
    for (left, width), points in zip(_beside(len(block.lists)), block.lists, strict=True):
        frame = slide.shapes.add_textbox(left, top, width, Mm(90)).text_frame
        _write(frame, f"{points.mark} {points.title}", document, size=13, bold=True)
        for line, detail in points.items or ((points.none, ""),):
            _run(frame.add_paragraph(), line, document, size=11)
            if detail:
                _run(frame.add_paragraph(), detail, document, size=9.5, colour=QUIET)
    return top + Mm(92)


def _table(slide: Any, document: Document, block: Table, top: int) -> int:
    top = _text(slide, document, block.caption, top, size=11)
    width = WIDTH - 2 * MARGIN
    shape = slide.shapes.add_table(
        len(block.rows) + 1, len(block.header), MARGIN, top, width, Mm(6) * (len(block.rows) + 1)
    )
    shape._element.nvGraphicFramePr.cNvPr.set("descr", block.caption)  # noqa: SLF001 - alternative text has no name
    table = shape.table
    table.first_row, table.first_col, table.horz_banding = True, True, False
    for column, share in zip(table.columns, block.widths, strict=True):
        column.width = Emu(int(width * share / sum(block.widths)))
    for column, (label, is_number) in enumerate(block.header):
        _cell(table.cell(0, column), Cell(label), document, is_number=is_number, is_head=True)
    for line, row in enumerate(block.rows, start=1):
        for column, (cell, (_, is_number)) in enumerate(zip(row, block.header, strict=True)):
            _cell(table.cell(line, column), cell, document, is_number=is_number, is_head=False)
    bottom = top + Mm(6) * (len(block.rows) + 1) + Mm(4)
    return _text(slide, document, block.note, min(bottom, HEIGHT - Mm(20)), size=9.5) if block.note else bottom


def _cell(target: Any, cell: Cell, document: Document, *, is_number: bool, is_head: bool) -> None:
    target.margin_top = target.margin_bottom = Mm(0.7)
    target.margin_left = target.margin_right = Mm(1.5)
    target.fill.solid()
    colour = "DDE2E8" if is_head else "FFFFFF" if cell.band is None else BANDS[cell.band]
    target.fill.fore_color.rgb = RGBColor.from_string(colour)
    paragraph = target.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT
    _run(paragraph, cell.text, document, size=9, bold=is_head)
