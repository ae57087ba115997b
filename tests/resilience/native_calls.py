"""Put a compiled library's calls to the system under the layer of file operations.

A library reaches the C library through slots that the loader fills with addresses; here they are filled with functions
of ours. ELF on 64 bits only, which is what the tests run on; nothing has to be compiled, and only one library is touched.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

# Kinds of relocations that hold an address of another library: of x86-64 and of ARM.
_SLOTS = {6, 7, 1025, 1026}
_DYNAMIC, _STRTAB, _SYMTAB, _RELA, _RELASZ, _JMPREL, _PLTRELSZ = 2, 5, 6, 7, 8, 23, 2
_INT, _TEXT, _SIZE = ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t
# What the library calls, what it gives, and what it gets back.
_CALLS: dict[str, tuple[type, tuple[type, ...]]] = {
    "open": (_INT, (_TEXT, _INT, _INT)),
    "write": (ctypes.c_ssize_t, (_INT, ctypes.c_void_p, _SIZE)),
    "pwrite": (ctypes.c_ssize_t, (_INT, ctypes.c_void_p, _SIZE, ctypes.c_int64)),
    "fsync": (_INT, (_INT,)),
    "fdatasync": (_INT, (_INT,)),
    "ftruncate": (_INT, (_INT, ctypes.c_int64)),
    "rename": (_INT, (_TEXT, _TEXT)),
    "unlink": (_INT, (_TEXT,)),
    "remove": (_INT, (_TEXT,)),
}
# Functions of ours must live as long as the slots lead to them.
_KEPT: list[object] = []


class Watches(Protocol):
    """What is asked before each call."""

    def operation(self, kind: str, path: object, half: tuple[int, bytes] | None = None) -> None:
        """Count it, or strike."""


def strike_at_calls(library: str, layer: Watches) -> None:
    """Let ``layer`` know of every file operation of a library that is loaded; there is no way back.

    Raises:
        RuntimeError: The library has no slots that can be found, so that nothing would be struck.
    """
    slots = _slots(library)
    if missing := {"open", "pwrite", "write", "fdatasync"} - slots.keys():
        raise RuntimeError(f"{library} is not linked as expected: no calls of {sorted(missing)}")
    real = ctypes.CDLL(None, use_errno=True)
    asked = _asked(layer)
    for name, places in slots.items():
        answer, given = _CALLS[name]
        function = getattr(real, name)
        function.restype, function.argtypes = answer, given
        own = ctypes.CFUNCTYPE(answer, *given, use_errno=True)(_guarded(asked[name], function))
        _KEPT.append(own)
        for place in places:
            _fill(place, ctypes.cast(own, ctypes.c_void_p).value or 0)


def _guarded(ask: Callable[..., bool], real: Callable[..., int]) -> Callable[..., int]:
    """Ask first; an error that comes of it is the call's. What must not be done for real is as if it had been."""

    def called(*given: object) -> int:
        try:
            is_done = ask(*given)
        except OSError as error:
            ctypes.set_errno(error.errno or errno.EIO)
            return -1
        return 0 if is_done else real(*given)

    return called


def _asked(layer: Watches) -> dict[str, Callable[..., bool]]:
    """What is told of each call; it returns whether the call is not to be made."""

    def opened(path: bytes, flags: int, _mode: int) -> bool:
        is_written = flags & (os.O_WRONLY | os.O_RDWR)
        is_new = flags & os.O_CREAT and not os.path.lexists(path)
        layer.operation("create" if is_new else "open to write" if is_written else "open to read", path)
        return False

    def wrote(handle: int, content: int, size: int, offset: int | None = None) -> bool:
        at = os.lseek(handle, 0, os.SEEK_CUR) if offset is None and _is_file(handle) else offset or 0
        layer.operation("write", _path_of(handle), (at, ctypes.string_at(content, size // 2)))
        return False

    def synced(handle: int) -> bool:
        layer.operation("sync", _path_of(handle))
        # To sync for real costs time, and proves nothing here.
        return True

    def cut(handle: int, _size: int) -> bool:
        layer.operation("truncate", _path_of(handle))
        return False

    def renamed(_source: bytes, target: bytes) -> bool:
        layer.operation("rename", target)
        return False

    def removed(path: bytes) -> bool:
        layer.operation("unlink", path)
        return False

    return {
        "open": opened, "write": wrote, "pwrite": wrote, "fsync": synced, "fdatasync": synced, "ftruncate": cut,
        "rename": renamed, "unlink": removed, "remove": removed,
    }  # fmt: skip


def _path_of(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def _is_file(handle: int) -> bool:
    return Path(_path_of(handle)).is_file()


def _slots(library: str) -> dict[str, list[int]]:
    """Addresses of the slots of each call, by its name."""
    base = _base(library)
    found: dict[str, list[int]] = {}
    about = _dynamic(base)
    symbols, texts = _at(base, about[_SYMTAB]), _at(base, about[_STRTAB])
    for first, size in ((_RELA, _RELASZ), (_JMPREL, _PLTRELSZ)):
        if first not in about:
            continue
        table = ctypes.string_at(_at(base, about[first]), about[size])
        for offset, info, _ in struct.iter_unpack("<QQq", table):
            if info & 0xFFFFFFFF in _SLOTS:
                (name,) = struct.unpack("<I", ctypes.string_at(symbols + 24 * (info >> 32), 4))
                text = ctypes.string_at(texts + name).decode()
                if text in _CALLS:
                    found.setdefault(text, []).append(base + offset)
    return found


def _base(library: str) -> int:
    target = os.path.realpath(library)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, offset, _, _, *path = line.split(maxsplit=5)
        if path == [target] and int(offset, 16) == 0:
            return int(span.split("-")[0], 16)
    raise RuntimeError(f"{library} is not loaded")


def _dynamic(base: int) -> dict[int, int]:
    """The library's own description of its tables."""
    head = ctypes.string_at(base, 64)
    (first,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    for number in range(count):
        kind, _, _, place, _, _, length, _ = struct.unpack(
            "<IIQQQQQQ", ctypes.string_at(base + first + size * number, 56)
        )
        if kind == _DYNAMIC:
            pairs = struct.iter_unpack("<qQ", ctypes.string_at(base + place, length))
            return dict(pairs)
    raise RuntimeError("a library without a dynamic section")


def _at(base: int, address: int) -> int:
    """The loader has made some addresses absolute, and others not."""
    return address if address >= base else base + address


def _fill(slot: int, value: int) -> None:
    page = slot & ~(mmap.PAGESIZE - 1)
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    if protect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), mmap.PROT_READ | mmap.PROT_WRITE) != 0:
        raise OSError(ctypes.get_errno(), "a slot cannot be written")
    ctypes.c_uint64.from_address(slot).value = value
