"""What changed since last month, and why: the score's change taken apart, and what left its natural variation."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import catalogue, scores
from opsmetrics.scoring.change import PARTS
from scorecard_app import charts
from scorecard_app.markup import folded, heading, rich, table, tag
from scorecard_app.page import Page, by, choose, choose_period, head, show, unknown, view
from scorecard_app.views import explain
from scorecard_app.views.parts import changes_table

EVERY = ""
SHOWN_TEAMS = 40
SHOWN_SIGNALS = 40

Row = dict[str, Any]


@view("changes")
def render(page: Page) -> None:
    """Show the change of all teams, or of one."""
    teams = by(catalogue.teams(page.snapshot), "team_id")
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("changes.title"))
    with right:
        names = {EVERY: page.text("word.all_teams"), **{key: page.label(row) for key, row in teams.items()}}
        wanted = st.query_params.get("team", EVERY)
        team_id = choose(page.text("team.choose"), "team", list(names), names, wanted)
        choose_period(page)
    unknown(page, {"team": teams})
    found = scores.all_changes(page.snapshot, page.period).to_dicts()
    mine = [row for row in found if team_id in {EVERY, row["team_id"]}]
    if not mine:
        show(f'<p class="lead">{escape(page.text("changes.none"))}</p>')
        return
    _waterfall(page, mine, names[team_id])
    if team_id == EVERY:
        show(
            heading(page.text("changes.teams"), page.text("changes.teams_note"))
            + changes_table(page, mine[:SHOWN_TEAMS], first="team")
            + page.downloads("changes")
        )
    else:
        explain.change(page, team_id)
        explain.restated(page, team_id)
    _signals(page, teams, team_id)


def _waterfall(page: Page, rows: list[Row], name: str) -> None:
    """The mean change of the rows, part by part; one row is that team's own."""
    language, count = page.language, len(rows)
    before, after = (sum(row[key] for row in rows) / count for key in ("score_before", "score_after"))
    parts = [(page.text(f"explain.part_{part}"), sum(row[part] for row in rows) / count) for part in PARTS]
    largest = max(parts, key=lambda part: abs(part[1]))
    key = "changes.lead" if round(abs(after - before), 1) else "changes.lead_still"
    words = page.text(
        key,
        name=name,
        before=fmt.number(language, before, 1),
        after=fmt.number(language, after, 1),
        part=largest[0].lower(),
        points=fmt.signed(language, largest[1]),
        since=fmt.long_date(language, rows[0]["from_as_of"].date()),
    )
    show(
        f'<p class="lead">{rich(words)}</p>'
        + heading(page.text("changes.waterfall"), page.text("changes.waterfall_note"))
    )
    st.plotly_chart(
        charts.waterfall(language, page.text("explain.before"), before, parts, page.text("explain.after"), after),
        config=charts.CONFIG,
        theme=None,
        key="waterfall",
        alt=words.replace("*", ""),
    )
    header = [(page.text("changes.part"), False), (page.text("word.points"), True)]
    shown = [
        [escape(page.text("explain.before")), fmt.number(language, before, 1)],
        *([escape(label), fmt.signed(language, value)] for label, value in parts),
        [escape(page.text("explain.after")), fmt.number(language, after, 1)],
    ]
    meaning = "".join(
        f"<dt>{escape(page.text(f'explain.part_{part}'))}</dt><dd>{escape(page.text(f'changes.means_{part}'))}</dd>"
        for part in PARTS
    )
    show(
        page.figure_buttons("waterfall", page.text("changes.waterfall"))
        + folded(page.text("app.show_table"), table(page.text("changes.waterfall"), header, shown))
        + folded(page.text("changes.meaning"), f'<dl class="pairs">{meaning}</dl>')
    )


def _signals(page: Page, teams: dict[str, Row], team_id: str) -> None:
    rows: list[list[str]] = []
    for row in scores.signals(page.snapshot, page.period).to_dicts():
        if team_id not in {EVERY, row["team_id"]}:
            continue
        better = bool(row["is_better"])
        values = [fmt.metric_value(page.language, row["unit"], row[key]) for key in ("value_before", "value", "centre")]
        rows.append(
            [
                page.link("maling", page.label(row, "title"), team=row["team_id"], metric=row["metric_id"]),
                page.link("team", page.label(teams[row["team_id"]]), team=row["team_id"]),
                tag(
                    "good" if better else "warn",
                    "▲" if better else "▼",
                    page.text("changes.up" if better else "changes.down"),
                ),
                *values,
                escape(page.text(f"metric.signal_{row['signal']}")),
            ]
        )
    header = [
        (page.text("word.metric"), False),
        (page.text("word.team"), False),
        (page.text("word.change"), False),
        (page.text("explain.before"), True),
        (page.text("word.now"), True),
        (page.text("metric.mean"), True),
        (page.text("metric.signal"), False),
    ]
    none = f'<p class="hint">{escape(page.text("changes.signals_none"))}</p>'
    show(
        heading(page.text("changes.signals"), page.text("overview.changed_note"))
        + (
            table(page.text("changes.signals_caption"), header, rows[:SHOWN_SIGNALS]) + page.downloads("signals")
            if rows
            else none
        )
    )
