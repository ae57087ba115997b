"""The command line as a user meets it."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from opsmetrics.cli import main
from opsmetrics.cli.query_output import show
from opsmetrics.core.settings import default_sql_root
from opsmetrics.snapshots.store import open_current
from opsmetrics.warehouse.lock import exclusive
from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = ("check", "pull", "build", "publish", "run", "demo", "app", "path", "sql")


def test_help_lists_every_command(cli):
    shown = cli("--help").stdout
    assert all(command in shown for command in COMMANDS)
    for command in COMMANDS:
        told = CliRunner().invoke(main, [command, "--help"])
        assert (told.exit_code, "Usage" in told.output) == (0, True), command


def test_a_crash_leaves_no_core(tmp_path, monkeypatch):
    """It would hold the environment, in whichever folder the process is: every token of every source."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    monkeypatch.setenv("OPSMETRICS_HOME", str(tmp_path))
    try:
        CliRunner().invoke(main, ["path"])
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_stage_by_stage(cli, here, small):
    org = ("--org", str(small))
    assert json.loads(cli("check", *org, "--json").stdout)["ok"]
    pulled = json.loads(cli("pull", *org, "--json").stdout)["streams"]
    assert {row["stream"]: row["rows"] for row in pulled} == {
        "availability_checks": 12 * 48,
        "deployments": 30,
        "incidents": 20,
    }
    assert json.loads(cli("build", *org, "--json").stdout)["changed"]
    first = json.loads(cli("publish", *org, "--json").stdout)
    assert first["changed"]
    assert cli("path").stdout.strip() == first["path"]
    assert not json.loads(cli("run", *org, "--json").stdout)["changed"]
    rows = json.loads(here("sql", "select count(*) as n from staging.incidents", "--format", "json").stdout)
    assert rows == [{"n": 20}]
    assert "team_id" in cli("sql", "from scores.team limit 1").stdout
    assert here("sql", "select 1 as a, 'x' as b", "--format", "csv").stdout == '"a","b"\n1,"x"\n'
    # Neither CSV nor JSON has durations, bytes or lists.
    odd = "select interval '90 minutes' as a, ['x', 'y'] as b, {'c': 1} as c, 'z'::blob as d"
    assert here("sql", odd, "--format", "csv").stdout == (
        '"a","b","c","d"\n"01:30:00","[""x"", ""y""]","{""c"": 1}","z"\n'
    )
    assert json.loads(here("sql", odd, "--format", "json").stdout) == [
        {"a": "01:30:00", "b": ["x", "y"], "c": {"c": 1}, "d": "z"}
    ]
    assert here("sql", "-- why\nselect 1 as a", "--format", "csv").stdout == '"a"\n1\n'
    assert cli("sql", "-", "--format", "csv", typed="-- why\nselect 1 as a;\n").stdout == '"a"\n1\n'


def test_what_neither_csv_nor_json_has_is_text_and_sums_are_numbers(capsys):
    """Two columns of one name stand beside it: the second one was the first again."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        odd = """select 1 as a, 2 as a, interval 1 day as b, sum(3) as c, 1.5::decimal(5, 2) as d, 'infinity'::date as e,
            [timestamp '294247-01-10'] as f, union_value(k := 1) as g, map {1: 'x'} as h, 1::bignum as i,
            map {'k': timestamp '-infinity'} as j, timestamptz '2026-01-01 02:00+02' as k"""
        show(con.sql(odd), "csv")
        texts = ["infinity", "['294247-01-10 00:00:00']", "1", "{1=x}", "1", "{k=-infinity}"]
        (row,) = csv.reader(capsys.readouterr().out.splitlines()[1:])
        assert row == ["1", "2", "1 day", "3", "1.50", *texts, "2026-01-01T00:00:00.000000+0000"]
        show(con.sql(odd), "json")
        (found,) = json.loads(capsys.readouterr().out)
        assert list(found.values()) == [1, 2, "1 day", 3, 1.5, *texts, "2026-01-01T00:00:00+00:00"]


def test_a_query_may_be_a_file_or_come_from_standard_input(here, small_run, tmp_path):
    query = tmp_path / "why.sql"
    query.write_text("\ufeff-- what it is for\n/* more */\nselect 1 as a;\n", encoding="utf-8")
    for words, typed in (
        ((str(query),), None),
        (("-f", str(query)), None),
        ((), query.read_text()),
        (("-",), "select 1 as a"),
    ):
        assert here("sql", *words, "--format", "csv", typed=typed).stdout == '"a"\n1\n'
    for words in (("nowhere.sql",), ("-f", str(tmp_path / "nowhere")), ("select 1", "-f", str(query))):
        found = here("sql", *words, check=False)
        assert (found.returncode, "Traceback" in found.stderr) == (2, False)


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("sql", "-"), b"select 1 as \xff", "standard input is not UTF-8"),
        (("sql", b"select 1 as \xff"), b"", "the query is not UTF-8"),
        (("sql", "-f", "/dev/zero"), b"", "that is not a query"),
        (("sql",), None, "write a query"),
    ],
)
def test_what_is_no_text_is_no_query(tmp_path, words, typed, said):
    code = "import os, sys; os.close(0) if sys.argv[1] == 'closed' else None; os.execv(sys.executable, [sys.executable,"
    code += " '-m', 'opsmetrics', *sys.argv[2:]])"
    command = [sys.executable, "-c", code, "closed" if typed is None else "open", *words]
    env = os.environ | {"OPSMETRICS_HOME": str(tmp_path)}
    found = subprocess.run(
        command, cwd=ROOT, env=env, input=typed, capture_output=True, timeout=LIMIT_SECONDS, check=False
    )
    assert (found.returncode, said in found.stderr.decode()) == (2, True), found.stderr


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("sql", "--help")])
def test_help_for_a_full_disk_is_one_text(words):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "opsmetrics", *words]
        found = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr.split("\n")[0]) == (
        1,
        "error: the disk refused: [Errno 28] No space left on device",
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory"), "the folder that this was started in is no longer there"),
        (duckdb.OutOfMemoryException("Out of Memory Error: Allocation failure"), "the system gave no more memory"),
        (duckdb.IOException("IO Error: No space left on device"), "the disk refused: IO Error"),
    ],
)
def test_what_the_system_refuses_is_called_by_its_name(monkeypatch, error, said):
    def refuse(_: object) -> None:
        raise error

    monkeypatch.setattr("opsmetrics.cli.read.current", refuse)
    found = CliRunner().invoke(main, ["path"])
    assert found.exit_code == 1
    assert found.output.startswith(f"error: {said}")
    assert "fix: " in found.output


def test_errors_are_one_readable_text_and_exit_code_1(cli, here, small, tmp_path):
    (small / "teams.toml").write_text('[[team]]\nid = "alfa"\n')
    found = cli("check", "--org", str(small), check=False)
    assert found.returncode == 1
    assert "teams.toml:1" in found.stderr
    assert "Traceback" not in found.stderr
    problems = json.loads(here("check", "--org", str(small), "--json", check=False).stdout)
    assert problems["ok"] is False
    assert {"file", "line", "message", "fix"} == set(problems["problems"][0])
    nothing = here("path", home=tmp_path / "other", check=False)
    assert nothing.returncode == 1
    assert "opsmetrics run" in nothing.stderr


def test_wrong_usage_is_exit_code_2(here, small):
    assert here("pull", "--org", str(small), "--stream", "nothing", check=False).returncode == 2
    assert here("pull", "--org", str(small), "--from", "2026-08-01", check=False).returncode == 2
    assert here("nonsense", check=False).returncode == 2


def test_sql_is_read_only_and_errors_are_short(here, small_run):
    found = here("sql", "drop table scores.team", check=False)
    assert found.returncode == 2
    assert "a snapshot is never changed" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_query_reaches_no_file_and_no_setting(cli, small_run, tmp_path):
    """A query is often pasted. One for DuckDB's own log in a file wrote none, and ended the process with a core dump."""
    (place := tmp_path / "place").mkdir()
    (place / "a.csv").write_text("a\nsecret\n")
    with open_current(small_run.snapshots) as con:
        for query in (
            f"from read_csv('{place}/a.csv')",
            f"from glob('{place}/*')",
            f"attach '{place}/x.db' as x",
            f"copy (select 1) to '{place}/out.csv'",
            f"export database '{place}/all'",
            "install httpfs",
            "select getenv('HOME')",
            "create persistent secret s (type http)",
            "set enable_external_access = true",
            "set lock_configuration = false",
            f"set secret_directory = '{place}'",
            f"set extension_directory = '{place}'",
            f"set temp_directory = '{place}/spilled'",
            "set custom_extension_repository = 'http://127.0.0.1:1'",
            "set http_proxy = '127.0.0.1:1'",
            "pragma enable_profiling = 'json'",
            "call enable_logging('QueryLog')",
        ):
            with pytest.raises(duckdb.Error):
                con.execute(query)
        assert con.execute("set variable a = 1; select getvariable('a')").fetchall() == [(1,)]
    found = cli("sql", f"call enable_logging('QueryLog', storage = 'file', storage_path = '{place}/log')", check=False)
    assert found.returncode == 2
    assert [path.name for path in place.iterdir()] == ["a.csv"]


def test_a_dead_source_is_reported_and_the_rest_is_published(here, small):
    (small / "data" / "deployments.csv").unlink()
    found = here("run", "--org", str(small), "--json", check=False)
    outcome = json.loads(found.stdout)
    assert found.returncode == 1
    assert len(outcome["errors"]) == 1
    assert "deployments.csv" in outcome["errors"][0]
    rows = json.loads(here("sql", "select stream, state from marts.source_health", "--format", "json").stdout)
    assert {row["stream"]: row["state"] for row in rows}["deployments"] == "failed"


@pytest.mark.parametrize("stream", ["availability_checks", "incidents", "deployments"])
def test_a_removed_source_never_raises_a_lower_bound_end_to_end(here, first_run, small, tmp_path, stream):
    """The same with real files: remove one source from the configuration, compare every bound."""
    sources = (small / "sources.toml").read_text().split("[[stream]]")
    kept = [part for part in sources if f'name = "{stream}"' not in part]
    assert len(kept) == len(sources) - 1
    (small / "sources.toml").write_text("[[stream]]".join(kept))
    here("run", "--org", str(small), "--json")
    bounds = []
    for home in (first_run / "home", tmp_path / "home"):
        with open_current(home / "snapshots") as con:
            sql = "select team_id, area_id, as_of, grain, low from scores.area where low is not null"
            bounds.append({row[:-1]: row[-1] for row in con.execute(sql).fetchall()})
            statuses = con.execute(
                "select distinct s.status from scores.metric as s join meta.metrics as m using (metric_id)"
                " where list_contains(m.needs, $1)",
                [stream],
            ).fetchall()
    before, after = bounds
    assert before
    assert all(after[key] <= before.get(key, 100.0) + 1e-9 for key in after)
    assert {status for (status,) in statuses} <= {"not_measured", "not_measured_overdue"}


def test_a_foreign_file_in_landing_is_named_at_once(here, small, tmp_path):
    folder = tmp_path / "home" / "landing" / "incidents"
    folder.mkdir(parents=True)
    (folder / "notes.parquet").write_bytes(b"x")
    found = here("run", "--org", str(small), "--json", check=False)
    assert found.returncode == 1
    assert "notes.parquet" in found.stderr
    assert "Traceback" not in found.stderr


def test_two_writers_at_once_is_one_clear_sentence(cli, small_run):
    small, path = small_run.org, small_run.warehouse
    code = f"import duckdb,time; c=duckdb.connect({str(path)!r}); print(1, flush=True); time.sleep({LIMIT_SECONDS})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        found = cli("run", "--org", str(small), "--json", check=False)
        holder.kill()
    assert found.returncode == 1
    assert "another run is writing" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_busy_working_file_is_waited_for_with_one_line(cli, small, tmp_path, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_BUSY_SECONDS", "0.5")
    home = tmp_path / "home"
    home.mkdir()
    with exclusive(home / "working.duckdb", 0):
        found = cli("build", "--org", str(small), "--json", check=False)
    assert found.returncode == 1
    waiting, refused = found.stderr.splitlines()
    assert re.fullmatch(rf"another run is building since .* \(process {os.getpid()}\); waiting up to 0.5 s", waiting)
    assert refused.startswith(f"error: {home / 'working.duckdb'}: another run is writing since ")


def test_a_broken_contract_stops_the_run_and_keeps_the_snapshot(here, small_run, tmp_path, monkeypatch):
    """A SQL file that breaks its contract: one sentence, and the published snapshot stays."""
    small = small_run.org
    before = here("path").stdout
    sql = tmp_path / "sql"
    shutil.copytree(default_sql_root(), sql)
    file = sql / "facts" / "incidents.sql"
    file.write_text(file.read_text().replace('-- key = ["incident_id"]', '-- key = ["severity"]'))
    monkeypatch.setenv("OPSMETRICS_SQL", str(sql))
    found = here("build", "--org", str(small), "--json", check=False)
    assert found.returncode == 1
    assert "incidents.sql" in found.stderr
    assert "repeated key" in found.stderr
    assert "Traceback" not in found.stderr
    assert here("publish", "--org", str(small), check=False).returncode == 1
    assert here("path").stdout == before


def test_state_is_for_its_own_user_and_group_whatever_the_shell_allows(small, tmp_path):
    """Members of the group may read a snapshot; nobody else may read anything, and nobody may write what is published."""
    home = tmp_path / "home"
    command = [sys.executable, "-m", "opsmetrics", "run", "--org", str(small), "--json"]
    env = os.environ | {"OPSMETRICS_HOME": str(home)}
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=LIMIT_SECONDS, capture_output=True, umask=0)
    paths = [home, *(path for path in home.rglob("*") if not path.is_symlink())]
    assert len(paths) > 20
    assert [path for path in paths if path.stat().st_mode & 0o007] == []
    (snapshot,) = home.glob("snapshots/ops-*.duckdb")
    assert snapshot.stat().st_mode & 0o777 == 0o440


@pytest.mark.parametrize("words", ["run", "health", "backup --to b", "demo --no-app --from-files"])
def test_the_state_of_an_organisation_is_not_built_with_the_demos_configuration(
    small_run, tmp_path, monkeypatch, words
):
    """Who forgot to say whose configuration is meant published the fictional organisation, for every reader."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPSMETRICS_HOME", str(small_run.home))
    monkeypatch.delenv("OPSMETRICS_ORG", raising=False)
    before = (small_run.snapshots / "current.json").read_bytes()
    found = CliRunner().invoke(main, words.split())
    assert (found.exit_code, "name its folder with OPSMETRICS_ORG or --org" in found.output) == (1, True), found.output
    assert (small_run.snapshots / "current.json").read_bytes() == before
    assert CliRunner().invoke(main, ["path"]).exit_code == 0


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_file_that_somebody_asks_for_is_as_open_as_their_shell_says(small_run, tmp_path, umask):
    """A collector or a container of another user could not read it; who had made it private wants it so."""
    home = {"OPSMETRICS_HOME": str(small_run.home)}
    for words in (("results", "--out", "new.json"), ("results", "--out", "known.json"), ("export", "--to", "exports")):
        (tmp_path / "known.json").write_text("")
        (tmp_path / "known.json").chmod(0o604)
        command = [sys.executable, "-m", "opsmetrics", *words]
        subprocess.run(command, cwd=tmp_path, env=os.environ | home, check=True, timeout=LIMIT_SECONDS, umask=umask)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "new.json", tmp_path / "known.json")]
    assert modes == [0o666 & ~umask, 0o604]
    assert (tmp_path / "exports" / "current" / "columns.parquet").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    "words",
    [
        ("pull", "--from", "2026-08-02", "--to", "2026-08-01"),
        ("pull", "--from", "2026-08-02", "--to", "9999-12-31"),
        ("results", "--min-level", "5"),
        ("results", "--min-coverage", "60"),
        ("results", "--min-score", "101"),
        ("app", "--port", "99999"),
        ("backup", "--to", ""),
        ("restore", "--from", "", "--home", "", "--org", ""),
        ("results", "--out", ""),
        ("check", "--org", ""),
        ("init", "--from", ".", "--team", "a\nb"),
        ("demo", "--scale", "0"),
        ("digest", "--post"),
        ("init", "--from", ".", "--timezone", "Oslo"),
        ("sql", ""),
        ("sql", "-- a comment alone"),
        ("sql", "select 1; select 2"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(here, small_run, words):
    org = ("--org", str(small_run.org)) if words[0] == "pull" else ()
    found = here(*words, *org, home=small_run.home, check=False)
    assert (found.returncode, "Traceback" in found.stderr, found.stdout) == (2, False, ""), found.stderr
    assert "Error: " in found.stderr


def test_nothing_is_posted_of_teams(cli, small_run, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_WEBHOOK_URL", "http://127.0.0.1:9/x")
    found = cli("digest", "--post", "--to", "alfa", home=small_run.home, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert "--post is about leadership's" in found.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("brief", "--format", "html", "--out", "{nowhere}/x"), "{nowhere}"),
        (("results", "--out", "{nowhere}/x/y.json"), "{nowhere}"),
        (("export", "--to", "{nowhere}/x"), "{nowhere}"),
        (("build", "--org", "{org}", "--known-at", "yesterday"), "--known-at: 'yesterday'"),
        (("owners", "--org", "{org}"), "no connector asks GitHub"),
        (("source", "try", "incidents", "--source", "desk", "--org", "{org}"), "fix: name one of "),
        (("import", "codeowners", "{nowhere}", "--org", "{org}"), "nothing of codeowners stands in these files"),
        (("backtest", "--org", "{org}"), "nothing to compare"),
    ],
)
def test_what_leads_nowhere_is_one_text_with_its_fix(here, small_run, tmp_path, words, told):
    nowhere = tmp_path / "a file"
    nowhere.write_text("")
    places = {"nowhere": nowhere, "org": small_run.org}
    found = here(*(word.format(**places) for word in words), home=small_run.home, check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (1, False), found.stderr
    assert told.format(**places) in found.stderr
    assert "fix: " in found.stderr


@pytest.mark.parametrize("words", [("backup", "--to", "{place}/to"), ("compact",)])
def test_a_state_folder_that_is_none_is_not_looked_after(here, small, tmp_path, words):
    """Where the setting is mistyped, or missing in a cron job, each backup would be of nothing, and end well."""
    given = (word.format(place=tmp_path) for word in words)
    found = here(*given, "--org", str(small), home=tmp_path / "typo", check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (1, False), found.stderr
    assert "nothing was ever landed" in found.stderr
    assert not (tmp_path / "typo").exists()
    assert not (tmp_path / "to").exists()


def test_a_home_that_cannot_be_is_named_also_where_a_source_meets_it_first(here, small, tmp_path):
    (tmp_path / "a file").write_text("")
    found = here("run", "--org", str(small), home=tmp_path / "a file" / "home", check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (1, False), found.stderr
    assert f"{tmp_path / 'a file'}" in found.stderr


@pytest.fixture
def dagster_starts(tmp_path, monkeypatch) -> list[list[str]]:
    """Arguments of what would have been started, the making of Dagster's store among them; DAGSTER_HOME is there/."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "there")
    monkeypatch.setenv("OPSMETRICS_HOME", str(tmp_path / "home"))
    started = []

    def note(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        assert env["DAGSTER_HOME"] == str(tmp_path / "there")
        started.append(arguments[2:])
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(os, "execve", lambda _, arguments, env: note(arguments, env))
    monkeypatch.setattr(subprocess, "run", lambda arguments, env, **_: note(arguments, env))
    return started


def test_what_dagster_cannot_be_set_up_with_is_named(dagster_starts, tmp_path):
    """Dagster wants a whole path, and writes a trace of settings that are no YAML."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "dagster.yaml").write_text("storage: [")
    found = CliRunner().invoke(main, ["dagster", "daemon"])
    assert (found.exit_code, dagster_starts) == (1, [])
    assert f"{tmp_path}/there/dagster.yaml: this is no YAML" in found.output


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("daemon", "dagster._daemon run -m pipelines.definitions"),
        ("daemon -w w.yaml", "dagster._daemon run -w {here}/w.yaml"),
        ("page -w w.yaml --write", "pipelines.page --port 3000 -w {here}/w.yaml --write"),
        ("code", "dagster code-server start -h 127.0.0.1 -m pipelines.definitions -p 4000"),
        ("code --port 4001", "dagster code-server start -h 127.0.0.1 -m pipelines.definitions -p 4001"),
    ],
)
def test_every_process_of_dagster_starts_with_our_command(dagster_starts, tmp_path, words, arguments):
    """On one machine or several: Dagster's own commands find no code in a wheel."""
    (tmp_path / "w.yaml").write_text("load_from: []\n")
    assert CliRunner().invoke(main, ["dagster", *words.split()]).exit_code == 0
    assert dagster_starts[1:] == [arguments.format(here=tmp_path).split()]


def test_one_process_makes_dagsters_store_and_one_daemon_works_with_it(dagster_starts, tmp_path):
    """Of two that met a new store one ended with a trace; two daemons start every schedule twice."""
    assert CliRunner().invoke(main, ["dagster", "page"]).exit_code == 0
    with (tmp_path / "there" / ".daemon").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = CliRunner().invoke(main, ["dagster", "daemon"])
    assert (found.exit_code, "a daemon of Dagster works here already" in found.output) == (1, True)
    assert CliRunner().invoke(main, ["dagster", "daemon"]).exit_code == 0
    assert [words[:3] for words in dagster_starts].count(["dagster", "instance", "info"]) == 1
    assert len(dagster_starts) == 3


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_what_another_program_reads_is_utf8_in_any_locale(cli, small_run, monkeypatch, form):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    found = cli("sql", "select 'blåbær' as x", "--format", form, home=small_run.home)
    assert "blåbær" in found.stdout


def test_nothing_connected_is_said_and_a_run_ends_with_1(here, small):
    (small / "sources.toml").write_text("")
    for command, code in (("check", 0), ("run", 1), ("health", 1)):
        found = here(command, "--org", str(small), check=False)
        assert found.returncode == code, command
        assert "connected" in found.stdout + found.stderr, command
        assert "opsmetrics next" in found.stdout + found.stderr, command
