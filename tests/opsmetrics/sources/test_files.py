"""Bad input of every kind: a clear error or a quarantine row; nothing lost, nothing half-written."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics import build as plans
from opsmetrics.core.errors import SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.telemetry import Grafana
from opsmetrics.sources import files, pull_stream
from opsmetrics.sources.contract import Judged, apply_contract, wanted
from opsmetrics.sources.fetching import FetchRequest, FetchResult, batch_of
from opsmetrics.sources.forms import Zones
from opsmetrics.sources.tables import read_table
from opsmetrics.streams import STREAMS
from tests.parts import made_for

CHECKS = STREAMS["availability_checks"]


HEADING = "monitor_id,checked_at,status,response_ms,http_status"
HAPPENED = (date(2016, 1, 1), date(2026, 11, 30))


def judged(path: Path, stream=CHECKS, naive_time=None, columns=None, zone="Europe/Oslo") -> Judged:
    return apply_contract(
        read_table(path, wanted(stream, columns or {})),
        stream,
        columns=columns or {},
        zones=Zones(naive_time, zone),
        happened=HAPPENED,
        file=path,
    )


def typed(path: Path, **how) -> pl.DataFrame:
    return judged(path, **how).frame


def csv(tmp_path: Path, *rows: str, header: str = HEADING) -> Path:
    path = tmp_path / "checks.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


ROWS = {
    "m,2026-03-29T01:30:00Z,up,12,200": None,
    "m,2026-03-29T01:30:00+01:00,up,12,200": None,
    "m,2026-03-29 01:30:00.123+02,up,12.5,200": None,
    "m,2026-03-29T01:30:00Z,up,,": None,
    "m,2026-03-29T01:30:00,up,12,200": "no offset",
    "m,2026-03-29,up,12,200": "no instant (a day without a time)",
    "m,29.03.2026 01:30,up,12,200": "not written YYYY-MM-DD",
    "m,yesterday,up,12,200": "no instant",
    "m,1900-01-01T00:00:00Z,up,12,200": "not between 2016-01-01 and 2026-11-29",
    "m,2026-02-30T00:00:00Z,up,12,200": "no instant",
    "m,,up,12,200": "checked_at: missing",
    ",2026-03-29T01:30:00Z,up,12,200": "monitor_id: missing",
    "m,2026-03-29T01:30:00Z,flaky,12,200": "not one of",
    "m,2026-03-29T01:30:00Z,up,10 GB,200": "no finite number",
    "m,2026-03-29T01:30:00Z,up,1e999,200": "no finite number",
    "m,2026-03-29T01:30:00Z,up,nan,200": "no finite number",
    'm,2026-03-29T01:30:00Z,up,"1,5",200': None,
    'm,2026-03-29T01:30:00Z,up,"1,500",200': "a number that may be read in two ways",
    "m,2026-03-29T01:30:00Z,up,12,200.7": "no whole number",
    "m,2026-03-29T01:30:00Z,up,12,99999999999999999999999999": "no whole number",
    "m,2026-03-29T01:30:00Z,up,12,-1": "below 0",
    "m,2026-03-29T01:30:00Z,up": "3 fields where the header names 5",
    "m,2026-03-29T01:30:00Z,up,12,200,extra": "6 fields",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_kept_or_set_aside_with_its_reason_and_line(tmp_path, row):
    frame = typed(csv(tmp_path, "other,2026-01-01T00:00:00Z,up,1,200", row))
    assert frame["_line"].to_list() == [2, 3]
    reason = frame["_reason"][1]
    if ROWS[row] is None:
        assert reason is None
        assert frame["_day"][1] == date(2026, 3, 29)
    else:
        assert ROWS[row] in reason
    assert frame["_reason"][0] is None


def test_a_duplicate_is_set_aside_and_names_the_first_line(tmp_path):
    frame = typed(csv(tmp_path, *["m,2026-03-29T01:30:00Z,up,12,200"] * 3))
    assert frame["_reason"].to_list()[0] is None
    assert all("duplicate of line 2" in reason for reason in frame["_reason"].to_list()[1:])


def test_local_times_that_do_not_exist_or_exist_twice_are_not_guessed(tmp_path):
    rows = ("a,2026-03-29T02:30:00,up,,", "b,2026-10-25T02:30:00,up,,", "c,2026-10-25T03:30:00,up,,")
    frame = typed(csv(tmp_path, *rows), naive_time="Europe/Oslo")
    first, second, third = frame["_reason"].to_list()
    assert "does not exist" in first
    assert "happened twice" in second
    assert third is None
    assert frame["checked_at"][2] == datetime(2026, 10, 25, 2, 30, tzinfo=UTC)


def test_days_are_cut_at_local_midnight(tmp_path):
    frame = typed(csv(tmp_path, "a,2026-06-30T22:00:00Z,up,,", "b,2026-06-30T21:59:59Z,up,,"))
    assert frame["_day"].to_list() == [date(2026, 7, 1), date(2026, 6, 30)]


def test_norwegian_excel_csv_and_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "c.csv"
    path.write_bytes("\ufeffmonitor_id;checked_at;status\nmåler æ;2026-03-29T01:30:00Z;up\n".encode())
    frame = typed(path)
    assert frame["monitor_id"].to_list() == ["måler æ"]
    assert frame["_reason"].to_list() == [None]


def test_a_text_that_is_kept_from_a_spreadsheet_is_what_it_holds(tmp_path):
    rows = ('="00123",="2026-03-29T01:30:00Z",up,,', '"=""0""""1""",2026-03-29T01:30:00Z,up,,', "=1,x,up,,")
    assert typed(csv(tmp_path, *rows))["monitor_id"].to_list() == ["00123", '0"1', "=1"]


@pytest.mark.parametrize("last", ["Total,,2,,", "Sum;2", "Totalt: 2"])
def test_the_totals_below_a_plain_file_are_no_row(tmp_path, last):
    """Without a day it would leave all days of the file unproven."""
    row = "m,2026-03-29T01:30:00Z,up,12,200"
    assert typed(csv(tmp_path, row, last.replace(";", ","), ",,,,"))["_reason"].to_list() == [None]


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        # Joined files have their header again, with the mark of the second one before it.
        ([HEADING], []),
        (["\ufeff" + HEADING.replace("monitor_id", '"monitor_id"')], []),
        (["", "Weekly report", "Copyright"], [4, 5]),
    ],
)
def test_a_header_in_the_midst_of_rows_is_none_of_them_and_a_note_there_is_told(tmp_path, lines, lost):
    row = "m,2026-03-29T0{}:30:00Z,up,12,200"
    frame = typed(csv(tmp_path, row.format(1), *lines, row.format(2)))
    assert frame["_reason"].null_count() == 2
    assert frame.filter(frame["_reason"].is_not_null())["_line"].to_list() == lost


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        (["", "Weekly report", "", "Copyright", "Total: 2,,,,"], []),
        (["Total,,2,,", "Exported by the desk"], []),
        (["Exported by the desk"], [3]),
        (["", "m,,,,"], [4]),
        (["", "Service,Count", "web,2"], [4, 5]),
    ],
)
def test_notes_below_the_rows_are_none_and_another_table_is_told(tmp_path, lines, lost):
    frame = typed(csv(tmp_path, "m,2026-03-29T01:30:00Z,up,12,200", *lines))
    assert frame.filter(frame["_reason"].is_not_null())["_line"].to_list() == lost


def test_columns_that_begin_again_in_another_order_are_an_error(tmp_path):
    other = "checked_at,monitor_id,status,response_ms,http_status"
    with pytest.raises(SourceError, match=r"checks\.csv:3: the same columns begin again here, in another order"):
        typed(csv(tmp_path, "m,2026-03-29T01:30:00Z,up,12,200", other, "2026-03-29T02:30:00Z,m,up,12,200"))


def test_multi_line_fields_keep_the_line_numbers_true(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text('monitor_id,checked_at,status\n"a\nb",2026-03-29T01:30:00Z,up\nc,bad,up\n')
    frame = typed(path)
    assert frame["_line"].to_list() == [2, 4]
    assert frame["_reason"][1] is not None


def test_json_lines_with_broken_lines(tmp_path):
    path = tmp_path / "c.jsonl"
    good = json.dumps({"monitor_id": "m", "checked_at": "2026-03-29T01:30:00Z", "status": "up", "http_status": 200})
    path.write_text("\n".join([good, "{", "[1]", '{"monitor_id": "x"}', "", '{"a": 1' + "0" * 5000 + "}"]) + "\n")
    frame = typed(path)
    assert frame["_reason"].to_list()[0] is None
    assert [line for line, reason in frame.select("_line", "_reason").iter_rows() if reason] == [2, 3, 4, 6]


def test_columns_with_odd_names_can_be_mapped(tmp_path):
    header = '_id,"Tid (UTC)","sta""tus"'
    path = csv(tmp_path, "m,2026-03-29T01:30:00Z,up", header=header)
    columns = {"monitor_id": "_id", "checked_at": "Tid (UTC)", "status": 'sta"tus'}
    frame = typed(path, columns=columns)
    assert frame["_reason"].to_list() == [None]
    assert frame["monitor_id"].to_list() == ["m"]


def test_columns_outside_the_contract_are_never_landed(tmp_path):
    path = csv(
        tmp_path,
        "m,2026-03-29T01:30:00Z,up,Kari",
        "m,bad,up,Kari",
        header="monitor_id,checked_at,status,responder_name",
    )
    found = judged(path)
    assert found.dropped == ("responder_name",)
    assert "Kari" not in json.dumps(found.frame.to_dicts(), default=str)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.parquet", b"", "empty"),
        ("a.parquet", b"PAR1" + b"\0" * 50, "no readable Parquet"),
        (
            "a.csv",
            "monitor_id,checked_at,status\nm\u00e5ler,2026-01-01T00:00:00Z,up\n".encode("latin-1"),
            ":2: the file is not UTF-8",
        ),
        ("a.csv", "monitor_id,checked_at,status\n".encode("utf-16"), "not UTF-8"),
        ("a.csv", b"monitor_id,status\nm,up\n", "'checked_at' is missing"),
        ("a.csv", b"a,a\n1,2\n", "repeated column"),
        ("a.xlsx", b"PK", "unknown format"),
        ("missing.csv", None, "does not exist"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        typed(path)
    assert message in str(caught.value)
    assert "fix:" in str(caught.value)


def test_truncated_parquet(tmp_path):
    path = tmp_path / "c.parquet"
    pl.DataFrame({"monitor_id": ["m"] * 1000, "status": ["up"] * 1000}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match="Parquet"):
        typed(path)


def test_parquet_types_are_checked_like_text(tmp_path):
    path = tmp_path / "c.parquet"
    pl.DataFrame(
        {
            "monitor_id": ["a", "b"],
            "checked_at": [datetime(2026, 1, 1), datetime(2026, 1, 2)],  # noqa: DTZ001 - a naive column is the point
            "status": ["up", "down"],
            "http_status": [200.0, 200.5],
        }
    ).write_parquet(path)
    assert all("no offset" in reason for reason in typed(path)["_reason"])
    frame = typed(path, naive_time="UTC")
    assert frame["checked_at"][0] == datetime(2026, 1, 1, tzinfo=UTC)
    assert frame["_reason"].to_list() == [None, "http_status: no whole number"]


# A file costs the same with few rows as with many: fewer files, with more rows each.
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=25), st.text(max_size=6)), min_size=1, max_size=50))
def test_no_row_is_lost_whatever_stands_in_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("fuzz") / "c.jsonl"
    names = ("monitor_id", "checked_at", "status")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
    path.write_text("".join(line + "\n" for line in [*lines, '{"monitor_id": "x"}']), encoding="utf-8")
    frame = typed(path)
    assert frame.height == len(rows) + 1
    kept = frame.filter(pl.col("_reason").is_null())
    assert kept["checked_at"].null_count() == 0
    assert kept["monitor_id"].null_count() == 0


# ---- through pull and build


@pytest.fixture
def settings_of(small, tmp_path):
    return Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())


def test_a_bad_file_is_reported_and_the_other_days_land(small, settings_of):
    (small / "data/checks/2026-08-30.csv").write_bytes(b"\xff\xfe broken")
    result = pull_stream(settings_of, load_organisation(small), "availability_checks")[0]
    assert len(result.loads) == 11
    assert result.error is not None
    assert "2026-08-30.csv:1" in result.error
    assert not list(settings_of.landing.rglob(".*.tmp"))


def test_quarantine_reaches_the_warehouse_with_line_and_reason(small, settings_of):
    path = small / "data/checks/2026-08-30.csv"
    path.write_text(path.read_text() + "probe-web,2026-08-30T12:00:00,up\nprobe-web,2026-08-31T12:00:00Z,up\n")
    organisation = load_organisation(small)
    result = pull_stream(settings_of, organisation, "availability_checks")[0]
    assert (result.rows, result.quarantined) == (12 * 48, 2)
    made_for(plans.load_context(settings_of))
    with duckdb.connect(str(settings_of.warehouse), read_only=True) as con:
        rows = con.execute("select source, line, reason, raw from meta.quarantine order by line").fetchall()
    assert [(row[0], row[1]) for row in rows] == [("2026-08-30.csv", 50), ("2026-08-30.csv", 51)]
    assert "offset" in rows[0][2]
    assert "outside the days" in rows[1][2]
    assert all(row[3] for row in rows)


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd.jsonl",
        "/etc/passwd.jsonl",
        "checks/../../../secret.jsonl",
        "link.jsonl",
        "folder/secret.jsonl",
    ],
)
def test_a_path_cannot_leave_the_root(small, settings_of, tmp_path, path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jsonl").write_text((small / "data/incidents.jsonl").read_text())
    (small / "data/link.jsonl").symlink_to(outside / "secret.jsonl")
    (small / "data/folder").symlink_to(outside)
    sources = small / "sources.toml"
    sources.write_text(sources.read_text().replace("incidents.jsonl", path))
    result = pull_stream(settings_of, load_organisation(small), "incidents")[0]
    assert result.error is not None
    assert "leaves the root" in result.error
    assert result.loads == ()


def test_a_link_to_itself_leads_nowhere(small, settings_of):
    path = small / "data/incidents.jsonl"
    path.unlink()
    path.symlink_to(path)
    result = pull_stream(settings_of, load_organisation(small), "incidents")[0]
    assert "the file does not exist" in (result.error or "")


def test_daily_files_cannot_leave_the_root(small, settings_of):
    sources = small / "sources.toml"
    sources.write_text(sources.read_text().replace("checks/{date}.csv", "../../{date}/checks.csv"))
    result = pull_stream(settings_of, load_organisation(small), "availability_checks")[0]
    assert "leaves the root" in (result.error or "")


def test_a_window_can_be_pulled_alone(small, settings_of):
    organisation = load_organisation(small)
    window = (date(2026, 8, 25), date(2026, 8, 28))
    result = pull_stream(settings_of, organisation, "availability_checks", window)[0]
    assert [load.window_start for load in result.loads] == [date(2026, 8, n) for n in (25, 26, 27)]
    whole = pull_stream(settings_of, organisation, "incidents", window)[0]
    assert [(load.window_start, load.window_end) for load in whole.loads] == [window]


def test_unknown_services_are_kept_and_shown(small, settings_of):
    path = small / "data/incidents.jsonl"
    path.write_text(path.read_text().replace('"service_id": "db"', '"service_id": "ghost"'))
    for name in ("incidents", "deployments"):
        pull_stream(settings_of, load_organisation(small), name)
    made_for(plans.load_context(settings_of), "facts.unmatched_rows", "staging.incidents")
    with duckdb.connect(str(settings_of.warehouse), read_only=True) as con:
        assert con.execute("select stream, name, row_count from facts.unmatched_rows").fetchall() == [
            ("incidents", "ghost", 10)
        ]
        assert con.execute("select count(*) from staging.incidents").fetchall() == [(20,)]


def test_a_schedule_brings_files_that_came_late_or_were_mended(small, settings_of):
    """A schedule asks for one day; files of earlier days that failed then are not lost for it."""
    organisation = load_organisation(small)
    late, mended = small / "data/checks/2026-08-24.csv", small / "data/checks/2026-08-25.csv"
    text, whole = late.read_text(), mended.read_text()
    late.unlink()
    mended.write_text("monitor_id,moment\n")
    day = (date(2026, 9, 1), date(2026, 9, 2))

    def scheduled(stream: str = "availability_checks"):
        return pull_stream(settings_of, organisation, stream, day, fill_gaps=True)[0]

    first = scheduled()
    assert len(first.loads) + (first.error or "").count("2026-08-25") == 11
    assert scheduled().loads == ()
    late.write_text(text)
    mended.write_text(whole)
    assert [load.window_start for load in scheduled().loads] == [date(2026, 8, 24), date(2026, 8, 25)]
    again = scheduled()
    assert (again.loads, again.error) == ((), None)


def test_a_schedule_lands_a_whole_file_once_and_takes_it_up_where_it_ended(small, settings_of):
    organisation = load_organisation(small)

    def windows(first: int, last: int) -> list[tuple[date, date]]:
        day = (date(2026, 8, first), date(2026, 8, last))
        loads = pull_stream(settings_of, organisation, "incidents", day, fill_gaps=True)[0].loads
        return [(load.window_start, load.window_end) for load in loads]

    source = small / "sources.toml"
    source.write_text(source.read_text().replace("2026-07-01, 2026-09-01", "2026-07-01, 2026-08-05"))
    organisation = load_organisation(small)
    assert windows(5, 6) == [(date(2026, 7, 1), date(2026, 8, 6))]
    source.write_text(source.read_text().replace("2026-07-01, 2026-08-05", "2026-07-01, 2026-08-20"))
    organisation = load_organisation(small)
    # Nobody could read it for two weeks; the schedule's own window is one day.
    assert windows(20, 21) == [(date(2026, 8, 6), date(2026, 8, 21))]


@pytest.mark.parametrize(
    "unforeseen",
    [
        pl.exceptions.PanicException("a panic of a library"),
        pl.exceptions.ShapeError("secret cell"),
        duckdb.ConversionException("secret cell"),
        UnicodeEncodeError("utf-8", "secret cell", 0, 1, "surrogates not allowed"),
        OverflowError("secret cell"),
        RecursionError(),
        PermissionError(13, "Permission denied"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_file_raises_is_one_error_and_the_others_land(small, settings_of, monkeypatch, unforeseen):
    whole = files.read_table

    def broken(path, names):
        if path.name == "2026-08-25.csv":
            raise unforeseen
        return whole(path, names)

    monkeypatch.setattr(files, "read_table", broken)
    (result,) = pull_stream(settings_of, load_organisation(small), "availability_checks")
    assert len(result.loads) == 11
    assert result.error is not None
    assert "2026-08-25.csv: it" in result.error
    assert "fix:" in result.error
    assert "secret" not in result.error


def test_a_connectors_answer_is_judged_like_a_file(small, settings_of):
    """Values of any kind end in a value or a reason; days of rows set aside are not proven."""
    organisation = load_organisation(small)
    connector = Grafana(kind="grafana", name="page", url="https://grafana.example", streams=["alerts"])
    days = (date(2026, 8, 1), date(2026, 8, 3))
    request = FetchRequest.make(settings_of, organisation, connector, "alerts", days, datetime(2026, 9, 2, tzinfo=UTC))
    good = {"alert_id": "a", "service_id": "web", "rule_id": "r", "fired_at": datetime(2026, 8, 1, 8, tzinfo=UTC)}
    odd = [
        {"severity": [1]},
        {"severity": True},
        {"rule_id": {"a": 1}},
        {"rule_id": 3.10},
        {"rule_id": "\ud800"},
        {"rule_id": "a\0"},
        {"severity": float("nan")},
        {"closed_at": datetime(2026, 8, 1, 9)},  # noqa: DTZ001 - a time without zone is the point
        {"closed_at": datetime(2026, 8, 1, 7, tzinfo=UTC)},
        {"label": "Useful"},
    ]
    rows = [good, *(good | {"alert_id": f"odd{n}"} | cell for n, cell in enumerate(odd))]
    batch = batch_of(request, STREAMS["alerts"], FetchResult(rows), accumulates=False)
    assert batch.frame["_reason"].null_count() == 1
    assert batch.unproven == ((date(2026, 8, 1), date(2026, 8, 2), "partial"),)
    assert batch.is_complete


def test_a_folder_that_is_missing_is_said_once(small, cli):
    """Every stream lies in it, and each would name a file of its own."""
    shutil.move(small / "data", small / "moved")
    found = cli("run", "--org", str(small), check=False)
    assert found.returncode == 1
    assert found.stderr.count("does not exist") == 1
    assert f"{(small / 'data').resolve()}: the folder does not exist" in found.stderr
