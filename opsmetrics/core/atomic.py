"""Files that appear whole or not at all, whoever else reads or writes them meanwhile.

Everything that this project writes and somebody else may read goes through here. Does not belong here: what a file
holds, and locks between writers.
"""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from opsmetrics.core.errors import NoFileError, OpsMetricsError, UnreadableError, VanishedError, is_refusal

_BLOCK = 1 << 20


class OtherContentError(OpsMetricsError):
    """A file's bytes are not those that were expected."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: its checksum is another than when it was written")


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    _sync(folder)


def sync_tree(folder: Path) -> None:
    """Make all files and folders below ``folder``, and itself, durable; a rename that names them is another's."""
    for below, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync(Path(below) / name)
        _sync(Path(below))


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
    except OSError as error:
        # A full disk is told by the handle, which has no name: which of several disks it is would stay unsaid.
        if error.filename is None and is_refusal(error):
            error.filename = str(folder / name)
        raise
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
    make_folder(path.parent)
    with draft(path.parent, path.name) as temporary:
        temporary.write_bytes(content)
        settle(temporary, path, durable=durable)


def write_where_named(path: Path, text: str) -> None:
    """Write a text where somebody says: whole where that is a file, and into a pipe or a device as it comes.

    To move a file to the name of a device takes the device away from everybody, and a link from whoever made it.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as sink:
            sink.write(text)
        return
    path = path.resolve()
    make_folder(path.parent)
    with draft(path.parent, path.name) as temporary:
        temporary.write_text(text, encoding="utf-8")
        if path.exists():
            # Who may read it was said already, by whoever made it or changed it since.
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        settle(temporary, path, durable=False)


def copy_whole(path: Path, target: Path, *, expected: str = "") -> str:
    """Copy a file so that it appears whole and lies on the disk; its folder is made.

    Args:
        path: What is copied.
        target: Where to; whatever lies there is replaced.
        expected: First digits of the SHA-256 that the bytes must have.

    Returns:
        The SHA-256 of the bytes that were copied.

    Raises:
        OtherContentError: The bytes are others; nothing was changed.
        VanishedError: There is no such file any more.
        UnreadableError: The system does not let us read it.
    """
    digest = hashlib.sha256()
    with open_file(path) as source:
        make_folder(target.parent)
        with draft(target.parent, target.name) as temporary:
            with temporary.open("wb") as sink:
                while block := _block(source, path):
                    digest.update(block)
                    sink.write(block)
            if not digest.hexdigest().startswith(expected):
                raise OtherContentError(path)
            settle(temporary, target)
    return digest.hexdigest()


def digest_of(path: Path, *, from_disk: bool = False) -> str:
    """Return the SHA-256 of a file.

    Args:
        path: The file.
        from_disk: Read what lies on the disk rather than what the system remembers of it, as far as it lets us.

    Raises:
        VanishedError: There is no such file.
        UnreadableError: The system does not let us read it.
    """
    with open_file(path) as content, _reading(path):
        if from_disk and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(content.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(content, "sha256").hexdigest()


def open_file(path: Path) -> BufferedReader:
    """Open a file to read; what is none is told at once, because a pipe would wait for ever.

    Raises:
        VanishedError: There is no such file.
        NoFileError: Something else lies there.
        UnreadableError: The system does not let us read it.
    """
    with _reading(path):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise NoFileError(path)
        return os.fdopen(handle, "rb")


def read_bounded(path: Path, most: int) -> bytes | None:
    """Return what a file holds, or None where that is more than it may be: a file of gigabytes costs no room to make.

    Raises:
        VanishedError: There is no such file.
        NoFileError: Something else lies there.
        UnreadableError: The system does not let us read it.
    """
    with open_file(path) as file, _reading(path):
        if os.fstat(file.fileno()).st_size > most:
            return None
        content = file.read(most + 1)
    return content if len(content) <= most else None


def _block(source: BufferedReader, path: Path) -> bytes:
    with _reading(path):
        return source.read(_BLOCK)


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Tell what the system says of reading, so that it is not taken for a refusal to write."""
    try:
        yield
    except FileNotFoundError as error:
        raise VanishedError(path, error.strerror) from error
    except OSError as error:
        raise UnreadableError(path, error.strerror or type(error).__name__) from error


def literal(path: Path | str) -> str:
    """Return a path as DuckDB reads it: else ``state[1]`` is ``state1``, where there is such a one."""
    return glob.escape(str(path))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; each lies on the disk before anything is written into it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sweep_drafts(folder: Path, name: str = "") -> None:
    """Remove what killed processes left half-written in a folder; the caller is the only one who writes there.

    Args:
        folder: Where.
        name: Of the only file that we write there, where the folder itself may be others' too.
    """
    for leftover in folder.glob(f".{name}*.tmp"):
        leftover.unlink(missing_ok=True)


def remove_durably(path: Path) -> None:
    """Remove a file, so that it does not come back when the machine goes down."""
    with suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)
