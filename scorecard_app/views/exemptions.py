"""What is exempt, what is it worth, when does it end, and which numbers is there reason to ask about?"""

from __future__ import annotations

from html import escape

from opsmetrics import fmt
from opsmetrics.reading import board, catalogue, quality
from scorecard_app.markup import heading, rich, small, table
from scorecard_app.page import Page, by, head, show, view
from scorecard_app.views import explain
from scorecard_app.views.parts import item_list


@view("exemptions")
def render(page: Page) -> None:
    """Show waivers, exclusions, windows and alarms: every way in which a score could be other than operations are."""
    rows = quality.exemptions(page.snapshot).to_dicts()
    debts = by(quality.exemption_debt(page.snapshot, page.period), "team_id")
    signs = quality.alarms(page.snapshot, page.period, None)
    head(page, page.text("exemptions.title"))
    words = page.text(
        "exemptions.lead",
        count=len(rows),
        soon=sum(row["days_left"] <= board.SOON_DAYS for row in rows),
        days=board.SOON_DAYS,
        teams=signs["team_id"].n_unique(),
    )
    show(f'<p class="lead">{rich(words)}</p>')
    settle = item_list(page, board.matters(board.read_board(page.snapshot, page.period), page.language))
    none = f'<p class="hint">{escape(page.text("overview.settle_none"))}</p>'
    show(heading(page.text("exemptions.settle")) + (settle or none))
    metrics, teams = by(catalogue.metrics(page.snapshot), "metric_id"), by(catalogue.teams(page.snapshot), "team_id")
    shown: list[list[str]] = []
    for row in rows:
        metric = metrics.get(row["subject"])
        debt = debts.get(row["team_id"]) if row["kind"] == "waiver" else None
        shown.append(
            [
                page.link("team", page.label(teams[row["team_id"]]), team=row["team_id"]),
                escape(page.label(metric, "title") if metric else row["subject"])
                + small(page.text(f"exemptions.kind_{row['kind']}")),
                escape(row["reason"]),
                escape(row["approver"]),
                fmt.short_date(page.language, row["valid_to"]),
                fmt.number(page.language, row["days_left"]),
                fmt.signed(page.language, debt["debt_points"] if debt else None),
            ]
        )
    header = [
        (page.text("word.team"), False),
        (page.text("exemptions.what"), False),
        (page.text("word.reason"), False),
        (page.text("exemptions.approver"), False),
        (page.text("exemptions.expires"), False),
        (page.text("exemptions.days_left"), True),
        (page.text("exemptions.debt"), True),
    ]
    none = f'<p class="hint">{escape(page.text("exemptions.none"))}</p>'
    body = table(page.text("exemptions.caption"), header, shown) + page.downloads("exemptions") if shown else none
    show(heading(page.text("exemptions.valid")) + f'<p class="hint">{escape(page.text("exemptions.hint"))}</p>' + body)
    explain.alarms(page)
