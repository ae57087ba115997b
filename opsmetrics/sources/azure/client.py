"""What the three Azure clients share: identity, retries, and errors in one readable line."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import RetryPolicy, SansIOHTTPPolicy
from azure.identity import DefaultAzureCredential

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import Settings, secret
from opsmetrics.sources.allowance import ExhaustedError, allowance
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import FIXES, ROLES, Http, said_status


class AzureRetry(RetryPolicy):
    """Azure's retry policy, corrected where the contracts (section A) found it wanting.

    Our POSTs only read, so they are tried again; a 504 is not, because it means that the query itself took ten
    minutes; Resource Graph says in a header of its own when its quota returns.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(retry_total=3, retry_backoff_factor=settings.retry_seconds / 2, retry_backoff_max=120)
        self._method_whitelist = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
        self._patience = settings.patience_seconds

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether another try may help."""
        asked = self.get_retry_after(response)
        too_long = asked is not None and asked > self._patience
        return not too_long and response.http_response.status_code != 504 and super().is_retry(settings, response)

    def get_retry_after(self, response: Any) -> float | None:
        """Return the seconds that the service asks to wait, or None."""
        asked = super().get_retry_after(response)
        header = response.http_response.headers.get("x-ms-user-quota-resets-after")
        if asked is None and header:
            hours, minutes, seconds = header.split(":")
            asked = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        return asked


class Spending(SansIOHTTPPolicy[Any, Any]):
    """Counts each request, further tries included, against what the pull has left."""

    def __init__(self) -> None:
        self._allowance = allowance()

    def on_request(self, request: PipelineRequest[Any]) -> None:  # noqa: ARG002 - every request costs the same
        """Count a request."""
        self._allowance.spend()


def credential(settings: Settings) -> TokenCredential:
    """Return the process's Entra identity."""
    own_authority = secret("AZURE_AUTHORITY_HOST") is not None
    return DefaultAzureCredential(
        disable_instance_discovery=own_authority,
        exclude_interactive_browser_credential=True,
        retry_policy=AzureRetry(settings),
        **verify(settings),
    )


def verify(settings: Settings) -> dict[str, Any]:
    """Return the arguments that make an Azure client trust ``OPSMETRICS_CA_FILE``."""
    return {"connection_verify": str(settings.ca_file)} if settings.ca_file else {}


def client_arguments(settings: Settings) -> dict[str, Any]:
    """Return what every Azure client is built with: it follows no redirect, which would take the token along."""
    return {
        "retry_policy": AzureRetry(settings),
        "per_retry_policies": [Spending()],
        "permit_redirects": False,
        "read_timeout": 660,
        **verify(settings),
    }


@contextmanager
def translate_errors(request: FetchRequest[Any], what: str) -> Generator[None]:
    """Turn Azure's exceptions into one line with the way to fix it; bodies stay out of it."""
    name, kind = request.connector.name, request.connector.kind
    role = ROLES.get(kind, "a reader role")
    try:
        yield
    except ClientAuthenticationError as error:
        message = (
            "the Entra identity gets no token" if error.status_code is None else f"{error.status_code}: not let in"
        )
        fix = f"check AZURE_CLIENT_ID, AZURE_TENANT_ID and the secret or federated token; it needs {role}"
        raise SourceError(Problem(f"{name} ({what})", None, message, fix)) from error
    except ExhaustedError as error:
        raise SourceError(Problem(f"{name} ({what})", None, error.message, error.fix)) from error
    except HttpResponseError as error:
        status = error.status_code
        code = getattr(error.model, "code", None) if getattr(error, "model", None) is not None else None
        is_word = isinstance(code, str) and re.fullmatch(r"[A-Za-z]{2,60}", code)
        message = " ".join(
            part for part in (said_status(status) if status else "", f"({code})" if is_word else "") if part
        )
        fix = f"grant the identity {role}" if status in (401, 403) else FIXES.get(status or 0, "")
        fix = fix or "nothing is lost: the days stay open and the next pull asks again"
        if status == 504:
            fix = "the query took longer than ten minutes: ask for fewer days or workspaces at once"
        raise SourceError(
            Problem(
                f"{name} ({what})", None, message or "no whole answer", fix.format(variable="the identity", role=role)
            )
        ) from error
    except AzureError as error:
        fix = "nothing is lost: the days stay open and the next pull asks again"
        message = f"the connection broke ({type(error).__name__})"
        raise SourceError(Problem(f"{name} ({what})", None, message, fix)) from error


def authenticated_client(request: FetchRequest[Any], url: str, *, token_env: str | None, audience: str | None) -> Http:
    """Return a client that signs with the token in a variable, or with the identity's token for an audience.

    Args:
        request: The question, for settings and name.
        url: Base address.
        token_env: Variable that holds a token; it is sent where there is one.
        audience: Whom the identity's token is for; None = do not ask the identity.
    """
    token = secret(token_env)
    if audience is not None:
        with translate_errors(request, "sign in"):
            token = credential(request.settings).get_token(f"{audience}/.default").token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return request.client(url, headers=headers, variable=token_env or "the identity")


@cache
def kql(name: str) -> str:
    """Return a shipped query."""
    return (Path(__file__).parent / f"{name}.kql").read_text(encoding="utf-8")


def is_shipped(name: str) -> bool:
    """Whether there is a query of this name."""
    return (Path(__file__).parent / f"{name}.kql").exists()


def rendered(name: str, start: datetime, end: datetime, **words: object) -> str:
    """Return a shipped query with its window and numbers as literals: no ``ago()``, no ``now()``."""
    text = kql(name)
    for word, value in {"start": _literal(start), "end": _literal(end), **words}.items():
        text = text.replace(f"${word}", str(value))
    return text


def _literal(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
