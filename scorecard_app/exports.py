"""Tables as files that people open elsewhere."""

from __future__ import annotations

import polars as pl


def csv_bytes(frame: pl.DataFrame, language: str) -> bytes:
    """Return CSV that opens in the language's Excel: Norwegian ``;`` and decimal comma, UTF-8 with mark.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    risky = pl.col(pl.String).str.contains(r"^[=+\-@\t\r]")
    safe = frame.with_columns(
        pl.when(risky).then(pl.lit("'") + pl.col(pl.String)).otherwise(pl.col(pl.String)).name.keep()
    )
    separator, comma = (";", True) if language == "nb" else (",", False)
    return b"\xef\xbb\xbf" + safe.write_csv(separator=separator, decimal_comma=comma).encode()
