"""Lines of the registers that people keep by hand, made and checked as the files source will read them.

Does not belong here: reading registers (``opsmetrics.sources.files``) and forms (``scorecard_app``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from opsmetrics.sources.contract import FIRST_EVER, LAST_PLAN, apply_contract
from opsmetrics.sources.forms import Zones
from opsmetrics.sources.raw_table import RawTable
from opsmetrics.streams import STREAMS


def header(stream: str) -> str:
    """Return the header line of a register."""
    return _line(column.name for column in STREAMS[stream].columns)


def line(stream: str, values: Mapping[str, Any], zone: str = "UTC") -> tuple[str, list[str]]:
    """Return one line of a register, ready for a pull request, and what is wrong with it.

    Args:
        stream: A register.
        values: Contract column -> value; instants with offset.
        zone: The organisation's zone.

    Returns:
        The CSV line without line end, and one reason for each rule it breaks, as the quarantine would say it.
    """
    contract = STREAMS[stream]
    texts = [_text(values.get(column.name)) for column in contract.columns]
    columns = {
        c.name: pl.Series(c.name, [text or None], dtype=pl.String)
        for c, text in zip(contract.columns, texts, strict=True)
    }
    table = RawTable(
        tuple(columns), pl.DataFrame(columns), pl.Series([1], dtype=pl.Int64), pl.Series([None], dtype=pl.String), {}
    )
    # A register may be written before what it tells has happened; the files source judges that when it reads it.
    judged = apply_contract(
        table,
        contract,
        columns={},
        zones=Zones(None, zone),
        happened=(FIRST_EVER, LAST_PLAN),
        file=Path(f"{stream}.csv"),
    )
    reason = judged.frame["_reason"][0]
    return _line(texts), reason.split("; ") if reason else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _line(values: Any) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="").writerow(list(values))
    return sink.getvalue()
