"""Every page in both languages over a full, an empty, a half-missing and a real snapshot."""

from __future__ import annotations

import gc
import inspect
import io
import itertools
import math
import re
import tomllib
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text, texts
from opsmetrics.reports.addresses import PAGES
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries import catalogue, evidence, facts, gains, gaps, movement, quality, scores
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import current, open_current
from scorecard_app.exports import WRITERS, Origin, csv_bytes
from scorecard_app.matrix import Tile, tile_html
from scorecard_app.sparklines import sparkline
from tests.by_hand import gains_by_hand
from tests.pages import flat, open_page
from tests.publications import published_as

ROOT = Path(__file__).resolve().parents[2]
VIEWS = tuple(page.name for page in PAGES)
ORIGIN = Origin("Testetaten", is_fictional=True, period="2026-10", snapshot="abc", table="t", zone="Europe/Oslo")
SNAPSHOTS = ("full", "empty", "half", "none")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SNAPSHOTS)
@pytest.mark.parametrize("view", VIEWS)
def test_page(view, kind, language, homes, monkeypatch):
    _, html = open_page(view, homes[kind], monkeypatch, lang=language)
    shown = flat(html)
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert not re.search(r"\b(None|nan|NaN)\b", shown), shown
    if kind == "none":
        assert text(language, "app.no_snapshot") in shown
        return
    if kind == "full":
        assert ("Eksempeldata" if language == "nb" else "Sample data") in shown
    for table in re.findall(r"<table.*?</table>", html, flags=re.DOTALL):
        assert "<caption>" in table
        assert 'role="table"' in table
        assert 'scope="col"' in table
    for image in re.findall(r"<img[^>]*>", html):
        assert re.search(r'alt="[^"]+"', image)


def test_the_empty_organisation_shows_no_number(homes, monkeypatch):
    """No source at all: no score anywhere, and the words that say so."""
    _, html = open_page("overview", homes["empty"], monkeypatch)
    assert not re.search(r'class="figure">\d', html)
    words = flat(html)
    assert "For lite data" in words
    assert "Ingen kilde er tilkoblet" in words
    assert "28 dager – ikke tilkoblet" in words


def test_every_team_and_metric_of_the_demo_opens(homes, monkeypatch):
    overview, _ = open_page("overview", homes["full"], monkeypatch)
    assert overview.selectbox
    team, _ = open_page("team", homes["full"], monkeypatch)
    teams = team.selectbox(key="choose-team").options
    assert len(teams) == 14
    metric, _ = open_page("metric", homes["full"], monkeypatch)
    names = metric.selectbox(key="choose-metric").options
    assert len(names) == 41


def metric_ids(home: Path) -> list[str]:
    with open_current(home / "snapshots") as con:
        return [name for (name,) in con.execute("select metric_id from meta.metrics order by 1").fetchall()]


def rows_of(home: Path, query: str, *parameters) -> list[dict]:
    with open_current(home / "snapshots") as con:
        return con.sql(query, params=list(parameters)).pl().to_dicts() if parameters else con.sql(query).pl().to_dicts()


def whole_score(value: float) -> str:
    """Whole points; what rounding would lift to a level keeps a decimal, cut and not rounded."""
    is_just_under = value < round(value) and round(value) % 20 == 0 and not math.isclose(value, 100)
    return f"{value:.3f}"[:-2] if is_just_under else f"{value:.0f}"


def tile(value, decimals: int = 0) -> str:
    return fmt.number("en", value, decimals)


def test_every_tile_of_the_overview_and_of_every_team_is_what_sql_says(homes, monkeypatch):
    """Every score of every team and area, and every metric's value, points and status."""
    home = homes["full"]
    _, html = open_page("overview", home, monkeypatch, lang="en")
    shown = flat(html)
    for row in rows_of(home, "select * from scores.area where grain = 'latest' and score is not null"):
        assert f" {whole_score(row['score'])} " in shown
    units = {row["metric_id"]: row for row in rows_of(home, "select * from meta.metrics")}
    for team in rows_of(home, "select * from ref.teams"):
        _, html = open_page("team", home, monkeypatch, lang="en", team=team["team_id"], open="all")
        cells = re.findall(r"<tr[^>]*>(.*?)</tr>", html, flags=re.DOTALL)
        lines = [
            [flat(cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in cells
        ]
        for row in rows_of(
            home, "select * from scores.metric where grain = 'latest' and team_id = $1", team["team_id"]
        ):
            metric = units[row["metric_id"]]
            measured = row["points"] is not None and row["status"] != "not_measured_overdue"
            value = row["value"] if measured else None
            # With a decimal where the requirement beside it has one.
            values = {
                said
                for beside in ((), (0.505,))
                for said in fmt.metric_values("en", metric["unit"], value, beside=beside)
            }
            weight = "must-have" if metric["lifecycle"] == "guard" else tile(row["weight"])
            shown = [line for line in lines if len(line) == 7 and line[0] == metric["title_en"]]
            # Points are rounded to no level either: 79.7 is not said to be 80.
            points = "–" if row["points"] is None else whole_score(round(row["points"], 9))
            wanted = [points, weight]
            assert [line[3:5] for line in shown] == [wanted], (team["team_id"], row["metric_id"])
            assert shown[0][1] in values, (team["team_id"], row["metric_id"])


def test_the_lead_counts_levels_so_that_a_gate_counts_too(homes, monkeypatch):
    """A team with 74 points and an exploited hole does not meet the requirement."""
    (row,) = rows_of(
        homes["full"],
        "select count(*) filter (level >= 3) as met, count(*) filter (score >= 60) as scored from scores.team"
        " where grain = 'latest'",
    )
    assert row["met"] < row["scored"], "the demo holds at least one team down"
    _, html = open_page("overview", homes["full"], monkeypatch, lang="en")
    assert f"{row['met']} of 14 teams meet the requirement" in flat(html)


def test_a_team_page_says_why_its_level_is_below_its_score(homes, monkeypatch):
    """Held by the weakest area, or not sure for long enough: two reasons, and the page tells the right one."""
    rows = rows_of(
        homes["full"],
        """select s.team_id, s.level, s.level_by_score, s.is_on_edge,
               min(a.level) filter (a.status = 'ok') as weakest
           from scores.team as s join scores.area as a using (team_id, as_of, grain)
           where s.grain = 'latest' and s.score is not null group by all""",
    )
    held = {row["team_id"] for row in rows if row["weakest"] + 1 == row["level"] < row["level_by_score"]}
    waiting = {row["team_id"] for row in rows if row["level"] < row["level_by_score"]} - held
    assert held, "the demo holds at least one team down by its weakest area"
    for team in sorted(held | waiting):
        _, html = open_page("team", homes["full"], monkeypatch, lang="en", team=team, open="all")
        lead = flat(html)[: flat(html).index("Seven areas")]
        assert ("At most one level above the weakest area" in lead) == (team in held), team
        assert ("The score reaches the level" in lead) == (team in waiting), team


def read_csv(content: bytes, language: str) -> pl.DataFrame:
    separator, comma = (";", True) if language == "nb" else (",", False)
    return pl.read_csv(content, separator=separator, decimal_comma=comma, infer_schema_length=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_of_a_day_is_shown_without_a_clock(homes, monkeypatch, language):
    """A date stood there as one o'clock, and a week that ended on Sunday as midnight of Monday."""
    said = {}
    clock = re.compile(r"kl\.\s?\d\d\.\d\d|, \d\d:\d\d")
    for row in rows_of(homes["full"], "select metric_id from meta.metrics"):
        _, html = open_page(
            "metric", homes["full"], monkeypatch, team="sjokart", metric=row["metric_id"], lang=language
        )
        said[row["metric_id"]] = [
            (flat(item).strip(), flat(at).strip())
            for item, at in re.findall(
                rf'<th[^>]*scope="row"[^>]*>(.*?)</th>\s*<td[^>]*data-l="{text(language, "metric.col_when")}"[^>]*>(.*?)</td>',
                html,
            )
        ]
    of_days = {"mon_signal_coverage", "mnt_supported_versions", "scl_capacity_alert_coverage", "inc_oncall_coverage"}
    of_days |= {"inc_error_budget_consumed", "scl_latency_budget_consumed", "scl_time_at_ceiling", "aut_toil_share"}
    of_days |= {"sec_vulns_fixed_on_time", "sec_overdue_exploited", "mnt_update_routine", "scl_latency_targets"}
    assert {name for name in of_days if not said[name]} == set()
    assert {name for name in of_days if any(clock.search(at) for _, at in said[name])} == set()
    assert all(clock.search(at) for _, at in said["mon_alert_precision"]), "an alert has its minute"
    with open_current(homes["full"] / "snapshots") as con:
        ((last,),) = con.execute("""select max("on") from ref.as_of where grain = 'latest'""").fetchall()
    assert said["aut_toil_share"][0][1] == fmt.long_date(language, last).replace("\u00a0", " "), "the week's last day"
    assert all(
        at == fmt.long_date(language, date.fromisoformat(item)).replace("\u00a0", " ")
        for item, at in said["inc_oncall_coverage"]
        if re.fullmatch(r"\d{4}-\d\d-\d\d", item)
    )


def test_every_number_can_be_recounted_from_its_evidence_and_its_csv(homes):
    """All teams and metrics: score table = metric's own SQL = evidence rows = exported file."""
    home, walked = homes["full"], 0
    snapshot = current(home / "snapshots")
    metrics = {row.metric_id: row for row in catalogue.metrics(snapshot)}
    period = catalogue.periods(snapshot)[0]
    for row in scores.metric_scores(snapshot, period):
        if row.denominator is None:
            continue
        rows = evidence.evidence(snapshot, metrics[row.metric_id], period, row.team_id).frame
        numbers = rows.select(pl.col("numerator", "denominator").cast(pl.Float64))
        exported = read_csv(csv_bytes(numbers, ORIGIN, "nb"), "nb").select(
            pl.col("numerator", "denominator").cast(pl.Float64)
        )
        for name in ("numerator", "denominator"):
            assert float(rows[name].sum() or 0) == pytest.approx(getattr(row, name), rel=1e-12, abs=1e-9), row.metric_id
            assert exported[name].sum() == pytest.approx(getattr(row, name), rel=1e-9, abs=1e-6), row.metric_id
        walked += 1
    assert walked > 450


def test_every_metric_page_of_two_teams_shows_the_formula_with_its_numbers(homes, monkeypatch):
    """Formula, evidence, trend and limits render for every metric, measured or not, with the same digits."""
    compared = 0
    for team in ("fiskekvote", "slepebat"):
        for metric in metric_ids(homes["full"]):
            _, html = open_page("metric", homes["full"], monkeypatch, team=team, metric=metric, lang="en")
            assert not re.search(r"\b(None|nan)\b", flat(html)), metric
            assert text("en", "metric.formula") in html
            formula = re.search(r'equation">([\d,.]+) / ([\d,.]+) = ', html)
            if formula:
                assert f"numerator {formula[1]}, denominator {formula[2]}" in flat(html), metric
                compared += 1
    assert compared >= 50


def evaluated(line: str) -> float:
    """What an area's formula on screen gives, read as arithmetic."""
    text_now = line.replace("×", "*").replace(",", "")
    assert re.fullmatch(r"[\d.\s()*/+]+", text_now), line
    return float(eval(text_now))  # noqa: S307 - digits and operators only, checked above


def test_every_formula_of_every_team_adds_up_on_screen(homes, monkeypatch):
    """Team and area formulas show the figures that give the score."""
    home = homes["full"]
    for row in rows_of(home, "select * from scores.team where grain = 'latest' and score is not null"):
        _, html = open_page("team", home, monkeypatch, lang="en", team=row["team_id"], open="all")
        lines = [flat(line).strip() for line in re.findall(r'<p class="equation">(.*?)</p>', html)]
        whole = re.fullmatch(
            r"Total: ([\d.]+) × mean of the areas ([\d.]+) \+ ([\d.]+) × weakest area ([\d.]+) = ([\d.]+)", lines[0]
        )
        assert whole, lines[0]
        rest, mean, share, least, total = map(float, whole.groups())
        assert total == round(row["score"], 2)
        assert rest * mean + share * least == pytest.approx(total, abs=0.02)
        assert len(lines) >= 6
        for line in lines[1:]:
            body, _, result = line.partition(": ")[2].rpartition(" = ")
            assert evaluated(body) == pytest.approx(float(result), abs=0.1), line


def test_the_team_page_explains_change_plan_alarms_and_certainty(homes, monkeypatch):
    _, html = open_page("team", homes["full"], monkeypatch, team="ankerplass", lang="en", open="all")
    shown = flat(html)
    for text_now in (
        "Numbers to ask about",
        "Why did the score change?",
        "The way to the level",
        "Measured, but not scored",
    ):
        assert text_now in shown
    assert "Probability that the requirement is met" in shown
    assert "Trend over the last" in shown
    _, html = open_page("about", homes["full"], monkeypatch, lang="en", open="all")
    assert html.split("<table")[-1].count("<tr") >= 37
    _, html = open_page("health", homes["full"], monkeypatch, lang="en", open="all")
    assert "Data quality" in html


def test_choosing_writes_the_address(homes, monkeypatch):
    app, _ = open_page("team", homes["full"], monkeypatch)
    app.selectbox(key="choose-team").set_value("sjokart").run()
    assert app.query_params["team"] in ("sjokart", ["sjokart"])
    html = "\n".join(element.proto.body for element in app.main if element.type == "html")
    assert "Sjøkart" in html
    assert "lang=en" in html, "the other language is a link to the same page"


def test_a_month_can_be_chosen(homes, monkeypatch):
    _, html = open_page("overview", homes["full"], monkeypatch, period="2026-03")
    assert "Mars 2026" in html


def test_a_new_snapshot_appears_without_a_restart(small_run, monkeypatch):
    app, html = open_page("overview", small_run.home, monkeypatch)
    assert "Liten" in html
    published_as(small_run, "Nyttnavn")
    app.run()
    assert "Nyttnavn" in "\n".join(element.proto.body for element in app.main if element.type == "html")


def test_no_page_waits_for_a_collection_of_all_that_was_ever_loaded(homes, monkeypatch):
    """Streamlit collects after each run of a script, which took four times as long as the pages that it came after."""
    told = tomllib.loads((ROOT / "scorecard_app" / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert told["runner"]["postScriptGC"] is False
    open_page("about", homes["full"], monkeypatch)
    assert gc.get_freeze_count() > 100_000


def test_a_mended_source_clears_its_quarantine_list(small_run, monkeypatch):
    home, path = small_run.home, small_run.org / "data/checks/2026-08-30.csv"
    good = path.read_text()
    for text_now, is_listed in ((good + "probe-web,2026-08-30T12:00:00,up\n", True), (good, False)):
        path.write_text(text_now)
        plans.run(small_run)
        _, html = open_page("health", home, monkeypatch)
        assert ("no offset from UTC" in html) is is_listed
    with open_current(home / "snapshots") as con:
        assert con.execute("select count(*) from meta.quarantine").fetchall() == [(1,)]  # nothing is forgotten


def test_texts_are_complete_in_both_languages():
    norwegian, english = (texts(language) for language in LANGUAGES)
    assert norwegian.keys() == english.keys()
    assert all(norwegian.values())
    assert all(english.values())
    for key in norwegian:
        placeholders = [set(re.findall(r"\{(\w+)\}", found[key])) for found in (norwegian, english)]
        assert placeholders[0] == placeholders[1], key


def test_every_text_is_used_and_every_use_has_a_text():
    folders = (ROOT / "scorecard_app", ROOT / "opsmetrics")
    source = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    used = set(re.findall(r"""["']([a-z]+\.[a-zA-Z0-9_]+)["']""", source))
    prefixes = set(re.findall(r"""f["']([a-z]+\.[a-z_]*)\{""", source))
    keys = set(texts("nb"))
    unused = {key for key in keys - used if not any(key.startswith(prefix) for prefix in prefixes)}
    assert unused == set()


def test_numbers_follow_the_language():
    assert fmt.number("nb", 20544) == "20\u00a0544"
    assert fmt.number("en", 20544) == "20,544"
    assert fmt.number("nb", -9.04, 1) == "−9,0"
    assert [fmt.score("en", value) for value in (59.4, 59.6, 59.96, 60.0, 69.6, 99.97, None)] == [
        *("59", "59.6", "59.9", "60", "70", "99.9", "–")
    ]
    assert fmt.percent("nb", 0.71) == "71\u00a0%"
    assert fmt.percent("en", 0.71) == "71%"
    # Coverage decides at 40 and 60 percent, and 199 of 200 are not all.
    assert [fmt.percent("en", value) for value in (0.397, 0.4, 0.597, 0.7 - 0.1, 0.995, 1.0, 0.006, None)] == [
        *("39%", "40%", "59%", "60%", "99%", "100%", "1%", "–")
    ]
    assert [fmt.percent("en", value, 2) for value in (0.999978, 1.0)] == ["99.99%", "100.00%"]
    assert fmt.number("nb", None) == "–"
    assert [fmt.chance("en", p) for p in (0.0, 0.5, 1.0, None)] == ["<1%", "50%", ">99%", "–"]
    assert fmt.duration("nb", 59) == "59\u00a0min"
    assert fmt.duration("nb", 744) == "12,4\u00a0t"
    assert fmt.duration("en", 4 * 1440) == "4.0\u00a0days"


def test_markup_is_escaped():
    tile = Tile('/"><script>', '"><script>alert(1)</script>', 12.0, "ok", marks=("<b>",), change=3.0)
    assert "&lt;b&gt;" in tile_html("nb", tile)
    assert "<script>" not in tile_html("nb", tile)
    assert 'alt="&lt;i&gt;"' in sparkline([1.0, 2.0], "<i>")


def test_each_state_of_a_tile_has_words_or_marks_beside_its_colour():
    def drawn(**parts) -> str:
        return tile_html("en", Tile("/x", "the label", **({"score": 71.4, "status": "ok"} | parts)))

    assert 'aria-label="the label"' in drawn()
    assert '<span class="unseen">the label</span>' in drawn(change=-4.0), "more is seen than the figure"
    assert ">71<" in drawn()
    assert "provisional" in drawn(status="provisional")
    assert "Too little data" in drawn(score=None, status="too_little_data")
    assert not re.search(r">\s*\d", drawn(score=None, status="too_little_data")), "no number where there is none"
    assert "Not applicable" in drawn(status="not_applicable")
    for parts, mark in (({"marks": ("gate",)}, "gate"), ({"year_change": 12.0}, "12 mo."), ({"change": -4.0}, "▼")):
        assert mark in drawn(**parts)
        assert mark not in drawn()


def test_exported_text_cannot_start_a_formula_and_says_where_it_is_from():
    frame = pl.DataFrame({"a": ["=1+1", "@x", "fin"], "b": [1.5, 2.0, 3.0]})
    lines = csv_bytes(frame, ORIGIN, "nb").decode("utf-8-sig").splitlines()
    assert [line.split(";")[:2] for line in lines] == [
        ['"a"', '"b"'],
        ['"\'=1+1"', "1,5"],
        ['"\'@x"', "2,0"],
        ['"fin"', "3,0"],
    ]
    assert lines[1].endswith('"Testetaten (sample data, invented)";"t";"2026-10";"abc"')
    with zipfile.ZipFile(io.BytesIO(WRITERS["xlsx"][0](frame, ORIGIN, "nb"))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "sheet" in name and name.endswith(".xml")]
        assert not any("<f>" in sheet for sheet in sheets), "a formula"
        assert "2026-10" in book.read("xl/sharedStrings.xml").decode()
    parquet = io.BytesIO(WRITERS["parquet"][0](frame, ORIGIN, "nb"))
    assert pl.read_parquet_metadata(parquet)["snapshot"] == "abc"


def test_the_restore_form_writes_a_line_that_the_register_takes(homes, monkeypatch, tmp_path):
    """The line is what the files source reads back, value for value."""
    from datetime import date, time  # noqa: PLC0415 - only here

    from opsmetrics.sources.contract import wanted  # noqa: PLC0415 - only here
    from opsmetrics.sources.tables import read_table  # noqa: PLC0415 - only here
    from opsmetrics.streams import STREAMS  # noqa: PLC0415 - only here

    app, html = open_page("restore", homes["full"], monkeypatch)
    assert "endringsforslag" in html
    app.selectbox(key="restore-store").select("havneavgift-api-db")
    for column, clock in (("requested_at", time(1, 0)), ("restored_at", time(1, 42)), ("verified_at", time(1, 55))):
        app.date_input(key=f"{column}-day").set_value(date(2026, 11, 18))
        app.time_input(key=f"{column}-time").set_value(clock)
    app.checkbox(key="restore-ok").check()
    app.run()
    header, line = app.code[0].value.split("\n")
    (tmp_path / "restore_tests.csv").write_text(f"{header}\n{line}\n")
    names = wanted(STREAMS["restore_tests"], {})
    (row,) = read_table(tmp_path / "restore_tests.csv", names).data.to_dicts()
    assert row["datastore_id"] == "havneavgift-api-db"
    assert row["requested_at"] == "2026-11-18T01:00:00+01:00"
    assert row["verified_at"] == "2026-11-18T01:55:00+01:00"
    app.time_input(key="restored_at-time").set_value(time(0, 30))
    app.run()
    assert not app.code, "data cannot be back before they were asked for"


def test_gains_of_several_points_are_computed_together(homes):
    """Each alone is what the snapshot says; all of a team's together bring it to 100, which their sum does not."""
    snapshot = current(homes["full"] / "snapshots")
    period = catalogue.periods(snapshot)[0]
    found = gaps.gaps(snapshot, period)
    total = {row.team_id: row.score for row in scores.team_scores(snapshot, period)}
    sums: dict[str, float] = {}
    for gap in found:
        sums[gap.team_id] = sums.get(gap.team_id, 0.0) + gap.gain_if_met
    for gap in found[:10]:
        assert gains.joint_gains(snapshot, period, [gap])[gap.team_id] == pytest.approx(gap.gain_if_met)
    together = gains.joint_gains(snapshot, period, list(found))
    assert together == pytest.approx({team: 100 - total[team] for team in sums})
    assert any(abs(sums[team] - together[team]) > 0.1 for team in sums)
    assert gains.joint_gains(snapshot, period, []) == {}


def test_the_report_page_shows_what_its_lists_give_together(homes, monkeypatch):
    """In captions that are seen: elsewhere they are for the ear alone."""
    _, html = open_page("report", homes["full"], monkeypatch, lang="en")
    seen = [
        words
        for kind, words in re.findall(r'class="rows ([^"]*)">\s*<caption>(.*?)</caption>', html)
        if "told" in kind.split()
    ]
    together = re.compile(text("en", "gains.asks", points="1.0").replace("1.0", r"[\d.]+").replace("points.", "points"))
    assert any(together.search(words) for words in seen)
    assert len(seen) == html.count("<caption>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_of_the_list_of_gaps_says_what_its_gaps_give_together(homes, monkeypatch, language):
    """Of all teams in the mean of those that have a score; of one team in its own."""
    snapshot = current(homes["full"] / "snapshots")
    period = catalogue.periods(snapshot)[0]
    shown = list(gaps.gaps(snapshot, period)[:15])
    lifts = {(gap.team_id, gap.metric_id): 100.0 for gap in shown}
    found, scored = gains_by_hand(homes["full"], "latest", lifts)
    joint = sum(found.values()) / scored
    assert abs(joint - sum(gap.gain_if_met for gap in shown) / scored) > 0.05, "single gains are no sum"
    _, html = open_page("gaps", homes["full"], monkeypatch, lang=language)
    said = text(language, "gains.all_teams", count=15, points=fmt.number(language, joint, 1)).replace("*", "")
    assert said in flat(html).replace(" .", ".")
    team = shown[0].team_id
    own = list(gaps.gaps(snapshot, period, team_id=team)[:15])
    found, _ = gains_by_hand(homes["full"], "latest", {(team, gap.metric_id): 100.0 for gap in own})
    _, html = open_page("gaps", homes["full"], monkeypatch, lang=language, team=team)
    said = text(language, "gains.team", count=len(own), points=fmt.number(language, found[team], 1)).replace("*", "")
    assert said in flat(html).replace(" .", ".")


def test_what_a_campaign_was_to_bring_is_computed_together(homes):
    snapshot = current(homes["full"] / "snapshots")
    goals = list(gaps.goal_reviews(snapshot, catalogue.periods(snapshot)[0]))
    assert goals
    for goal in goals:
        if goal.expected_points is not None:
            assert gains.expected_together(snapshot, [goal]) == pytest.approx(goal.expected_points), goal
    told = [replace(goal, declared_points=2.5) for goal in goals[:2]]
    assert gains.expected_together(snapshot, told) == 5.0
    assert gains.expected_together(snapshot, []) == 0


def test_gates_come_first_and_then_what_can_be_had_this_quarter(homes):
    snapshot = current(homes["full"] / "snapshots")
    found = list(gaps.gaps(snapshot, catalogue.periods(snapshot)[0]))
    # Among gates an open hole in security goes before all others.
    order = [
        (not gap.is_for_gate, not (gap.is_for_gate and gap.area_id == "sec"), -gap.quarter_gain_per_day)
        for gap in found
    ]
    assert order == sorted(order)
    assert any(gap.is_for_gate for gap in found)
    assert all(gap.shows_on is not None for gap in found)


def test_a_plan_says_when(homes, monkeypatch):
    snapshot = current(homes["full"] / "snapshots")
    step = next(step for step in gaps.plans(snapshot, catalogue.periods(snapshot)[0]) if step.waits_for)
    _, html = open_page("team", homes["full"], monkeypatch, team=step.team_id, open="all")
    shown = flat(html)
    assert flat(text("nb", "when.level", day=fmt.long_date("nb", step.level_on))) in shown
    assert flat(f"{fmt.long_date('nb', step.shows_on)}, fordi måleperioden") in shown


@pytest.mark.parametrize("kind", ["full", "half", "empty", "large"])
def test_no_row_has_a_gap_that_its_type_does_not_know(homes, kind):
    """Every query of the pages over every snapshot: where a field says that there is a value, there is one."""
    snapshot = current(homes[kind] / "snapshots")
    period = catalogue.periods(snapshot)[0]
    metrics, teams, areas = catalogue.metrics(snapshot), catalogue.teams(snapshot), catalogue.areas(snapshot)
    asked: list[Rows] = [metrics, teams, areas, catalogue.periods(snapshot)]
    for module in (catalogue, scores, area_queries, gaps, movement, quality, evidence, facts):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            names = tuple(inspect.signature(function).parameters)
            returns = str(inspect.signature(function).return_annotation)
            if function.__module__ != module.__name__ or name.startswith("_") or not returns.startswith("Rows["):
                continue
            values = {"snapshot": snapshot, "period": period, "level": 3, "count": 12, "krav": 60.0}
            for team, area, metric in itertools.product(teams[:2], areas[:2], metrics[::9]):
                values |= {"team_id": team.team_id, "area_id": area.area_id, "metric_id": metric.metric_id}
                values |= {"metric": metric}
                asked.append(function(**{key: values[key] for key in names}))
    assert len(asked) > 100
    assert {name for rows in asked for name in rows.missing()} == set()
    assert sum(len(list(rows[:3])) for rows in asked) > 0
