"""``python -m opsmetrics`` is the command line, and so is the command that an installation brings."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line; Ctrl-C while it is still being read ends the process, without a trace."""
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_heard:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from opsmetrics.cli import main as commands  # noqa: PLC0415 - this is what takes long

    if is_heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    commands()


if __name__ == "__main__":
    main()
