"""The brief as slides: a section begins a slide and goes on where it is long; every table has a description."""

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

from opsmetrics.reports.brief.document import BAND_COLOURS, Block, Columns, Document, Figures, Paragraph, Section
from opsmetrics.reports.table import Cell, Table

WIDTH, HEIGHT, MARGIN = Mm(338.7), Mm(190.5), Mm(14)
INK, QUIET = RGBColor.from_string("1E2B3C"), RGBColor.from_string("56616F")
LANGUAGES = {"nb": "nb-NO", "en": "en-GB"}
TOP, BOTTOM, GAP, LINE = Mm(25), Mm(13), Mm(3), Mm(6)
ROOM = HEIGHT - TOP - BOTTOM
FEWEST_ROWS = 3  # fewer at the foot of a slide are not a table
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


def _rows(table: Table, row: Sequence[Cell]) -> int:
    """About how many lines a row takes: a full-width line holds some 155 letters at this size, in a wide font."""
    total = sum(column.width for column in table.columns)
    return max(
        -(-len(cell.text) // max(1, int(155 * column.width / total)))
        for cell, column in zip(row, table.columns, strict=True)
    )


def _height(block: Block) -> int:
    """About how high a block is, in EMU: what follows it stands below."""
    if isinstance(block, Paragraph):
        return _text_height(block.text, _size(block)) + GAP
    if isinstance(block, Figures):
        return Mm(28)
    if isinstance(block, Columns):
        return Mm(92)
    rows = sum(_row_height(block, row) for row in block.rows)
    return (
        _text_height(block.caption, 11) + GAP + LINE + rows + GAP + (_text_height(block.note, 9.5) if block.note else 0)
    )


def _row_height(table: Table, row: Sequence[Cell]) -> int:
    return int(Mm(1.6) + Mm(4.2) * _rows(table, row))


def _text_height(words: str, size: float) -> int:
    """A line holds fewer letters the larger they are: some 160 at eleven points."""
    return int(Pt(size) * 1.35 * -(-len(words) // int(1760 / size)))


def _size(block: Paragraph) -> int:
    return 16 if block.is_lead else 12


def _parts(section: Section) -> Iterator[Section]:
    """Cut a section into slides: as many blocks as fit below each other; a table that is too long goes on."""
    held: list[Block] = []
    room = ROOM
    for block in section.blocks:
        whole: Block | None = block
        while whole is not None:
            first, rest = _cut(whole, room)
            if first is None:
                yield replace(section, blocks=tuple(held))
                held, room = [], ROOM
                continue
            held.append(first)
            room -= _height(first)
            whole = rest
    if held:
        yield replace(section, blocks=tuple(held))


def _cut(block: Block, room: int) -> tuple[Block | None, Block | None]:
    """What of a block fits into some room, and what is left; on an empty slide at least something does."""
    if _height(block) <= room:
        return block, None
    if not isinstance(block, Table):
        return (block, None) if room == ROOM else (None, block)
    empty = replace(block, rows=(), note="")
    fitting, used = 0, _height(empty)
    for row in block.rows:
        used += _row_height(block, row)
        if used > room:
            break
        fitting += 1
    if fitting == 0 and room == ROOM:
        fitting = 1
    if fitting == 0 or (room < ROOM and fitting < FEWEST_ROWS):
        return None, block
    if fitting == len(block.rows):
        # Only the note has no place.
        return (None, block) if room < ROOM else (replace(block, note=""), None)
    return replace(block, rows=block.rows[:fitting], note=""), replace(block, rows=block.rows[fitting:])


def _slide(show: Any, document: Document, section: Section, *, is_first: bool) -> None:
    slide = show.slides.add_slide(show.slide_layouts[5])  # title only
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = MARGIN, Mm(8), WIDTH - 2 * MARGIN, Mm(14)
    _write(title.text_frame, document.title if is_first else section.title, document, size=24, bold=True)
    top = TOP
    for block in section.blocks:
        if isinstance(block, Paragraph):
            top = _text(slide, document, block.text, top, size=_size(block))
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
    height = Emu(_text_height(words, size))
    box = slide.shapes.add_textbox(MARGIN, top, WIDTH - 2 * MARGIN, height)
    _write(box.text_frame, words, document, size=size, colour=QUIET if size < 10 else INK)
    return top + height + GAP


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
    width, heights = WIDTH - 2 * MARGIN, [LINE, *(_row_height(block, row) for row in block.rows)]
    shape = slide.shapes.add_table(len(heights), len(block.columns), MARGIN, top, width, sum(heights))
    shape._element.nvGraphicFramePr.cNvPr.set("descr", block.caption)  # noqa: SLF001 - alternative text has no name
    table = shape.table
    table.first_row, table.first_col, table.horz_banding = True, True, False
    total = sum(column.width for column in block.columns)
    for place, column in enumerate(block.columns):
        table.columns[place].width = Emu(int(width * column.width / total))
        _cell(table.cell(0, place), Cell(column.label), document, is_number=column.is_number, is_head=True)
        for line, row in enumerate(block.rows, start=1):
            _cell(table.cell(line, place), row[place], document, is_number=column.is_number, is_head=False)
    for line, height in zip(table.rows, heights, strict=True):
        line.height = Emu(height)
    bottom = top + sum(heights) + GAP
    return _text(slide, document, block.note, bottom, size=9.5) if block.note else bottom


def _cell(target: Any, cell: Cell, document: Document, *, is_number: bool, is_head: bool) -> None:
    target.margin_top = target.margin_bottom = Mm(0.7)
    target.margin_left = target.margin_right = Mm(1.5)
    target.fill.solid()
    colour = "DDE2E8" if is_head else "FFFFFF" if cell.band is None else BAND_COLOURS[cell.band]
    target.fill.fore_color.rgb = RGBColor.from_string(colour)
    paragraph = target.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT
    _run(paragraph, cell.text, document, size=9, bold=is_head)
