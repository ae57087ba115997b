"""Where is the file, what is in it, which questions does it answer?"""

from __future__ import annotations

from html import escape

from opsmetrics.reading import catalogue
from scorecard_app.markup import folded, heading, small, table
from scorecard_app.page import Page, head, show, view

# Schemas in the order in which an analyst needs them; the rest follows by name.
FIRST = ("marts", "scores", "facts", "ref", "meta", "metrics")
QUERIES = {
    "lowest": """select team, area, score, coverage
from marts.scorecard
where score is not null
order by score
limit 10;""",
    "gain": """select g.team_id, m.title_en, round(g.gain_if_met, 1) as points, g.effort_days
from scores.gap as g
join meta.metrics as m using (metric_id)
where g.grain = 'latest'
order by g.gain_per_day desc
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


@view("analysts")
def render(page: Page) -> None:
    """Show the way to the data for people with a DuckDB shell."""
    head(page, page.text("analysts.title"))
    path = str(page.snapshot.path)
    shell = f"duckdb -readonly {path}" if page.reader.role == "admin" else "opsmetrics sql"
    show(
        f'<p class="lead">{escape(page.text("analysts.lead"))}</p>'
        f'<pre tabindex="0"><code id="shell">{escape(shell)}</code></pre>'
        + _copy(page, "shell")
        + f'<p class="hint">{escape(page.text("analysts.hint"))}</p>'
    )
    queries = "".join(
        f"<h3>{escape(page.text(f'analysts.query_{name}'))}</h3>"
        f'<pre tabindex="0"><code id="query-{name}">{escape(sql)}</code></pre>{_copy(page, f"query-{name}")}'
        for name, sql in QUERIES.items()
    )
    show(heading(page.text("analysts.queries")) + queries)
    found = catalogue.tables(page.snapshot).to_dicts()
    schemas = sorted(
        {row["schema_name"] for row in found}, key=lambda name: (FIRST.index(name) if name in FIRST else 9, name)
    )
    header = [
        (page.text("analysts.table"), False),
        (page.text("analysts.columns"), True),
        (page.text("analysts.says"), False),
    ]
    body = ""
    for schema in schemas:
        rows = [
            [
                f"<code>{escape(schema)}.{escape(row['table_name'])}</code>",
                str(row["column_count"]),
                escape(row["comment"]),
            ]
            for row in found
            if row["schema_name"] == schema
        ]
        body += folded(f"{schema} ({len(rows)})", table(f"{page.text('analysts.tables')}: {schema}", header, rows))
    show(heading(page.text("analysts.tables")) + body + page.downloads("tables"))
    show(heading(page.text("analysts.metrics")) + small(page.text("analysts.metrics_hint")) + page.downloads("metrics"))


def _copy(page: Page, target: str) -> str:
    done, label = escape(page.text("metric.copied")), escape(page.text("metric.copy"))
    return f'<p class="downloads"><button type="button" data-copy="{target}" data-done="{done}">{label}</button></p>'
