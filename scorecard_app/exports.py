"""Tables as files that people open elsewhere; each says where it comes from."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs
import xlsxwriter

from opsmetrics.core.spreadsheets import csv_text
from opsmetrics.language.texts import text
from opsmetrics.reports.brief.workbook import DAYS


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table comes from.

    Attributes:
        organisation: Its name.
        is_fictional: Whether the numbers are invented.
        period: Label of the period.
        snapshot: Build id of the snapshot.
        table: Name of the table.
        zone: Zone in which instants are written.
    """

    organisation: str
    is_fictional: bool
    period: str
    snapshot: str
    table: str
    zone: str

    def facts(self) -> dict[str, str]:
        """Return what the file says about itself."""
        name = f"{self.organisation} (sample data, invented)" if self.is_fictional else self.organisation
        return {"source": name, "table": self.table, "period": self.period, "snapshot": self.snapshot}


def _flat(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return a frame that any program can hold: lists as text, instants as local time with its offset."""
    lists = cs.by_dtype(pl.List(pl.String))
    return frame.with_columns(
        lists.list.join(", "),
        cs.datetime(time_zone="*").dt.convert_time_zone(zone).dt.to_string("%Y-%m-%dT%H:%M:%S%:z"),
    )


def csv_bytes(frame: pl.DataFrame, origin: Origin, language: str) -> bytes:
    """Return CSV that opens in the language's Excel: Norwegian ``;`` and decimal comma, UTF-8 with mark.

    Source, period and snapshot stand in the last columns, because CSV has no other place. No text is a formula,
    whichever list separator the reader's program splits at.
    """
    facts = [pl.lit(value).alias(f"_{name}") for name, value in origin.facts().items()]
    separator, comma = (";", True) if language == "nb" else (",", False)
    flat = _flat(frame, origin.zone).with_columns(facts)
    return b"\xef\xbb\xbf" + csv_text(flat, separator=separator, decimal_comma=comma).encode()


def xlsx_bytes(frame: pl.DataFrame, origin: Origin, language: str) -> bytes:
    """Return a workbook in the reader's language: the table, and a sheet that says where it comes from.

    Names of columns stay, because queries use them; text is never taken for a formula.
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": origin.table, "comments": f"{origin.period}, {origin.snapshot}"})
        flat = _flat(frame, origin.zone)
        flat.write_excel(
            book,
            text(language, "export.sheet_data"),
            table_name="data",
            autofit=True,
            autofilter=not flat.is_empty(),
            freeze_panes=(1, 0),
            dtype_formats={pl.Date: DAYS[language]},
        )
        sheet = book.add_worksheet(text(language, "export.sheet_source"))
        sheet.set_column(0, 1, 32)
        facts = origin.facts()
        if origin.is_fictional:
            facts["source"] = text(language, "export.fictional", name=origin.organisation)
        for row, (name, value) in enumerate(facts.items()):
            sheet.write_row(row, 0, (text(language, f"export.fact_{name}"), value))
    return buffer.getvalue()


def parquet_bytes(frame: pl.DataFrame, origin: Origin, language: str) -> bytes:  # noqa: ARG001 - one shape for all
    """Return Parquet with every type kept; where it comes from stands in the file's metadata."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, metadata=origin.facts())
    return buffer.getvalue()


Writer = Callable[[pl.DataFrame, Origin, str], bytes]
WRITERS: dict[str, tuple[Writer, str]] = {
    "csv": (csv_bytes, "text/csv; charset=utf-8"),
    "xlsx": (xlsx_bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": (parquet_bytes, "application/vnd.apache.parquet"),
}
