"""Parts of the plan: a test of loads need not make the hundred and sixty tables that rest on them."""

from __future__ import annotations

from opsmetrics import build as plans


def by_the_day(context: plans.Context) -> plans.Plan:
    """Bring loads in, choose those that count, and make the tables that are rebuilt by the day, with what these read.

    Whatever goes wrong with loads shows here; everything else is made of these tables alone.
    """
    files = context.files
    wanted: set[str] = set()
    todo = [name for name, file in files.items() if file.schema in {"staging", "facts"} and file.model.incremental]
    while todo:
        name = todo.pop()
        if name in files and name not in wanted:
            wanted.add(name)
            todo += files[name].dependencies
    kinds = {plans.Kind.INGEST, plans.Kind.REFERENCE}
    return plans.Plan(tuple(stage for stage in context.plan.stages if stage.kind in kinds or stage.name in wanted))


def whole(context: plans.Context) -> plans.Plan:
    """Everything but pulls and publication."""
    return context.plan.part(plans.Kind.INGEST, plans.Kind.FINISH)
