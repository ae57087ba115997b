"""YAML of others: whatever it holds, it is read or it is wrong, at once."""

from __future__ import annotations

import time
from textwrap import indent

import pytest

from opsmetrics.core.yaml_text import YamlError, read_yaml
from opsmetrics.sources.bot_config import BotConfiguration, read_configuration
from opsmetrics.sources.dependencies.model import UnreadableError
from opsmetrics.sources.dependencies.npm import pnpm_lock
from opsmetrics.sources.github import update_bodies

MERGES = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 30))
ODD = {
    "merges": MERGES,
    "references to references": "a0: &a0 [1]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
    "what holds itself": "version: &a [*a]\nupdates: []\n",
    "an impossible day": "version: 2\nupdated: 2026-13-45\n",
    "an impossible time": "at: 9999-99-99T99:99:99Z",
    "brackets": "[" * 5000,
    "nothing closed": "a: {b: [",
    "a NUL": "a: \0",
    "an object": "!!python/object/apply:os.system ['true']",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_yaml_is_wrong_in_one_way_and_at_once(text):
    began = time.process_time()
    with pytest.raises(YamlError):
        read_yaml(text)
    assert read_configuration({".github/dependabot.yml": text}) == BotConfiguration(True, False)
    with pytest.raises(UnreadableError):
        pnpm_lock(text)
    assert time.process_time() - began < 20


@pytest.mark.parametrize("text", [MERGES, ODD["an impossible day"]], ids=["merges", "an impossible day"])
def test_a_message_of_dependabot_with_odd_yaml_tells_nothing(text):
    message = "Bump a\n\n---\nupdated-dependencies:\n- dependency-name: a\n" + indent(text, "  ")
    assert list(update_bodies._of_trailer(message)) == []


def test_what_is_usual_is_read():
    assert read_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}
