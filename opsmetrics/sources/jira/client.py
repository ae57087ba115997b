"""Ask Jira Cloud: its fields and statuses, issues page by page, and the whole of their histories (contracts, J)."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from typing import Any

import httpx

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.desks import Jira
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import FIXES, Http

Row = dict[str, Any]
PAGE = 100
# Changes of an issue that a search shows at most (contracts, J).
SHOWN = 40
# What Jira says of how it let a question in, where it did not know the token: it answers it as anybody's then.
_REASON, _UNKNOWN = "x-seraph-loginreason", frozenset({"AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"})


class Client(Http):
    """A client of one site, as the account whose address and API token the environment holds."""

    def __init__(self, request: FetchRequest[Jira]) -> None:
        settings = request.connector
        user, token = secret(settings.user_env), secret(settings.token_env)
        for variable, value in ((settings.user_env, user), (settings.token_env, token)):
            if value is None:
                fix = f"put the account's address into {settings.user_env}, its API token into {settings.token_env}"
                raise SourceError(Problem(settings.name, None, f"{variable} is not set", fix))
        pair = base64.b64encode(f"{user}:{token}".encode()).decode()
        super().__init__(
            settings.name,
            settings.url,
            request.settings,
            headers={"Authorization": f"Basic {pair}", "Accept": "application/json"},
            variable=settings.token_env,
            kind=settings.kind,
        )

    def answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Ask until there is a whole answer; one to nobody in particular is none.

        With a token that has expired Jira answers with status 200 and shows what everybody may see: no issues at all.

        Raises:
            SourceError: Jira refuses, keeps failing, answers no JSON, or does not know the token.
        """
        found = super().answer(method, path, **arguments)
        if _UNKNOWN & {reason.strip() for reason in found.headers.get(_REASON, "").split(",")}:
            raise self.error(path, "Jira does not know the account, and shows what anybody may see", FIXES[401], 401)
        return found

    def fields(self) -> list[Row]:
        """Return the fields of the site, system and custom."""
        found: list[Row] = self.get("rest/api/3/field")
        return found

    def statuses(self) -> list[Row]:
        """Return the statuses of the site with their categories."""
        found: list[Row] = self.get("rest/api/3/status")
        return found

    def search(self, jql: str, fields: Collection[str], *, with_history: bool = False) -> Iterator[Row]:
        """Yield the issues of a query, each once, with these fields, oldest first.

        Args:
            jql: Query without order.
            fields: Ids of fields.
            with_history: Each has all changes in ``changelog.histories``.
        """
        body: Row = {"jql": f"{jql} ORDER BY created ASC, key ASC", "fields": sorted(fields), "maxResults": PAGE}
        if with_history:
            body["expand"] = "changelog"
        token: str | None = None
        seen: set[str] = set()
        while True:
            page = self.post("rest/api/3/search/jql", json={**body, **({"nextPageToken": token} if token else {})})
            for issue in page["issues"]:
                # An issue that is made while pages are read moves the others on.
                if issue["id"] not in seen:
                    seen.add(issue["id"])
                    if with_history:
                        self._complete(issue)
                    yield issue
            following = page.get("nextPageToken")
            if not following:
                return
            if following == token:
                raise self.error(self.url, "the same page came twice", "pull again")
            token = following

    def _complete(self, issue: Row) -> None:
        """Give an issue all its changes: a search shows only the newest ones of a long history.

        ``total`` counts all changes in recorded answers and those of the page in the specification: both are asked.
        """
        shown = issue["changelog"]
        if shown["total"] <= len(shown["histories"]) < SHOWN:
            return
        histories: list[Row] = []
        while True:
            query = {"startAt": len(histories), "maxResults": PAGE}
            page = self.get(f"rest/api/3/issue/{issue['id']}/changelog", **query)
            histories += page["values"]
            if not page["values"] or len(histories) >= page["total"]:
                break
        shown["histories"] = histories
