"""Blocks of a DuckDB file held against the checksums that stand in them, without opening it.

DuckDB holds a block against its checksum when it reads it, and a build reads a fraction of its file: none of the days
and raw rows that nothing new rests on. A copy takes them along as they are.

Does not belong here: what is done about a broken one (``store``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

# DuckDB's storage: three headers, the last two with the number of their checkpoint; each block, and each header, begins
# with its checksum: its other words, each times a constant, in an exclusive or (src/common/checksum.cpp).
_HEADER, _HEADERS = 4096, 3
_FACTOR, _START = np.uint64(0xBF58476D1CE4E5B9), np.uint64(5381)
_CHECKPOINT, _BLOCK_COUNT, _BLOCK_SIZE = 1, 4, 5  # words of a header of a checkpoint


def has_broken_blocks(path: Path) -> bool:
    """Whether some block of a DuckDB file is not what its checksum says: broken, or of a form that is not known here.

    One that is in use no more counts too.
    """
    words = np.memmap(path, dtype="<u8", mode="r")
    headers = [words[at : at + _HEADER // 8] for at in range(0, _HEADERS * _HEADER // 8, _HEADER // 8)]
    newest = max(headers[1:], key=lambda header: int(header[_CHECKPOINT]))
    size, count = int(newest[_BLOCK_SIZE]) // 8, int(newest[_BLOCK_COUNT])
    first = _HEADERS * _HEADER // 8
    if not _is_sound(newest) or size == 0 or first + count * size > len(words):
        return True
    return not all(_is_sound(words[at : at + size]) for at in range(first, first + count * size, size))


def _is_sound(block: np.ndarray) -> bool:
    return np.bitwise_xor.reduce(block[1:] * _FACTOR) ^ _START == block[0]
