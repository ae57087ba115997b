"""A layer over the file operations of Python: it counts them, and strikes at one.

Like SQLite's test file systems: the process dies at an operation, the machine does and takes with it what was not yet
synced, or the operation fails with an error of the system. Operations of the libraries below Python (DuckDB, Arrow's
and Polars' own readers) count as units where they are opened, but for those that ``native_calls`` puts under the layer.
To be installed in a process that is thrown away.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import _duckdb
import duckdb

from tests.resilience.native_calls import strike_at_calls

KILL, POWER, FULL = "killed", "power lost", "disk full"
ERRORS = {"EIO": errno.EIO, "EMFILE": errno.EMFILE, "EACCES": errno.EACCES}
DIED = 137
READS = {"open to read", "list", "open database"}
# Where in a file the first half of a write begins, and that half.
Half = tuple[int, bytes]


class Layer:
    """What is struck, and when.

    Attributes:
        seen: Kinds of the operations so far; the number of one is its place, from 1.
    """

    def __init__(
        self,
        root: Path,
        keep: Path,
        at: int = 0,
        how: str = "",
        states: Collection[int] = (),
        *,
        in_duckdb: bool = False,
    ) -> None:
        """Count what happens below ``root``; strike operation ``at``.

        Args:
            root: Folder that is watched.
            keep: Holds what the disk would still hold, and the states.
            at: The operation that is struck, or 0.
            how: How it is struck.
            states: Operations before which all of ``root`` is kept as a process that dies there would leave it.
            in_duckdb: Whether DuckDB's own calls count one by one; it works on one thread then.
        """
        self.seen: list[str] = []
        self._root, self._keep, self._at, self._how = str(root), keep, at, how
        self._states, self._in_duckdb, self._is_paused = frozenset(states), in_duckdb, False
        self._dirty: set[str] = set()
        # Entries of folders that are not synced yet: the folders, and how they are undone.
        self._entries: list[tuple[set[str], Callable[[], None]]] = []
        self._real_open = io.open

    # --- striking

    def operation(self, kind: str, path: object, half: Half | None = None) -> None:
        """Count an operation that is about to be done, and strike where it is due.

        Raises:
            OSError: It is refused.
        """
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - Path is built on what is patched here
        if not place.startswith(self._root) or self._is_paused:
            return
        self.seen.append(kind)
        number, is_write = len(self.seen), kind not in READS
        if number in self._states:
            self._is_paused = True
            self._keep_state(number, place, half)
            self._is_paused = False
        if self._how == FULL and 0 < self._at <= number and kind in {"create", "write", "mkdir"}:
            if half:
                tear(place, half)
            raise OSError(errno.ENOSPC, "No space left on device", place)
        if number != self._at:
            return
        if self._how in ERRORS:
            if half:
                tear(place, half)
            raise OSError(ERRORS[self._how], os.strerror(ERRORS[self._how]), place)
        if self._how in {KILL, POWER} and is_write:
            if half:
                tear(place, half)
            if self._how == POWER:
                self._lose()
            os._exit(DIED)

    def _keep_state(self, number: int, place: str, half: Half | None) -> None:
        state = self._keep / str(number)
        shutil.copytree(self._root, state, symlinks=True)
        if half:
            tear(str(state / Path(place).relative_to(self._root)), half)

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
            self.operation("open database", database)
            if self._in_duckdb:
                config = {**kwargs.pop("config", {}), "threads": 1}
                return real(str(database), *args, config=config, **kwargs)
            return real(str(database), *args, **kwargs)

        duckdb.connect = connect
        if self._in_duckdb:
            strike_at_calls(_duckdb.__file__, self)
        return self

    def _patch_names(self) -> None:
        unlink, mkdir, rmdir, symlink = os.unlink, os.mkdir, os.rmdir, os.symlink
        rename, scandir, chmod = os.replace, os.scandir, os.chmod

        def removed(path: object, *, dir_fd: int | None = None) -> None:
            if dir_fd is not None:
                unlink(path, dir_fd=dir_fd)
                return
            place = os.fsdecode(path)
            self.operation("unlink", place)
            back = self._kept(place) if os.path.lexists(place) and self._ours(place) else None
            unlink(place)
            if back:
                self._entry([place], back)

        def renamed(src: object, dst: object) -> None:
            one, other = os.fsdecode(src), os.fsdecode(dst)
            self.operation("rename", other)
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
            self.operation("mkdir", place)
            mkdir(place, mode)
            if self._ours(place):
                self._entry([place], lambda: shutil.rmtree(place, ignore_errors=True))

        def linked(target: object, path: object, *args: object) -> None:
            place = os.fsdecode(path)
            self.operation("symlink", place)
            symlink(target, place, *args)
            self._entry([place], lambda: unlink(place))

        def listed(path: object = ".") -> object:
            self.operation("list", path) if isinstance(path, str | bytes | os.PathLike) else None
            return scandir(path)

        def changed(path: object, mode: int, **kwargs: object) -> None:
            self.operation("chmod", path) if isinstance(path, str | bytes | os.PathLike) else None
            chmod(path, mode, **kwargs)

        def gone(path: object, *, dir_fd: int | None = None) -> None:
            self.operation("rmdir", path) if dir_fd is None else None
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
            self.operation("create" if is_new else "open to read", place)
            return raw(place, flags, mode)

        def synced(handle: int) -> None:
            place = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115
            self.operation("sync", place)
            # To sync for real costs time, and proves nothing here.
            self._synced(place)

        def sent(out: int, into: int, offset: int, count: int) -> int:
            place = os.readlink(f"/proc/self/fd/{out}")  # noqa: PTH115
            self.operation("write", place)
            self._dirty.add(place)
            return sendfile(out, into, offset, count)

        layer = self

        class Written(io.FileIO):
            """A file that is written: every write counts."""

            def write(self, content: object) -> int:
                place = os.fsdecode(self.name)
                layer.operation("write", place, (self.tell(), bytes(content)[: len(bytes(content)) // 2]))
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
                self.operation("create", place)
                handle = Written(place, "".join(sorted(set(mode) - set("bt"))))
                if is_new:
                    self._entry([place], lambda: os.path.lexists(place) and unlink(place))
                self._dirty.add(place)
                buffered = io.BufferedWriter(handle)
                return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding="utf-8")
            self.operation("open to read", place)
            return layer._real_open(file, mode, *args, **kwargs)

        os.open, os.fsync, os.sendfile = opened, synced, sent
        io.open = builtins.open = open_file


def tear(place: str, half: Half) -> None:
    """Write the first half of what was to be written; a file that is not there yet stays so."""
    offset, content = half
    if os.path.lexists(place):
        with io.FileIO(place, "r+") as file:
            os.pwrite(file.fileno(), content, offset)
