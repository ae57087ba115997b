"""What a brief says: four pages for the meeting (state, matrix, decisions, shared gaps), then an annex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.board import Item
from opsmetrics.reports.brief import asks, charts, deck, parts
from opsmetrics.reports.brief.document import Block, Columns, Document, Figures, Paragraph, Points, Row, Section
from opsmetrics.reports.brief.material import Material, read
from opsmetrics.reports.brief.words import Words
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import group_by
from opsmetrics.snapshots.store import Snapshot

SHOWN_MOVES, SHOWN_GAPS, SHOWN_TEAM_GAPS = 2, 10, 4
Lines = Mapping[str, Mapping[str | None, Sequence[Item]]]
"""What is told of teams in lines of the annex: by the key of their heading, then by team."""


def period_of(snapshot: Snapshot, wanted: str | None) -> Period:
    """Return the period that a brief is about.

    Args:
        snapshot: Where the periods stand.
        wanted: A month (``2026-10``), ``latest``, or None for the newest month that has ended.

    Raises:
        ConfigurationError: There is no such period.
    """
    periods = list(catalogue.periods(snapshot))
    months = [period for period in periods if period.grain == "month"]
    if wanted is None:
        return (months or periods)[0]
    for period in periods:
        if wanted == period.label or (wanted == "latest" and period.grain == "latest"):
            return period
    names = ", ".join(period.label for period in months[:12])
    raise ConfigurationError([Problem("--as-of", None, f"no period {wanted!r}", f"write latest or one of {names}")])


def compose(snapshot: Snapshot, period: Period, language: str) -> Document:
    """Return the brief of a period in a language."""
    organisation = catalogue.organisation(snapshot)
    found = read(snapshot, period, language)
    words = found.words
    foot = (
        words.text("app.ruleset", version=organisation.ruleset_version),
        words.text("app.snapshot", id=snapshot.build_id[:12]),
    )
    return Document(
        title=f"{words.text('report.title')}, {_when(period, language)}",
        subtitle=f"{organisation.name.get(language)} · {words.text('report.meta')}",
        language=language,
        banner=words.text("app.not_real") if organisation.is_fictional else "",
        foot=" · ".join(foot),
        at=period.as_of,
        sections=(*front(found), *_annex(found)),
        slides=deck.slides(
            found, _figures(found), _moved(found), f"{words.text('report.title')}, {_when(period, language)}"
        ),
    )


def _when(period: Period, language: str) -> str:
    if period.grain == "month":
        return fmt.month(language, period.on)
    return fmt.long_date(language, period.on)


def front(found: Material) -> tuple[Section, ...]:
    """Return the pages that everybody reads."""
    words = found.words
    return (
        _first(found),
        Section(words.text("overview.matrix"), (parts.matrix(words),)),
        Section(words.text("brief.asks"), _decisions(found)),
        Section(words.text("brief.shared"), _shared(found)),
    )


def _first(found: Material) -> Section:
    """State and change: the answer, four numbers, what moved, and the year as pictures."""
    words = found.words
    pictures = [chart for chart in (charts.median(words), charts.met(words)) if chart]
    return Section(
        words.text("brief.first"),
        (
            Paragraph(board.lead(words.board, words.language, with_year=False), is_lead=True),
            _figures(found),
            *([Row(tuple(pictures), (1.0,) * len(pictures))] if pictures else []),
            _moved(found),
        ),
    )


def _figures(found: Material) -> Figures:
    """The four numbers of the overview, each with what it was."""
    words, language = found.words, found.words.language
    here = words.board
    majors, usual = board.usual(here, language)
    median, met, coverage = here.median(), here.met(), here.coverage()
    out_of, teams = words.text("word.out_of_100"), words.text("overview.of", all=len(here.scores))
    return Figures(
        (
            (
                words.text("overview.strip_median"),
                fmt.score(language, median),
                "\n".join((out_of, *board.median_changes(words.board, words.language))),
                median,
            ),
            (
                words.text("overview.strip_met"),
                fmt.number(language, met),
                "\n".join((teams, *words.met_notes())),
                met,
            ),
            (words.text("overview.strip_majors"), fmt.number(language, majors), usual, majors),
            (
                words.text("overview.strip_coverage"),
                fmt.percent(language, coverage),
                "\n".join((*words.coverage_notes(), *_sources(words))),
                coverage,
            ),
        )
    )


def _sources(words: Words) -> list[str]:
    """How many sources deliver: known of the present alone."""
    return [board.delivering(words.board, words.language)] if words.board.period.grain != "month" else []


def _moved(found: Material) -> Columns:
    """Teams whose scores moved most, and measurements that left their usual range."""
    words = found.words
    return Columns(
        (
            _largest(found),
            _points(words, "better", "▲", found.moves[True]),
            _points(words, "worse", "▼", found.moves[False]),
        )
    )


def _largest(found: Material) -> Points:
    """The teams whose scores moved most since the month end before, and what the change is made of."""
    words = found.words
    rows = [row for row in found.changes.values() if row.points][:SHOWN_MOVES]
    lines = [
        (
            words.text(
                "brief.team_moved",
                team=words.teams[row.team_id],
                change=fmt.signed(words.language, row.points),
                before=fmt.score_in_tenths(words.language, row.score_before),
                after=fmt.score_in_tenths(words.language, row.score_after),
            ),
            parts.why_and_doubt(words, row),
        )
        for row in rows
    ]
    none = words.text("brief.moved_none") if found.changes else parts.nothing_compared(words)
    return Points(words.text("brief.moved_most"), "↕", tuple(lines), none)


def _points(words: Words, name: str, mark: str, rows: Sequence[ScoreMove]) -> Points:
    """A list, and in its title how many there are: paper has nothing to click, and the annex has every team's own."""
    items = board.say_moves(words.board, words.language, rows[:SHOWN_MOVES])
    lines = tuple((item.title, item.note) for item in items)
    title = words.text(f"overview.{name}")
    if len(rows) > SHOWN_MOVES:
        title = words.text("brief.shown_of", title=title, shown=SHOWN_MOVES, count=len(rows))
    return Points(title, mark, lines, board.none_moved(words.board, words.language, name))


def _decisions(found: Material) -> tuple[Block, ...]:
    """What to decide now, and how the decisions of before stand."""
    words, shown = found.words, found.asks[: board.MOST_LINES]
    blocks: list[Block] = []
    said = [parts.decided(words, found.goals)]
    if shown:
        blocks.append(asks.table(words, shown))
        if rest := found.asks[board.MOST_LINES :]:
            said[:0] = [
                words.text("brief.asks_rest"),
                *(f"*{fmt.unmarked(ask.what)}:* {fmt.unmarked(ask.detail)}" for ask in rest),
            ]
    else:
        blocks.append(Paragraph(board.nothing_to_decide(words.board, words.language)))
    chart = charts.standings(words, found.goals)
    notes = Paragraph("\n".join(said))
    blocks.append(Row((chart, notes), (1.0, 1.0)) if chart else notes)
    return tuple(blocks)


def _shared(found: Material) -> tuple[Block, ...]:
    """What most teams lack and what would help, then what users noticed."""
    words = found.words
    blocks: list[Block] = [parts.shared(words) or Paragraph(_nothing_shared(words))]
    noticed = [picture for picture in (charts.majors(words), charts.down(words)) if picture]
    if noticed:
        blocks.append(Row(tuple(noticed), (1.0, 1.15)[: len(noticed)]))
    return tuple(blocks)


def _nothing_shared(words: Words) -> str:
    """Say that no gap is shared, or that too little is measured to know."""
    return words.text("brief.shared_none" if words.board.found() else "brief.shared_unknown")


def _annex(found: Material) -> tuple[Section, ...]:
    """A block a team, all decisions, all duties that are not met, the ten largest gaps."""
    words = found.words
    said = board.moves(words.board, words.language)
    lines = {
        "overview.settle": group_by(found.matters, lambda item: item.team_id),
        "overview.better": group_by(said[True], lambda item: item.team_id),
        "overview.worse": group_by(said[False], lambda item: item.team_id),
    }
    gaps_of = group_by(found.gaps, lambda gap: gap.team_id)
    teams = [
        _team(found, team, gaps_of.get(team.team_id, []), lines, is_first=index == 0)
        for index, team in enumerate(words.board.teams)
    ]
    return (
        *teams,
        Section(
            words.text("brief.annex", name=words.text("report.gaps")),
            (parts.gaps(words, found.gaps[:SHOWN_GAPS], "gaps", with_team=True, is_known=bool(words.board.found())),),
            is_annex=True,
        ),
        Section(
            words.text("brief.annex", name=words.text("brief.changes")),
            (parts.changes(words, list(found.changes.values())),),
            is_annex=True,
            starts_page=False,
        ),
        Section(
            words.text("brief.annex", name=words.text("brief.decisions")),
            (parts.decisions(words, found.goals, "decisions"),),
            is_annex=True,
        ),
        Section(words.text("brief.annex", name=words.text("brief.duties")), (parts.duties(words),), is_annex=True),
    )


def _team(found: Material, team: Team, own: Sequence[Gap], lines: Lines, *, is_first: bool) -> Section:
    """One block of the annex."""
    words = found.words
    change = found.changes.get(team.team_id)
    blocks: list[Block] = [Paragraph(_team_lead(words, team))]
    if change is not None:
        key = "brief.team_change" if change.points else "brief.team_unchanged"
        delta = fmt.signed(words.language, change.points)
        blocks.append(Paragraph(words.text(key, change=delta, why=parts.why_and_doubt(words, change))))
    mine = own[:SHOWN_TEAM_GAPS]
    tables = (
        parts.areas(words, team.team_id),
        parts.gaps(words, mine, "team_gaps", with_team=False, is_known=_has_score(words, team)),
    )
    blocks.append(Row(tables, (1.0, 1.9)))
    blocks += [Paragraph(line) for line in _team_lines(words, team.team_id, lines)]
    return Section(
        words.text("brief.annex", name=words.teams[team.team_id]),
        tuple(blocks),
        is_annex=True,
        starts_page=is_first,
        team=words.teams[team.team_id],
    )


def _team_lines(words: Words, team_id: str, lines: Lines) -> list[str]:
    """What a team must settle and what moved, in lines."""
    prefix = f"{words.teams[team_id]}: "
    return [
        f"*{words.text(key)}:* "
        + fmt.unmarked(
            " · ".join(_told(item.title.removeprefix(prefix), item.detail, prefix) for item in by_team[team_id])
        )
        for key, by_team in lines.items()
        if team_id in by_team
    ]


def _told(title: str, detail: str, prefix: str) -> str:
    """A matter and its detail in one line, where the team and what the title names already stand."""
    name = title.split(":", maxsplit=1)[0]
    rest = detail.removeprefix(prefix).removeprefix(name).strip(" ,").removesuffix(".")
    return f"{title}{', ' if ':' in title else ': '}{rest[:1].lower()}{rest[1:]}" if rest else title


def _has_score(words: Words, team: Team) -> bool:
    own = words.board.scores.get(team.team_id)
    return own is not None and own.score is not None


def _team_lead(words: Words, team: Team) -> str:
    own = words.board.scores.get(team.team_id)
    key = "brief.team_lead" if _has_score(words, team) else "brief.team_no_score"
    if own is not None and own.status == "provisional":
        key = "brief.team_provisional"
    return words.text(
        key,
        score=fmt.score(words.language, own.score if own else None),
        level=words.level(own.level if own else None).lower(),
        coverage=fmt.percent(words.language, own.coverage if own else None),
    )
