"""Landing (architecture D1): immutable loads, written atomically, that describe themselves.

A load is one Parquet file, until a month of them is packed into one. Good rows have a null ``_reason``; rows that break
the contract lie in the same file with the reason and their raw values, so that a load and its quarantine appear
together or not at all.
Does not belong here: reading sources (``opsmetrics.sources``) and choosing the winning load (``warehouse``).
"""

from opsmetrics.landing.loads import DAMAGED, PACKS, PARTIAL, SEPARATOR, SILENT, Batch, Load, LoadName, short_digest
from opsmetrics.landing.packs import Compacted, compact, landing_instants
from opsmetrics.landing.reading import (
    Pack,
    damaged_paths,
    is_pack,
    landed_files,
    load_paths,
    names,
    packs,
    place_of,
    quarantine,
    read_columns,
    read_load,
    read_loads,
    read_named,
    read_numbered,
    streams_of,
    verify_file,
    verify_load,
    verify_pack,
)
from opsmetrics.landing.writing import land

__all__ = [
    "DAMAGED",
    "PACKS",
    "PARTIAL",
    "SEPARATOR",
    "SILENT",
    "Batch",
    "Compacted",
    "Load",
    "LoadName",
    "Pack",
    "compact",
    "damaged_paths",
    "is_pack",
    "land",
    "landed_files",
    "landing_instants",
    "load_paths",
    "names",
    "packs",
    "place_of",
    "quarantine",
    "read_columns",
    "read_load",
    "read_loads",
    "read_named",
    "read_numbered",
    "short_digest",
    "streams_of",
    "verify_file",
    "verify_load",
    "verify_pack",
]
