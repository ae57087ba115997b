"""Settings of what asks services from outside, and of status pages.

Belongs here: which of their monitors is which service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from opsmetrics.organisation.connectors.base import Connector, Expression, Feed, Url, Variable
from opsmetrics.organisation.working_time import zone_name


class StatusPage(Connector):
    """An Atlassian Statuspage (source contracts, D): public pages need no key."""

    feeds: ClassVar[Mapping[str, Feed]] = {"incident_reports": Feed(accumulates=True)}
    kind: Literal["statuspage"]
    url: Url


# A source of changes has no single checks.
_CHANGES_ALONE = ("recorded_at", "http_status", "response_ms", "sequence")
# What stood on a day that is over does not change. But it is told no more when a monitor was removed since, or changed:
# then nobody says whether it was paused before.
_NEVER_AGAIN = 0


class UptimeRobot(Connector):
    """UptimeRobot's API v2 (source contracts, K); monitors are named by their number.

    ``timezone`` is that of the account, for maintenance windows that come again: by default the organisation's.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=100, remembers_days=90, repull_days=_NEVER_AGAIN, untold=_CHANGES_ALONE)
    }
    kind: Literal["uptimerobot"]
    url: Url = "https://api.uptimerobot.com"
    token_env: Variable = "UPTIMEROBOT_API_KEY"  # noqa: S105 - the name of a variable
    timezone: Annotated[str, AfterValidator(zone_name)] | None = None


class BetterStack(Connector):
    """Better Stack's uptime API (source contracts, K); monitors are named by their number.

    ``never_paused`` is the organisation's own word that no monitor was paused, which the API does not tell of the past.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"availability_checks": Feed(repull_days=_NEVER_AGAIN, untold=_CHANGES_ALONE)}
    kind: Literal["betterstack"]
    url: Url = "https://uptime.betterstack.com"
    token_env: Variable = "BETTERSTACK_API_TOKEN"  # noqa: S105 - the name of a variable
    never_paused: bool = False


class Upptime(Connector):
    """An Upptime repository on GitHub (source contracts, K); a monitor is ``owner/repository/site``.

    ``message`` finds the state in the first line of a commit's message, as Upptime's template writes it.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"availability_checks": Feed(repull_days=_NEVER_AGAIN, untold=_CHANGES_ALONE)}
    kind: Literal["upptime"]
    url: Url = "https://api.github.com"
    repository: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    token_env: Variable = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    stands_hours: float = Field(default=50, gt=0, le=24 * 31)
    message: Expression = r" is (?P<status>up|down|degraded) \(\d+ in [\d.]+ ms\)"


class Zabbix(Connector):
    """Zabbix's JSON-RPC API (source contracts, C4): every problem from ``min_severity`` (0 to 5) on is an alert.

    ``timezone`` is that of Zabbix' server, for maintenance that comes again: by default the organisation's.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=7, remembers_days=365, untold=("label", "incident_id", "is_test"))
    }
    kind: Literal["zabbix"]
    url: Url
    token_env: Variable = "ZABBIX_TOKEN"  # noqa: S105 - the name of a variable
    min_severity: int = Field(default=4, ge=0, le=5)
    service_tag: str = "service"
    timezone: Annotated[str, AfterValidator(zone_name)] | None = None
