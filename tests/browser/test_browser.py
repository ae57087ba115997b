"""The app in a real browser: every page clicked through, in both languages, over four snapshots."""

from __future__ import annotations

import io
import itertools
import json
import re
import shutil
import sys
from pathlib import Path

import duckdb
import polars as pl
import pypdf
import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Page

from opsmetrics.language.texts import text
from opsmetrics.reports import brief
from opsmetrics.reports.addresses import PAGES
from opsmetrics.snapshots.store import current
from tests.apps import ROOT, running_app
from tests.asking import settle
from tests.browser.watched import Watched, until
from tests.patience import LIMIT_MS

AXE = (Path(sys.prefix) / "oracles" / "npm" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
REFERENCES = Path(__file__).parent / "reference"
PATHS = {page.name: page.path for page in PAGES}
OPEN = {page.name: {"open": "all"} for page in PAGES if "open" in page.parameters}
"""Asks for all that opens on demand, where a page has it."""
LISTS = {page.name: page.below for page in PAGES}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def visit(windows, apps):
    """Open a watched page on an app; it must be without faults at the end of the test."""
    with windows.lent() as lend:
        yield lambda kind="full", **options: lend(apps(kind), **options)


def violations(page: Page) -> list[str]:
    """Return what axe finds serious or critical: rule, and the elements."""
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(r => r.violations)", RULES
    )
    return [
        f"{rule['id']}: {[node['html'][:160] for node in rule['nodes'][:3]]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def check_page(page: Page, language: str, name: str) -> None:
    """What holds on every page."""
    assert page.locator('[data-testid="stException"]').count() == 0, page.locator(
        '[data-testid="stException"]'
    ).inner_text()
    assert page.evaluate("document.documentElement.lang") == language
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    assert page.locator(".ops table:not(:has(caption))").count() == 0
    assert page.locator(".ops img:not([alt]), .ops img[alt='']").count() == 0
    assert page.locator(".stPlotlyChart:not(:has([aria-label])):not([aria-label])").count() == 0, name
    below = LISTS[name]
    here = page.locator(f".menu a[aria-current={'true' if below else 'page'}]:not([lang]), footer a[aria-current=page]")
    assert here.first.inner_text() == text(language, f"nav.{below or name}")


# Both languages with whole data; what is missing or much is the same in both, and their words are tried without a browser.
@pytest.mark.parametrize(
    ("kind", "language"), [("full", "nb"), ("full", "en"), ("empty", "nb"), ("half", "en"), ("large", "nb")]
)
def test_every_page_by_its_link(visit, kind, language):
    """Click through menu and foot; each page holds, and no two have the same title."""
    watched = visit(kind)
    page = watched.open("", lang=language)
    pictures = ROOT / "test-artifacts" / f"{kind}-{language}"  # kept for people to look at
    pictures.mkdir(parents=True, exist_ok=True)
    titles: dict[str, str] = {}
    for name, path in PATHS.items():
        if LISTS[name]:  # one of a list is found in its list, which is the page before
            watched.follow(page.locator(f'table a[href^="/{path}"]').first)
        elif path:
            label = text(language, f"nav.{name}")
            watched.follow(page.locator(".menu, footer").get_by_role("link", name=label, exact=True).first)
        until(page, "document.title.startsWith(document.querySelector('.ops h1').textContent)")
        check_page(page, language, name)
        titles[name] = page.title()
        page.screenshot(path=pictures / f"{name}.png")
        if path:
            assert f"/{path}" in page.url
            assert ("lang=en" in page.url) == (language == "en")
            until(page, "document.activeElement.tagName === 'H1'")  # focus moves to the new heading
    assert len(set(titles.values())) == len(titles), titles


@pytest.mark.parametrize("name", PATHS)
def test_no_serious_finding_of_axe(visit, name):
    """Light and dark, wide and narrow; the page reflows and nothing lies beside it."""
    watched = visit("full")
    page = watched.open(PATHS[name], **OPEN.get(name, {}))
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        settle(page, 400)
        assert violations(page) == [], (name, scheme)
    page.emulate_media(color_scheme="light")
    for width in (390, 320, 720):  # 720 is 1440 at 200 %
        page.set_viewport_size({"width": width, "height": 844})
        settle(page, 300)
        over = page.evaluate(
            "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
        )
        assert over <= 4, (name, width, over)
        if width == 390:
            assert violations(page) == [], (name, width)


@pytest.mark.parametrize("kind", ["empty", "half", "none"])
def test_no_serious_finding_where_data_are_missing(visit, kind):
    watched = visit(kind)
    if kind == "none":
        watched.page.goto(watched.address)
        watched.page.wait_for_selector(".ops h1")
        assert text("nb", "app.no_snapshot") in watched.page.inner_text("body")
        assert violations(watched.page) == []
        return
    for name in ("overview", "team", "metric", "health"):
        page = watched.open(PATHS[name])
        assert violations(page) == [], name
        assert not re.search(r'class="figure">\d', page.content()) or kind == "half", "no number where there is none"


FOCUSED = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return null;
    const rings = [here, here.closest('label, [role="group"], [data-testid$="RootElement"], [data-testid$="Container"]')];
    const shown = (each) => {
        const style = each && getComputedStyle(each);
        return style && (style.boxShadow !== 'none'
            || parseInt(style.outlineWidth) > 2 && style.outlineStyle !== 'none');
    };
    const box = here.getBoundingClientRect();
    return {name: here.tagName + ' ' + (here.innerText || here.getAttribute('aria-label') || '').slice(0, 40),
            isMenu: !!here.closest('header.menu'), isRinged: rings.some(shown), isSpin: here.role === 'spinbutton',
            isSeen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight};
}"""


@pytest.mark.parametrize("name", ["overview", "metric", "gaps", "restore", "configure"])
def test_the_keyboard_reaches_all_sees_where_it_is_and_leaves(visit, name):
    """A box that was chosen looked like the others, and so did the page itself."""
    page = visit().open(PATHS[name], lang="en", **({"team": "sjokart"} if name == "metric" else {}))
    page.wait_for_selector(".stSelectbox input")
    steps = []
    for _ in range(400):
        page.keyboard.press("Tab")
        step = page.evaluate(FOCUSED)
        if step is None:
            break
        steps.append(step)
    assert step is None, "no trap"
    boxes = page.locator(".stSelectbox input").count()
    assert sum(each["name"].startswith("INPUT") for each in steps) >= boxes
    assert [each["name"] for each in steps if not each["isSeen"]] == []
    assert [
        each["name"] for each in steps if not each["isRinged"] and not each["isSpin"] and each["name"] != "INPUT "
    ] == []


def test_the_way_past_the_menu_leads_past_the_menu(visit):
    """The framework's link led to what holds the menu too: the next step was the menu's first link."""
    page = visit().open(PATHS["team"], lang="en", team="sjokart")
    page.wait_for_selector(".stSelectbox input")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#stMain"
    page.keyboard.press("Enter")
    until(page, "document.activeElement.tagName === 'H1'")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["isMenu"] is False
    assert "#" not in page.url


def test_from_cell_to_team_to_metric_and_back(visit):
    """Three clicks, each an address of its own; Back returns to the same address and heading; keyboard works."""
    watched = visit()
    page = watched.open("", period="2026-09", lang="en")
    page.locator(".matrix a.cell").first.focus()
    page.keyboard.press("Enter")
    until(page, "location.pathname === '/team'")
    page.wait_for_selector("table.areas")
    team = page.url
    assert "period=2026-09" in team
    heading = page.inner_text("h1")
    watched.follow(page.locator("table.gaps tbody a").first)
    assert "metric=" in page.url
    assert page.locator("table.rows tbody tr").count() > 3, "evidence"
    page.go_back()
    until(page, "before => document.querySelector('.ops h1')?.textContent === before", heading)
    assert page.url == team
    page.go_back()
    until(page, "location.pathname === '/'")
    page.wait_for_selector("table.matrix")
    assert "September 2026" in page.inner_text(".ops .meta")


def test_back_comes_to_where_the_reader_was_and_the_menu_stays_in_sight(visit):
    """Down a long page, into a metric, and back: the same place of the page; tabs say which team they are of."""
    page = visit().open("team", team="ankerplass")
    assert page.title() == "Ankerplass – Driftsbarometer"
    link = page.locator("table.gaps tbody a").first
    link.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollBy(0, 300)")
    settle(page)
    at = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert at > 300
    menu = page.locator(".ops .menu").bounding_box()
    assert menu["y"] >= 0, "the menu is in sight"
    link.evaluate("node => node.click()")
    until(page, "location.pathname === '/maling'")
    until(page, "document.querySelector('.ops h1')?.textContent !== 'Ankerplass'")
    until(page, "document.querySelector('[data-testid=stMain]').scrollTop < 50")
    until(page, "document.title.includes(' – Ankerplass – ')")
    page.go_back()
    until(page, "document.querySelector('.ops h1')?.textContent === 'Ankerplass'")
    until(page, f"Math.abs(document.querySelector('[data-testid=stMain]').scrollTop - {at}) < 5")
    settle(page)
    assert abs(page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") - at) < 5
    assert page.locator(".ops .pill").count() + page.locator(".ops .banner[role=note]").count() == 1, "said once"


def test_a_shared_link_shows_the_same(visit):
    """All state is in the address: a second reader sees the same words."""
    watched, other = visit(), visit()
    page = watched.open("forbedring", area="bck", effort="M", period="2026-10", lang="en")
    page.get_by_role("link", name="2", exact=True).click()
    until(page, "location.search.includes('side=2')")
    until(page, "document.querySelector('.choice a[aria-current=page]')?.textContent === '2'")
    found = other.open("forbedring" + page.url.split("/forbedring")[1])
    assert found.inner_text("table.gaps") == page.inner_text("table.gaps")
    page.get_by_role("link", name="Norsk").click()
    until(page, "document.documentElement.lang === 'nb'")
    until(page, "document.querySelector('.ops h1')?.textContent === 'Forbedringspunkter'")
    assert "side=2" in page.url
    assert "effort=M" in page.url


def test_choosing_changes_the_address_and_back_undoes_it(visit):
    watched = visit()
    page = watched.open("team", team="ankerplass")
    page.get_by_label(text("nb", "team.choose")).first.click()
    page.get_by_role("option", name="Sjøkart").click()
    until(page, "document.querySelector('.ops h1')?.textContent === 'Sjøkart'")
    assert "team=sjokart" in page.url
    page.go_back()
    until(page, "document.querySelector('.ops h1')?.textContent === 'Ankerplass'")


def test_the_brief_is_downloaded_in_four_formats(visit, tmp_path):
    page = visit().open("rapport", period="2026-09")
    for kind, start in (("pdf", b"%PDF"), ("xlsx", b"PK"), ("pptx", b"PK"), ("html", b"<!doctype html>")):
        with page.expect_download() as waiting:
            page.locator(f'a[href*="/ned/brief.{kind}"]').click()
        assert waiting.value.suggested_filename == f"brief-2026-09-nb.{kind}"
        waiting.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(start)
    assert "<title>Månedsrapport drift, september 2026</title>" in (tmp_path / "html").read_text()


def test_a_change_of_the_setup_is_shown_and_not_written(visit):
    before = {path: path.read_bytes() for path in (ROOT / "examples" / "demo").rglob("*") if path.is_file()}
    page = visit().open("oppsett")
    page.get_by_role("button", name=text("nb", "configure.show")).click()
    page.get_by_text(text("nb", "configure.effect")).wait_for(timeout=LIMIT_MS)
    assert "+ankerplass,mon_signal_coverage,team_lead" in page.locator("[data-testid=stCode]").inner_text()
    assert text("nb", "configure.no_effect", count=14) in page.locator("[data-testid=stMain]").inner_text()
    assert {path: path.read_bytes() for path in before} == before


def test_every_table_and_figure_can_be_taken_home(visit, tmp_path):
    """CSV, XLSX and Parquet hold the same rows; a figure comes as PNG and SVG with its source in it."""
    watched = visit()
    page = watched.open("maling", team="ankerplass", metric="mon_alert_precision")
    frames = {}
    for kind in ("csv", "xlsx", "parquet"):
        with page.expect_download() as waiting:
            page.locator(f'a[href*="/ned/evidence.{kind}"]').click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert "mon_alert_precision" in path.name
        frames[kind] = path
    rows = pl.read_parquet(frames["parquet"])
    assert pl.read_csv(frames["csv"], separator=";", decimal_comma=True).height == rows.height > 10
    assert frames["xlsx"].read_bytes()[:2] == b"PK"
    for kind in ("png", "svg"):
        with page.expect_download() as waiting:
            page.locator(f'button[data-figure="{kind}"]').first.click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        if kind == "svg":
            drawing = path.read_text()
            assert "Varselpresisjon" in drawing
            assert "Eksempeldata" in drawing
            assert drawing.count("<path") > 10
        else:
            assert len(Image.open(path).convert("L").getcolors(100_000)) > 8


def test_print_cuts_no_chart(visit):
    page = visit().open("maling", team="sjokart", metric="mon_alert_precision", lang="nb")
    until(page, "document.querySelectorAll('.stPlotlyChart .annotation-text').length > 0")
    settle(page, 1000)
    labels = page.evaluate(
        "[...document.querySelectorAll('.stPlotlyChart .annotation-text')].map(label => label.textContent)"
    )
    reader = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    inside = ""
    for paper in reader.pages:
        edge = float(paper.mediabox.width) - 10

        def seen(words, user, matrix, _font, _size, edge=edge):
            nonlocal inside
            if matrix[4] * user[0] + user[4] < edge:
                inside += words

        paper.extract_text(visitor_text=seen)
    bare = re.sub(r"\s", "", inside)
    assert [label for label in labels if re.sub(r"\s", "", label) not in bare] == []


def test_a_figure_as_a_file_names_its_area(visit):
    page = visit().open("omrade", area="bck", lang="nb")
    sources = page.evaluate("[...document.querySelectorAll('[data-source]')].map(button => button.dataset.source)")
    assert len(sources) >= 2
    assert all(source.startswith(page.inner_text("h1")) for source in sources), sources


def test_the_report_prints_whole_on_four_tagged_pages(visit):
    for scheme in ("light", "dark"):
        watched = visit(color_scheme=scheme)
        page = watched.open("rapport", lang="nb", period="2026-10")
        settle(page, 500)
        drawn = page.evaluate(
            "[...document.querySelectorAll('.ops img')].map(image => [image.alt, image.naturalWidth])"
        )
        assert len(drawn) > 20
        assert all(alt and width for alt, width in drawn)
        content = page.pdf(prefer_css_page_size=True, tagged=True, print_background=True)
        reader = pypdf.PdfReader(io.BytesIO(content))
        assert len(reader.pages) == 4
        assert b"/StructTreeRoot" in content
        for paper, title in zip(
            reader.pages,
            ("Månedsrapport drift", "Team og områder", "Dette må møtet avgjøre", "Felles mangler og hendelser"),
            strict=True,
        ):
            assert title in paper.extract_text()
        # Every word stands whole on its page: none begins beyond an edge.
        for paper in reader.pages:
            places: list[tuple[float, str]] = []
            paper.extract_text(
                visitor_text=lambda words, user, matrix, _font, _size, places=places: places.append(
                    (matrix[4] * user[0] + user[4], words)
                )
            )
            assert all(0 <= x < float(paper.mediabox.width) for x, words in places if words.strip())


def test_the_report_says_what_the_brief_says(visit, homes):
    snapshot = current(homes["full"] / "snapshots")
    document = brief.compose(snapshot, brief.period_of(snapshot, "2026-10"), "en")
    page = visit().open("rapport", lang="en", period="2026-10")
    shown = page.evaluate(
        """[...document.querySelectorAll('.ops table')].map(table =>
            [...table.querySelectorAll('tbody tr')].map(row => row.cells[0].innerText.split('\\n')[0]))"""
    )
    front = [section for section in document.sections if not section.is_annex]
    tables = [block for section in front for block in section.blocks if block.kind == "table"]
    assert shown == [[row[0].text for row in table.rows] for table in tables]
    assert page.inner_text(".ops .lead") == front[0].blocks[0].text.replace("*", "")


def test_a_new_snapshot_appears_in_an_open_page_and_nobody_sees_half(browser, homes, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(homes["half"] / "snapshots", home / "snapshots")
    pointer = json.loads((home / "snapshots" / "current.json").read_text())
    with running_app(home, tmp_path / "log") as address:
        watched = Watched(browser, address)
        page = watched.open("")
        assert "Liten" in page.inner_text(".ops .meta")
        new = f"ops-new-{pointer['file']}"
        shutil.copyfile(home / "snapshots" / pointer["file"], home / "snapshots" / new)
        with duckdb.connect(home / "snapshots" / new) as con:
            con.execute("update meta.organisation set name_nb = 'Nyttnavn'")
            con.execute("update meta.build set build_id = repeat('a', 64)")
        size = (home / "snapshots" / new).stat().st_size
        changed = pointer | {"file": new, "build_id": "a" * 64, "size": size}
        (home / "snapshots" / ".pointer").write_text(json.dumps(changed))
        (home / "snapshots" / ".pointer").replace(home / "snapshots" / "current.json")
        until(page, "document.querySelector('.ops .meta')?.textContent.includes('Nyttnavn')")
        until(page, "document.querySelector('footer')?.textContent.includes('aaaaaaaaaaaa')")
        assert "Liten" not in page.inner_text("body")
        watched.context.close()
        assert watched.faults == []


@pytest.mark.parametrize(("name", "width", "scheme"), [("overview", 1280, "light"), ("team", 390, "dark")])
def test_looks_as_it_did(visit, name, width, scheme, tmp_path):
    """Compared coarsely, so that another version of the browser passes and a lost style sheet does not.

    A failure names both pictures; copy the new one over the old when it is meant.
    """
    watched = visit("half", color_scheme=scheme)
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(PATHS[name])
    settle(page, 800)
    path = tmp_path / f"{name}.png"
    page.screenshot(path=path)
    reference = REFERENCES / f"{name}-{width}-{scheme}.png"
    if not reference.exists():
        pytest.fail(f"no reference picture; look at {path} and copy it to {reference}")
    size = (width // 10, 90)
    now, before = (Image.open(file).convert("RGB").resize(size) for file in (path, reference))
    difference = ImageStat.Stat(ImageChops.difference(now, before)).mean
    assert max(difference) < 6, f"{difference} of 255 on average; compare {path} with {reference}"
