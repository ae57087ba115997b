"""The library's own source as a digest: what was computed by other code is not kept."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from opsmetrics.landing import CODE_VERSION


@cache
def code_digest() -> str:
    """Return the SHA-256 of the library's source: changed code means another build, also between versions."""
    total = hashlib.sha256(CODE_VERSION.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()
