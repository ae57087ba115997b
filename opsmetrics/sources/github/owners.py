"""CODEOWNERS as a proposal of who owns which service: teams only, people are passed over."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.github.client import Client
from opsmetrics.sources.http import RefusedError

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
# Patterns that match every file of a repository.
_DEFAULT = {"*", "**", "/**", "**/*", "/**/*"}
# GitLab's groups lie in groups; its sections name who owns the patterns that name nobody.
_TEAM = re.compile(r"^@[\w.-]+(?:/[\w.-]+)*/(?P<team>[\w.-]+)$")
_SECTION = re.compile(r"^\^?\[[^\]]+\](?:\[\d+\])?(?P<names>.*)$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a repository says about its owner.

    Attributes:
        repository: ``owner/name``.
        service: Service of services.toml, or the repository where none is known.
        teams: Teams on the default line, in order; none where there is no such line: teams of parts own parts.
        current: Team that services.toml names today, or None.
    """

    repository: str
    service: str
    teams: tuple[str, ...]
    current: str | None

    @property
    def differs(self) -> bool:
        """Whether the configuration says something else than the repository."""
        return bool(self.teams) and self.current not in self.teams


def proposals(request: FetchRequest[GitHub]) -> list[Proposal]:
    """Read CODEOWNERS of every repository; the configuration is never changed by it."""
    found: list[Proposal] = []
    owners = {service.id: service.owners[-1].team for service in request.organisation.services}
    with Client(request) as client:
        for repository, service in client.repositories():
            found.append(Proposal(repository, service, teams_of(_text(client, repository)), owners.get(service)))
        for error in client.hidden.values():
            # Of whom nothing can be read nothing can be proposed.
            raise error
    return found


def _text(client: Client, repository: str) -> str:
    for place in PLACES:
        try:
            content = client.get(f"repos/{repository}/contents/{place}")["content"]
        except RefusedError as error:
            if error.status != 404:
                raise
            continue
        return base64.b64decode(content).decode("utf-8", errors="replace")
    return ""


def teams_of(text: str) -> tuple[str, ...]:
    """Return the teams of the default line; the last one wins, as on GitHub, also where it names nobody."""
    default, of_section = list[str](), list[str]()
    for line in text.splitlines():
        said = line.split("#", 1)[0].strip()
        section = _SECTION.match(said)
        if section is not None:
            of_section = section["names"].split()
            continue
        pattern, *names = said.split() or [""]
        if pattern in _DEFAULT:
            default = [match["team"] for name in names or of_section if (match := _TEAM.match(name))]
    return tuple(dict.fromkeys(default))
