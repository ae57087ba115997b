"""A layer over the file operations of Python: it counts them, and strikes at one.

Like SQLite's test file systems: the process dies at an operation, the machine does and takes with it what was not yet
synced, or the operation fails with an error of the system. Operations of the libraries below Python (DuckDB, Arrow's
and Polars' own readers) count as units where they are opened. To be installed in a process that is thrown away.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

KILL, POWER, FULL = "killed", "power lost", "disk full"
ERRORS = {"EIO": errno.EIO, "EMFILE": errno.EMFILE, "EACCES": errno.EACCES}
DIED = 137
READS = {"open to read", "list", "open database"}


class Layer:
    """What is struck, and when.

    Attributes:
        seen: Kinds of the operations so far; the number of one is its place, from 1.
    """

    def __init__(self, root: Path, keep: Path, at: int = 0, how: str = "") -> None:
        """Count what happens below ``root``; strike operation ``at``. ``keep`` holds what the disk would still hold."""
        self.seen: list[str] = []
        self._root, self._keep, self._at, self._how = str(root), keep, at, how
        self._dirty: set[str] = set()
        # Entries of folders that are not synced yet: the folders, and how they are undone.
        self._entries: list[tuple[set[str], Callable[[], None]]] = []
        self._real_open = io.open

    # --- striking

    def _op(self, kind: str, path: object, torn: Callable[[], None] | None = None) -> None:
        """Count an operation, and strike where it is due; ``torn`` does the first half of it."""
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - Path is built on what is patched here
        if not place.startswith(self._root):
            return
        self.seen.append(kind)
        number, is_write = len(self.seen), kind not in READS
        if self._how == FULL and 0 < self._at <= number and kind in {"create", "write", "mkdir"}:
            if torn:
                torn()
            raise OSError(errno.ENOSPC, "No space left on device", place)
        if number != self._at:
            return
        if self._how in ERRORS:
            if torn:
                torn()
            raise OSError(ERRORS[self._how], os.strerror(ERRORS[self._how]), place)
        if self._how in {KILL, POWER} and is_write:
            if torn:
                torn()
            if self._how == POWER:
                self._lose()
            os._exit(DIED)

    def _lose(self) -> None:
        """Leave on the disk what a machine that goes down leaves: nothing that was not synced."""
        for _, undo in reversed(self._entries):
            undo()
        for place in self._dirty:
            if os.path.isfile(place):  # noqa: PTH113
                os.truncate(place, os.path.getsize(place) // 2)  # noqa: PTH202

    # --- what is not synced

    def _entry(self, places: list[str], undo: Callable[[], None]) -> None:
        self._entries.append(({os.path.dirname(place) for place in places}, undo))  # noqa: PTH120

    def _kept(self, place: str) -> Callable[[], None]:
        """Keep what a name stands for now; return how it gets it back."""
        if not os.path.lexists(place):
            return lambda: None
        spare = str(self._keep / f"{len(self._entries)}-{len(self.seen)}")
        os.link(place, spare, follow_symlinks=False)
        return lambda: os.link(spare, place, follow_symlinks=False)

    def _synced(self, place: str) -> None:
        self._dirty.discard(place)
        left = [(folders - {place}, undo) for folders, undo in self._entries]
        self._entries = [(folders, undo) for folders, undo in left if folders]

    # --- patches

    def install(self) -> Layer:
        """Patch this process; there is no way back."""
        self._patch_names()
        self._patch_files()
        real = duckdb.connect

        def connect(database: object = ":memory:", *args: object, **kwargs: object) -> object:
            self._op("open database", database)
            return real(str(database), *args, **kwargs)

        duckdb.connect = connect
        return self

    def _patch_names(self) -> None:
        unlink, mkdir, rmdir, symlink = os.unlink, os.mkdir, os.rmdir, os.symlink
        rename, scandir, chmod = os.replace, os.scandir, os.chmod

        def removed(path: object, *, dir_fd: int | None = None) -> None:
            if dir_fd is not None:
                unlink(path, dir_fd=dir_fd)
                return
            place = os.fsdecode(path)
            self._op("unlink", place)
            back = self._kept(place) if os.path.lexists(place) and self._ours(place) else None
            unlink(place)
            if back:
                self._entry([place], back)

        def renamed(src: object, dst: object) -> None:
            one, other = os.fsdecode(src), os.fsdecode(dst)
            self._op("rename", other)
            back = self._kept(other) if self._ours(other) else lambda: None
            rename(one, other)
            if one in self._dirty:
                self._dirty.discard(one)
                self._dirty.add(other)
            if self._ours(other):

                def undo() -> None:
                    rename(other, one)
                    back()

                self._entry([one, other], undo)

        def made(path: object, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
            place = os.fsdecode(path)
            self._op("mkdir", place)
            mkdir(place, mode)
            if self._ours(place):
                self._entry([place], lambda: shutil.rmtree(place, ignore_errors=True))

        def linked(target: object, path: object, *args: object) -> None:
            place = os.fsdecode(path)
            self._op("symlink", place)
            symlink(target, place, *args)
            self._entry([place], lambda: unlink(place))

        def listed(path: object = ".") -> object:
            self._op("list", path) if isinstance(path, str | bytes | os.PathLike) else None
            return scandir(path)

        def changed(path: object, mode: int, **kwargs: object) -> None:
            self._op("chmod", path) if isinstance(path, str | bytes | os.PathLike) else None
            chmod(path, mode, **kwargs)

        def gone(path: object, *, dir_fd: int | None = None) -> None:
            self._op("rmdir", path) if dir_fd is None else None
            rmdir(path, dir_fd=dir_fd)

        os.unlink = os.remove = removed
        os.replace = os.rename = renamed
        os.mkdir, os.symlink, os.scandir, os.chmod, os.rmdir = made, linked, listed, changed, gone

    def _ours(self, place: str) -> bool:
        return os.path.abspath(place).startswith(self._root)  # noqa: PTH100

    def _patch_files(self) -> None:
        raw, sendfile, unlink = os.open, os.sendfile, os.unlink

        def opened(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if dir_fd is not None:
                return raw(path, flags, mode, dir_fd=dir_fd)
            place = os.fsdecode(path)
            is_new = flags & os.O_CREAT and not os.path.lexists(place)
            self._op("create" if is_new else "open to read", place)
            return raw(place, flags, mode)

        def synced(handle: int) -> None:
            place = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115
            self._op("sync", place)
            # To sync for real costs time, and proves nothing here.
            self._synced(place)

        def sent(out: int, into: int, offset: int, count: int) -> int:
            place = os.readlink(f"/proc/self/fd/{out}")  # noqa: PTH115
            self._op("write", place)
            self._dirty.add(place)
            return sendfile(out, into, offset, count)

        layer = self

        class Written(io.FileIO):
            """A file that is written: every write counts."""

            def write(self, content: object) -> int:
                half = bytes(content)[: len(bytes(content)) // 2]
                place = os.fsdecode(self.name)
                layer._op("write", place, torn=lambda: super(Written, self).write(half))
                layer._dirty.add(place)
                return super().write(content)

        def open_file(file: object, mode: str = "r", *args: object, **kwargs: object) -> object:
            if isinstance(file, int):
                return layer._real_open(file, mode, *args, **kwargs)
            place = os.fsdecode(file)
            if not self._ours(place):
                return layer._real_open(file, mode, *args, **kwargs)
            if set(mode) & set("wax"):
                is_new = not os.path.lexists(place)
                self._op("create", place)
                handle = Written(place, "".join(sorted(set(mode) - set("bt"))))
                if is_new:
                    self._entry([place], lambda: os.path.lexists(place) and unlink(place))
                self._dirty.add(place)
                buffered = io.BufferedWriter(handle)
                return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding="utf-8")
            self._op("open to read", place)
            return layer._real_open(file, mode, *args, **kwargs)

        os.open, os.fsync, os.sendfile = opened, synced, sent
        io.open = builtins.open = open_file
