"""The list of commands: said once more than needed, so held against the commands; and free of heavy imports."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest

from opsmetrics.cli import COMMANDS, main

HEAVY = ("dagster", "duckdb", "polars", "pydantic", "rich", "simulator")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_list_says_what_the_command_says(command):
    found = command.load()
    assert found.name == command.name
    sentence = click.Command(command.name, help=command.summary).get_short_help_str(1000)
    assert found.get_short_help_str(1000) == sentence


# By name: to load them all costs seconds, also of whoever only lists tests.
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_that_its_options_allow(name, monkeypatch):
    """What the help shows can be typed: the command and its options are there, and its arguments are of their kind."""
    command = COMMANDS[name].load()
    holds_an_example(name, command, monkeypatch)
    for inner, found in command.commands.items() if isinstance(command, click.Group) else ():
        holds_an_example(f"{name} {inner}", found, monkeypatch)


def holds_an_example(name: str, command: click.Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [" ".join(text.split()) for text in re.findall(r"Example: (.+?)(?:\n\n|\Z)", command.help, re.DOTALL)]
    assert shown, f"opsmetrics {name} --help shows no example"
    for line in shown:
        assert f"opsmetrics {name}" in line
        words = shlex.split(line[line.index("opsmetrics ") :].removesuffix(')"'))[1 + len(name.split()) :]
        if isinstance(command, click.Group):
            continue
        for param in command.params:
            if isinstance(param.type, click.Path):
                # The folders of an example are there where it is typed.
                monkeypatch.setattr(param.type, "exists", False)
        assert command.make_context(name, words)


def loaded(code: str) -> set[str]:
    """Which heavy libraries a new interpreter holds after ``code``."""
    code = f"import sys; sys.argv[0] = 'opsmetrics'; {code}; print(*({HEAVY} & sys.modules.keys()))"
    code = code.replace(str(HEAVY), str(set(HEAVY)))
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy():
    assert loaded("from opsmetrics.cli import main; main(['--help'], standalone_mode=False)") == set()


def test_a_run_imports_neither_dagster_nor_the_simulator():
    assert not loaded("import opsmetrics.cli.build") & {"dagster", "simulator"}


def test_an_unknown_command_is_wrong_usage():
    with pytest.raises(click.UsageError, match="nonsense"):
        main(["nonsense"], standalone_mode=False)
