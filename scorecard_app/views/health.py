"""Which sources are fresh, what was set aside, what has no owner, which cells rest on little?"""

from __future__ import annotations

from html import escape
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import catalogue, quality, scores
from scorecard_app.marks import runs
from scorecard_app.markup import heading, points, rich, small, table, tag
from scorecard_app.page import Page, by, head, show, view

_MARKS = {"fresh": ("good", "✓"), "late": ("warn", "!"), "failed": ("bad", "✕"), "ended": ("plain", "–")}
_GAPS = {"late": ("warn", "!"), "at_risk": ("bad", "!"), "lost": ("bad", "✕")}


@view("health")
def render(page: Page) -> None:
    """Show the state of the data."""
    sources = quality.sources(page.snapshot).to_dicts()
    head(page, page.text("health.title"))
    _lead(page, sources)
    _sources(page, sources)
    _missing(page)
    _thin(page)
    _quarantine(page)
    _unmatched(page)
    _suspect(page)


def _missing(page: Page) -> None:
    """Days that a connector owed: what its source will soon have forgotten stands first."""
    language = page.language
    rows = [
        [
            escape(page.text(f"stream.{row['stream']}")) + small(f"{row['stream']} · {row['origin']}"),
            tag(*_GAPS[row["state"]], page.text(f"health.gap_{row['state']}")),
            f"{fmt.short_date(language, row['starts_on'])} – {fmt.short_date(language, row['ends_on'])}",
            fmt.number(language, row["day_count"]),
            fmt.short_date(language, row["lost_on"]) if row["lost_on"] else fmt.MISSING,
        ]
        for row in quality.missing_days(page.snapshot).iter_rows(named=True)
    ]
    if not rows:
        return
    header = [
        (page.text("word.source"), False),
        (page.text("word.status"), False),
        (page.text("health.gap_days"), False),
        (page.text("health.gap_count"), True),
        (page.text("health.gap_lost_on"), False),
    ]
    show(
        heading(page.text("health.gaps"))
        + f'<p class="hint">{escape(page.text("health.gaps_hint"))}</p>'
        + table(page.text("health.gaps_caption"), header, rows)
        + page.downloads("missing-days")
    )


def _lead(page: Page, sources: list[dict[str, Any]]) -> None:
    sources = [source for source in sources if source["state"] != "ended"]
    fresh = sum(source["state"] == "fresh" for source in sources)
    late = dict.fromkeys(page.text(f"stream.{s['stream']}") for s in sources if s["state"] != "fresh")
    names = ", ".join(late)
    key = "health.lead_problem" if names else "health.lead"
    show(f'<p class="lead">{rich(page.text(key, fresh=fresh, all=len(sources), names=names))}</p>')


def _sources(page: Page, sources: list[dict[str, Any]]) -> None:
    language, zone = page.language, page.organisation["timezone"]
    delivered = by(quality.deliveries(page.snapshot), "stream", "origin")
    last, without = quality.last_day(page.snapshot), by(quality.teams_without(page.snapshot, page.period), "stream")
    teams = by(catalogue.teams(page.snapshot), "team_id")
    rows: list[list[str]] = []
    for source in sources:
        days = set(delivered.get((source["stream"], source["origin"]), {}).get("days") or ())
        bars = escape(page.text("health.register_bars"))
        if not source["is_register"]:
            words = page.text("health.runs", count=len(days), all=quality.SHOWN_RUNS)
            bars = runs(days, last, quality.SHOWN_RUNS, words)
        missing = without.get(source["stream"], {}).get("teams") or []
        kind, mark = _MARKS[source["state"]]
        error = small(source["error"] or "")
        day = fmt.long_date(language, source["last_day"]) if source["last_day"] else fmt.MISSING
        register = page.text("health.register")
        expected = register if source["is_register"] else _every(page, source["expected_hours"])
        name = escape(page.text(f"stream.{source['stream']}"))
        rows.append(
            [
                name + small(f"{source['stream']} · {source['origin']}"),
                tag(kind, mark, page.text(f"health.{source['state']}")) + error,
                escape(day) + small(fmt.instant(language, source["attempted_at"], zone)),
                escape(expected),
                fmt.number(language, source["row_count"]),
                fmt.number(language, source["quarantined"]),
                bars,
                ", ".join(page.link("team", page.label(teams[team_id]), team=team_id) for team_id in missing)
                or escape(page.text("health.none")),
            ]
        )
    header = [
        (page.text("word.source"), False),
        (page.text("word.status"), False),
        (page.text("health.last_day"), False),
        (page.text("health.expected"), False),
        (page.text("word.rows"), True),
        (page.text("health.quarantined"), True),
        (page.text("health.last_runs"), False),
        (page.text("health.teams_without"), False),
    ]
    legend = f'<p class="hint">{escape(page.text("health.runs_legend"))}</p>'
    show(
        heading(page.text("health.sources"), page.text("health.sources_note"))
        + table(page.text("health.sources_caption"), header, rows)
        + legend
        + page.downloads("sources")
    )


def _every(page: Page, hours: int) -> str:
    """Say how often a source should deliver, in the longest unit that fits."""
    unit = next(
        name for least, name in ((28 * 24, "month"), (7 * 24, "week"), (24, "day"), (0, "hour")) if hours >= least
    )
    return page.text(f"health.every_{unit}")


def _quarantine(page: Page) -> None:
    rows = quality.quarantine(page.snapshot).to_dicts()
    cells = [
        [
            f'{escape(page.text("stream." + row["stream"]))}<span class="small">{escape(row["source"])}</span>',
            escape(row["reason"]),
            fmt.number(page.language, row["rows"]),
            fmt.number(page.language, row["line"]),
        ]
        for row in rows
    ]
    header = [
        (page.text("word.source"), False),
        (page.text("word.reason"), False),
        (page.text("word.rows"), True),
        (page.text("health.line"), True),
    ]
    _section(page, "quarantine", header, cells)


def _unmatched(page: Page) -> None:
    rows = quality.unmatched(page.snapshot)
    cells = [
        [escape(row["name"]), escape(row["stream"]), fmt.number(page.language, row["row_count"])]
        for row in rows.to_dicts()
    ]
    header = [
        (page.text("health.name"), False),
        (page.text("word.source"), False),
        (page.text("word.rows"), True),
    ]
    _section(page, "unmatched", header, cells)


def _suspect(page: Page) -> None:
    rows = quality.suspect_monitors(page.snapshot)
    if rows.is_empty():
        return
    cells = [
        [
            escape(row["monitor_key"]),
            fmt.percent(page.language, row["down_ratio"], 1),
            str(row["first_http_status"]),
        ]
        for row in rows.to_dicts()
    ]
    header = [
        (page.text("health.name"), False),
        (page.text("health.down"), True),
        (page.text("health.http"), True),
    ]
    _section(page, "suspect", header, cells)


def _section(page: Page, name: str, header: list[tuple[str, bool]], cells: list[list[str]]) -> None:
    title = heading(page.text(f"health.{name}"))
    if not cells:
        show(title + f'<p class="hint">{escape(page.text(f"health.{name}_none"))}</p>')
        return
    hint = ""
    if name in {"quarantine", "suspect"}:
        hint = f'<p class="hint">{escape(page.text(f"health.{name}_hint"))}</p>'
    files = page.downloads({"suspect": "suspect-monitors"}.get(name, name))
    show(title + hint + table(page.text(f"health.{name}_caption"), header, cells) + files)


def _thin(page: Page) -> None:
    teams = by(catalogue.teams(page.snapshot), "team_id")
    areas = by(catalogue.areas(page.snapshot), "area_id")
    thin = [
        row
        for row in scores.area_scores(page.snapshot, page.period).sort("coverage", "team_id").to_dicts()
        if row["status"] in {"provisional", "too_little_data"}
        or (row["coverage"] is not None and row["coverage"] < 0.6)
    ]
    items: list[str] = []
    for row in thin:
        label = f"{page.label(teams[row['team_id']])}: {page.label(areas[row['area_id']])}"
        coverage = f"{page.text('word.coverage').lower()} {fmt.percent(page.language, row['coverage'])}"
        status = page.text(f"status.{row['status']}").lower() if row["status"] != "ok" else ""
        name = page.link("team", label, team=row["team_id"])
        items.append(f"{name} {escape(', '.join(word for word in (coverage, status) if word))}")
    body = points(items, "plain columns") if items else f'<p class="hint">{escape(page.text("health.thin_none"))}</p>'
    show(heading(page.text("health.thin"), page.text("health.thin_note")) + body)
