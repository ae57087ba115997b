"""Files that configure update bots: every one that they read counts, and only what is known is said."""

from __future__ import annotations

import pytest

from opsmetrics.sources.bot_config import FILES, BotConfiguration, read_configuration

ON, OFF = BotConfiguration(True, True), BotConfiguration(False, True)
DEPENDABOT = "version: 2\nupdates:\n  - package-ecosystem: npm\n    directory: /\n"


@pytest.mark.parametrize("path", [path for path in FILES if "dependabot" not in path and path != "package.json"])
def test_every_file_of_renovate_counts(path):
    assert read_configuration({path: '{"extends": ["config:recommended"]}'}) == ON


@pytest.mark.parametrize("path", [".github/dependabot.yml", ".github/dependabot.yaml"])
def test_every_file_of_dependabot_counts(path):
    assert read_configuration({path: DEPENDABOT}) == ON


FORMS = {
    "in package.json": ({"package.json": '{"name": "a", "renovate": {"extends": []}}'}, ON),
    "a package.json that says nothing of it": ({"package.json": '{"name": "a"}'}, BotConfiguration(False, None)),
    "comments and last commas": ({"renovate.json": '{\n  // why\n  "a": "http://x", /* b */\n}'}, ON),
    "JSON5": (
        {
            "renovate.json5": "{extends: ['x:\"y\"', 'it\\'s // no comment'], $schema: 'https://x', /* a: */ b: {c: true},}"
        },
        ON,
    ),
    "JSON5, switched off": ({".github/renovate.json5": "{\n  // enabled: true\n  enabled: false,\n}"}, OFF),
    "JSON5 that only Renovate can read": ({"renovate.json5": "{a: 0x1F}"}, BotConfiguration(True, None)),
    "broken": ({"renovate.json": '{"extends": ['}, BotConfiguration(True, False)),
    "a name that stands twice": (
        {"renovate.json": '{"enabled": true, "enabled": false}'},
        BotConfiguration(True, False),
    ),
    "JSON with comments by its name": ({".github/renovate.jsonc": '{/* a */"extends": [],}'}, ON),
    "switched off": ({"renovate.json": '{"enabled": false}'}, OFF),
    "a text that cannot be had": ({"renovate.json": None}, BotConfiguration(True, None)),
    "Dependabot without updates": ({".github/dependabot.yml": "version: 2\n"}, BotConfiguration(True, False)),
    "Dependabot, broken": ({".github/dependabot.yml": "a: [\n"}, BotConfiguration(True, False)),
    "Dependabot, switched off": ({".github/dependabot.yml": DEPENDABOT + "    open-pull-requests-limit: 0\n"}, OFF),
    "one of two is on": ({"renovate.json": '{"enabled": false}', ".github/dependabot.yml": DEPENDABOT}, ON),
    "nothing": ({}, BotConfiguration(False, None)),
    "other files": ({"x/renovate.json": "{}"}, BotConfiguration(False, None)),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form):
    files, expected = FORMS[form]
    assert read_configuration(files) == expected


def test_a_file_of_one_word_takes_no_time():
    found = read_configuration({"renovate.json5": "a" * 200_000})
    assert found == BotConfiguration(True, None)


def test_without_a_file():
    assert read_configuration({}, has_worked=True).is_enabled is True
    assert read_configuration({}, may_inherit=True).is_enabled is None
    assert read_configuration({"renovate.json": '{"enabled": false}'}, has_worked=True).is_enabled is False
