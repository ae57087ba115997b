"""Which sources are fresh, what was set aside, what has no owner, which cells rest on little?"""

from __future__ import annotations

from html import escape
from typing import Any

from scorecard_app import data, fmt
from scorecard_app.markup import table, tag
from scorecard_app.page import Page, begin, by, foot, head, show
from scorecard_app.views import explain

_MARKS = {"fresh": ("good", "✓"), "late": ("warn", "!"), "failed": ("bad", "✕"), "ended": ("plain", "–")}
_GAPS = {"late": ("warn", "!"), "at_risk": ("bad", "!"), "lost": ("bad", "✕")}


def render() -> None:
    """Show the state of the data."""
    page = begin()
    if page is None:
        return
    sources = data.sources(page.snapshot).to_dicts()
    head(page, page.text("health.title"), "")
    _lead(page, sources)
    _sources(page, sources)
    _missing(page)
    _quarantine(page)
    _unmatched(page)
    _suspect(page)
    _thin(page)
    explain.alarms(page)
    _exemptions(page)
    foot(page)


def _exemptions(page: Page) -> None:
    """Waivers, exemptions and windows that are valid, and what they are worth."""
    language = page.language
    rows = data.exemptions(page.snapshot).to_dicts()
    if not rows:
        return
    debts = by(data.exemption_debt(page.snapshot, page.period), "team_id")
    metrics, teams = by(data.metrics(page.snapshot), "metric_id"), by(data.teams(page.snapshot), "team_id")
    shown: list[list[str]] = []
    for row in rows:
        metric = metrics.get(row["subject"])
        debt = debts.get(row["team_id"]) if row["kind"] == "waiver" else None
        kind = f"health.kind_{row['kind']}"
        shown.append(
            [
                escape(page.name(teams[row["team_id"]])),
                escape(page.name(metric, "title") if metric else row["subject"])
                + f'<span class="small">{escape(page.text(kind))}</span>',
                escape(row["reason"]),
                escape(row["approver"]),
                fmt.short_date(language, row["valid_to"]),
                fmt.number(language, row["days_left"]),
                explain.signed(language, debt["debt_points"] if debt else None),
            ]
        )
    header = [
        (page.text("word.team"), False),
        (page.text("health.exempt_what"), False),
        (page.text("word.reason"), False),
        (page.text("health.approver"), False),
        (page.text("health.expires"), False),
        (page.text("health.days_left"), True),
        (page.text("health.debt"), True),
    ]
    show(
        f"<h2>{escape(page.text('health.exemptions'))}</h2>"
        f'<p class="hint">{escape(page.text("health.exemptions_hint"))}</p>'
        + table(page.text("health.exemptions_caption"), header, shown)
    )


def _missing(page: Page) -> None:
    """Days that a connector owed: what its source will soon have forgotten stands first."""
    language = page.language
    rows = [
        [
            escape(page.text(f"stream.{row['stream']}"))
            + f'<span class="small">{escape(row["stream"])} · {escape(row["origin"])}</span>',
            tag(*_GAPS[row["state"]], page.text(f"health.gap_{row['state']}")),
            f"{fmt.short_date(language, row['starts_on'])} – {fmt.short_date(language, row['ends_on'])}",
            fmt.number(language, row["day_count"]),
            fmt.short_date(language, row["lost_on"]) if row["lost_on"] else fmt.MISSING,
        ]
        for row in data.missing_days(page.snapshot).iter_rows(named=True)
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
        f"<h2>{escape(page.text('health.gaps'))}</h2>"
        f'<p class="hint">{escape(page.text("health.gaps_hint"))}</p>'
        + table(page.text("health.gaps_caption"), header, rows)
    )


def _lead(page: Page, sources: list[dict[str, Any]]) -> None:
    sources = [source for source in sources if source["state"] != "ended"]
    fresh = sum(source["state"] == "fresh" for source in sources)
    late = dict.fromkeys(page.text(f"stream.{s['stream']}") for s in sources if s["state"] != "fresh")
    names = ", ".join(late)
    key = "health.lead_problem" if names else "health.lead"
    show(f'<p class="lead">{escape(page.text(key, fresh=fresh, all=len(sources), names=names))}</p>')


def _sources(page: Page, sources: list[dict[str, Any]]) -> None:
    language, zone = page.language, page.organisation["timezone"]
    rows: list[list[str]] = []
    for source in sources:
        kind, mark = _MARKS[source["state"]]
        error = f'<span class="small">{escape(source["error"])}</span>' if source["error"] else ""
        day = fmt.long_date(language, source["last_day"]) if source["last_day"] else fmt.MISSING
        register = page.text("health.register")
        expected = register if source["is_register"] else page.text("health.hours", hours=source["expected_hours"])
        name = escape(page.text(f"stream.{source['stream']}"))
        rows.append(
            [
                f'{name}<span class="small">{escape(source["stream"])} · {escape(source["origin"])}</span>',
                tag(kind, mark, page.text(f"health.{source['state']}")) + error,
                day,
                fmt.instant(language, source["attempted_at"], zone),
                escape(expected),
                fmt.number(language, source["row_count"]),
                fmt.number(language, source["quarantined"]),
            ]
        )
    header = [
        (page.text("word.source"), False),
        (page.text("word.status"), False),
        (page.text("health.last_day"), False),
        (page.text("health.last_pull"), False),
        (page.text("health.expected"), False),
        (page.text("word.rows"), True),
        (page.text("health.quarantined"), True),
    ]
    show(f"<h2>{escape(page.text('health.sources'))}</h2>" + table(page.text("health.sources_caption"), header, rows))


def _quarantine(page: Page) -> None:
    rows = data.quarantine(page.snapshot).to_dicts()
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
    rows = data.unmatched(page.snapshot)
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
    rows = data.suspect_monitors(page.snapshot)
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
    show(f"<h2>{escape(page.text(f'health.{name}'))}</h2>")
    if not cells:
        show(f'<p class="hint">{escape(page.text(f"health.{name}_none"))}</p>')
        return
    hint = ""
    if name in {"quarantine", "suspect"}:
        hint = f'<p class="hint">{escape(page.text(f"health.{name}_hint"))}</p>'
    show(hint + table(page.text(f"health.{name}_caption"), header, cells))


def _thin(page: Page) -> None:
    teams = by(data.teams(page.snapshot), "team_id")
    areas = by(data.areas(page.snapshot), "area_id")
    thin = [
        row
        for row in data.area_scores(page.snapshot, page.period).sort("coverage", "team_id").to_dicts()
        if row["status"] in {"provisional", "too_little_data"}
        or (row["coverage"] is not None and row["coverage"] < 0.6)
    ]
    items = ""
    for row in thin:
        label = f"{page.name(teams[row['team_id']])}: {page.name(areas[row['area_id']])}"
        coverage = f"{page.text('word.coverage').lower()} {fmt.percent(page.language, row['coverage'])}"
        status = page.text(f"status.{row['status']}") if row["status"] != "ok" else ""
        items += f"<li>{page.link('team', label, team=row['team_id'])} {escape(coverage)} {escape(status)}</li>"
    body = items or f"<li>{escape(page.text('health.thin_none'))}</li>"
    show(f'<h2>{escape(page.text("health.thin"))}</h2><ul class="plain">{body}</ul>')
