"""Settings of what hosts code: GitHub, GitLab, plain git clones, and where release dates are asked for.

Belongs here: how repositories are named, and which of their workflows, issues and merge requests are meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from opsmetrics.core.model import Model
from opsmetrics.core.web import checked
from opsmetrics.organisation.connectors.base import DEPLOYMENT_ALONE, Connector, Feed, Url, Variable


def _git_url(url: str) -> str:
    plain = re.match(r"^(https?|ssh|file)://(?:(?P<user>[^/@]*)@)?(?P<rest>.+)$", url)
    short = re.match(r"^[\w.-]+@[\w.-]+:[^:].*$", url)
    if plain is None and short is None:
        raise ValueError("it is not an https, ssh or file address; write https://host/owner/name.git")
    if plain is not None and (plain["user"] or "") and (":" in plain["user"] or url.startswith("http")):
        raise ValueError("credentials belong to git's credential helper, not into the address")
    return checked(url) if url.startswith("http") and "{" not in url else url


GitUrl = Annotated[str, AfterValidator(_git_url)]


class ReleaseDateSources(Model):
    """Where release dates may be asked for; each address is optional, none has a default.

    Attributes:
        deps_dev: API v3 of deps.dev: npm, PyPI, NuGet, Go, Maven, crates.io and RubyGems at once.
        npm: The registry, as ``npm config get registry`` names it.
        pypi: The JSON API of the index, up to and with ``pypi``.
        nuget: The folder of the service index (``index.json``) of API v3.
        cargo: API v1 of the registry, up to and with ``v1``.
        rubygems: API v1 of the registry, up to and with ``v1``.
        packagist: The repository of Composer 2, in which ``p2`` lies.
    """

    deps_dev: Url | None = None
    npm: Url | None = None
    pypi: Url | None = None
    nuget: Url | None = None
    cargo: Url | None = None
    rubygems: Url | None = None
    packagist: Url | None = None


# What Actions calls a step that runs something, and what such steps are called in use-case tests.
_PROBE_STEPS = ("k6 run*", "run k6*", "run*use case*", "run*use-case*", "run*test*", "use case*", "test*", "*k6 run*")

_SETUP_STEPS = (
    *("set up*", "setup*", "*setup-*", "*set up*", "*install*", "create*", "prepare*", "generate*", "configure*"),
    *("pre *", "post *", "*checkout*", "*upload*", "*download*", "*secret*", "*login*", "*log in*", "*cache*"),
    *("*report*", "*summary*", "*notif*", "*publish*", "*build*", "*clean*"),
)

# Workflows that try something out: names of their files, or their own.
TEST_WORKFLOWS = (
    *("test*", "*-test", "*-tests", "*_test", "*_tests", "* test", "* tests", "*use-case*", "*use case*", "*usecase*"),
    *("*e2e*", "*end-to-end*", "*smoke*", "*regression*", "*k6*", "*playwright*", "*cypress*", "*load-test*"),
)


# What tries out a change that is not merged yet: a request, whoever it comes from, and a queue of requests.
REQUEST_EVENTS = ("pull_request", "pull_request_target", "merge_group")


class GitHub(Connector):
    """GitHub's REST and GraphQL APIs (source contracts, E and H).

    Authentication: an App installation (``app_id``, ``installation_id``, ``private_key_env``), else the token
    in ``token_env``, else none (public repositories, 60 requests an hour).

    Attributes:
        probe_workflows: Workflows whose scheduled runs are availability probes, by name of their file.
        probe_steps: Steps that are the probe; a step that no pattern names decides nothing.
        setup_steps: Steps that prepare or report, also where ``probe_steps`` names them.
        deploy_environments: Environments whose deployments count; empty = all.
        test_events: Events of workflow runs whose deployments are none: a schedule tests, and a request is not merged
            yet. A run of a request that is merged is none of these.
        test_workflows: Workflows, by name or name of their file, whose deployments are none.
        deploy_workflows: Workflows whose deployments count although ``test_workflows`` names them.
        undone_statuses: Failed states after a success say what was rolled back or hotfixed, and the task what is
            rework (docs/sources.md); without it GitHub cannot tell.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=400, untold=("http_status",)),
        "deployments": Feed(),
        "update_merges": Feed(chunk_days=14, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=14, untold=("from_digest", "to_digest")),
        "update_episodes": Feed(chunk_days=190, untold=("unknown_because",)),
        "repository_states": Feed(remembers_days=1, untold=("unmanaged_count",)),
        "incidents": Feed(chunk_days=190),
        "action_items": Feed(),
        "maintenance_tasks": Feed(),
        "vulnerabilities": Feed(chunk_days=400),
        "security_alerts": Feed(chunk_days=400),
        "restore_tests": Feed(accumulates=True),
    }
    kind: Literal["github"]
    url: Url = "https://api.github.com"
    owner: str = Field(min_length=1)
    token_env: Variable = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    app_id: str | None = None
    installation_id: int | None = None
    private_key_env: Variable = "GITHUB_APP_PRIVATE_KEY"
    repositories: list[str] = []
    update_authors: list[str] = ["app/renovate", "app/dependabot"]
    minimum_release_age_days: float = Field(default=3, ge=0)
    incident_repository: str | None = None
    incident_label: str = "incident"
    action_label: str = "tiltak"
    task_label: str = "vedlikehold"
    service_prefix: str = "service:"
    team_prefix: str = "team:"
    severity_prefix: str = "sev"
    priority_prefix: str = "p"
    probe_workflows: list[str] = ["use-case-prod*", "test-use-cases-prod*", "regression-test-prod*"]
    probe_steps: list[str] = list(_PROBE_STEPS)
    setup_steps: list[str] = list(_SETUP_STEPS)
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule", *REQUEST_EVENTS]
    test_workflows: list[str] = list(TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]
    undone_statuses: bool = False
    datastores: dict[str, str] = {}
    deployed_by: Literal["deployments", "releases"] = "deployments"
    restore_workflows: list[str] = ["restore-test*"]
    restore_files: list[str] = ["restore-test.json"]
    known_exploited_url: Url | None = None
    release_dates: ReleaseDateSources | None = None

    @model_validator(mode="after")
    def _whole_app(self) -> GitHub:
        if (self.app_id is None) != (self.installation_id is None):
            raise ValueError("app_id and installation_id go together")
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """A release says nothing of what came of it, a deployment where states are written for it."""
        if stream == "deployments" and self.deployed_by == "releases":
            return DEPLOYMENT_ALONE
        if stream == "deployments" and not self.undone_statuses:
            return ("rolled_back_at", "hotfixed_at", "is_rework")
        if stream == "vulnerabilities" and self.known_exploited_url is None:
            return ("is_exploited",)
        return super().untold(stream)


class GitClones(Connector):
    """Clones of repositories: those of a folder that somebody keeps fresh, or copies that are fetched from ``url``.

    In ``url`` the sign ``{repository}`` stands for the names in ``repositories``; each may have an address of its own.
    Who may read them is told to git itself (its credential helper, or ssh), never here. ``depth`` and ``since`` leave
    out old commits; days that a clone cannot show are not told. A release is there to be taken when it is
    ``minimum_release_age_days`` old, as update bots wait where they are told to.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "update_merges": Feed(chunk_days=400, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=400),
        "update_episodes": Feed(chunk_days=400, untold=("dismissed_at",)),
        "commits_daily": Feed(chunk_days=400),
        "component_states": Feed(remembers_days=1),
        "repository_states": Feed(remembers_days=1, untold=("last_bot_success_at", "unmanaged_count")),
    }
    kind: Literal["git_clones"]
    folder: str | None = None
    url: GitUrl | None = None
    repositories: list[str] | dict[str, str] = {}
    depth: int | None = Field(default=None, ge=1)
    since: date | None = None
    minimum_release_age_days: float = Field(default=0, ge=0)
    release_dates: ReleaseDateSources | None = None

    @property
    def places(self) -> dict[str, str]:
        """``owner/name`` -> its folder below ``folder``, or its own address."""
        named = self.repositories
        return dict(named) if isinstance(named, dict) else {name: name for name in named}

    @property
    def addresses(self) -> dict[str, str]:
        """``owner/name`` -> address of each repository that is fetched."""
        pattern = self.url or ""
        named = self.repositories
        own = named if isinstance(named, dict) else dict.fromkeys(named, "")
        return {name: address or pattern.replace("{repository}", name) for name, address in own.items()}

    @model_validator(mode="after")
    def _one_place(self) -> GitClones:
        if (self.folder is None) == (self.url is None):
            raise ValueError("set folder (clones that somebody keeps) or url (copies that are fetched), one of them")
        if self.url is None and (self.depth or self.since):
            raise ValueError("depth and since belong to url")
        if self.depth and self.since:
            raise ValueError("set depth or since, one of them")
        if "update_episodes" in self.streams and self.release_dates is None:
            raise ValueError("update_episodes needs [connector.release_dates]: who is to say what was released when")
        if self.url is not None:
            if not self.addresses:
                raise ValueError("url needs repositories")
            if len(self.addresses) > 1 and "{repository}" not in self.url:
                raise ValueError("url needs {repository} where there is more than one")
            for address in self.addresses.values():
                _git_url(address)
        return self


class GitLab(Connector):
    """GitLab's REST API (source contracts, M): deployments and merge requests of update bots.

    ``group`` is the path or number of the group that holds the projects, subgroups included; projects are those of
    ``projects`` (paths, or patterns after ``glob:``), else those that services.toml names. ``update_authors`` are the
    names of the accounts under which update bots work.

    Attributes:
        deploy_environments: Environments that count; empty = all.
        test_events: What starts pipelines whose deployments are none: a schedule tests, and a merge request, in a
            train of them too, is not merged yet.
        test_workflows: Jobs, by name, whose deployments are none.
        deploy_workflows: Jobs whose deployments count although ``test_workflows`` names them.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(untold=DEPLOYMENT_ALONE),
        "update_merges": Feed(chunk_days=14, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=14, untold=("from_digest", "to_digest")),
        "update_episodes": Feed(chunk_days=190, untold=("unknown_because",)),
    }
    kind: Literal["gitlab"]
    url: Url = "https://gitlab.com"
    group: str = Field(min_length=1)
    token_env: Variable = "GITLAB_TOKEN"  # noqa: S105 - the name of a variable
    projects: list[str] = []
    update_authors: list[str] = []
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule", "merge_request_event", "external_pull_request_event"]
    test_workflows: list[str] = list(TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]
    release_dates: ReleaseDateSources | None = None

    @model_validator(mode="after")
    def _authors(self) -> GitLab:
        if {"update_merges", "dependency_updates", "update_episodes"} & set(self.streams) and not self.update_authors:
            raise ValueError("merge requests of update bots need update_authors: the names of the bots' accounts")
        return self
