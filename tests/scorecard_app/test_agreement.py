"""One fact, one number, one word: what screens, brief, slides, workbook and command say of the same day, held together.

Everything is read from what a reader sees and held against SQL of this test's own, never against the function that
made it.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date

import openpyxl
import pypdf
import pytest
from pptx import Presentation

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.brief import WRITERS, compose, period_of
from opsmetrics.snapshots.store import current, open_current
from tests.altered import altered
from tests.pages import flat, open_page

PERIODS = ("latest", "2026-06")
PAGES = ("overview", "teams", "months", "decisions", "exemptions", "health")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MET = {
    "nb": r"(\d+) av (\d+) team (?:med score )?(?:oppfyller kravet|er på nivået)",
    "en": r"(\d+) of (\d+) teams (?:with a score )?(?:meet the requirement|are at the level)",
}


@dataclass(frozen=True)
class Said:
    """All that is said of one period in one language: by name of the output, its words."""

    language: str
    label: str
    pages: dict[str, str]
    files: dict[str, str]
    home: object

    def everywhere(self) -> dict[str, str]:
        return self.pages | self.files

    def sql(self, select: str) -> list[tuple]:
        with open_current(self.home / "snapshots") as con:
            con.execute(
                "create temp table here as select * from ref.as_of where grain = $1 and (grain = 'latest' or label = $2)",
                ["latest" if self.label == "latest" else "month", self.label],
            )
            return con.execute(select).fetchall()


def plain(words: str) -> str:
    return re.sub(r"\s+", " ", words.replace("\u00a0", " ").replace("*", ""))


def read_slides(raw: bytes) -> str:
    show = Presentation(io.BytesIO(raw))
    said = []
    for slide in show.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                said.append(shape.text_frame.text)
            if shape.has_table:
                said += [cell.text for row in shape.table.rows for cell in row.cells]
    return "\n".join(said)


def read_book(raw: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(raw))
    first = book.worksheets[0]
    return "\n".join(as_shown(cell) for row in first.iter_rows() for cell in row if cell.value is not None)


def as_shown(cell) -> str:
    """A cell as its own format shows it."""
    if not isinstance(cell.value, (int, float)):
        return str(cell.value)
    decimals = len(cell.number_format.partition(".")[2].rstrip("%"))
    is_percent = cell.number_format.endswith("%")
    return f"{cell.value * (100 if is_percent else 1):.{decimals}f}{'%' if is_percent else ''}"


@pytest.fixture(scope="module", params=[(language, label) for language in LANGUAGES for label in PERIODS], ids=str)
def said(request, demo_home):
    language, label = request.param
    chosen = {} if label == "latest" else {"period": label}
    with pytest.MonkeyPatch.context() as patch:
        pages = {name: plain(flat(open_page(name, demo_home, patch, lang=language, **chosen)[1])) for name in PAGES}
    snapshot = current(demo_home / "snapshots")
    document = compose(snapshot, period_of(snapshot, label), language)
    raw = {kind: write(document) for kind, write in WRITERS.items()}
    files = {
        "html": flat(raw["html"].decode()),
        "pdf": " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(raw["pdf"])).pages),
        "pptx": read_slides(raw["pptx"]),
        "xlsx": read_book(raw["xlsx"]),
    }
    return Said(language, label, pages, {name: plain(words) for name, words in files.items()}, demo_home)


def found(pattern: str, words: str) -> list:
    return re.findall(pattern, words)


def test_how_many_meet_the_requirement(said):
    [(met, teams)] = said.sql(
        "select count(*) filter (level >= 3), count(*) from scores.team join here using (as_of, grain)"
    )
    for name in ("overview", "teams", "months", "html", "pdf", "pptx", "xlsx"):
        pairs = {(int(a), int(b)) for a, b in found(MET[said.language], said.everywhere()[name])}
        assert pairs == {(met, teams)}, name


def test_the_median_and_how_it_moved(said):
    [(now, before, year)] = said.sql(
        """with months as (
               select w.as_of, median(s.score) as score from scores.team as s join ref.as_of as w using (as_of, grain)
               where w.grain = 'month' and w.as_of < (select as_of from here) group by w.as_of)
           select (select median(score) from scores.team join here using (as_of, grain)),
               (select arg_max(score, as_of) from months),
               (select arg_min(score, abs(date_diff('day', as_of, (select as_of from here) - interval 365 day)))
                from months where abs(date_diff('day', as_of, (select as_of from here) - interval 365 day)) <= 31)"""
    )
    label = text(said.language, "overview.strip_median")
    out_of = text(said.language, "word.out_of_100")
    moved = [fmt.signed(said.language, fmt.moved(then, now)) for then in (before, year) if then is not None]
    since = {"nb": "siden", "en": "since"}[said.language]
    for name in ("overview", "html", "pdf", "pptx", "xlsx"):
        words = said.everywhere()[name]
        assert re.search(rf"{label} {fmt.score(said.language, now)} (?:{out_of})?", words), name
        after = words.split(label, 1)[1][:400]
        assert found(rf"([−+]?\d+[.,]\d) {since}", after)[: len(moved)] == moved, name


def test_major_incidents_and_what_is_usual(said):
    rows = said.sql(
        """select a.age, count(i.incident_id) from range(13) as a (age), here as w
           left join facts.incidents as i on i.severity <= 2 and not i.is_exercise
               and i.declared_at < w.as_of - a.age * interval 28 day
               and i.declared_at >= w.as_of - (a.age + 1) * interval 28 day
           group by a.age order by a.age"""
    )
    now, *earlier = [count for _, count in rows]
    told = said.sql(
        """select count(distinct day) from meta.delivered_days, here
           where stream = 'incidents' and day <= "on" and day > "on" - 28"""
    )
    label = text(said.language, "overview.strip_majors")
    for name in ("overview", "html", "pdf", "pptx", "xlsx"):
        after = said.everywhere()[name].split(label, 1)[1].strip()
        wanted = str(now) if told[0][0] >= 26 else "–"
        assert after.startswith(wanted), (name, after[:40])
        usual = found(r"(?:vanligvis|usually) (\d+)–(\d+)", after[:80])
        assert all(int(low) >= min(earlier) and int(high) <= max(earlier) for low, high in usual)
        assert usual == found(r"(?:vanligvis|usually) (\d+)–(\d+)", said.pages["overview"].split(label, 1)[1][:80])


def test_how_many_systems_deliver(said):
    [(fine, every)] = said.sql(
        """select count(*) filter (not silent), count(*) from (
               select kind, bool_or(state in ('late', 'failed')) as silent from marts.source_health
               where state <> 'ended' group by kind)"""
    )
    pattern = {"nb": r"(\d+) av (\d+) systemer leverer", "en": r"(\d+) of (\d+) systems deliver"}[said.language]
    outputs = ("overview", "html", "pdf", "pptx", "xlsx") if said.label == "latest" else ()
    for name in ("health", *outputs):
        assert {(int(a), int(b)) for a, b in found(pattern, said.everywhere()[name])} == {(fine, every)}, name
    counted = {"nb": r"\d+ av \d+ kilder", "en": r"\d+ of \d+ sources"}[said.language]
    assert not any(found(counted, words) for words in said.everywhere().values())


def test_what_most_teams_lack(said):
    [(title, below, measured)] = said.sql(
        f"""select m.title_{said.language}, count(*) filter (s.points < 60) as below, count(*) as measured
            from scores.metric as s join here using (as_of, grain) join meta.metrics as m using (metric_id)
            where s.points is not null and not starts_with(s.status, 'not_measured')
            group by m.metric_id, m.title_{said.language}, m.weight order by below desc, m.weight desc, m.metric_id
            limit 1"""
    )
    said_of = {"nb": f"{below} av {measured}", "en": f"{below} of {measured}"}[said.language]
    for name in ("overview", "html", "pdf", "pptx"):
        words = said.everywhere()[name]
        assert title in words, name
        assert said_of in words, name


def test_the_service_that_was_down_longest(said):
    rows = said.sql(
        f"""select s.name_{said.language}, sum(d.down_minutes) as minutes
            from facts.availability_daily as d join ref.services as s using (service_id), here
            where d.day <= "on" and d.day > "on" - 28
                and d.service_id not in (select coalesce(service_id, '') from marts.suspect_monitors)
            group by all having sum(d.down_minutes) > 0 order by minutes desc limit 1"""
    )
    for name, minutes in rows:
        shown = plain(fmt.duration(said.language, minutes))
        assert re.search(rf"{re.escape(name)} \S.{{0,40}}? {re.escape(shown)}", said.pages["overview"])
        for kind in ("html", "pdf", "pptx"):
            assert f"{name}, {shown}" in said.files[kind], kind


def test_days_left_count_to_the_day_that_is_shown(said):
    [(today,)] = said.sql('select "on" from here')
    left = {"nb": r"(\d{2})\.(\d{2})\.(\d{4}) (\d+) ", "en": r"(\d{1,2}) (\w{3,4}) (\d{4}) (\d+) "}[said.language]
    seen = 0
    for day, month, year, days in found(left, said.pages["exemptions"]):
        number_of = int(month) if month.isdecimal() else MONTHS.index(month[:3]) + 1
        assert (date(int(year), number_of, int(day)) - today).days == int(days)
        seen += 1
    [(wanted,)] = said.sql(
        'select count(*) from marts.exemptions, here where valid_from <= here."on" and valid_to > here."on"'
    )
    assert seen == wanted
    due = {
        "nb": r"(\d{2})\.(\d{2})\.(\d{4}) (?:Planlagt|Pågår), (\d+) dager (igjen|over)",
        "en": r"(\d{1,2}) (\w{3,4}) (\d{4}) (?:Planned|In progress), (\d+) days (left|over)",
    }[said.language]
    for day, month, year, days, way in found(due, said.pages["decisions"]):
        number_of = int(month) if month.isdecimal() else MONTHS.index(month[:3]) + 1
        ahead = (date(int(year), number_of, int(day)) - today).days
        assert ahead == (int(days) if way in {"igjen", "left"} else -int(days))


def test_decisions_past_their_day(said):
    """The page, the list on the overview and the report's picture count the same ones."""
    [(over, every)] = said.sql(
        """select count(*) filter (r.forecast <> 'closed' and r.due_on < w."on" and (
                   g.status in ('planned', 'in_progress') or w.grain <> 'latest' and g.status <> 'dropped')),
               count(*)
           from scores.goal as r join here as w using (as_of, grain)
           join ref.goals as g using (team_id, metric_id, decided_on)"""
    )
    lead = {"nb": r"(\w+) er over fristen", "en": r"(\w+) (?:is|are) overdue"}[said.language]
    few = {"nb": {0: "ingen", 1: "én"}, "en": {0: "one", 1: "one"}}[said.language]  # not one, one
    assert found(lead, said.pages["decisions"])[:1] == [few.get(over, str(over))]
    label = text(said.language, "brief.standing_over")
    shown = found(rf"{label} (\d+)", said.files["html"])
    assert shown == ([str(over)] if over else [])
    counted = {"nb": rf"av {every} beslutninger er nådd", "en": rf"of {every} decisions (?:is|are) reached"}[
        said.language
    ]
    for kind in ("html", "pdf", "pptx"):
        assert re.search(counted, said.files[kind]), kind


def test_every_teams_score(said):
    """On the overview, in the list of teams, in the report's matrix and its annex, and from the command."""
    rows = said.sql(
        f"""select t.name_{said.language}, s.score, s.team_id from scores.team as s join here using (as_of, grain)
            join ref.teams as t using (team_id) where s.score is not null"""
    )
    assert rows
    out_of = {"nb": "av 100", "en": "out of 100"}[said.language]
    for name, score, _ in rows:
        shown = fmt.score(said.language, score)
        assert re.search(rf"{re.escape(name)} (?:\S+ ){{1,16}}?{re.escape(shown)} ", said.pages["teams"]), name
        assert f"{shown} {out_of}" in said.files["html"].rsplit(f": {name} ", 1)[1][:120], name


def test_duties_lead_to_the_handbook_where_it_has_an_address_and_nowhere_without(demo_home, tmp_path, monkeypatch):
    address = "https://intranet.example.org/handbook#duties"
    home, snapshot = altered(demo_home, tmp_path / "handbook", f"update meta.obligations set link = '{address}'")
    document = compose(snapshot, period_of(snapshot, "latest"), "nb")
    page = WRITERS["html"](document).decode()
    duties = [section for section in document.sections if section.title.endswith(text("nb", "brief.duties"))]
    count = len(duties[0].blocks[0].rows)
    assert page.count(f'href="{address}"') == count > 5
    paper = pypdf.PdfReader(io.BytesIO(WRITERS["pdf"](document)))
    links = [
        annotation.get_object()["/A"]["/URI"]
        for sheet in paper.pages
        for annotation in sheet.get("/Annots", [])
        if "/URI" in annotation.get_object().get("/A", {})
    ]
    assert links.count(address) >= count
    book = openpyxl.load_workbook(io.BytesIO(WRITERS["xlsx"](document)))
    cells = [cell for row in book[text("nb", "brief.sheet_duties")].iter_rows(min_row=2, max_col=1) for cell in row]
    assert [cell.hyperlink.target + "#" + cell.hyperlink.location for cell in cells if cell.value][:1] == [address]
    for view, chosen in (
        ("team", {"team": "ankerplass"}),
        ("about", {"open": "duties"}),
        ("metric", {"metric": "bck_coverage"}),
    ):
        _, html = open_page(view, home, monkeypatch, lang="nb", **chosen)
        assert address in html, view
        assert text("nb", "first.opens_handbook") in html
        _, html = open_page(view, demo_home, monkeypatch, lang="nb", **chosen)
        assert text("nb", "first.opens_handbook") not in html
