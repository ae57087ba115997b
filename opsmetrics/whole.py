"""Texts that appear whole or not at all, whoever else reads or writes them meanwhile."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from opsmetrics.landing import sync_folder


def write_whole_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a text file whole, as UTF-8; see :func:`write_whole_bytes`."""
    write_whole_bytes(path, text.encode("utf-8"), durable=durable)


def write_whole_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file under a name of its own and rename it; of two writers at once the last one stays.

    Args:
        path: The file; its folder is made.
        content: What it will hold.
        durable: Wait until it is on the disk: for what cannot be made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as sink:
            sink.write(content)
            if durable:
                sink.flush()
                os.fsync(sink.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)
