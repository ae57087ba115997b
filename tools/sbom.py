"""List every installed package with version and licence (CycloneDX), with our own version, which stands in the code.

``python -m tools.sbom`` writes ``test-artifacts/sbom.cdx.json`` for whoever has to hand one in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from opsmetrics import __version__

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "test-artifacts" / "sbom.cdx.json"


def write(target: Path = TARGET) -> Path:
    """Write the list and return where it lies.

    Raises:
        subprocess.CalledProcessError: cyclonedx-py failed.
    """
    target.parent.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")),
        *("--output-reproducible", "--of", "JSON", "-o", str(target), sys.executable),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments
    found = json.loads(target.read_text(encoding="utf-8"))
    # pyproject.toml leaves the version to the code (``dynamic``), so that the tool cannot read it there.
    found["metadata"]["component"]["version"] = __version__
    target.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    write()
