"""Sheets of workbooks: a last row or column that lies far out, and what cells show beside their values."""

import struct
import zipfile

import openpyxl
import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.recipes.shape import shapes_of
from opsmetrics.sources.query_inputs import Everything
from opsmetrics.sources.sheets import first_rows, read_sheet


def book(tmp_path, far):
    workbook = openpyxl.Workbook()
    workbook.active.append(["number", "service"])
    workbook.active.append(["I1", "web"])
    far(workbook.active)
    workbook.save(tmp_path / "far.xlsx")
    return tmp_path / "far.xlsx"


def test_one_cell_in_the_last_corner_is_an_error_and_does_not_end_the_process(tmp_path):
    path = book(tmp_path, lambda sheet: sheet.cell(1_048_576, 16_384, "x"))
    with pytest.raises(SourceError, match="17179869184 cells up to the last row and column"):
        read_sheet(path, None, 0, Everything())
    with pytest.raises(ValueError, match="cells up to the last row"):
        first_rows(path, 5)


def test_cells_that_only_look_otherwise_hold_nothing(tmp_path):
    def colour(sheet):
        sheet.cell(1_048_576, 16_384).font = openpyxl.styles.Font(bold=True)

    table = read_sheet(book(tmp_path, colour), None, 0, Everything())
    assert table.data.rows() == [("I1", "web")]


def cut(data):
    # With another file behind it, as of two that were joined, it still looks like a packed one.
    return data[:-600] + data[-40:]


def flipped(data):
    at = data.index(b"xl/worksheets/sheet1.xml")
    return data[:at] + b"y" + data[at + 1 :]


@pytest.mark.parametrize("harm", [cut, flipped])
def test_a_workbook_that_is_cut_off_or_damaged_is_none(tmp_path, harm):
    path = book(tmp_path, lambda _: None)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(SourceError, match="no readable workbook"):
        read_sheet(path, None, 0, Everything())
    shapes_of(path)


OPEN = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'


def opendocument(tmp_path, rows, columns):
    """A workbook that says empty rows and columns once, with how many there are."""
    last = f'<table:table-cell table:number-columns-repeated="{columns}"/>' + OPEN.format("x")
    parts = [OPEN.format("number") + OPEN.format("service"), OPEN.format("I1") + OPEN.format("web")]
    table = "".join(f"<table:table-row>{part}</table:table-row>" for part in parts)
    table += f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell/></table:table-row>'
    table += f"<table:table-row>{last}</table:table-row>" if columns else ""
    content = f"""<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>
        <table:table table:name="A">{table}</table:table></office:spreadsheet></office:body></office:document-content>"""
    with zipfile.ZipFile(tmp_path / "far.ods", "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", "<manifest:manifest/>")
        packed.writestr("content.xml", content)
    return tmp_path / "far.ods"


def binary(tmp_path, row, column):
    """A workbook of binary records, with texts in its first row and in one cell far out."""

    def record(kind, content):
        head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        return head + bytes([len(content)]) + content

    def wide(text):
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def cells(row, *cells):
        texts = (record(6, struct.pack("<II", place, 0) + wide(text)) for place, text in cells)
        return record(0, struct.pack("<I", row) + bytes(21)) + b"".join(texts)

    sheet = record(129, b"") + record(148, struct.pack("<IIII", 0, row, 0, column)) + record(145, b"")
    sheet += cells(0, (0, "number"), (1, "service")) + cells(1, (0, "I1"), (1, "web")) + cells(row, (column, "x"))
    book = record(131, b"") + record(143, b"") + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("A"))
    link = '<Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.bin"/>'
    with zipfile.ZipFile(tmp_path / "far.xlsb", "w") as packed:
        packed.writestr("xl/workbook.bin", book + record(144, b"") + record(132, b""))
        packed.writestr("xl/_rels/workbook.bin.rels", f"<Relationships>{link}</Relationships>")
        packed.writestr("xl/worksheets/sheet1.bin", sheet + record(146, b"") + record(130, b""))
    return tmp_path / "far.xlsb"


@pytest.mark.parametrize("kind", [opendocument, binary])
def test_a_stray_cell_far_out_is_said_in_every_format(tmp_path, kind):
    with pytest.raises(SourceError, match="cells up to the last row and column that hold anything"):
        read_sheet(kind(tmp_path, 1_048_000, 60), None, 0, Everything())
    near = read_sheet(kind(tmp_path, 2, 1), None, 0, Everything())
    assert near.data.rows()[0] == ("I1", "web")
    assert near.height == 2


def test_empty_rows_to_the_end_of_a_sheet_hold_nothing(tmp_path):
    assert read_sheet(opendocument(tmp_path, 1_048_000, 0), None, 0, Everything()).data.rows() == [("I1", "web")]


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (123, "00000", "00123"),
        (123, '"INC"0000000', "INC0000123"),
        (123, "\\K\\-0000", "K-0123"),
        (123, "0", "123"),
        (0.5, "00", "0.5"),
        (123, '"kr "00', "123"),
    ],
)
def test_an_id_that_shows_leading_zeros_has_them(tmp_path, value, form, shown):
    def written(sheet):
        sheet.cell(3, 1, value).number_format = form

    assert read_sheet(book(tmp_path, written), None, 0, Everything()).data["number"].to_list() == ["I1", shown]
