"""One way to ask a JSON service over HTTPS: wait as it asks, try again where that helps, explain what went wrong.

Nothing of an answer's body ever enters an error message: bodies hold names, texts and secrets (architecture D13).
Retries are tenacity's, the client is httpx; Azure's own clients have their policy in ``sources.azure``.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import httpx
import tenacity

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import Settings, expand, secret
from opsmetrics.core.web import shown
from opsmetrics.sources.allowance import ExhaustedError, allowance

TRIES = 4
READ_SECONDS, CONNECT_SECONDS = 60.0, 10.0
# The largest page of any source is a few megabytes; more is a mistake or an attack. A value takes up to fifty times the
# memory of its text, so that values are counted before they are made.
MOST_BYTES = 128_000_000
MOST_VALUES = 5_000_000
MOST_REDIRECTS = 5
# Headers that tell how the bytes travelled, not what they are.
_OF_THE_WIRE = {"content-encoding", "transfer-encoding", "content-length"}
# Statuses that pass: the source is busy or broken for now, and so may be what stands before it (Cloudflare says 520 to
# 527). Of the server's own, only two say that it can never do what it was asked.
AGAIN = {408, 425, 429, *range(500, 600)} - {501, 505}
# At INFO these write down every address whole, path and query included.
for _talker in ("httpx", "httpcore", "azure", "msal"):
    logging.getLogger(_talker).setLevel(logging.WARNING)
Waits = Callable[[httpx.Response], float | None]
# What the identity of each kind of connector needs.
ROLES = {
    "azure_logs": "Log Analytics Reader on the workspace (a new grant takes up to an hour)",
    "azure_metrics": "Monitoring Reader on the subscription (a grant on the resource is not enough)",
    "azure_resources": "Reader on the subscriptions",
    "prometheus": "Monitoring Data Reader on the Azure Monitor workspace",
    "grafana": "Viewer, and for rules and mute timings the permission alert.provisioning:read",
    "azure_devops": "Release (read) on the project",
    "azure_pipelines": "Build (read) and Environment (read) on the project",
    "github": "read access to contents, actions, deployments, issues, pull requests and alerts",
    "oncall": "a read-only API key",
    "pagerduty": "a read-only REST API key",
    "uptimerobot": "a read-only API key of the account",
    "betterstack": "an uptime API token of the team",
    "argocd": "a token of an account with applications, get on the projects",
    "zabbix": "an API token of a user who may read the hosts",
    "upptime": "read access to contents of the repository",
    "servicenow": "read access to the tables and fields (role itil, or a role of your own)",
    "gitlab": "a token with read_api and the role Reporter in the group",
    "jira": "Browse projects on the projects of the queries",
}
# What to do about a status, where the source says nothing better.
FIXES = {
    401: "the token is missing, wrong or expired: set {variable}",
    403: "the identity may not read this: grant {role}, or leave the stream out",
    404: "nothing is there, or the identity may not see it: check ids and scope in sources.toml",
    429: "the source throttles longer than OPSMETRICS_PATIENCE_SECONDS allows: pull later, or less at once",
}


class _TryAgainError(Exception):
    """An answer or a failure that another try may cure."""

    def __init__(self, text: str, wait: float | None, status: int | None = None) -> None:
        super().__init__(text)
        self.wait = wait
        self.status = status


class Http:
    """A client of one source.

    Args:
        name: Name of the source in sources.toml, for messages.
        url: Base address.
        settings: For patience and the certificate file.
        headers: Sent with every request.
        auth: Signs requests, or None.
        variable: Name of the variable that holds the secret, for messages.
        kind: Kind of connector, for the role that a refusal asks for.
        waits: Reads from an answer how many seconds the source wants us to wait; default: ``Retry-After``.
    """

    def __init__(
        self,
        name: str,
        url: str,
        settings: Settings,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        variable: str | None = None,
        kind: str = "",
        waits: Waits | None = None,
    ) -> None:
        self.name, self.url, self._settings = name, expand(url), settings
        self._variable = variable or "the variable that sources.toml names"
        self._waits = waits or retry_after
        self._role = ROLES.get(kind, "read access")
        self._client = httpx.Client(
            headers=dict(headers or {}),
            auth=auth,
            verify=ssl_context(settings.ca_file),
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
            event_hooks={"request": [self._before]},
        )
        self._allowance = allowance()
        self._home = origin_of(httpx.URL(self.url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, /, **params: Any) -> Any:
        """Return the JSON of a GET; ``path`` may be a whole address of the same host (a next link)."""
        return self.answer("GET", path, params=params or None).json()

    def post(self, path: str, *, json: Any = None, data: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of a POST that only reads."""
        return self.answer("POST", path, json=json, data=data).json()

    def pages(self, path: str, /, **params: Any) -> Iterator[Any]:
        """Yield the JSON of each page, following ``Link: <..>; rel="next"``."""
        for answer in self.answers(path, **params):
            yield answer.json()

    def answers(self, path: str, /, **params: Any) -> Iterator[httpx.Response]:
        """Yield the answer of each page, as :meth:`pages` follows them."""
        following: str | None = path
        query: Mapping[str, Any] | None = params
        seen: set[str] = set()
        while following is not None:
            if following in seen:
                raise self.error(path, "the same page came twice", "pull again")
            seen.add(following)
            answer = self.answer("GET", following, params=query)
            yield answer
            link = answer.links.get("next", {}).get("url")
            # A link may be relative to what was asked (RFC 8288), which is not always the base address.
            following, query = None if link is None else self._linked(path, answer, link), None

    def _linked(self, path: str, answer: httpx.Response, link: str) -> str:
        try:
            return str(answer.request.url.join(link))
        except httpx.InvalidURL as error:
            text = "it answers with an address that is none"
            raise self.error(
                path, text, "look at the service, and at what stands between it and this machine"
            ) from error

    def answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Ask until there is a whole answer.

        Raises:
            SourceError: The source refuses, keeps failing, or answers no JSON.
        """
        url = path if path.startswith(("https://", "http://")) else f"{self.url}/{path.lstrip('/')}"
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_TryAgainError),
            sleep=time.sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, method, url, path, arguments)
        except _TryAgainError as error:
            fix = FIXES.get(error.status or 0, "nothing is lost: the days stay open and the next pull asks again")
            raise self.error(path, str(error), fix) from error
        except ExhaustedError as error:
            raise self.error(path, error.message, error.fix) from error

    def _before(self, request: httpx.Request) -> None:
        """Count a request, and send none elsewhere: a redirect or a next link would carry our token there."""
        self._allowance.spend()
        if origin_of(request.url) != self._home or request.url.userinfo:
            text = "the source points to another host, port or scheme, and no token goes there"
            raise self.error("", text, "check the address in sources.toml; if the service moved, write where to")

    def _once(self, method: str, url: str, path: str, arguments: Mapping[str, Any]) -> httpx.Response:
        try:
            answer = self._bounded(method, url, path, arguments)
        except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as error:
            kinds: dict[type[Exception], str] = {
                httpx.InvalidURL: "an address that is none",
                httpx.TooManyRedirects: "redirects without end",
            }
            text = f"it answers with {kinds.get(type(error), 'bytes that do not unpack')}"
            raise self.error(
                path, text, "look at the service, and at what stands between it and this machine"
            ) from error
        except httpx.TimeoutException as error:
            raise _TryAgainError("no answer in time", None) from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                fix = "put the authority's certificate (PEM) into a file and set OPSMETRICS_CA_FILE to it"
                raise self.error(path, "the server's certificate is not trusted", fix) from error
            raise _TryAgainError(f"the connection broke ({type(error).__name__})", None) from error
        status = answer.status_code
        wait = self._waits(answer)
        if status in AGAIN or (status == 403 and wait is not None):
            if wait is not None and wait > self._settings.patience_seconds:
                text = f"{status}: the source asks to wait {wait:.0f} s"
                raise self.error(path, text, FIXES[429])
            raise _TryAgainError(said_status(status), wait, status)
        if status == HTTPStatus.PARTIAL_CONTENT:
            # Nobody asked for a part: something between the source and us has only that.
            raise _TryAgainError(said_status(status), None, status)
        self._note_end(answer)
        if status >= 400:
            fix = FIXES.get(status, "check the settings of this source in sources.toml")
            raise self.error(path, said_status(status), fix, status)
        return self._readable(path, answer)

    def _note_end(self, answer: httpx.Response) -> None:
        """Note until when the source goes on to answer what was asked (``Sunset``, RFC 8594)."""
        try:
            ends = parsedate_to_datetime(answer.headers.get("sunset", ""))
        except (TypeError, ValueError):
            return
        day = ends.date()
        self._allowance.said[
            f"{self.name}: it will not answer some of these questions from {day} on, it says (header Sunset): "
            "look for a newer version of opsmetrics before that"
        ] = None

    def _readable(self, path: str, answer: httpx.Response) -> httpx.Response:
        """Return an answer whose body is JSON of a size that can be read."""
        if answer.status_code == HTTPStatus.NO_CONTENT:
            # There is nothing, which is an answer: no body of it could be JSON.
            return httpx.Response(answer.status_code, headers=answer.headers, content=b"null", request=answer.request)
        values = sum(answer.content.count(sign) for sign in (b",", b"[", b"{"))
        if values > MOST_VALUES:
            text = f"the answer holds more than {MOST_VALUES} values"
            raise self.error(path, text, "ask for less at once, or check that this is the right address")
        try:
            answer.json()
        except (ValueError, RecursionError) as error:
            if answer.status_code == HTTPStatus.NON_AUTHORITATIVE_INFORMATION:
                # Azure DevOps shows its sign-in page to a token that it does not know.
                text = f"{said_status(answer.status_code)}, a page in place of an answer"
                raise self.error(path, text, FIXES[401], HTTPStatus.UNAUTHORIZED) from error
            raise _TryAgainError(f"{answer.status_code} without valid JSON", None) from error
        return answer

    def _bounded(self, method: str, url: str, path: str, arguments: Mapping[str, Any]) -> httpx.Response:
        """Ask once and read the answer, but no more of it than any page of ours can hold, unpacked."""
        timeout = httpx.Timeout(max(0.1, min(READ_SECONDS, self._allowance.seconds)), connect=CONNECT_SECONDS)
        with self._client.stream(method, url, timeout=timeout, **arguments) as answer:
            # Thinking before the first byte is no slow answer.
            since, body = time.monotonic(), bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    text = f"the answer has more than {MOST_BYTES // 1_000_000} MB"
                    raise self.error(path, text, "ask for less at once, or check that this is the right address")
                self._allowance.check_rate(answer.num_bytes_downloaded, since)
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx.Response(answer.status_code, headers=headers, content=bytes(body), request=answer.request)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _TryAgainError) else None
        return asked if asked is not None else self._settings.retry_seconds * 2.0 ** (state.attempt_number - 1)

    def error(self, path: str, message: str, fix: str, status: int | None = None) -> SourceError:
        """Return an error that names source, host and port, what was asked, what happened and what to do.

        Args:
            path: What was asked below the base address; a whole address came from the source and is not repeated.
            message: What happened.
            fix: What to do.
            status: Status of the answer.
        """
        asked = "" if "://" in path else "/" + path.partition("?")[0].lstrip("/")
        where = f"{self.name} ({shown(self.url)}{asked.rstrip('/')})"
        return RefusedError(Problem(where, None, message, fix.format(variable=self._variable, role=self._role)), status)


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address: a token is for one of them."""
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme)


def said_status(status: int) -> str:
    """Return a status in the words of its standard: a server's own may repeat what it was sent."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


class RefusedError(SourceError):
    """A source that answered with an error status; some connectors know what a status means."""

    def __init__(self, problem: Problem, status: int | None) -> None:
        super().__init__(problem)
        self.status = status


def required_secret(name: str, variable: str, what: str) -> str:
    """Return a secret without which a source cannot be asked.

    Args:
        name: Name of the source, for the message.
        variable: Variable that holds it.
        what: What it is, such as ``a read-only API key``.

    Raises:
        SourceError: The variable is not set.
    """
    found = secret(variable)
    if not found:
        raise SourceError(Problem(name, None, f"{variable} is not set", f"put {what} into {variable}"))
    return found


def retry_after(answer: httpx.Response) -> float | None:
    """Read ``Retry-After`` (seconds or an HTTP date), or None."""
    text = answer.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(tz=UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=8)
def ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those of ``ca_file``."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
