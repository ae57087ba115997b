"""Which of the runs that a source calls deployments are none: rules that users see in the settings and can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of the patterns, whatever the case."""
    return any(fnmatch(name.lower(), pattern.lower()) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Run:
    """What made a deployment.

    Attributes:
        event: What started it, in the source's own word.
        names: Names of its workflow or pipeline.
    """

    event: str
    names: tuple[str, ...]

    def fits(self, patterns: Sequence[str]) -> bool:
        """Whether one of its names fits one of the patterns."""
        return any(matches(name, patterns) for name in self.names)


@dataclass(frozen=True, slots=True)
class DeployRules:
    """The rules; each attribute is a setting of a connector.

    Attributes:
        deploy_environments: Environments that count; empty = all.
        test_events: What starts tests and not deployments.
        test_workflows: Names of tests.
        deploy_workflows: Names that count although they fit ``test_workflows``.
        probe_workflows: Names of probes, which deploy nothing whatever else they fit.
    """

    deploy_environments: Sequence[str]
    test_events: Sequence[str]
    test_workflows: Sequence[str]
    deploy_workflows: Sequence[str]
    probe_workflows: Sequence[str] = ()

    def left_out(self, environment: str, run: Run | None) -> str | None:
        """Return which rule says that this is no deployment of a service, or None; without a run names say nothing."""
        if self.deploy_environments and not matches(environment, self.deploy_environments):
            return "deployments left out, environment not in deploy_environments"
        if run is None:
            return None
        if run.event in self.test_events:
            return f"deployments left out, run by an event of test_events ({run.event})"
        if run.fits(self.probe_workflows):
            return "deployments left out, workflow matches probe_workflows"
        if run.fits(self.test_workflows) and not run.fits(self.deploy_workflows):
            return "deployments left out, workflow matches test_workflows"
        return None
