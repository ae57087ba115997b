"""Where does this team stand, what gives most points, what is next, which incidents lie behind it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import GAPS, TEAM
from opsmetrics.reports.do_first import do_first
from opsmetrics.reports.together import LEAST_GAIN
from opsmetrics.reports.weakest import weakest
from opsmetrics.snapshots.queries import gains, scores
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore, TeamScore
from scorecard_app.choices import choose, choose_period, selected_id
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import choices, element, heading, hint, join, lead, link, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import explain, why_changed
from scorecard_app.views.do_first import do_first_section, failing_by_metric
from scorecard_app.views.parts import (
    areas_by_id,
    gaps_table,
    known_share,
    level_note,
    no_gaps,
    teams_by_id,
)
from scorecard_app.views.team_areas import area_section
from scorecard_app.views.team_incidents import incident_section
from scorecard_app.views.team_metrics import metric_section

SHOWN_GAPS = 6
COUNTED_GAPS = 3  # the lead says what the first of them would give


@view(TEAM)
def render(page: Page) -> None:
    """Show one team."""
    teams = teams_by_id(page)
    team_id = selected_id("team", teams, next(iter(sorted(page.permissions.teams)), None))
    team = teams[team_id]
    score = index_by(scores.team_scores(page.snapshot, page.period), lambda row: row.team_id).get(team_id)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.say(team.name), _meta(page, team, score))
    with right:
        names = {key: page.say(row.name) for key, row in teams.items()}
        choose(page.text("team.choose"), "team", list(teams), names, team_id)
        choose_period(page)
    cells = index_by(scores.area_scores(page.snapshot, page.period, team_id=team_id), lambda row: row.area_id)
    gaps = list(gap_queries.gaps(page.snapshot, page.period, team_id=team_id))
    first = do_first(page.snapshot, page.period, team, score, list(cells.values()))
    if first.state == "before_first_day":
        do_first_section(page, team_id, first)
        return
    _lead(page, score, cells, gaps)
    do_first_section(page, team_id, first)
    _how_sure(page, team_id, score)
    _jump(page)
    area_section(page, team_id, cells, gaps)
    metric_section(page, team_id, cells, gaps)
    _gaps(page, team_id, score, gaps)
    incident_section(page, team_id)
    why_changed.change(page, team_id)
    why_changed.restated(page, team_id)
    explain.alarms(page, team_id)
    explain.formula(page, team_id, score)
    explain.diagnostics(page, team_id)


def _jump(page: Page) -> None:
    """Show links to the parts of the page, which is long."""
    items = (
        element("li", link(f"{page.here()}#{anchor}", page.text(key)))
        for anchor, key in (
            ("areas", "team.areas"),
            ("metrics", "team.all"),
            ("gaps", "team.gaps"),
            ("incidents", "team.incidents"),
            ("change", "explain.change"),
        )
    )
    show(choices(page.text("team.jump"), items))


def _meta(page: Page, team: Team, score: TeamScore | None) -> str:
    if score is None or score.coverage is None:
        return page.text(f"word.type_{team.type}")
    return f"{page.text(f'word.type_{team.type}')} · {known_share(page, score.coverage, score.low, score.high)}"


def _lead(page: Page, score: TeamScore | None, cells: Mapping[str, AreaScore], gaps: Sequence[Gap]) -> None:
    level = _level_sentence(page, score, cells)
    show(join(lead(_answer(page, score, cells, gaps)), hint(level) if level else None))


def _how_sure(page: Page, team_id: str, score: TeamScore | None) -> None:
    """How certain the score is, how it moves, and what to ask about."""
    sentences = (
        _without_waivers(page, score),
        explain.certainty(page, score),
        explain.trend_sentence(page, team_id),
        explain.alarm_sentence(page, team_id),
    )
    show(join(hint(sentence) for sentence in sentences if sentence))


def _level_sentence(page: Page, score: TeamScore | None, cells: Mapping[str, AreaScore]) -> str:
    """Why the level is lower than the score, as a sentence, or nothing."""
    if score is None:
        return ""
    levels = [row.level for row in cells.values() if row.status == "ok" and row.level is not None]
    weakest = min(levels, default=None)
    note = level_note(page, score.level, score.level_by_score, is_on_edge=score.is_on_edge, weakest=weakest)
    return f"{note[:1].upper()}{note[1:]}." if note else ""


def _answer(page: Page, score: TeamScore | None, cells: Mapping[str, AreaScore], found: Sequence[Gap]) -> str:
    """Score, level and weakest area in a sentence, and what the largest gaps would give."""
    language = page.language
    published = {key: row.score for key, row in cells.items() if row.status == "ok" and row.score is not None}
    if score is None or score.score is None or not published:
        low, high = (fmt.number(language, value) for value in ((score.low, score.high) if score else (None, None)))
        return page.text("team.lead_no_score", low=low, high=high)
    names = {key: page.say(area.name) for key, area in areas_by_id(page).items()}
    values = {"score": fmt.score(language, score.score), **weakest(language, published, names)}
    if score.status == "provisional":
        return page.text("team.lead_provisional", **values)
    said = page.text("team.lead", **values, level=page.text(f"level.{score.level}").lower())
    first = found[:COUNTED_GAPS]
    gain = sum(gains.joint_gains(page.snapshot, page.period, first).values())
    if gain < LEAST_GAIN:
        return said
    return f"{said} {page.text('team.lead_gain', count=len(first), gain=fmt.number(language, gain, 1))}"


def _without_waivers(page: Page, score: TeamScore | None) -> str:
    if score is None or score.score_without_waivers in {None, score.score}:
        return ""
    return page.text("team.without_waivers", score=fmt.score(page.language, score.score_without_waivers))


def _gaps(page: Page, team_id: str, score: TeamScore | None, gaps: Sequence[Gap]) -> None:
    language = page.language
    if not gaps:
        is_scored = score is not None and score.score is not None
        show(join(heading(page.text("team.gaps"), anchor="gaps"), no_gaps(page, is_scored=is_scored)))
        return
    note = page.text("team.gaps_note", shown=min(SHOWN_GAPS, len(gaps)), all=len(gaps))
    total = None
    if score and score.score is not None:
        # What is lost is 100 less the score (method 3.12, P4), also as the two are written.
        lost = fmt.number(language, fmt.moved(score.score, 100.0), 1)
        words = page.text("team.sum", lost=lost, score=fmt.score_in_tenths(language, score.score))
        total = hint(words)
    shown = gaps[:SHOWN_GAPS]
    table = gaps_table(page, shown, below="area", fails=failing_by_metric(page, shown), team=team_id)
    more = page.link(GAPS.at(team=team_id), page.text("team.all_gaps", count=len(gaps)))
    show(
        join(
            heading(page.text("team.gaps"), note, anchor="gaps"),
            table_html(page, table, kind="gaps"),
            paragraph(more),
            total,
        )
    )
