"""Sheets of workbooks whose last row or column lies far out."""

import openpyxl
import pytest

from opsmetrics.core.errors import SourceError
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
