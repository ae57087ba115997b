"""An organisation's own numbers and metrics: what they may say, and that nothing changes without them."""

from __future__ import annotations

import shutil

import pytest

from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import ConfigurationError, SqlFileError
from opsmetrics.core.settings import default_sql_root
from tests.own_metric import HEADER

SHIPPED = default_sql_root()
ABOUT = 'ruleset = "{version}"\nwhy = "The board wants it stricter."\n'
SELECT = """with items as (
    select d.team_id, w.as_of, w.grain, d.deployment_id as item_id, 1 as numerator, 1 as denominator, w.completeness
    from macros.metric_windows('own_x') as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
"""


@pytest.fixture
def org(tmp_path):
    (tmp_path / "metrics").mkdir()
    return tmp_path


def rules(org, text, version=None):
    shipped = load_catalogue(SHIPPED, load_all(SHIPPED)).ruleset.version
    (org / "rules.toml").write_text(ABOUT.format(version=version or shipped) + text)
    return load_catalogue(SHIPPED, load_all(SHIPPED, org), org)


def own(org, select=SELECT, header=HEADER, name="own_x"):
    (org / "metrics" / f"{name}.sql").write_text(header + select)
    return load_catalogue(SHIPPED, load_all(SHIPPED, org), org)


def test_without_own_rules_nothing_is_another(org, catalogue):
    found = load_catalogue(SHIPPED, load_all(SHIPPED, org), org)
    assert (found.version, found.digest, found.changes) == (catalogue.ruleset.version, catalogue.digest, ())
    assert [metric.header for metric in found.metrics] == [metric.header for metric in catalogue.metrics]
    assert catalogue.version == catalogue.ruleset.version


def test_numbers_are_replaced_and_told(org, catalogue):
    text = '[metric.inc_postmortem_on_time]\nwindow = "90d"\nkrav = 0.85\n[area.bck]\nweight = 2\n[method]\nweakest_share = 0.5\n'
    found = rules(org, text)
    header = found.metric("inc_postmortem_on_time").header
    assert (header.krav, header.window) == (0.85, "90d")
    assert {area.id: area.weight for area in found.areas}["bck"] == 2
    assert found.ruleset.weakest_share == 0.5
    told = {(item.kind, item.subject, item.setting) for item in found.changes}
    assert {("area", "bck", "weight"), ("method", "", "weakest_share")} < told
    assert found.version.startswith(f"{catalogue.ruleset.version}+")
    assert found.digest != catalogue.digest
    # Chances are drawn under the shipped version: who is not touched by a change keeps theirs.
    assert found.ruleset.version == catalogue.ruleset.version


def test_the_version_follows_from_the_numbers_alone(org):
    first = rules(org, "[area.bck]\nweight = 2\n").version
    assert rules(org, "# a comment\n[area.bck]\nweight = 2.0\n").version == first
    assert rules(org, "[area.bck]\nweight = 3\n").version != first
    assert "+" not in rules(org, "[area.bck]\nweight = 1\n").version


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[metric.inc_postmortem_on_tim]\nkrav = 1\n", 3, "did you mean 'inc_postmortem_on_time'"),
        ("[metric.inc_postmortem_on_time]\nkrav = 7\n", 4, "krav must lie between floor and mal"),
        ("[metric.inc_postmortem_on_time]\ntitle = 7\n", 4, "'title' cannot be set here"),
        ('[metric.inc_postmortem_on_time]\nwindow = "now"\n', 4, "other kind of window"),
        ("[metric.inc_postmortem_on_time]\nweight = -1\n", 4, "weight: it must be"),
        ('[metric.inc_postmortem_on_time]\nwindow = "90"\n', 4, 'write days such as "90d"'),
        ("[metric.inc_postmortem_on_time]\nkrav = 0,85\n", 4, "the number is written with a comma"),
        ("[metric.inc_postmortem_on_time]\nweight = true\n", 4, "it is not a number"),
        ("[metric.inc_postmortem_on_time]\nweight = inf\n", 4, "weight: it is not a number"),
        ("[metric.inc_postmortem_on_time]\nn_full = false\n", 4, "it is not a number"),
        ("[area.bck]\nweight = true\n", 4, "it is not a number"),
        ("[method]\nlevel_edges = [20, 40, true, 80]\n", 4, "it is not a number"),
        ("[area.xxx]\nweight = 1\n", 3, "there is no area 'xxx'"),
        ("[method]\nversion = 1\n", 4, "'version' cannot be set here"),
        ("[metrik.x]\nkrav = 1\n", None, "did you mean 'metric'"),
        ("[area.bck\n", 3, "no valid TOML"),
        (f"[area.bck]\nweight = {'9' * 5000}\n", None, "a value that cannot be read"),
        (f"[area.bck]\nweight = {'[' * 5000}\n", None, "brackets within brackets"),
    ],
)
def test_what_cannot_be_is_said_with_file_and_line(org, text, line, said):
    with pytest.raises(ConfigurationError, match=r"rules\.toml") as found:
        rules(org, text)
    (problem,) = found.value.problems
    assert said in f"{problem.message} {problem.fix}"
    assert problem.line == line


def test_other_shipped_rules_are_looked_at_before_they_are_overlaid(org):
    with pytest.raises(ConfigurationError, match=r"rules.toml:1: it was written for ruleset 2.0.0"):
        rules(org, "", version="2.0.0")
    (org / "rules.toml").write_text("[area.bck]\nweight = 2\n")
    with pytest.raises(ConfigurationError) as found:
        load_catalogue(SHIPPED, load_all(SHIPPED), org)
    assert [problem.message for problem in found.value.problems] == [
        "it does not say for which rules it was written",
        "it does not say why the rules are other ones here",
    ]


def test_an_own_metric_is_one_of_its_area(org, catalogue):
    found = own(org)
    metric = found.metric("own_x")
    assert (metric.area_id, metric.is_own, metric.window_days) == ("aut", True, 45)
    assert metric.file.dependencies >= {"facts.deployments"}
    assert found.version.startswith(f"{catalogue.ruleset.version}+")
    assert "own_x" not in found.measures()
    assert own(org, SELECT + "-- more\n").version != found.version


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("facts.deployments", "'/etc/passwd.csv'", "it reads /etc/passwd.csv"),
        ("facts.deployments", "read_csv('x.csv')", "reads outside the warehouse"),
        ("facts.deployments", "query('select 1')", "reads outside the warehouse"),
        ("facts.deployments", "staging.deployments", "it reads staging.deployments"),
        ("facts.deployments", "raw.deployments", "it reads raw.deployments"),
        ("facts.deployments", "metrics.aut_toil_share", "it reads metrics.aut_toil_share"),
        ("facts.deployments", "elsewhere.facts.deployments", "it reads elsewhere.facts.deployments"),
        ("facts.deployments", "information_schema.tables", "it reads information_schema.tables"),
        ("1 as numerator", "random() as numerator", "random gives another answer"),
        ("1 as numerator", "epoch(current_timestamp) as numerator", "current_timestamp gives another answer"),
        ("1 as numerator", "epoch(now()) as numerator", "now gives another answer"),
        ("1 as numerator", "length(getvariable('x')) as numerator", "getvariable gives another answer"),
        ("items as (", "itemz as (", "items"),
        ("group by", "; drop table x; --", "Only SELECT"),
    ],
)
def test_an_own_metric_reads_facts_and_reference_tables_only(org, old, new, said):
    with pytest.raises(SqlFileError, match=r"own_x\.sql") as found:
        own(org, SELECT.replace(old, new))
    assert said in str(found.value)


def test_names_shadow_nothing(org):
    with pytest.raises(SqlFileError, match=r"name it own_<name>\.sql"):
        own(org, name="aut_x")
    (org / "metrics" / "aut_x.sql").unlink()
    with pytest.raises(SqlFileError, match=r"metrics.aut_toil_share is also made by"):
        own(org, name="aut_toil_share")
    (org / "metrics" / "aut_toil_share.sql").unlink()
    with pytest.raises(SqlFileError, match="unknown area 'xyz'; choose from mon"):
        own(org, header=HEADER.replace('"aut"', '"xyz"'))
    with pytest.raises(SqlFileError, match="header key 'krv'"):
        own(org, header=HEADER + "-- krv = 1\n")


def test_numbers_of_an_own_metric_stand_in_its_header(org):
    own(org)
    with pytest.raises(ConfigurationError, match="there is no metric 'own_x'"):
        rules(org, "[metric.own_x]\nkrav = 0.8\n")


def test_shipped_files_are_no_own_ones(org):
    copy = org / "sql"
    shutil.copytree(SHIPPED, copy)
    assert not any(metric.is_own for metric in load_catalogue(copy, load_all(copy, org), org).metrics)
