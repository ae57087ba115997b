"""Two scores with the same ruleset version were made by the same rules."""

import re
import shutil

import pytest

from opsmetrics.catalogue.load import load_catalogue, rules_digest_at
from opsmetrics.catalogue.ruleset import check_version
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import ConfigurationError, SqlFileError
from opsmetrics.core.settings import default_sql_root

METRIC = "metrics/inc/inc_postmortem_on_time.sql"


@pytest.fixture
def sql(tmp_path):
    """A copy of the SQL files that a test may change."""
    return shutil.copytree(default_sql_root(), tmp_path / "sql")


def change(path, pattern, replacement):
    """Change one place of a file; the test fails where there is no such place, or more than one."""
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count == 1
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "pattern", "replacement"),
    [
        (METRIC, r"(?m)^-- krav = .*$", "-- krav = 0.81"),
        (METRIC, r"(?m)^-- weight = .*$", "-- weight = 4"),
        (METRIC, r"(?m)^-- window = .*$", '-- window = "180d"'),
        (METRIC, r"(?m)^-- version = .*$", "-- version = 9"),
        ("metrics/areas.toml", r"(?m)^weakest_share = .*$", "weakest_share = 0.3"),
        ("gates/g_feil_1.sql", r"(?m)^-- cap = .*$", "-- cap = 0"),
    ],
)
def test_what_can_change_a_score_needs_a_new_version(sql, file, pattern, replacement):
    before = rules_digest_at(sql)
    change(sql / file, pattern, replacement)
    assert rules_digest_at(sql) != before
    with pytest.raises(SqlFileError, match="the version is still"):
        load_catalogue(sql, load_all(sql))


def test_a_text_is_no_rule(sql):
    before = rules_digest_at(sql)
    change(sql / METRIC, r"(?m)^(-- title = .*)$", '-- title = { nb = "Et annet navn", en = "Another name" }')
    assert rules_digest_at(sql) == before
    assert load_catalogue(sql, load_all(sql)).metric("inc_postmortem_on_time").header.title.en == "Another name"


def test_a_version_that_nobody_recorded_names_the_line_to_add(tmp_path):
    (tmp_path / "metrics").mkdir()
    with pytest.raises(SqlFileError, match=r'add the line "9\.0\.0" = "abc"'):
        check_version(tmp_path, "9.0.0", "abc")
    (tmp_path / "metrics" / "rulesets.toml").write_text('"9.0.0" = "abc"\n')
    check_version(tmp_path, "9.0.0", "abc")


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "said"),
    [
        ("metrics/areas.toml", r"(?m)^weakest_share = .*$", "weakest_share = 0,3", "written with a comma"),
        ("metrics/rulesets.toml", r'(?m)^"4.0.0" = .*$', '"4.0.0" "x"', "the line has no ="),
        ("metrics/remedies.toml", r"\A", "[[remedy]\n", "brackets"),
    ],
)
def test_a_file_of_the_rules_that_cannot_be_read_is_named_with_its_line(sql, file, pattern, replacement, said):
    change(sql / file, pattern, replacement)
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(sql, load_all(sql))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line is not None) == (str(sql / file), True)
    assert said in f"{problem.message} {problem.fix}"


def test_a_folder_without_rules_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no rules lie here(.|\n)*--ruleset"):
        load_catalogue(tmp_path, {})
