"""Where is the file, what is in it, which questions does it answer?"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from opsmetrics.reports.addresses import ANALYSTS
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import PublishedTable
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.files import offer_table, offer_whole
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import code_block, copy_button, element, folded, heading, hint, join, lead, small
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import source

# Schemas in the order in which an analyst needs them; the rest follows by name.
FIRST = ("marts", "scores", "facts", "ref", "meta", "metrics")
QUERIES = {
    "lowest": """select team, area, score, coverage
from marts.scorecard
where score is not null
order by score
limit 10;""",
    "gain": """select g.team_id, m.title_en, round(g.gain_this_quarter, 1) as points, g.effort_days, g.shows_on
from scores.gap as g
join meta.metrics as m using (metric_id)
where g.grain = 'latest'
order by g.quarter_gain_per_day desc nulls last
limit 10;""",
    "year": """select date_trunc('month', as_of) as month, round(median(score), 1) as median
from scores.team
where grain = 'month'
group by all
order by month;""",
    "incidents": """select team_id, severity, count(*) as incidents, round(median(restore_minutes)) as median_minutes
from facts.incidents
where declared_at > (select max(as_of) from ref.as_of) - interval 90 day
group by all
order by incidents desc;""",
}


@view(ANALYSTS)
def render(page: Page) -> None:
    """Show the way to the data for people with a DuckDB shell."""
    head(page, page.text("analysts.title"))
    shell = f"duckdb -readonly {page.snapshot.path}" if page.permissions.role == "admin" else "opsmetrics sql"
    show(
        join(
            lead(page.text("analysts.lead")),
            code_block(shell, "shell"),
            _copy(page, "shell"),
            hint(page.text("analysts.hint")),
            offer_whole(page),
        )
    )
    queries = (
        (
            element("h3", page.text(f"analysts.query_{name}")),
            code_block(sql, f"query-{name}"),
            _copy(page, f"query-{name}"),
        )
        for name, sql in QUERIES.items()
    )
    show(join(heading(page.text("analysts.queries")), queries))
    _tables(page)
    offer_table(page, source("metrics"))
    show(
        join(
            heading(page.text("analysts.metrics")),
            small(page.text("analysts.metrics_hint")),
        )
    )


def _tables(page: Page) -> None:
    """Every table with what it says, schema by schema."""
    offer_table(page, source("tables"))
    schemas = group_by(catalogue.tables(page.snapshot), lambda row: row.schema_name)
    order = sorted(schemas, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    lists = (
        folded(f"{schema} ({len(schemas[schema])})", table_html(page, _table(page, schema, schemas[schema])))
        for schema in order
    )
    show(join(heading(page.text("analysts.tables")), lists))


def _table(page: Page, schema: str, tables: Sequence[PublishedTable]) -> Table:
    rows = tuple((_name(row), Cell(str(row.column_count), row.column_count), Cell(row.comment)) for row in tables)
    columns = (
        Column(page.text("analysts.table")),
        Column(page.text("analysts.columns"), "number"),
        Column(page.text("analysts.says")),
    )
    return Table(schema, f"{page.text('analysts.tables')}: {schema}", columns, rows)


def _name(row: PublishedTable) -> Cell:
    name = f"{row.schema_name}.{row.table_name}"
    return Cell(name, drawing=element("code", name))


def _copy(page: Page, target: str) -> Markup:
    return copy_button(target, page.text("metric.copy"), page.text("metric.copied"))
