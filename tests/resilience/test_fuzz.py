"""Whatever a file holds, reading it ends with a value or with one of our own errors: never with a traceback.

Crashes that were found stand as cases in ``CASES``, so that they stay mended. ``FUZZ_EXAMPLES`` asks for more of them.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.catalogue.sqlfile import parse
from opsmetrics.core.errors import ConfigurationError, OpsMetricsError, SourceError, SqlFileError
from opsmetrics.core.settings import default_sql_root
from opsmetrics.organisation import Organisation, StreamSource, load_organisation
from opsmetrics.organisation.access import load_access
from opsmetrics.sources.files import Reading, read_parcel
from opsmetrics.sources.git_history import changes_by_commit
from opsmetrics.sources.restore_files import rows_of
from opsmetrics.sources.versions import direction_of, update_type
from opsmetrics.streams import STREAMS

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples" / "demo"
CONFIGURATION = sorted(path.relative_to(DEMO).as_posix() for path in [*DEMO.glob("*.toml"), *DEMO.rglob("*.csv")])
NOW = datetime(2026, 8, 2, 6, tzinfo=UTC)
IN_CI = 60
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", IN_CI))
# Tests below that draw as many examples.
PROPERTIES = 8
few = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

# What a typing error, a broken transfer or malice puts into a file.
NASTY = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b"'",
    b'"""',
    b"[[",
    b"]]",
    b"[" * 2000,
    b"{" * 50,
    b"=",
    b",",
    b"#",
    b"--",
    b";",
    b"/*",
    b"../../../etc/passwd",
    b"$HOME",
    b"%s{}{0}",
    b"<script>alert(1)</script>",
    b"'; drop table scores.team; --",
    b"=cmd|' /C calc'!A0",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"nan",
    b"true",
    b"null",
    b"0001-01-01",
    b"9999-12-31T23:59:59Z",
    b"2026-02-30",
    "\u202e\u0000\ud7ff".encode(),
    "æøå\U0001f600".encode(),
    b"a" * 200_000,
]


@st.composite
def mutations(draw, size: int):
    """One to four changes, as (place, removed, inserted), of an input of this many bytes."""
    change = st.tuples(st.integers(0, size), st.integers(0, 40), st.sampled_from(NASTY))
    return draw(st.lists(change, min_size=1, max_size=4))


def mutated(content: bytes, changes) -> bytes:
    for place, removed, inserted in changes:
        content = content[:place] + inserted + content[place + removed :]
    return content


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "org"
    shutil.copytree(DEMO, folder)
    (folder / "access.toml").write_text('claim = "roles"\n[[grant]]\nvalue = "ops"\nrole = "admin"\n')
    return folder


def read_organisation(folder: Path) -> None:
    """Load all that a run loads; errors of ours are the only ones allowed."""
    problems = []
    try:
        load_organisation(folder)
        load_access(folder)
    except ConfigurationError as error:
        problems = error.problems
    assert all(problem.file and problem.message and problem.fix for problem in problems)


@few
@given(data=st.data(), name=st.sampled_from([*CONFIGURATION, "access.toml"]))
def test_configuration(scratch, data, name):
    path = scratch / name
    whole = path.read_bytes()
    try:
        path.write_bytes(mutated(whole, data.draw(mutations(len(whole)))))
        read_organisation(scratch)
    finally:
        path.write_bytes(whole)


@few
@given(data=st.data(), path=st.sampled_from(sorted(default_sql_root().rglob("*.sql"))))
def test_sql_headers(tmp_path_factory, data, path):
    content = path.read_bytes()
    broken = tmp_path_factory.mktemp("sql") / path.name
    broken.write_bytes(mutated(content, data.draw(mutations(len(content)))))
    said = broken.name
    try:
        assert isinstance(parse(broken, path.parent.name).dependencies, frozenset)
    except SqlFileError as error:
        said = str(error)
    assert broken.name in said


TABLES = {
    "rows.csv": b'incident_id,service_id,severity,declared_at\nH1,web,1,2026-08-01T08:00:00Z\nH2,"db",2,\n',
    "rows.jsonl": b'{"incident_id": "H1", "severity": 1, "tags": [1, {"a": null}]}\n{"incident_id": "H2"}\n',
}


def landed_or_refused(path: Path, organisation: Organisation) -> None:
    """Read a file as a pull does: it ends in a batch of which every row is kept or has a reason, or in one error."""
    source, stream = StreamSource(name="incidents", path=path.name), STREAMS["incidents"]
    said = path.name
    try:
        reading = Reading(organisation, source, stream, path.parent, NOW.date())
        batch = read_parcel(reading, path, landing=path.parent, day=None, window=None)
    except SourceError as error:
        said = str(error)
        assert "Error)" not in said, "an error that nobody foresaw: name it where it comes from"
    else:
        kept = batch.frame.filter(pl.col("_reason").is_null())
        assert all(kept[column.name].null_count() == 0 for column in stream.columns if column.required)
        assert kept["_day"].is_between(*batch.window, closed="left").all()
    assert path.name in said


@pytest.fixture(scope="module")
def demo_organisation() -> Organisation:
    return load_organisation(DEMO)


@few
@given(data=st.data(), name=st.sampled_from(sorted(TABLES)))
def test_files_of_sources(tmp_path_factory, demo_organisation, data, name):
    content = TABLES[name]
    path = tmp_path_factory.mktemp("rows") / name
    path.write_bytes(mutated(content, data.draw(mutations(len(content)))))
    landed_or_refused(path, demo_organisation)


@few
@given(data=st.data())
def test_bytes_of_parquet(tmp_path_factory, demo_organisation, data):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    columns = {"incident_id": ["a", "b"], "service_id": ["web", None], "severity": [1, 2], "declared_at": [NOW, None]}
    pl.DataFrame(columns).write_parquet(path)
    content = path.read_bytes()
    path.write_bytes(mutated(content, data.draw(mutations(len(content)))))
    landed_or_refused(path, demo_organisation)


# Cells of every type that a Parquet file may have.
TYPED = [
    *(
        "a",
        "",
        "\x00",
        "9" * 400,
        "2026-08-01T08:00:00Z",
        "nan",
        True,
        0,
        -1,
        2**63 - 1,
        3.5,
        float("nan"),
        float("inf"),
    ),
    *(b"\xff", [1], {"a": None}, date(9999, 12, 31), date(1, 1, 1), time(23, 59), timedelta(days=1), NOW, None),
    datetime(9999, 12, 31, 23, 59, 59),  # noqa: DTZ001 - a time without zone is one of the types
]


@few
@given(data=st.data())
def test_types_of_parquet(tmp_path_factory, demo_organisation, data):
    names = [
        *(column.name for column in STREAMS["incidents"].columns),
        "_line",
        "_reason",
        "in severity",
        "SEVERITY",
        "",
    ]
    cells = {name: data.draw(st.sampled_from(TYPED)) for name in data.draw(st.sets(st.sampled_from(names), max_size=9))}
    good = {"incident_id": "a", "service_id": "web", "severity": 1, "declared_at": NOW}
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pl.DataFrame({name: [value, None] for name, value in (good | cells).items()}).write_parquet(path)
    landed_or_refused(path, demo_organisation)


RESTORES = (
    b'[{"schema": 1, "id": "r1", "system": "db", "started_at": "2026-08-01T08:00:00Z", "result": "ok",'
    b' "restored_at": "2026-08-01T09:00:00Z", "verified_at": null, "data_gb": 1.5}]'
)


@few
@given(data=st.data())
def test_restore_files(data):
    text = mutated(RESTORES, data.draw(mutations(len(RESTORES)))).decode("utf-8", "replace")
    try:
        rows_of(text, "restore-test.json", {})
    except (OpsMetricsError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # The last five are what `explained_shape` turns into an error that names the field.
        return


DIFF = b"""\x00abc
diff --git a/package.json b/package.json
--- a/package.json
+++ b/package.json
@@ -1,3 +1,3 @@
-    "left-pad": "^1.0.0",
+    "left-pad": "^2.0.0",
diff --git a/Dockerfile b/Dockerfile
@@ -1 +1 @@
-FROM debian:12.1
+FROM debian:12.2
"""


@few
@given(data=st.data())
def test_diffs_of_manifests(data):
    whole = list(changes_by_commit(DIFF.decode().split("\n")))
    assert [(sha, len(changes)) for sha, changes in whole] == [("abc", 2)]
    text = mutated(DIFF, data.draw(mutations(len(DIFF)))).decode("utf-8", "replace")
    for _, changes in changes_by_commit(text.split("\n")):
        assert all(change.before.package == change.after.package for change in changes)


@few
@given(st.text(max_size=60), st.text(max_size=60))
def test_versions(old, new):
    assert update_type(old, new)
    assert direction_of(old, new)


# Found by the fuzzer or by thinking, and kept.
CASES = {
    "register with a field that is too long": ("registers/waivers.csv", b'"' + b"a" * 200_000 + b'"\n'),
    "register whose header is broken": ("registers/efforts.csv", b'"team_id\n'),
    "register with a zero byte": ("registers/goals.csv", b"team_id\x00,metric_id\n"),
    "deeply nested TOML": ("teams.toml", b"a = " + b"[" * 5000),
    "zero byte in a path": ("sources.toml", b'root = "a\\u0000b"\n'),
    "a number with four hundred digits": ("slo.toml", b"[[slo]]\ntarget = " + b"9" * 400 + b"\n"),
    "not UTF-8": ("services.toml", b"\xff\xfe"),
    "a list where a table is expected": ("organisation.toml", b"environments = [1]\n"),
    "a table where a list is expected": ("teams.toml", b"[team]\nid = 1\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(scratch, case):
    name, content = CASES[case]
    path = scratch / name
    whole = path.read_bytes() if path.exists() else None
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        with pytest.raises(ConfigurationError):
            load_organisation(scratch)
    finally:
        path.unlink() if whole is None else path.write_bytes(whole)
