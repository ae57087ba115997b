"""What makes the data say less than they seem to is said: by a pull, by the sentences, and for every contract."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from opsmetrics import build as plans
from opsmetrics.cli import main
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.operations import health
from opsmetrics.operations.landed import notices_of_pull
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots.notices import KINDS, Notice, Voice, sentences
from opsmetrics.sources import pull_stream
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path, small):
    return Settings(home=tmp_path / "home", org=small, data=None, now=NOW, sql=default_sql_root())


def pulled(settings, stream):
    organisation = load_organisation(settings.org)
    return notices_of_pull(organisation, pull_stream(settings, organisation, stream), date(2026, 9, 2))


def rewrite(small, change):
    path = small / "data" / "incidents.jsonl"
    rows = [change(number, json.loads(line)) for number, line in enumerate(path.read_text().splitlines())]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")


def test_a_pull_without_fault_says_nothing(settings):
    assert pulled(settings, "incidents") == []
    assert pulled(settings, "deployments") == []


def test_a_pull_says_what_leads_nowhere_and_what_was_set_aside(settings, small):
    rewrite(
        small,
        lambda n, row: (
            row
            | ({"service_id": "ghost"} if n < 3 else {"service_id": "WEB"})
            | ({"severity": "high"} if n > 17 else {})
            | {"extra": "x"}
        ),
    )
    found = pulled(settings, "incidents")
    assert {(notice.kind, notice.name.split(":")[0], notice.row_count) for notice in found} == {
        ("unknown_name", "service ghost", 3),
        ("set_aside", "severity", 2),
        ("new_column", "extra", None),
    }
    assert not any(sentence.is_error for sentence in sentences(found))


def test_a_pull_of_which_nothing_can_be_used_is_an_error(settings, small):
    rewrite(small, lambda _, row: row | {"service_id": "ghost"})
    (sentence,) = sentences(pulled(settings, "incidents"))
    assert (sentence.kind, sentence.count, sentence.is_error) == ("all_unmatched", 20, True)


TESTS = """
[[connector]]
name = "tests"
kind = "restore_files"
streams = ["restore_tests"]
from = 2026-08-01
folder = "restores"
"""


def test_rows_that_were_all_set_aside_are_told_again_by_a_pull_that_finds_nothing_new(settings, small):
    sources = small / "sources.toml"
    kept = [part for part in sources.read_text().split("[[stream]]") if 'name = "restore_tests"' not in part]
    sources.write_text("[[stream]]".join(kept) + TESTS)
    folder = small / "restores"
    folder.mkdir()
    said = {
        "schema": 1,
        "system": "web-db",
        "started_at": "2026-08-18T01:00:00Z",
        "restored_at": "2026-08-18T01:42:10Z",
    }

    def pulled_tests(result):
        (folder / "restore-test.json").write_text(json.dumps(said | {"result": result}))
        organisation = load_organisation(settings.org)
        (found,) = pull_stream(settings, organisation, "restore_tests")
        return found, notices_of_pull(organisation, [found], date(2026, 9, 2))

    first, notices = pulled_tests("perhaps")
    assert [(notice.kind, notice.row_count) for notice in notices] == [("all_set_aside", 1)]
    again, still = pulled_tests("perhaps")
    assert (len(first.loads), again.loads, again.quarantined, still) == (1, (), 1, notices)
    # Mended rows are used: what was set aside before is no more to be told.
    assert "all_set_aside" not in {notice.kind for notice in pulled_tests("ok")[1]}
    last, silent = pulled_tests("ok")
    assert (last.loads, last.quarantined, silent) == ((), 0, [])


def test_every_column_with_a_name_is_looked_up():
    """A stream that joins with a name, or a name that joins a stream, must stand in the macro."""
    macro = (default_sql_root() / "macros" / "named_rows.sql").read_text()
    written = set(re.findall(r"names_in\('(\w+)', '(\w+)', (\w+)", macro))
    wanted = {
        (stream.name, kind, column)
        for stream in STREAMS.values()
        for column, kind in named_columns(stream)
        if kind != "monitor"
    }
    references = {
        ("alert_rule_states", "resource", "resource_id"),
        ("alerts", "rule", "rule_id"),
        ("component_states", "product", "product"),
        ("documents", "subject", "case"),
        ("incidents", "deployment", "caused_by_deployment_id"),
    }
    assert written == wanted | references
    # Registers have no day of their own: the macro is told when their rows were.
    undated = set(re.findall(r"names_in\('(\w+)', '\w+', [^,]+\)", macro))
    assert undated == {stream.name for stream in STREAMS.values() if not stream.is_register} & {
        name for name, _, _ in written
    }


def test_every_kind_of_name_is_known_to_be_one():
    """A new column that ends like a name is decided upon: it is looked up, or it is no name of the configuration."""
    ending = re.compile(r"^(?:\w+_)?(service|team|repository|monitor|datastore)(?:_id)?$")
    found = {c.name for stream in STREAMS.values() for c in stream.columns if ending.match(c.name)}
    assert found == {column for stream in STREAMS.values() for column, _ in named_columns(stream)} - {"environment"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_sentence_with_count_names_and_fix(language):
    days = {"first_on": date(2026, 8, 1), "last_on": date(2026, 8, 3)}
    for kind in KINDS:
        notices = [Notice(kind, "alerts", "files", f"name{n}", 10 + n, **days) for n in range(7)]
        (sentence,) = sentences(notices, Voice(language))
        assert sentence.fix
        assert sentence.text[0] != " "
        assert "{" not in str(sentence)
        if kind not in {"clock", "future", "nothing_connected"}:
            assert any(word in sentence.text for word in ("name6", "alerts"))


def test_the_worst_stands_first_and_few_names_are_shown():
    notices = [Notice("set_aside", "alerts", "files", f"reason {n}", n) for n in range(1, 9)]
    found = sentences([*notices, Notice("all_unmatched", "incidents", "", "service x", 4)])
    assert [sentence.kind for sentence in found] == ["all_unmatched", "set_aside"]
    assert "36 in all: reason 8 (8), reason 7 (7)" in found[1].text
    assert found[1].text.endswith("and 3 more")


def test_health_and_strict(small_run, monkeypatch):
    """Warnings are said and end with 1 only where that is asked for; errors do always."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(small_run.home))
    arguments = ["health", "--org", str(small_run.org)]
    assert health.issues(small_run, NOW) == []
    found = {issue.key: issue for issue in health.warnings(small_run)}
    assert {"clock/", "not_connected/"} <= found.keys()
    assert {issue.level for issue in found.values()} == {"warning"}
    quiet, strict = CliRunner().invoke(main, arguments), CliRunner().invoke(main, [*arguments, "--strict"])
    assert (quiet.exit_code, strict.exit_code) == (0, 1)
    assert quiet.output == strict.output
    assert "warning: the clock stands still at 2026-09-02" in quiet.output
    told = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert {row["level"] for row in told} == {"warning"}


def test_a_snapshot_of_a_clock_that_was_ahead_is_not_fresh_until_that_day(small_run):
    said = [issue.text for issue in health.issues(small_run, NOW - timedelta(days=400))]
    assert "a clock was ahead; set it right" in said[0]


def test_rows_that_are_all_nobodys_are_an_error_of_health(small_run):
    """Sixty incidents landed, none became a fact, and all was well: that is over."""
    path = small_run.org / "services.toml"
    path.write_text(path.read_text().replace('id = "web"', 'id = "shop"').replace('id = "db"', 'id = "base"'))
    slo = small_run.org / "slo.toml"
    slo.write_text(slo.read_text().replace('"web"', '"shop"'))
    plans.build_and_publish(plans.load_context(small_run))
    said = [issue.text for issue in health.issues(small_run, NOW)]
    assert any(text.startswith("incidents: all 20 rows belong to nobody") for text in said), said
