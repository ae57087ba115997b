"""The command line ``opsmetrics``: one module per group of commands, imported when one of them is called.

Belongs here: options, printed texts, exit codes. Does not belong here: anything that another program could want without
a terminal (the rest of ``opsmetrics``). Only ``cli.demo`` may import the simulator.
"""

from __future__ import annotations

import io
import os
import resource
import sys

import click

from opsmetrics.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    command.name: command
    for command in (
        LazyCommand("app", "app", "app", "Open the scorecard on the current snapshot."),
        LazyCommand(
            "backtest",
            "proposals",
            "backtest",
            "Replay other rules over the history and list who would have stood on another level, and when.",
        ),
        LazyCommand(
            "backup",
            "operations",
            "backup",
            "Copy what is new in landing, the configuration and the notes of pulls to another disk.",
        ),
        LazyCommand(
            "brief",
            "meeting",
            "brief",
            "Write the brief for the meeting: four pages with pictures, and an annex with every team.",
        ),
        LazyCommand("build", "build", "build", "Build facts, metrics and scores from what is landed."),
        LazyCommand(
            "check",
            "check",
            "check",
            "Validate the configuration and the SQL files as a whole, and look at the heads of the files it names.",
        ),
        LazyCommand(
            "compact",
            "operations",
            "compact",
            "Pack the loads of months that are over, and read every byte of landing; as-known answers stay what they "
            "were.",
        ),
        LazyCommand(
            "dagster",
            "dagster",
            "dagster",
            "Start Dagster with our assets, schedules and sensors: page and daemon (dev), or one of them.",
        ),
        LazyCommand(
            "demo",
            "demo",
            "demo",
            "Make the fictional organisation, pull it from simulated servers, build its scorecard and open the app.",
        ),
        LazyCommand(
            "digest",
            "meeting",
            "digest",
            "Write what is new to decide as mail files, one a team and one for leadership; silent where nothing is "
            "new.",
        ),
        LazyCommand(
            "export",
            "read",
            "export",
            "Write marts and scores of the current snapshot as Parquet files, one a table, comments included.",
        ),
        LazyCommand(
            "health",
            "operations",
            "health",
            "Say what is wrong with the supply: old snapshot, failing sources, gaps, and data that say too little.",
        ),
        LazyCommand(
            "import",
            "proposals",
            "import_",
            "Propose SLOs, owners or services from other tools' files, with the TOML to paste; nothing is changed.",
        ),
        LazyCommand(
            "init",
            "init",
            "init",
            "Write a first configuration from what you have, and say what was guessed; asks where nothing is named.",
        ),
        LazyCommand(
            "next",
            "next",
            "next_",
            "Say what to connect next: stream, columns, the metrics and areas it gives, coverage gained, largest gain "
            "first.",
        ),
        LazyCommand(
            "owners",
            "proposals",
            "owners",
            "Propose owners from CODEOWNERS of the GitHub connectors' repositories; nothing is changed.",
        ),
        LazyCommand("metric", "metric", "metric", "Work on one metric."),
        LazyCommand("path", "read", "path", "Print the path of the current snapshot."),
        LazyCommand(
            "preview",
            "proposals",
            "preview",
            "Print what a changed configuration would do to today's scores, as Markdown for a pull request.",
        ),
        LazyCommand(
            "publish",
            "build",
            "publish",
            "Publish the finished build as an immutable snapshot and make it the current one.",
        ),
        LazyCommand("pull", "pull", "pull", "Pull the sources into landing; what was landed before is left alone."),
        LazyCommand(
            "restore",
            "operations",
            "restore",
            "Bring a backup back; `opsmetrics run` then builds everything else from it.",
        ),
        LazyCommand(
            "restore-test",
            "operations",
            "restore_test",
            "Restore a backup to a scratch folder, build the scores, compare them, and record the test.",
        ),
        LazyCommand(
            "results",
            "read",
            "results",
            "Print today's scores for other programs; with requirements, exit 3 where one is missed, 4 if unknown.",
        ),
        LazyCommand("run", "build", "run", "Pull, build and publish, in this process."),
        LazyCommand("source", "source", "source", "Work on one source."),
        LazyCommand(
            "sql",
            "read",
            "sql",
            "Run QUERY on the current snapshot, read-only; it may be a text, a file that ends in .sql, or standard "
            "input (-).",
        ),
    )
}


def _speak_utf8() -> None:
    """What goes to a file or another program is UTF-8 whatever the locale; a terminal shows what it can."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _leave_no_core() -> None:
    """Let no crash write down our memory: the environment with every token would lie in a file for anybody to find."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


@click.group(
    cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="opsmetrics")
@click.pass_context
def main(context: click.Context) -> None:
    """Operations scorecard: pull sources, build scores, publish a snapshot, look at it.

    State lives under OPSMETRICS_HOME (default .opsmetrics). Exit codes: 0 done, 1 something is wrong and was
    explained, 2 wrong usage.
    """
    _speak_utf8()
    # State is for the service's own user and group, whatever the shell that starts us allows. What it does allow holds
    # for files that somebody asks for by name (``cli.options.as_the_shell_says``).
    context.obj = os.umask(0o027)
    _leave_no_core()
