"""Post a message to the webhook of a chat: Slack's blocks or Teams' adaptive card.

The address is a secret: it stands in no log, no error and no snapshot. Messages name streams, sources and days, never
people. Considered and rejected: apprise (Slack only at Slack's own host, so it cannot be tested on loopback),
dagster-slack (needs a bot's token) and dagster-msteams (the card that Microsoft has retired).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import tenacity

from opsmetrics.core.errors import ConfigurationError, OpsMetricsError, Problem
from opsmetrics.core.settings import Settings
from opsmetrics.core.web import checked
from opsmetrics.sources.http import ssl_context

TRIES = 3
TIMEOUT = httpx.Timeout(10.0)
MOST_LINES = 20


class NotifyError(OpsMetricsError):
    """The webhook did not take the message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        title: One line.
        lines: What happened, one thing a line.
        link: Where to look, or None.
    """

    title: str
    lines: tuple[str, ...] = ()
    link: str | None = None

    def shown(self) -> list[str]:
        """The first lines, and how many more there are: a chat is not a log."""
        more = len(self.lines) - MOST_LINES
        return [*self.lines[:MOST_LINES], *([f"... and {more} more"] if more > 0 else [])]


def slack(message: Message) -> dict[str, Any]:
    """Return a Slack message; texts are plain, so that nothing in them is taken for a link or a mention."""

    def section(text: str) -> dict[str, Any]:
        return {"type": "section", "text": {"type": "plain_text", "text": text[:3000], "emoji": False}}

    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": message.title[:150], "emoji": False}},
        *(section(line) for line in message.shown()),
    ]
    if message.link:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": message.link}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(message.title), "blocks": blocks}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(message: Message) -> dict[str, Any]:
    """Return a Teams message with an adaptive card; rich text runs are not read as Markdown."""

    def run(text: str, **style: str) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}

    card: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [run(message.title, weight="Bolder", size="Medium"), *(run(line) for line in message.shown())],
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


FORMATS: dict[str, Callable[[Message], dict[str, Any]]] = {"slack": slack, "teams": teams}


def webhook_problem(settings: Settings) -> Problem | None:
    """Return why nothing can be posted with these settings; None where it can, or no webhook is configured."""
    if settings.webhook_url is None:
        return None
    if settings.webhook_format not in FORMATS:
        message = f"OPSMETRICS_WEBHOOK_FORMAT {settings.webhook_format!r} is not known"
        return Problem("environment", None, message, f"use {' or '.join(FORMATS)}")
    try:
        # Its query may be the secret itself.
        checked(settings.webhook_url.partition("?")[0])
    except ValueError:
        message = "OPSMETRICS_WEBHOOK_URL is not an https address without a user (plain http only on loopback)"
        return Problem("environment", None, message, "copy it from the chat's own page")
    return None


def post(settings: Settings, message: Message) -> bool:
    """Post a message; returns False where no webhook is configured.

    Raises:
        ConfigurationError: The format is not known, or the address would send the message in clear.
        NotifyError: The webhook refuses or cannot be reached.
    """
    if settings.webhook_url is None:
        return False
    problem = webhook_problem(settings)
    if problem is not None:
        raise ConfigurationError([problem])
    content = FORMATS[settings.webhook_format](message)
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential(settings.retry_seconds),
        retry=tenacity.retry_if_exception_type(httpx.TransportError),
        reraise=True,
    )
    try:
        with httpx.Client(timeout=TIMEOUT, verify=ssl_context(settings.ca_file)) as client:
            answer = retrying(client.post, settings.webhook_url, json=content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Only the kind: texts of these errors hold the address.
        raise NotifyError(_refusal(type(error).__name__)) from None
    if not answer.is_success:
        # A redirect is none: the message went nowhere, and is not sent to where it leads.
        raise NotifyError(_refusal(f"status {answer.status_code}"))
    return True


def _refusal(reason: str) -> str:
    return f"the webhook did not take the message ({reason})\n    fix: check OPSMETRICS_WEBHOOK_URL"
