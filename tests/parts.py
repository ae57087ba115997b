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


def with_scores(context: plans.Context, *tables: str) -> plans.Plan:
    """Make the scores and some tables beside them, with all that these are made of; nothing that nobody asks for.

    Raises:
        KeyError: No stage makes a table.
    """
    makers = {table: stage for stage in context.plan.stages for table in stage.makes}
    wanted = {makers[table].name for table in ("scores.team", *tables)}
    todo = [*wanted]
    stages = {stage.name: stage for stage in context.plan.stages}
    while todo:
        below = {makers[table].name for table in stages[todo.pop()].needs if table in makers} - wanted
        wanted |= below
        todo += below
    always = {plans.Kind.INGEST, plans.Kind.REFERENCE}
    kinds = {*always, plans.Kind.SQL, plans.Kind.SCORES}
    return plans.Plan(
        tuple(
            stage
            for stage in context.plan.stages
            if stage.kind in always or (stage.kind in kinds and stage.name in wanted)
        )
    )
