"""A walk that looks for faults: every page with an address that somebody spoilt, and every link of every page."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.addresses import FILES, OVERVIEW, PAGES, SHARED, AppPage
from opsmetrics.snapshots.store import open_current
from scorecard_app import asked, downloads
from tests.pages import flat, links_of, open_page

BAD = {
    "nb": ("finnesikke", "æøå" * 700, "{0.__class__}", "../.."),
    "en": ("finnesikke", "<img src=x onerror=alert(1)>", "1.5e9", "x\x00y"),
}
FOREIGN = {"team": "sjokart", "area": "bck", "metric": "mon_alert_precision", "role": "tech_lead", "effort": "S"}
TWO = {
    "team": ["ankerplass", "sjokart"],
    "area": ["bck", "mon"],
    "metric": ["mon_alert_precision", "bck_restore_tested"],
    "period": ["2026-09", "2026-08"],
    "lang": ["nb", "en"],
    "role": ["tech_lead", "team_lead"],
    "effort": ["S", "M"],
    "sort": ["group", "lowest"],
    "side": ["1", "2"],
    "other": ["sjokart", "kaiplan"],
    "before": ["2026-05", "2026-04"],
    "open": ["metrics", "changes"],
}
ALERT = 'role="alert"'


def alerts(html: str) -> list[str]:
    """What a page says about its address."""
    return [flat(part.split("</div>")[0].split(">", 1)[1]) for part in html.split(f'class="banner" {ALERT}')[1:]]


def parameters(place: AppPage) -> tuple[str, ...]:
    return (*place.parameters, *SHARED)


def test_every_parameter_of_every_page_is_tried():
    assert {name for page in PAGES for name in parameters(page)} <= TWO.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PAGES, ids=lambda page: page.name)
def test_what_the_address_asks_for_in_vain_is_said(place, language, demo_home, monkeypatch):
    """Unknown, very long, markup, of another type: a sentence names it, and no other team's data stand for it."""
    for key in parameters(place):
        for bad in BAD[language]:
            query = {"lang": language, key: bad}
            _, html = open_page(place.name, demo_home, monkeypatch, **query)
            said = escape(bad[: asked.SHOWN_LETTERS])
            assert len(html.split("<h1")) == 2
            assert escape(bad) == bad or bad not in html
            if key in asked.THINGS:
                title = html.split("<h1")[1].split(">", 1)[1].split("</h1>")[0]
                assert title.startswith(escape(text(language, f"asked.no_{key}", name="{name}")).split("{name}")[0])
                assert said in title
                assert "<table" not in html, "nothing of somebody else"
                with open_current(demo_home / "snapshots") as con:
                    table, column = {"team": ("ref.teams", "team_id"), "area": ("meta.areas", "area_id")}.get(
                        key, ("meta.metrics", "metric_id")
                    )
                    ids = {name for (name,) in con.execute(f"select {column} from {table}").fetchall()}
                offered = {dict(link.query).get(key) for link in links_of(html)} & ids
                assert offered == ids
            else:
                (sentence,) = alerts(html)
                assert said in sentence


@pytest.mark.parametrize("place", [page for page in PAGES if "side" in page.parameters], ids=lambda page: page.name)
@pytest.mark.parametrize("bad", ["²", "٣", "0", "-1", "1.5", " 1", "9" * 5000])
def test_what_only_looks_like_the_number_of_a_page_is_said(place, bad, demo_home, monkeypatch):
    """Signs that Python takes for digits, and numbers longer than it reads, once ended every list with an error."""
    _, html = open_page(place.name, demo_home, monkeypatch, side=bad)
    assert alerts(html) == [text("nb", "asked.no_side", name=bad if len(bad) < 40 else bad[:40] + "…")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", [page for page in PAGES if "side" in page.parameters], ids=lambda page: page.name)
def test_a_page_beyond_the_last_of_a_list_is_said(place, language, demo_home, homes, monkeypatch):
    """It once showed the last page in silence; a page without a long list has one page."""
    choices = [{}, {"team": "sjokart"}] if "team" in place.parameters else [{}]
    for home, chosen in ((home, chosen) for home in (demo_home, homes["large"]) for chosen in choices):
        _, plain = open_page(place.name, home, monkeypatch, lang=language, **chosen)
        linked = [int(dict(link.query)["side"]) for link in links_of(plain) if "side" in dict(link.query)]
        most = max(linked, default=1)
        _, html = open_page(place.name, home, monkeypatch, lang=language, side=str(most), **chosen)
        assert alerts(html) == []
        _, html = open_page(place.name, home, monkeypatch, lang=language, side="999", **chosen)
        assert alerts(html) == [text(language, "asked.beyond", name=999, most=most)]


def test_pages_of_a_list_of_hundreds_lead_to_other_rows(homes, monkeypatch):
    """Where teams lie in one metric had links to its other pages that led back to the first."""
    seen: set[str] = set()
    for place in (page for page in PAGES if "side" in page.parameters):
        _, first = open_page(place.name, homes["large"], monkeypatch)
        _, second = open_page(place.name, homes["large"], monkeypatch, side="2")
        if any(dict(link.query).get("side") == "2" for link in links_of(first)):
            seen.add(place.name)
            assert flat(first) != flat(second), place.name
    assert seen == {"overview", "gaps", "metric", "teams", "months", "changes"}


@pytest.mark.parametrize("place", PAGES, ids=lambda page: page.name)
def test_an_address_that_says_two_things_is_not_taken_for_one_of_them(place, demo_home, monkeypatch):
    for key in parameters(place):
        _, html = open_page(place.name, demo_home, monkeypatch, **{key: TWO[key]})
        if key in asked.THINGS:
            assert text("nb", f"asked.several_{key}") in html
            assert "<table" not in html
        elif key == "open":
            assert alerts(html) == [], "two parts of a page are no contradiction"
        else:
            assert [key in sentence for sentence in alerts(html)] == [True]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PAGES, ids=lambda page: page.name)
def test_what_a_page_does_not_take_changes_nothing(place, language, demo_home, monkeypatch):
    """Words of somebody else's are passed over; a choice that another page of ours has is said to do nothing here."""
    _, plain = open_page(place.name, demo_home, monkeypatch, lang=language)
    assert alerts(plain) == []
    empty = dict.fromkeys(set(parameters(place)) - {"lang"}, "")
    for query in ({"page": "x", "place": "y", "self": "z", "utm_source": "mail"}, empty):
        _, html = open_page(place.name, demo_home, monkeypatch, lang=language, **query)
        assert html == plain, query
    for key in FOREIGN.keys() - set(parameters(place)):
        _, html = open_page(place.name, demo_home, monkeypatch, lang=language, **{key: FOREIGN[key]})
        (sentence,) = alerts(html)
        assert f"{key}={FOREIGN[key]}" in sentence
        assert flat(html).replace(sentence, "").split() == flat(plain).split()


def opened(place: AppPage) -> list[dict[str, str]]:
    """Ways to open a page: as the menu does, and with everything chosen."""
    chosen = {key: TWO[key][0] for key in place.parameters}
    return [{}, chosen] if chosen else [{}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_somewhere_else_that_opens(language, demo_home, monkeypatch):
    """All of every page: a page of ours, parameters that it takes, values that there are; and none back to itself."""
    places = {f"/{page.path}": page for page in PAGES}
    examples: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, str], ...]] = {}
    files: set[str] = set()
    circles: set[tuple[str, str]] = set()
    for place in PAGES:
        for query in opened(place):
            _, html = open_page(place.name, demo_home, monkeypatch, lang=language, **query)
            here = {**query, "lang": language} if language == "en" else query
            for link in links_of(html):
                if link.path.startswith(f"{FILES}/"):
                    files.add(link.path.removeprefix(f"{FILES}/").rpartition(".")[0])
                elif link.path.startswith("http"):
                    assert link.path.startswith("https://"), link
                elif not link.path:
                    assert not link.fragment or f'id="{link.fragment}"' in html, link
                else:
                    assert link.path in places, (place.name, link)
                    is_here = places[link.path] == place and dict(link.query) == here
                    assert not (is_here and link.fragment) or f'id="{link.fragment}"' in html, link
                    is_same = is_here and not link.fragment
                    if is_same and not link.is_current:
                        circles.add((place.name, link.words))
                    examples.setdefault((link.path, tuple(sorted(key for key, _ in link.query))), link.query)
                    check_values(link.query, demo_home)
    assert circles == set()
    for (path, _), query in examples.items():
        _, html = open_page(places[path].name, demo_home, monkeypatch, **dict(query))
        assert alerts(html) == [], (path, query)
        assert f'class="lead">{text(language, "asked.choose_team")}' not in html
    assert files <= {*downloads.TABLES, downloads.BRIEF, downloads.SNAPSHOT}
    assert len(examples) > len(PAGES)


CHECKED: set[tuple[str, str]] = set()


def check_values(query, home) -> None:
    """Each id in a link is one that SQL knows."""
    tables = {"team": "ref.teams", "area": "meta.areas", "metric": "meta.metrics"}
    for key, value in set(query) - CHECKED:
        if key in tables:
            with open_current(home / "snapshots") as con:
                known = con.execute(f"select 1 from {tables[key]} where {key}_id = $1", [value]).fetchall()
            assert known, (key, value)
        CHECKED.add((key, value))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_that_leads_nowhere_gives_a_page_in_the_readers_language(language):
    """In a browser; what asks for no page gets a line."""
    from door.gate import Gate  # noqa: PLC0415 - only here
    from door.rules import Rules  # noqa: PLC0415
    from scorecard_app import welcome  # noqa: PLC0415
    from scorecard_app.openings import openings  # noqa: PLC0415

    rules = Rules(frozenset({"testserver"}), frozenset({"http://testserver"}), openings())
    gate = Gate(Starlette(), rules=rules, policy="default-src 'none'", lost=welcome.lost)
    client = TestClient(gate)
    for path in ("/nonsense", "/team/nonsense", "/tilgjengelighet/x/y", "/<b>", "/ned/x"):
        for how in ({"accept-language": {"nb": "no,en;q=0.8", "en": "en-GB,nb;q=0.5"}[language]}, {}):
            asked_path = path if how else f"{path}?lang={language}"
            found = client.get(asked_path, headers={"accept": "text/html,*/*", **how})
            assert found.status_code == 404
            assert f'<html lang="{language}">' in found.text
            assert text(language, "asked.no_page") in found.text
            (link,) = links_of(found.text)
            assert link.path == f"/{OVERVIEW.path}"
            assert dict(parse_qsl(urlsplit(asked_path).query)) == dict(link.query)
        assert client.get(path, headers={"accept": "*/*"}).text == "no such page\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_two_languages_the_last_counts(language):
    """As for every other parameter: in the pages for strangers and in the shell of all others."""
    from scorecard_app import headers, welcome  # noqa: PLC0415 - only here

    (other,) = set(LANGUAGES) - {language}
    shell = PlainTextResponse('<html lang="en"><title>x</title></html>', media_type="text/html")

    async def lost(scope, receive, send):
        await welcome.lost(HTTPConnection(scope))(scope, receive, send)

    for app in (headers.PageLanguage(shell), lost):
        assert f'<html lang="{language}">' in TestClient(app).get(f"/?lang={other}&lang={language}").text
