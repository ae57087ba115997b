"""Alertmanager beside a Prometheus: since when what fires now has fired, and what told nobody (contracts, C3).

Nobody is told of what a silence, another alert (inhibition), a time interval of its policies or a receiver without any
integration keeps back. Of the last three only the configuration of now is told, and the past is read with it.

It forgets an alert when it is over, and a silence some days after it ended (``--data.retention``). Prometheus adds its
``external_labels`` only to what it sends here: an alert is the same when it has all labels of the series, and more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from opsmetrics.core.settings import expand, secret
from opsmetrics.core.yaml_text import YamlError, read_yaml
from opsmetrics.organisation.connectors.telemetry import Prometheus
from opsmetrics.sources.alert_routes import matches, policies_of
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.go_patterns import fits
from opsmetrics.sources.http import Http, RefusedError, origin_of
from opsmetrics.sources.quiet_times import QuietTimes

Row = dict[str, Any]
# Samples are a minute apart, and a rule is evaluated somewhat before its sample is read.
NEAR = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
# What a rule of inhibition may say. One that says more asks for something else, and inhibits nothing that we know of.
_SIDES = ("match", "match_re", "matchers")
_OF_A_RULE = frozenset({"name", "equal", *(f"{side}_{kind}" for side in ("source", "target") for kind in _SIDES)})


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a silence, as the API tells it."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool

    def holds(self, labels: Mapping[str, str], *, is_all: bool) -> bool:
        """Whether labels fulfil it.

        Args:
            labels: Labels of an alert.
            is_all: Whether these are all that it has: a label that is not there is empty then, as Alertmanager has it.
                Of the others nobody knows the value, which fulfils nothing.
        """
        own = labels.get(self.name, "" if is_all else None)
        if own is None:
            return False
        if not self.is_regex:
            return (own == self.value) == self.is_equal
        # Of one that cannot be read it is not known whether it holds, and nothing is hidden.
        return fits(self.value, own) is self.is_equal


@dataclass(frozen=True, slots=True)
class Silence:
    """One period in which alerts with some labels told nobody."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime

    def is_of(self, labels: Mapping[str, str], *, is_all: bool) -> bool:
        """Whether it silences alerts with these labels; see :meth:`Matcher.holds`."""
        return all(matcher.holds(labels, is_all=is_all) for matcher in self.matchers)


def are_silent(
    silences: Iterable[Silence], labels: Mapping[str, str], first: datetime, last: datetime, *, is_all: bool
) -> bool:
    """Whether silences covered an alert from its first to its last instant.

    One that is changed ends, and another one begins where it ended.

    Args:
        silences: In any order.
        labels: Labels of the alert.
        first: Its first instant.
        last: Its last instant.
        is_all: Whether these are all its labels.
    """
    of_it = (one for one in silences if one.ends_at >= first and one.is_of(labels, is_all=is_all))
    covered: datetime | None = None
    for one in sorted(of_it, key=lambda one: one.starts_at):
        if one.starts_at <= (first if covered is None else covered + MINUTE):
            covered = max(covered or one.ends_at, one.ends_at)
    return covered is not None and last <= covered


class Alertmanager:
    """What an Alertmanager knows at the time of a pull; nothing where none is configured.

    Args:
        request: The question, for its connector's ``alertmanager_url``.
    """

    def __init__(self, request: FetchRequest[Prometheus]) -> None:
        self._active: list[tuple[dict[str, str], datetime]] = []
        self._silences: list[Silence] = []
        self._config: Row = {}
        self._quiet, self._mute = QuietTimes([]), set[str]()
        self._rules: list[_Rule] = []
        if request.connector.alertmanager_url is None:
            return
        with client(request) as http:
            for item in http.get("api/v2/alerts"):
                self._active.append((dict(item["labels"]), datetime.fromisoformat(item["startsAt"])))
            self._silences = [silence_of(item) for item in http.get("api/v2/silences")]
            self._config = _config(http)
        self._quiet = QuietTimes(
            [*(self._config.get("time_intervals") or []), *(self._config.get("mute_time_intervals") or [])]
        )
        mute = {receiver.get("name") for receiver in self._config.get("receivers") or [] if _is_mute(receiver)}
        # Where that of the root is one of them people are called by something else, of which nothing is known.
        self._mute = set() if (self._config.get("route") or {}).get("receiver") in mute else mute

    def note(self, firing: Sequence[tuple[Mapping[str, str], Sequence[datetime]]]) -> None:
        """Note what fired, and when: some alerts inhibit others."""
        told = self._config.get("inhibit_rules") or []
        self._rules = [_Rule(rule, firing) for rule in told if set(rule) <= _OF_A_RULE]

    def fired(self, labels: Mapping[str, str], first: datetime) -> datetime:
        """Return since when an alert fires whose first sample is known, or the sample's instant."""
        starts = [at for known, at in self._active if labels.items() <= known.items() and abs(first - at) <= NEAR]
        return min(starts, key=lambda at: abs(first - at), default=first)

    def tells_nobody(
        self,
        labels: Mapping[str, str],
        first: datetime,
        last: datetime,
        during: Sequence[datetime],
    ) -> bool:
        """Whether nobody was told of an alert, from its first to its last instant.

        Args:
            labels: Its labels, as Prometheus has them.
            first: When it began.
            last: When it ended, or now.
            during: Instants at which it fired.
        """
        # External labels are known of what is active; a silence or policy may name them.
        active = [known for known, at in self._active if labels.items() <= known.items() and abs(first - at) <= NEAR]
        told = [(labels, False), *((known, True) for known in active)]
        return any(
            are_silent(self._silences, known, first, last, is_all=is_all)
            or self._is_kept_back(known, first, last, is_all=is_all)
            for known, is_all in told
        ) or self._is_inhibited(labels, during)

    def _is_kept_back(self, labels: Mapping[str, str], first: datetime, last: datetime, *, is_all: bool) -> bool:
        """Whether all policies that an alert reaches told nobody then."""
        route: Row | None = self._config.get("route")
        found = policies_of(labels, route, is_all=is_all) if route else None
        return bool(found) and all(
            receiver in self._mute or self._quiet.cover(policy, first, last) for receiver, policy in found or []
        )

    def _is_inhibited(self, labels: Mapping[str, str], during: Sequence[datetime]) -> bool:
        """Whether other alerts inhibited one all the time."""
        by_others: set[datetime] = set()
        for rule in self._rules:
            by_others |= rule.inhibiting(labels)
        return bool(during) and by_others.issuperset(during)


class _Rule:
    """One rule of inhibition, and what fired that inhibits others by it.

    Args:
        told: The rule.
        firing: Labels of alerts, and when each fired.
    """

    def __init__(self, told: Row, firing: Iterable[tuple[Mapping[str, str], Sequence[datetime]]]) -> None:
        self._told = told
        # Whether it is on the other side of the rule too -> values of the labels that must be equal -> when.
        self._when: dict[bool, dict[tuple[str, ...], set[datetime]]] = {
            True: defaultdict(set),
            False: defaultdict(set),
        }
        for labels, instants in firing:
            if matches(labels, told, "source_"):
                found = self._when[matches(labels, told, "target_") is not False][self._key(labels)]
                found.update(at + step for at in instants for step in (-MINUTE, timedelta(), MINUTE))

    def inhibiting(self, labels: Mapping[str, str]) -> set[datetime]:
        """Return when something inhibited an alert with these labels."""
        if not matches(labels, self._told, "target_"):
            return set()
        key = self._key(labels)
        # What is on both sides of a rule is inhibited by what is on one of them only.
        is_source = matches(labels, self._told, "source_") is not False
        both = set[datetime]() if is_source else self._when[True].get(key, set[datetime]())
        return self._when[False].get(key, set[datetime]()) | both

    def _key(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(labels.get(name, "") for name in self._told.get("equal") or [])


def client(request: FetchRequest[Prometheus]) -> Http:
    """Return a client of the configured Alertmanager; the token of Prometheus is its own where both have one origin."""
    settings, url = request.connector, expand(request.connector.alertmanager_url or "")
    is_one = origin_of(httpx.URL(url)) == origin_of(httpx.URL(expand(settings.url)))
    variable = settings.alertmanager_token_env or (settings.token_env if is_one else None)
    token = secret(variable)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    name, said = f"{settings.name} alertmanager", variable or "alertmanager_token_env in sources.toml"
    return Http(name, url, request.settings, headers=headers, variable=said)


def _config(http: Http) -> Row:
    """Return the configuration that an Alertmanager tells, nothing where it tells none; what is secret is masked."""
    try:
        told = http.get("api/v2/status")
    except RefusedError as error:
        if error.status not in {403, 404}:
            raise
        return {}
    try:
        found = read_yaml(told["config"]["original"])
    except (LookupError, TypeError, YamlError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_mute(receiver: Row) -> bool:
    """Whether a receiver has no integration, as those called null have."""
    return not any(found for name, found in receiver.items() if name.endswith("_configs"))


def silence_of(item: Row) -> Silence:
    """Read a silence, as Alertmanager and Grafana tell it."""
    matchers = tuple(
        # Older versions have no isEqual: all their matchers are.
        Matcher(matcher["name"], matcher["value"], matcher["isRegex"], matcher.get("isEqual", True))
        for matcher in item["matchers"]
    )
    return Silence(matchers, datetime.fromisoformat(item["startsAt"]), datetime.fromisoformat(item["endsAt"]))
