"""The border of a delivery: whatever a row, a file or an answer brings ends in one error of ours, never in a traceback.

One delivery that breaks something stops itself only: the other files, streams and sources go on.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import duckdb
import polars as pl

from opsmetrics.core.errors import Problem, SourceError, is_out_of_memory

# What readers, typing and hashing raise when their input is of a kind that nobody foresaw. A panic of Polars is no
# Exception. A full disk is met when a load is written, outside this border.
_FORESEEN = (
    ArithmeticError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    duckdb.Error,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)


@contextmanager
def one_error(file: str) -> Generator[None]:
    """Turn whatever a delivery raises into one error that names it; its content is not repeated.

    Args:
        file: The file, or the source of the answer, as the user knows it.

    Raises:
        SourceError: Something was raised that is no error of ours.
    """
    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise too_large(file) from error
    except OSError as error:
        said = f"it cannot be read ({error.strerror or type(error).__name__})"
        raise SourceError(Problem(file, None, said, "check that the file is there and may be read")) from error
    except _FORESEEN as error:
        # A panic says what the system said; other errors may quote what was read.
        if isinstance(error, pl.exceptions.PanicException) and is_out_of_memory(error):
            raise too_large(file) from error
        said = f"it holds something that cannot be read ({type(error).__name__})"
        fix = "look at what the source delivered and export it again; if it stays so, please report it with this line"
        raise SourceError(Problem(file, None, said, fix)) from error


def too_large(file: str) -> SourceError:
    """Return what is told of a delivery that memory is too short for."""
    fix = "split it by day, or raise bounds.memory_mb in sources.toml"
    return SourceError(Problem(file, None, "reading it takes more memory than it may", fix))
