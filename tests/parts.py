"""Parts of the plan: a test of three tables need not make the other hundred and seventy."""

from __future__ import annotations

from opsmetrics import build as plans


def plan_for(context: plans.Context, *tables: str) -> plans.Plan:
    """Bring loads in, choose those that count, and make some tables with all that they read; nothing else.

    Args:
        context: What the build works with.
        tables: Qualified names of tables that SQL files or the scores make; none where loads and references are enough.

    Raises:
        AssertionError: No stage of a build makes one of them.
    """
    stages = context.plan.stages
    makers = {table: stage for stage in stages for table in stage.makes}
    assert makers.keys() >= set(tables), set(tables) - makers.keys()
    kinds = {plans.Kind.INGEST, plans.Kind.REFERENCE}
    wanted = {stage.name for stage in stages if stage.kind in kinds}
    todo = list(tables)
    while todo:
        stage = makers[todo.pop()]
        if stage.kind is not plans.Kind.PULL and stage.name not in wanted:
            wanted.add(stage.name)
            todo += stage.needs
    return plans.Plan(tuple(stage for stage in stages if stage.name in wanted))


def made_for(context: plans.Context, *tables: str) -> None:
    """Make some tables and what they rest on in the working file of a context."""
    plans.execute(plan_for(context, *tables), context)


def by_the_day(context: plans.Context) -> plans.Plan:
    """Bring loads in, choose those that count, and make the tables that are rebuilt by the day, with what these read.

    Whatever goes wrong with loads shows here; everything else is made of these tables alone.
    """
    files = context.files.items()
    return plan_for(
        context, *(name for name, file in files if file.schema in {"staging", "facts"} and file.model.incremental)
    )


def with_scores(context: plans.Context, *tables: str) -> plans.Plan:
    """Make the scores and some tables beside them, with all that these are made of."""
    return plan_for(context, "scores.team", *tables)


def whole(context: plans.Context) -> plans.Plan:
    """Everything but pulls and publication."""
    return context.plan.part(plans.Kind.INGEST, plans.Kind.FINISH)
