"""Files that appear whole or not at all, whoever else reads or writes them meanwhile.

Everything that this project writes and somebody else may read goes through here. Does not belong here: what a file
holds, and locks between writers.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def draft(folder: Path, name: str) -> Generator[Path]:
    """Yield a path of its own in ``folder`` to write to; what is not moved from there by :func:`settle` is removed.

    Args:
        folder: Where the file is to appear; it exists.
        name: What the draft is called after; a long name is cut, so that the draft's own is not too long.
    """
    path = folder / f".{name[:200]}.{secrets.token_hex(4)}.tmp"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def settle(draft_path: Path, path: Path, *, durable: bool = True) -> None:
    """Give a written draft its name; of two writers at once the last one stays.

    Args:
        draft_path: What :func:`draft` gave, closed.
        path: The name, in the same folder.
        durable: Wait until content and name are on the disk: for what cannot be made again.
    """
    if durable and not draft_path.is_symlink():
        _sync(draft_path)
    draft_path.replace(path)
    if durable:
        sync_folder(path.parent)


def write_whole_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a text file whole, as UTF-8; see :func:`write_whole_bytes`."""
    write_whole_bytes(path, text.encode("utf-8"), durable=durable)


def write_whole_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file whole.

    Args:
        path: The file; its folder is made.
        content: What it will hold.
        durable: As for :func:`settle`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(path.parent, path.name) as temporary:
        temporary.write_bytes(content)
        settle(temporary, path, durable=durable)


def copy_whole(path: Path, target: Path) -> None:
    """Copy a file so that it appears whole and lies on the disk; its folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with draft(target.parent, target.name) as temporary:
        shutil.copyfile(path, temporary)
        settle(temporary, target)
