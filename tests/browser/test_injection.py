"""Scripts, formulas, SQL, links and terminal codes in every text of streams, registers and configuration stay text."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.organisation import load_organisation
from opsmetrics.reports import brief
from opsmetrics.reports.digest import digests, mail
from opsmetrics.snapshots.store import current, open_current
from opsmetrics.streams import STREAMS
from scorecard_app import downloads
from scorecard_app.file_addresses import NEEDED
from simulator.demo import write_demo
from tests.apps import ROOT, running_app
from tests.asking import http_get, settle
from tests.browser.test_browser import PATHS
from tests.built import EVERYTHING, built, copied
from tests.patience import LIMIT_SECONDS

DEMO = ROOT / "examples" / "demo"
# A formula for spreadsheets, a quote for SQL, an image for browsers, a link for Plotly, colours for terminals.
HOSTILE = (
    "=1+1&cmd|' /C calc'!A0\"'; drop table scores.team; --<img src=/pwned onerror=\"window.pwned=1\">"
    '<a href="https://pwned.invalid">x</a><script>window.pwned=1</script>{{7*7}}'
)
# Configuration refuses control characters; rows of sources that hold some are set aside. Names of columns may hold them.
COLOURED = HOSTILE + "\x1b[31m"
NAMED = HOSTILE + r"\x1b[31m"
# What the run said.
SAID = "said.txt"
# Columns that mean something to the metrics keep their rows; a hostile row of their own is added.
KEPT = {"service_id", "monitor_id", "tool", "product", "cycle", "datastore_id", "team_id", "environment", "severity"}
KEPT |= {"from_team_id", "to_team_id", "subject_id", "copy_id", "update_type", "highest_update_type", "ecosystem"}


def free_texts(stream: str) -> list[str]:
    return [column.name for column in STREAMS[stream].columns if column.type == "text" and not column.one_of]


def poisoned(frame: pl.DataFrame, stream: str) -> pl.DataFrame:
    """Every id begins with the hostile text; two more rows hold it in every column of text, one of them in colours.

    A column that no contract names has a coloured name.
    """
    present = [name for name in free_texts(stream) if name in frame.columns and frame.schema[name] == pl.String]
    ids = [name for name in present if name not in KEPT]
    changed = frame.with_columns((pl.lit(HOSTILE) + pl.col(name)).alias(name) for name in ids)
    # On the oldest row's day: a day is a part where a row of it was set aside.
    first = changed.head(1) if STREAMS[stream].time is None else changed.sort(STREAMS[stream].time).head(1)
    added = [first.with_columns(pl.lit(text).alias(name) for name in present) for text in (HOSTILE, COLOURED)]
    return pl.concat([changed, *added]).with_columns(pl.lit("x").alias(COLOURED))


def poison_data(folder: Path) -> set[str]:
    """Rewrite the files of all streams; returns the streams."""
    done = set()
    for path in sorted(folder.rglob("*.*")):
        stream = path.stem
        if stream not in STREAMS:
            continue
        if path.suffix == ".parquet":
            poisoned(pl.read_parquet(path), stream).write_parquet(path)
        elif path.suffix == ".csv":
            poisoned(pl.read_csv(path, infer_schema=False), stream).write_csv(path)
        else:
            frame = pl.DataFrame([json.loads(line) for line in path.read_text().splitlines()], infer_schema_length=None)
            path.write_text("".join(json.dumps(row) + "\n" for row in poisoned(frame, stream).to_dicts()))
        done.add(stream)
    return done


def poison_registers(org: Path) -> set[tuple[str, str]]:
    """Put the hostile text into every column of every register that takes it; returns those."""
    taken = set()
    for path in sorted((org / "registers").glob("*.csv")):
        with path.open(newline="") as content:
            rows = list(csv.DictReader(content))
        for column in rows[0]:
            before = path.read_text()
            changed = [dict(row) for row in rows]
            changed[-1][column] = HOSTILE
            with path.open("w", newline="") as sink:
                writer = csv.DictWriter(sink, list(rows[0]))
                writer.writeheader()
                writer.writerows(changed)
            try:
                load_organisation(org)
            except ConfigurationError:
                path.write_text(before)
            else:
                rows = changed
                taken.add((path.stem, column))
    return taken


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """State folder of a demo whose every text is hostile."""
    folder = built("hostile", make_hostile, (*EVERYTHING, "tests/browser/test_injection.py"))
    return copied(folder, tmp_path_factory.mktemp("hostile")) / "home"


def on_terminal(*words: str, home: Path, code: int = 0) -> str:
    """Run the command line on a terminal; return what it was sent. Into a pipe some codes are left out by themselves."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "opsmetrics", *words]
    environment = os.environ | {"OPSMETRICS_HOME": str(home)}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    parts: list[bytes] = []
    # The end of what a process says on a terminal is an error of the operating system.
    with os.fdopen(ours, "rb", buffering=0) as said, suppress(OSError):
        while part := said.read(1 << 16):
            parts.append(part)
    text = b"".join(parts).decode()
    assert process.wait(LIMIT_SECONDS) == code, text
    return text


def make_hostile(folder: Path) -> None:
    org = folder / "org"
    org.mkdir()
    for path in DEMO.rglob("*.*"):
        target = org / path.relative_to(DEMO)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    for path in org.glob("*.toml"):
        text = re.sub(r'\b(nb|en) = "([^"]*)"', lambda m: f"{m[1]} = {json.dumps(HOSTILE + m[2])}", path.read_text())
        path.write_text(text)
    taken = poison_registers(org)
    assert {("waivers", "reason"), ("waivers", "compensating_measure"), ("maintenance_windows", "reason")} <= taken
    write_demo(DEMO, folder / "data")
    assert len(poison_data(folder / "data")) > 25
    home = folder / "home"
    # It publishes, and names as an error what belongs to nobody any more: the streams of repositories.
    said = on_terminal("run", "--org", str(org), "--data", str(folder / "data"), home=home, code=1)
    (home / SAID).write_text(said, encoding="utf-8")


def test_sql_in_texts_is_not_run(hostile):
    with open_current(hostile / "snapshots") as con:
        (teams,) = con.execute(
            "select count(*) from scores.team where grain = 'latest' and score is not null"
        ).fetchone()
        assert teams > 10
        named = con.execute("select count(*) from ref.teams where starts_with(name_nb, $1)", [HOSTILE]).fetchone()
        assert named == (14,)
        incidents = con.execute("select count(*) from facts.incidents where starts_with(incident_id, $1)", [HOSTILE])
        assert incidents.fetchone()[0] > 100


@pytest.fixture(scope="module")
def hostile_app(hostile, tmp_path_factory):
    with running_app(hostile, tmp_path_factory.mktemp("app") / "log") as address:
        yield address


def unharmed(page) -> None:
    """Nothing of ours was run, loaded or linked."""
    settle(page, 300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src*=pwned], [onerror], [href^='https://pwned']").count() == 0
    assert page.evaluate("[...document.querySelectorAll('svg a')].length") == 0, "a label of a figure became a link"
    assert page.locator("script:not([src])").evaluate_all("all => all.filter(s => /pwned/.test(s.text)).length") == 0


@pytest.mark.parametrize("name", PATHS)
def test_texts_of_sources_and_registers_stay_text(windows, hostile_app, name):
    with_team = {"team": "sjokart"} if name in {"team", "report"} else {}
    with windows.lent() as lend:
        page = lend(hostile_app).open(PATHS[name], lang="nb", **with_team)
        unharmed(page)
        shown = page.inner_text("body")
    # Without the texts on the page the test would show nothing.
    if name in {"overview", "team", "gaps"}:
        assert "<img src=/pwned" in shown


@pytest.mark.parametrize("name", PATHS)
def test_texts_of_addresses_stay_text(windows, hostile_app, name):
    asked = dict.fromkeys(("team", "area", "metric", "period", "lang", "environment", "sort"), quote(HOSTILE))
    with windows.lent() as lend:
        unharmed(lend(hostile_app).open(PATHS[name], **asked))


@pytest.mark.parametrize("table", downloads.TABLES)
def test_files_hold_no_formula(hostile_app, table):
    named = {"team": "sjokart", "metric": "inc_postmortem_on_time", "area": "inc"}
    values = {key: named[key] for key in NEEDED.get(table, ())} | {"lang": "en"}
    answer = http_get(hostile_app + downloads.address(table, "csv", values))
    assert answer.status_code == 200, answer.text
    text = answer.content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell) and not re.fullmatch(r"-?[\d.eE+-]+", cell)]
    book = http_get(hostile_app + downloads.address(table, "xlsx", values)).content
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if "worksheets/sheet" in name]
        assert sheets
        assert not [sheet for sheet in sheets if b"<f>" in sheet or b"<hyperlink" in sheet]
        strings = parts.read("xl/sharedStrings.xml")
    if table in {"team-scores", "gaps"}:
        assert b"/pwned" in strings


def test_a_row_that_holds_codes_for_terminals_is_set_aside(hostile):
    with open_current(hostile / "snapshots") as con:
        rows = con.execute(
            "select stream, raw from meta.quarantine where contains(reason, 'control character')"
        ).fetchall()
    assert len({stream for stream, _ in rows}) > 25
    assert all("drop table" in raw and r"\u001b" in raw.lower() for _, raw in rows)


def test_no_table_holds_a_code_for_terminals(hostile):
    """Names of columns that were left out are all that is kept of it, and as a text."""
    with open_current(hostile / "snapshots") as con:
        named = con.execute("select count(distinct stream) from meta.loads where $1 in dropped_columns", [NAMED])
        assert named.fetchone()[0] > 25
        columns = con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal and data_type ~ 'VARCHAR'"
        ).fetchall()
        assert len(columns) > 500
        found = [
            name
            for name in columns
            if con.execute(
                f"""from "{name[0]}"."{name[1]}" where contains(cast("{name[2]}" as varchar), chr(27)) limit 1"""
            ).fetchall()
        ]
    assert found == []


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize(
    "query",
    [
        "select incident_id from staging.incidents limit 1",
        "select raw from meta.quarantine where contains(reason, 'control character') limit 1",
        "select unnest(dropped_columns) as name from meta.loads limit 1",
    ],
)
def test_a_terminal_is_not_told_to_change_colours(hostile, query, form):
    said = on_terminal("sql", "--format", form, query, home=hostile)
    assert "drop table" in said
    assert "\x1b" not in said


def test_neither_a_run_nor_health_tells_a_terminal_to_change_colours(hostile):
    health = on_terminal("health", home=hostile, code=1)
    for said in ((hostile / SAID).read_text(encoding="utf-8"), health):
        assert NAMED in said
        # A run has colours of its own, but none of a source.
        assert "{{7*7}}\x1b" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_briefs_and_reminders_keep_texts_as_texts(hostile, language):
    snapshot = current(hostile / "snapshots")
    document = brief.compose(snapshot, brief.period_of(snapshot, None), language)
    files = {kind: write(document) for kind, write in brief.WRITERS.items()}
    page = files["html"].decode()
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "https://pwned.invalid" not in re.findall(r'href="([^"]*)"', page)
    with zipfile.ZipFile(io.BytesIO(files["xlsx"])) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/" in name]
    assert len(sheets) > 5
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    assert files["pptx"][:2] == b"PK"
    assert files["pdf"][:4] == b"%PDF"
    assert b"/URI" not in files["pdf"]
    settings = Settings(hostile, hostile, None, None, default_sql_root())
    for digest in digests(settings, snapshot, language):
        message = email.message_from_bytes(mail(digest), policy=email.policy.default)
        assert message.get_content_type() == "text/plain"
        assert message["Subject"] == digest.title
