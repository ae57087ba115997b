"""One word for one thing, in the reader's language, on every page: no English on Norwegian ones, no ids, no ISO dates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opsmetrics.language.details import detail, sentences
from opsmetrics.language.texts import LANGUAGES, texts
from opsmetrics.reports.addresses import PAGES
from opsmetrics.snapshots.store import open_current
from scorecard_app.views.parts import reason
from tests.pages import flat, open_page

ROOT = Path(__file__).resolve().parents[2]

# Word for what is never said, and what is said instead; each is a whole word, in any form that the stars allow.
INSTEAD = {
    "nb": {
        "post[- ]mortem": "etterevaluering", "backup\\w*": "sikkerhetskopi", "fersk\\w*": "oppdatert",
        "overtid": "over fristen", "pull request": "endringsforslag", "droppet": "frafalt", "gap\\w*": "krav som ikke er nådd",
        "summerer": "er til sammen", "lista": "listen", "KPI\\w*": "måling", "normal variasjon": "naturlig variasjon",
        "stelles": "blir bedre uten at driften er det", "restore": "gjenoppretting", "backlog": "oppgaveliste",
        "policy": "regel", "i live": "leverer", "måltall\\w*": "tall", "alvorlige? hendelse\\w*": "større hendelse",
        "monitorer": "målere", "lagt til side": "satt til side", "møtegrunnlag\\w*": "månedsrapport",
    },
    "en": {
        "mend\\w*": "fix", "tended": "managed", "speaks softly": "weighs less", "begun": "started", "KPI\\w*": "metric",
        "waive\\w*": "exempt", "to settle": "for decision", "fails stands first": "failing first",
        "comes about": "is calculated",
    },
}  # fmt: skip
# English words that sources, SQL and the framework are full of; none is Norwegian too.
ENGLISH = (
    "the", "and", "with", "without", "of", "not", "availability", "passed", "failed", "missing", "published", "week", "weeks",
    "days", "open", "closed", "both", "only", "done", "high", "medium", "low", "critical", "noise", "actionable", "metric",
    "metrics", "source", "show", "choose", "search", "score against", "unchecked", "minutes", "class",
    "copies", "severity", "share", "count", "mean", "raw", "registered", "page", "rule", "none",
)  # fmt: skip
NORWEGIAN = (
    "og",
    "ikke",
    "måling",
    "målinger",
    "kilde",
    "frist",
    "av",
    "er",
    "på",
    "unntak",
    "plikt",
    "nivå",
    "oppfylt",
)
# What is meant to be as it is written: code, SQL, commands, names of tables and files, and texts of a register.
VERBATIM = re.compile(
    r"<pre.*?</pre>|<code.*?</code>|<span lang=\"(?:nb|en)\">.*?</span>|<a [^>]*lang=\"(?:nb|en)\"[^>]*>.*?</a>",
    re.DOTALL,
)
NO_PROSE = {"analysts", "connect"}  # columns, tables and commands by their own names
HOST = re.compile(r"[\w.-]+\.example\b")
ISO = re.compile(r"(?<![\w.-])\d{4}-\d{2}(?:-\d{2})?(?![\w-])")


def words_of(html: str) -> str:
    """What a page shows and says: its text, and the words of its attributes."""
    html = VERBATIM.sub(" ", html)
    said = re.findall(r'(?:aria-label|alt|title|placeholder|data-l|data-done)="([^"]*)"', html)
    return f"{flat(html)} {' '.join(said)}"


def found(pattern: str, words: str) -> list[str]:
    return re.findall(rf"(?<![\w.-])(?:{pattern})(?![\w-])", words, flags=re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_says_what_is_called_otherwise(language):
    wrong = {
        (key, said[0]): instead
        for key, words in texts(language).items()
        for pattern, instead in INSTEAD[language].items()
        if (said := found(pattern, words))
    }
    assert wrong == {}


@pytest.fixture(scope="module")
def ids(demo_home) -> set[str]:
    """Ids that have a title: no page shows them."""
    with open_current(demo_home / "snapshots") as con:
        rows = con.execute("select metric_id from meta.metrics union all select gate_id from meta.gates").fetchall()
    return {name for (name,) in rows}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PAGES, ids=lambda page: page.name)
def test_a_page_speaks_one_language_and_one_word_for_one_thing(place, language, demo_home, ids, monkeypatch):
    app, html = open_page(place.name, demo_home, monkeypatch, lang=language, **_chosen(place))
    boxes = " ".join(f"{box.label} {' '.join(map(str, box.options))}" for box in app.selectbox)
    # Names of hosts are words of no language.
    words = HOST.sub("", words_of(html) + boxes)
    wrong: dict[str, list[str]] = {}
    if place.name not in NO_PROSE:
        wrong |= {pattern: said for pattern in INSTEAD[language] if (said := found(pattern, words))}
        strangers = ENGLISH if language == "nb" else NORWEGIAN
        wrong |= {word: said for word in strangers if (said := found(word, words))}
        wrong |= {"an id": [name for name in ids if name in words]} if any(name in words for name in ids) else {}
    if dates := ISO.findall(words):
        wrong["a date as no person writes it"] = dates
    assert wrong == {}


def _chosen(place) -> dict[str, str]:
    wanted = {"team": "ankerplass", "metric": "inc_postmortem_on_time", "area": "bck"}
    return {key: value for key, value in wanted.items() if key in place.parameters and place.name != "gaps"}


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [
        ("nb", "high: passed", "høy: bestått"),
        ("nb", "C, no plan", "klasse C, ingen plan"),
        ("nb", "sjokart-web: 3D", "sjokart-web: frist på 3 dager"),
        ("en", "sjokart-web: 14D", "sjokart-web: deadline of 14 days"),
        ("nb", "3DF", "frist på 3 dager, skal også undersøkes"),
        ("nb", "queue-growth: 5 or 30 min", "queue-growth: 5 eller 30 min"),
        ("nb", "x1.5", "1,5 ganger årets høyeste last"),
        ("nb", "class A, 2 copies", "klasse A, 2 kopier"),
        ("nb", "1023.5 of 2880 min", "1023,5 av 2880 min"),
        ("nb", "probe-down: noise", "probe-down: støy"),
        ("nb", "12 / 168 h", "12 / 168\u00a0t"),
        ("nb", "P1 done", "prioritet 1, gjort"),
        ("en", "no_measurement", "not measured"),
        ("en", "SLO 0.9995", "SLO 0.9995"),
        ("nb", "z 5.6 / -5.0", "5,6 og −5,0 standardavvik fra det vanlige"),
        ("nb", None, ""),
    ],
)
def test_details_of_rows_are_told_in_the_readers_language(language, words, said):
    assert detail(language, words) == said


def written_by(sql):
    """Words that a metric's file writes as the detail of its rows: the literals of that expression."""
    found = set()
    for end in re.finditer(r"\bas detail\b", sql):
        depth, place = 0, end.start()
        while place > 0 and not (depth == 0 and sql[place - 1] == ","):
            place -= 1
            depth += {")": 1, "(": -1}.get(sql[place], 0)
            if sql[place] == "'":
                place = sql.rindex("'", 0, place)
        found |= set(re.findall(r"(?:then|else|\|\||,|^)\s*'([^']*)'", sql[place : end.start()]))
    return {piece.strip(" :,") for words in found for piece in re.split(r": |, ", words)} - {""}


def test_every_word_that_a_metric_writes_beside_its_rows_is_said_in_norwegian():
    """The same words are shown as names of what fails: no code and no English stands there."""
    files = sorted((ROOT / "sql" / "metrics").glob("*/*.sql"))
    words = {word for file in files for word in written_by(file.read_text(encoding="utf-8"))}
    assert {"no plan", "open", "unlabelled", "forecast only"} <= words
    parts = {"class", "copies", "from", "SEV", "P", "SLO", "RPO", "h", "x", "?", "min", "of", "/", "done", "or 30"}
    unsaid = sorted(word for word in words - parts if detail("nb", word) == word)
    assert unsaid == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_code_of_a_deadline_is_shown_as_a_name(language):
    """Every tier of the method is said in words."""
    tiers = set(
        re.findall(r"'(3DF|3D|14D|60D|FSU)'", (ROOT / "sql" / "macros" / "tier.sql").read_text(encoding="utf-8"))
    )
    assert tiers == {"3DF", "3D", "14D", "60D", "FSU"}
    assert all(tier not in detail(language, f"web: {tier}") for tier in tiers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_percent_is_written_as_the_language_writes_it(language):
    """90 % in Norwegian and 90% in English, in texts and in all that headers of SQL say."""
    of_sql = [path for pattern in ("*.sql", "*.toml") for path in (ROOT / "sql").rglob(pattern)]
    said = list(texts(language).values())
    for path in of_sql:
        words = path.read_text(encoding="utf-8").replace("\\\n--", "")
        said += re.findall(rf'\b{language} = "+([^"]*)"', words)
    apart, joined = re.compile(r"[\d}]\s%"), re.compile(r"[\d}]%")
    wrong = joined if language == "nb" else apart
    assert [words for words in said if wrong.search(words)] == []
    assert any((apart if language == "nb" else joined).search(words) for words in said)


def test_a_formula_is_told_in_sentences():
    assert sentences("nb", "lagre med kopi / alle lagre; ukjent er ikke oppfylt") == (
        "Vi tar lagre med kopi, og deler på alle lagre. Ukjent er ikke oppfylt."
    )
    assert sentences("en", "open past due") == "Open past due."


@pytest.mark.parametrize(
    ("language", "code", "said"),
    [
        ("en", "incomplete:13", "the source delivered 13% of the period"),
        ("en", "known:90", "90% of what counts is known"),
        ("nb", "known:76/alerts", "76 % av det som teller, er kjent; for lite levert av: Varsler"),
        (
            "en",
            "incomplete:13/availability_checks",
            "the source delivered 13% of the period; too little delivered by: Availability checks",
        ),
        ("nb", "incomplete:0/incidents", "kilden leverte 0 % av perioden; for lite levert av: Hendelser"),
        (
            "nb",
            "carried_from:2026-10-12/repository_states",
            "siste kjente verdi, fra 12.10.2026; for lite levert av: Kodelagre",
        ),
    ],
)
def test_the_silent_source_of_a_metric_is_named_behind_the_sentence(language, code, said):
    """Its name once stood between the number and its percent sign."""
    assert reason(language, code) == said
