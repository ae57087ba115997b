"""Machines are told from people by what only machines have, never by a part of a name."""

from __future__ import annotations

import pytest

from opsmetrics.sources.actors import is_machine, kind_of_actor


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("renovate[bot]", "renovate"),
        ("app/renovate", "renovate"),
        ("Renovate Bot", "renovate"),
        ("renovate-bot", "renovate"),
        ("renovate-of-ours[bot]", "renovate"),
        ("dependabot-preview[bot]", "dependabot"),
        ("github-actions", "ci_bot"),
        ("github-actions[bot]", "ci_bot"),
        ("build[bot]", "other_bot"),
        ("release-please[bot]", "other_bot"),
        ("port-bot", "other_bot"),
        ("project_12_bot_6f2b0dec", "other_bot"),
        ("group_7_bot", "other_bot"),
        ("service_account_group_7_6f2b0dec", "other_bot"),
        ("port-agent", "ai_agent"),
        ("Copilot", "ai_agent"),
        ("claude[bot]", "ai_agent"),
        (None, "other_bot"),
    ],
)
def test_machines(name, kind):
    assert kind_of_actor(name) == kind
    assert is_machine(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Ola Plantesen", "Kari Abbott", "abbott", "Ola Talbot", "talbot", "Robotham", "Kari Bot", "jan.bot"),
        *("Devin Plantesen", "Claude Plantesen", "claude", "Cursor Plantesen", "Agent Plantesen", "renovated"),
        *(
            "api",
            "Kapil",
            "Systema",
            "Opsgenie Plantesen",
            "integration-lead",
            "Otto Mation",
            "automation512",
            "project_12_bottega",
        ),
    ],
)
def test_people(name):
    assert kind_of_actor(name) == "human"
    assert not is_machine(name, account_type="User")


def test_the_type_of_an_account_tells():
    assert kind_of_actor("renovate", account_type="Bot") == "renovate"
    assert kind_of_actor("harbour-master", account_type="Bot") == "other_bot"
    assert kind_of_actor("harbour-master", account_type="User") == "human"


def test_an_address_tells_the_login_behind_a_display_name():
    assert kind_of_actor("Harbour Automation Bot") == "human", "words of a display name tell nothing"
    at = "users.noreply.github.com"
    assert kind_of_actor("Harbour Automation Bot", address=f"77+harbour-bot@{at}") == "other_bot"
    assert kind_of_actor("Claude", address="noreply" + "@" + "anthropic.com") == "ai_agent"
    assert kind_of_actor("Kari Plantesen", address=f"77+kari@{at}") == "human"


def test_configured_names_are_whole_names():
    assert kind_of_actor("Havnevakt", bots=["havnevakt"]) == "other_bot"
    assert kind_of_actor("Havnevakten", bots=["havnevakt"]) == "human"
