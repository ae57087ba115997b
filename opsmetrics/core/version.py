"""Which code this is: the released version, and a digest of the source itself."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from opsmetrics import __version__
from opsmetrics.core.parts import BUNDLED

CODE_VERSION = __version__


@cache
def source_digest() -> str:
    """Return the SHA-256 of the library's source: changed code means another build, also between versions.

    The command line and what only comes with the library are left out: they decide no number.
    """
    root = Path(__file__).parents[1]
    total = hashlib.sha256(CODE_VERSION.encode())
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in {"cli", BUNDLED}:
            total.update(path.read_bytes())
    return total.hexdigest()
