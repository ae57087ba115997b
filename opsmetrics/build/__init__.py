"""One build: what a run works with, its plan as data, what each stage does, and how a plan is executed.

Does not belong here: when it runs (``pipelines``) and how tables are made (``opsmetrics.warehouse``).
"""

from opsmetrics.build.context import Context, load_context
from opsmetrics.build.executor import Progress, execute, perform_stages
from opsmetrics.build.plan import Kind, Plan, Stage, make_plan
from opsmetrics.build.runs import BuildResult, RunReport, build, build_and_publish, publish, run
from opsmetrics.build.stages import StageResult, perform_all

__all__ = [
    "BuildResult",
    "Context",
    "Kind",
    "Plan",
    "Progress",
    "RunReport",
    "Stage",
    "StageResult",
    "build",
    "build_and_publish",
    "execute",
    "load_context",
    "make_plan",
    "perform_all",
    "perform_stages",
    "publish",
    "run",
]
