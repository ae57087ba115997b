"""Run a command with a fraction of this machine's processor time, to try the tests on a slow machine.

    python -m tests.slow_machine 6 make test

gives the command and all its children a sixth of the time of all cores, by the kernel's own quota (control groups, version
2 or 1, as root). Unlike a busy neighbour a quota is the same in every second and for everybody who tries it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 100_000


def quota_group(fraction: float) -> tuple[Path, Path]:
    """Make a control group with a quota; return it and the file that tells how long it was held back.

    Args:
        fraction: Part of the time of all cores, 0 to 1.

    Raises:
        SystemExit: The kernel offers no group that we may write to.
    """
    quota = max(1000, int(PERIOD_MICROSECONDS * (os.cpu_count() or 1) * fraction))
    name = f"opsmetrics-slow-{os.getpid()}"
    try:
        if (ROOT / "cgroup.controllers").exists():
            (ROOT / "cgroup.subtree_control").write_text("+cpu")
            group = ROOT / name
            group.mkdir()
            (group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        else:
            group = ROOT / "cpu" / name
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError as error:
        sys.exit(
            f"no control group with a quota here ({error}); run as root, or try: "
            "systemd-run --user --scope -p CPUQuota=33% make test"
        )
    return group, group / "cpu.stat"


def main() -> None:
    """Run the command in the group and end with its exit code."""
    slower, *command = sys.argv[1:]
    group, statistics = quota_group(1 / float(slower))
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            # The shell joins the group before it becomes the command, so that no child escapes.
            ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"), *command]
        )
        code = process.wait()
    finally:
        said = statistics.read_text().split()
        sys.stderr.write(f"{time.monotonic() - began:.0f} s; {' '.join(said)}\n")
        try:
            group.rmdir()
        except OSError:
            sys.stderr.write(f"{group} still holds processes of the command\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
