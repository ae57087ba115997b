"""``python -m opsmetrics`` is the command line."""

from opsmetrics.cli import main

main()
