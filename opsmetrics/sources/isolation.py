"""Read a source in a process of its own: what it breaks, hangs or fills is that process.

Processes are forked from a server that has imported everything already, so that one costs milliseconds. Each has bounds
of time, which this process holds, and of memory, which the kernel holds. Does not belong here: what is read
(``sources.pull``) and what the bounds are (``organisation.bounds``).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import replace_environment, whole_environment
from opsmetrics.organisation.bounds import Bounds
from opsmetrics.sources.allowance import too_long

T = TypeVar("T")
Progress = Callable[[int, int], None]
_CONTEXT = multiprocessing.get_context("forkserver")
# Starting a process changes what all processes of this one share.
_STARTING = threading.Lock()
# What reads at this moment, and what of it was ended because nobody waits for it any longer.
_READING: set[Any] = set()
_STOPPED: set[Any] = set()
# So that a source that looks at its own clock says itself what it was doing.
LATE_SECONDS = 5.0
_PAGE = resource.getpagesize()
_MEGABYTE = 1024 * 1024
_PROGRESS, _RETURNED, _RAISED = "progress", "returned", "raised"


class _Told:
    """Progress of the child, for the parent."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def __call__(self, done: int, total: int) -> None:
        self._parent.send((_PROGRESS, (done, total)))


def apart(
    work: Callable[..., T],
    arguments: tuple[Any, ...],
    *,
    name: str,
    bounds: Bounds,
    progress: Progress,
    warm: list[str],
) -> T:
    """Call a function in a process of its own and return what it returns.

    Args:
        work: A function of a module; it is called with the arguments and a function for its progress.
        arguments: What it is called with; they are copied.
        name: The source, for messages.
        bounds: Of time and memory.
        progress: Called as the function calls its own.
        warm: Modules to import once for all processes.

    Raises:
        SourceError: The process ended before the function did, or took too long.
        Exception: What the function raised.
        KeyboardInterrupt: It was ended by :func:`stop_reading`.
    """
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    given = (theirs, whole_environment(), str(Path.cwd()), bounds.memory_mb, work, arguments)
    with _STARTING:
        # Counts for the first process only, which starts the server.
        _CONTEXT.set_forkserver_preload([__name__, *warm])
        process = _CONTEXT.Process(target=_child, args=given, name=f"reading {name}", daemon=True)
        with _without_main():
            process.start()
        _READING.add(process)
    theirs.close()
    try:
        return _outcome(process, ours, name, bounds, progress)
    finally:
        ours.close()
        with _STARTING:
            _READING.discard(process)
            _STOPPED.discard(process)
        process.kill()
        process.join()
        process.close()


def stop_reading() -> None:
    """End every process that reads for this one: somebody has pressed Ctrl-C, which is no fault of the sources.

    What they landed stays; what they were landing does not appear.
    """
    with _STARTING:
        _STOPPED.update(_READING)
        for process in _READING:
            process.kill()


@contextlib.contextmanager
def _without_main() -> Generator[None]:
    """Have no main module for a moment: a new process runs its parent's again, and that may be anything.

    Streamlit puts the script of a page there, a notebook its cells: run once more they fail, and the process ends.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _outcome(process: Any, parent: Connection, name: str, bounds: Bounds, progress: Progress) -> Any:
    """Wait for what the child says last, and no longer than it may take."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        process.kill()

    # A watch of its own: a child that stops in the middle of a word keeps whoever is listening to it.
    watch = threading.Timer(bounds.minutes * 60 + LATE_SECONDS, end)
    watch.daemon = True
    watch.start()
    try:
        return _listen(process, parent, name, bounds, progress, is_late)
    finally:
        watch.cancel()
        watch.join()


def _listen(
    process: Any, parent: Connection, name: str, bounds: Bounds, progress: Progress, is_late: threading.Event
) -> Any:
    """Take what the child says until it has said the last word or is ended."""
    while True:
        try:
            kind, said = parent.recv()
        except (EOFError, OSError):
            process.join()
            if process in _STOPPED:
                raise KeyboardInterrupt from None
            if is_late.is_set():
                raise SourceError(Problem(name, None, *too_long(bounds))) from None
            raise _ended(name, process.exitcode, bounds) from None
        if kind == _PROGRESS:
            progress(*said)
        elif kind == _RETURNED:
            return said
        else:
            error, trace = said
            raise error from RuntimeError(trace)


def _ended(name: str, code: int | None, bounds: Bounds) -> SourceError:
    """Return the error of a process that ended without a word: the kernel or a library ended it."""
    ending = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    message = f"reading it ended the process that read it ({ending})"
    return SourceError(Problem(name, None, message, f"it is damaged, or {memory_fix(bounds.memory_mb)}"))


def memory_fix(megabytes: int) -> str:
    """Return what to do about a source that takes more memory than it may."""
    return f"it takes more than {megabytes} MB of memory: split it by day, or raise bounds.memory_mb in sources.toml"


def _child(
    parent: Connection,
    environment: dict[str, str],
    folder: str,
    megabytes: int,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    """Call the function within its bounds, and tell what came of it."""
    # Ctrl-C is the parent's to answer; it ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    _be_silent()
    # Rust would print where it ran out of memory, takes memory for that, and waits for itself where there is none.
    replace_environment(environment | {"RUST_BACKTRACE": "0"})
    os.chdir(folder)
    bound_memory(megabytes)
    _go_first()
    try:
        found = (_RETURNED, work(*arguments, _Told(parent)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the parent
        found = (_RAISED, (_portable(error), places_of(error)))
    parent.send(found)
    parent.close()


def places_of(error: BaseException) -> str:
    """Return where an error and those behind it came from, without what they say: that may hold what was read."""
    told: dict[int, str] = {}
    behind: BaseException | None = error
    while behind is not None and id(behind) not in told:
        told[id(behind)] = "".join(traceback.format_tb(behind.__traceback__)) + type(behind).__name__
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)
    return "\nbehind which stands\n".join(told.values())


def _end_with_parent() -> None:
    """End this process where the parent dies: nobody would hold it to its time."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _be_silent() -> None:
    """Send what libraries write where nobody reads it: it may hold what they were reading."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _go_first() -> None:
    """Let the kernel end this process, and not the one that pulls, where the machine has no memory left."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")


def bound_memory(megabytes: int) -> None:
    """Let this process take so much memory beside what it has; where the kernel does not count it, nothing is done.

    What is counted is memory that is written to (RLIMIT_DATA): address space that libraries set aside for many
    processors, and files that git maps, cost nothing.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    except (OSError, ValueError, IndexError):
        return
    limit = pages * _PAGE + megabytes * _MEGABYTE
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own error
    except Exception:  # noqa: BLE001 - what cannot be sent is told by its kind
        return RuntimeError(type(error).__name__)
    return error
